"""The local copy of an index that lives in Git: brought up to date pack by pack, read without ever being checked out."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
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

    `commit`: where it stands, if that is known; `at`: since when it was known to stand there.
    """

    folder: Path
    commit: str = ""
    at: datetime | None = None

    def head(self) -> str:
        """The commit that is here, '' for none."""
        try:
            return local_git.run(self.folder, "rev-parse", "--verify", "--quiet", REF).decode().strip() if self.folder.is_dir() else ""
        except GitFailed:
            return ""

    def bring(self, target: Target, url: str, *, anew: bool = False) -> bool:
        """Bring it to where the upstream stands, with `anew` as a whole; whether anything was new.

        What is here stays until something else can stand in its place. Raises UpstreamError subclasses, GitMissing.
        """
        found, here = advertised(target, url, BRANCH), "" if anew else self.head()
        if not found.commit:
            raise UpstreamBadAnswer(f"Upstream {target.name} has no branch “{BRANCH}” in its index.", upstream=target.name)
        if found.commit == here:
            return False
        try:
            if not (here and self._has_grown(target, found, here)):
                self._replace(target, found)
        except GitFailed:
            raise UpstreamBadAnswer(f"Upstream {target.name} sent an index that Git cannot read.", upstream=target.name) from None
        return True

    def names(self) -> list[Name]:
        """Every module it lists. Raises GitFailed."""
        said = local_git.run(self.folder, "ls-tree", "-r", "-z", "--full-tree", REF, "user/")
        found = []
        for line in said.split(b"\x00"):
            about, _, path = line.decode("utf-8", "replace").partition("\t")
            name = name_of_path(path) if about.partition(" ")[0] in REGULAR else None
            found += [name] if name is not None else []
        return found

    def read(self, names: Sequence[Name], *, most: int = FILE_LIMIT) -> dict[Name, bytes | None]:
        """The lines of modules, None for those that have none; larger ones than `most` are left out. Raises GitFailed.

        A repository that lost something, or was exchanged while it was read, has nothing to say: not that a module has no lines.
        """
        place = self._place()
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
        self._check_absent([name for name, lines in found.items() if lines is None])
        found |= self._blobs(wanted)
        if self._place() != place:
            raise GitFailed("another index came in its place")
        return found

    def _check_absent(self, names: Sequence[Name]) -> None:
        """They are not listed: git calls “missing” also what is listed and lost. Raises GitFailed."""
        paths = [name.index_path for name in names]  # below user/, and of the few letters a name may have
        if paths and b" blob " in local_git.run(self.folder, "ls-tree", "-z", "--full-tree", REF, *paths):
            raise GitFailed("what is listed is not here")

    def _place(self) -> int:
        try:
            return self.folder.stat().st_ino
        except OSError:
            raise GitFailed("there is no index") from None

    def _blobs(self, wanted: Sequence[tuple[Name, bytes]]) -> dict[Name, bytes | None]:
        """The bytes of blobs, out of one process of git: for each its name, kind and size, a line end, itself, a line end."""
        if not wanted:
            return {}
        said = local_git.run(self.folder, "cat-file", "--batch", send=b"".join(sha + b"\n" for _, sha in wanted))
        found, start = dict[Name, bytes | None](), 0
        for name, _ in wanted:
            line = said.find(b"\n", start)
            words = said[start:line].split()
            if len(words) != 3:  # noqa: PLR2004 - it was there a moment ago
                raise GitFailed("a blob is gone")
            size = int(words[2])
            found[name] = said[line + 1 : line + 1 + size]
            start = line + size + 2
        return found

    def _has_grown(self, target: Target, found: Advertised, here: str) -> bool:
        """Whether what is new could be put on top of what is here; if not, for whatever reason, a whole one is wanted."""
        for left in (self.folder / "objects" / "pack").glob("tmp_*"):  # of a pack that broke off
            left.unlink(missing_ok=True)
        try:
            self._take(target, found, here)
        except GitFailed:
            return False
        return True

    def _replace(self, target: Target, found: Advertised) -> None:
        """A whole one, made to the side."""
        fresh, old = ModuleIndex(self.folder.with_suffix(".new")), self.folder.with_suffix(".old")
        shutil.rmtree(fresh.folder, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
        local_git.new_repository(fresh.folder)
        fresh._take(target, found, "")
        if self.folder.exists():
            self.folder.rename(old)
        fresh.folder.rename(self.folder)
        shutil.rmtree(old, ignore_errors=True)

    def _take(self, target: Target, found: Advertised, here: str) -> None:
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
        local_git.run(self.folder, "rev-list", "--objects", "--quiet", commit)  # all of it is here
        local_git.run(self.folder, "update-ref", REF, commit)
