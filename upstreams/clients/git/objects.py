"""Commits, trees and files of a mirror, read by one `git cat-file` that stays for as long as they are wanted.

Trees are read here, not listed by git: one that names itself a thousand times over costs no more than once.
"""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from packages.formats.npm.packlist import Entry, Kind
from upstreams.clients.git.command import end, environment, program
from upstreams.errors import UpstreamBadAnswer

PIECE = 256 * 1024
TREE_LIMIT = 16 * 1024 * 1024  # bytes of one folder's listing
COMMIT_LIMIT = 1024 * 1024
MANIFEST_LIMIT = 2 * 1024 * 1024
REMEMBERED = 100_000  # folders
UNUSABLE = re.compile(r"[\x00-\x1f\x7f\\]|^[A-Za-z]:|^\.{0,2}$")
COMMITTED = re.compile(r"^committer .*> (-?\d{1,15}) [+-]\d{4}$", re.MULTILINE)
MODES = {"100644": Kind.FILE, "100664": Kind.FILE, "100755": Kind.FILE, "40000": Kind.FOLDER, "040000": Kind.FOLDER}


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit: its tree, and its time in UTC."""

    tree: str
    at: datetime


class NotHere(LookupError):
    """The mirror does not have this object."""


class Objects:
    """The mirror's objects; a context manager."""

    def __init__(self, repository: Path, upstream: str) -> None:
        self._upstream = upstream
        self._process = subprocess.Popen(  # noqa: S603 - words of our own
            [program(upstream), f"--git-dir={repository}", "cat-file", "--batch"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
            start_new_session=True,
        )
        self._trees: dict[str, Mapping[str, Entry]] = {}
        self._left = 0  # bytes of the last answer that nobody has read

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        end(self._process)

    def has(self, oid: str) -> bool:
        """Whether the mirror has this object."""
        return self._ask(oid)[0] != "missing"

    def commit(self, oid: str) -> Commit | None:
        """A commit; None for an object that is none. Raises NotHere."""
        text = self._whole(oid, "commit", COMMIT_LIMIT)
        if text is None:
            return None
        head = text.decode("utf-8", "replace").partition("\n\n")[0]
        when = COMMITTED.search(head)
        seconds = int(when[1]) if when else 0
        at = datetime.fromtimestamp(seconds if 0 <= seconds < 253_402_300_800 else 0, UTC)  # noqa: PLR2004 - the year 10000
        return Commit(head.partition("\n")[0].removeprefix("tree "), at)

    def entries(self, oid: str) -> Mapping[str, Entry]:
        """The names of a folder that an archive can carry. Raises UpstreamBadAnswer."""
        found = self._trees.get(oid)
        if found is None:
            data = self._whole(oid, "tree", TREE_LIMIT)
            if data is None:
                raise UpstreamBadAnswer(f"A folder in the repository of upstream {self._upstream} cannot be read.", upstream=self._upstream)
            if len(self._trees) >= REMEMBERED:
                self._trees.clear()
            found = self._trees[oid] = dict(_entries(data, len(oid) // 2))
        return found

    def text(self, oid: str, limit: int) -> str:
        """A file's text; what is longer than `limit` bytes counts as empty."""
        return (self._whole(oid, "blob", limit) or b"").decode("utf-8", "replace")

    def manifest(self, oid: str) -> Mapping[str, object]:
        """A package.json, {} for one that cannot be read."""
        return self.package(oid) or {}

    def package(self, oid: str) -> Mapping[str, object] | None:
        """A package.json, {} for one that says nothing; None where nobody can tell what it says: too large, or damaged."""
        data = self._whole(oid, "blob", MANIFEST_LIMIT)
        if data is None:
            return None
        text = data.decode("utf-8", "replace").removeprefix("\ufeff")
        try:
            read = json.loads(text) if text.strip() else {}
        except (ValueError, RecursionError):
            return None
        return read if isinstance(read, dict) else {}

    def sized(self, oid: str) -> tuple[int, Iterator[bytes]]:
        """A file's size and its bytes, good until anything else is asked."""
        kind, size = self._ask(oid)
        if kind != "blob":
            raise UpstreamBadAnswer(f"A file in the repository of upstream {self._upstream} cannot be read.", upstream=self._upstream)
        return size, self._take(size)

    def _whole(self, oid: str, kind: str, limit: int) -> bytes | None:
        found, size = self._ask(oid)
        if found == "missing":
            raise NotHere(oid)
        if found != kind or size > limit:
            return None
        return b"".join(self._take(size))

    def _ask(self, oid: str) -> tuple[str, int]:
        """Kind and size of an object, ("missing", -1) when it is not here."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None  # noqa: S101 - PIPE above
        assert stdout is not None  # noqa: S101
        while self._left:
            self._read(PIECE)
        try:
            stdin.write(f"{oid}\n".encode())
            stdin.flush()
            words = stdout.readline(1000).split()
        except BrokenPipeError:
            words = []
        if len(words) == 3 and words[2].isdigit():  # noqa: PLR2004 - oid, kind, size
            self._left = int(words[2]) + 1  # with the line feed behind each object
            return words[1].decode(), int(words[2])
        if not words:
            raise UpstreamBadAnswer(f"The mirror of upstream {self._upstream} is damaged.", upstream=self._upstream)
        return "missing", -1

    def _take(self, size: int) -> Iterator[bytes]:
        left = size
        while left:
            piece = self._read(min(left, PIECE))
            left -= len(piece)
            yield piece

    def _read(self, size: int) -> bytes:
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101 - PIPE above
        piece = stdout.read(min(self._left, size))
        if not piece:
            raise UpstreamBadAnswer(f"The mirror of upstream {self._upstream} is damaged.", upstream=self._upstream)
        self._left -= len(piece)
        return piece


def _entries(data: bytes, width: int) -> Iterator[tuple[str, Entry]]:
    """The entries of a tree object: `mode name NUL id`, again and again (gitformat: tree)."""
    at = 0
    while at < len(data):
        space, end_of_name = data.index(b" ", at), data.index(b"\0", at)
        mode, raw = data[at:space].decode("ascii", "replace"), data[space + 1 : end_of_name]
        at = end_of_name + 1 + width
        try:
            name = raw.decode("utf-8")
        except UnicodeDecodeError:
            continue
        if not UNUSABLE.search(name) and name.lower() != ".git":
            oid = data[end_of_name + 1 : at].hex()
            yield name, Entry(MODES.get(mode, Kind.OTHER), oid, is_executable=mode == "100755")
