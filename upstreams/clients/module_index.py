"""The local copy of an index that lives in Git: brought up to date pack by pack, read without ever being checked out."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from packages.formats.moonbit.index import FILE_LIMIT
from packages.formats.moonbit.names import Name, name_of_path
from upstreams.clients import local_git
from upstreams.clients.http import Target
from upstreams.clients.local_git import GitFailed
from upstreams.clients.packs import Advertised, advertised, fetch_pack
from upstreams.errors import UpstreamBadAnswer

BRANCH, REF = "main", "refs/heads/main"
PACK_LIMIT = 1024 * 1024 * 1024  # bytes of one fetch
PACKS = 30  # beyond so many they are put together
REGULAR = frozenset({"100644", "100755"})


@dataclass(frozen=True)
class ModuleIndex:
    """A bare repository in `folder` with one shallow commit. Whoever calls `bring` sees to it that nobody else does."""

    folder: Path

    def head(self) -> str:
        """The commit that is here, '' for none."""
        try:
            return local_git.run(self.folder, "rev-parse", "--verify", "--quiet", REF).decode().strip() if self.folder.is_dir() else ""
        except GitFailed:
            return ""

    def bring(self, target: Target, url: str) -> bool:
        """Bring it to where the upstream stands; whether anything was new. Raises UpstreamError subclasses, GitMissing."""
        found, here = advertised(target, url, BRANCH), self.head()
        if not found.commit:
            raise UpstreamBadAnswer(f"Upstream {target.name} has no branch “{BRANCH}” in its index.", upstream=target.name)
        if found.commit == here:
            return False
        try:
            self._take(target, found, here)
        except GitFailed:
            shutil.rmtree(self.folder, ignore_errors=True)  # whatever it is, the next time it is fetched as a whole
            raise UpstreamBadAnswer(f"Upstream {target.name} sent an index that Git cannot read.", upstream=target.name) from None
        return True

    def names(self) -> list[Name]:
        """Every module it lists. Raises GitFailed."""
        said = local_git.run(self.folder, "ls-tree", "-r", "-z", "--full-tree", REF, "user/") if self.head() else b""
        found = []
        for line in said.split(b"\x00"):
            about, _, path = line.decode("utf-8", "replace").partition("\t")
            name = name_of_path(path) if about.partition(" ")[0] in REGULAR else None
            found += [name] if name is not None else []
        return found

    def read(self, name: Name) -> bytes | None:
        """A module's lines; None when it has none. Raises GitFailed, also for more than is read."""
        asked = f"{REF}:{name.index_path}"
        told = local_git.run(self.folder, "cat-file", "--batch-check", send=f"{asked}\n".encode()).split()
        if len(told) != 3 or told[1] != b"blob":  # noqa: PLR2004 - its name, kind and size
            return None
        if int(told[2]) > FILE_LIMIT:
            raise GitFailed("the index has more of this module than is read")
        return local_git.run(self.folder, "cat-file", "blob", asked)

    def _take(self, target: Target, found: Advertised, here: str) -> None:
        if not here:
            shutil.rmtree(self.folder, ignore_errors=True)
            local_git.new_repository(self.folder)
        pack, answer = fetch_pack(target, found, here, limit=PACK_LIMIT)
        try:
            local_git.feed(self.folder, ("index-pack", "--stdin", "--fix-thin", f"--max-input-size={PACK_LIMIT}"), pack.pieces)
        finally:
            answer.close()
        self._move(found.commit, pack.shallow)
        if len(list((self.folder / "objects" / "pack").glob("*.pack"))) > PACKS:
            local_git.run(self.folder, "repack", "-a", "-d", "-q")

    def _move(self, commit: str, shallow: tuple[str, ...]) -> None:
        """The branch to where it stands now, the edge of its history with it."""
        beside = self.folder / f"shallow.{os.getpid()}"
        beside.write_text("".join(f"{sha}\n" for sha in shallow), encoding="ascii")
        beside.replace(self.folder / "shallow")
        local_git.run(self.folder, "ls-tree", "-r", "-z", "--full-tree", commit)  # all of its trees are here
        local_git.run(self.folder, "update-ref", REF, commit)
