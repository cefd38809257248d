"""The local copy of an index that lives in Git: brought up to date pack by pack, read without ever being checked out."""

import os
import shutil
from collections.abc import Sequence
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
    """A bare repository in `folder` with one shallow commit. Whoever calls `bring` sees to it that nobody else does.

    `commit`: where it stands, if that is known.
    """

    folder: Path
    commit: str = ""

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

    def read(self, names: Sequence[Name], *, most: int = FILE_LIMIT) -> dict[Name, bytes | None]:
        """The lines of modules, None for those that have none; larger ones than `most` are left out. Raises GitFailed."""
        asked = "".join(f"{REF}:{name.index_path}\n" for name in names).encode()
        told = local_git.run(self.folder, "cat-file", "--batch-check", send=asked).split(b"\n")
        found: dict[Name, bytes | None] = {}
        wanted: list[tuple[Name, bytes]] = []
        for name, line in zip(names, told, strict=False):
            words = line.split()
            if len(words) != 3 or words[1] != b"blob":  # noqa: PLR2004 - its name, kind and size
                found[name] = None
            elif int(words[2]) <= most:
                wanted.append((name, words[0]))
        return found | self._blobs(wanted)

    def _blobs(self, wanted: Sequence[tuple[Name, bytes]]) -> dict[Name, bytes | None]:
        """The bytes of blobs, out of one process of git: for each its name, kind and size, a line end, itself, a line end."""
        if not wanted:
            return {}
        said = local_git.run(self.folder, "cat-file", "--batch", send=b"".join(sha + b"\n" for _, sha in wanted))
        found, start = dict[Name, bytes | None](), 0
        for name, _ in wanted:
            line = said.index(b"\n", start)
            size = int(said[start:line].split()[2])
            found[name] = said[line + 1 : line + 1 + size]
            start = line + size + 2
        return found

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
