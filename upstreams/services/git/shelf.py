"""Tarballs that were packed for their promise and not taken yet: what was promised is what is given, whatever packs it next time.

Another release of Gatehouse, or another compressor on this machine, may write other bytes for the same files.
"""

import base64
import binascii
import contextlib
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from upstreams.clients.git.command import size_of
from upstreams.clients.git.remote import GitTarget

ROOM = 1024**3  # bytes for one upstream; beyond, versions are packed again when they are asked for


@dataclass
class Slot:
    """A place for a tarball that is being packed; `file` is None where there is no room."""

    file: IO[bytes] | None
    is_kept: bool = False

    def write(self, piece: bytes) -> None:
        """The next bytes."""
        if self.file is not None:
            self.file.write(piece)

    def keep(self, place: Path) -> None:
        """It is whole; this is its place."""
        if self.file is not None:
            self.file.flush()
            Path(self.file.name).replace(place)
            self.is_kept = True


class Shelf:
    """The packed tarballs of one upstream on this machine, by their integrity."""

    def __init__(self, target: GitTarget) -> None:
        self._folder = target.folder / "packed"
        self._left = ROOM - size_of(self._folder)

    @contextlib.contextmanager
    def slot(self) -> Iterator[Slot]:
        """Room for one more; what is not kept is gone afterwards."""
        if self._left <= 0:
            yield Slot(None)
            return
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=self._folder, suffix=".new", delete=False) as file:
            slot = Slot(file)
            try:
                yield slot
            finally:
                self._left -= file.tell()
                if not slot.is_kept:
                    Path(file.name).unlink(missing_ok=True)

    def place(self, integrity: str) -> Path:
        """Where the tarball of this integrity lies, if it does."""
        try:
            digest = base64.b64decode(integrity.removeprefix("sha512-"), validate=True).hex()
        except (binascii.Error, ValueError):
            digest = "unknown"
        return self._folder / f"{digest}.tgz"

    def clear(self, integrities: Iterable[str]) -> None:
        """Nobody will ask for these any more."""
        for integrity in integrities:
            self.place(integrity).unlink(missing_ok=True)
