"""The files of a package's tarball, read as a stream and never unpacked; what npm would not install is left out. Pure."""

from typing import IO

from packages.formats.npm.contents import Patient
from packages.formats.npm.tarball import (
    BLOCK,
    ENTRIES_LIMIT,
    FILES,
    LONG_LINK,
    LONG_NAME,
    PATHS_LIMIT,
    PAX,
    PAX_GLOBAL,
    Entry,
    cut_off,
    entry_of,
)
from packages.formats.npm.unzipped import Unzipped
from packages.formats.shelf import Shelf, Wanted


def browse(file: IO[bytes], wanted: Wanted, *, limit: int) -> Shelf:
    """Its files, and at most `limit` bytes of each that is wanted; of two with one name the later. Raises ContentInvalid."""
    return _Browser(Unzipped(file, patient=True), wanted, limit).browse()


class _Browser(Patient):
    """Goes past everything but what is wanted."""

    def __init__(self, source: Unzipped, wanted: Wanted, limit: int) -> None:
        super().__init__(source)
        self._wanted, self._shelf, self._room = wanted, Shelf(limit), 0

    def browse(self) -> Shelf:
        """All entries. Raises ContentInvalid."""
        while (header := self._header()) is not None:
            self._entries += 1
            if self._entries > ENTRIES_LIMIT:
                self._shelf.is_cut = True
                break
            self._take(entry_of(header))
        return self._shelf

    def _take(self, entry: Entry) -> None:
        if entry.kind in {LONG_NAME, LONG_LINK, PAX, PAX_GLOBAL}:
            self._take_extension(entry)
            return
        entry = self._resolved(entry)
        path = _path(entry) if entry.kind in FILES and self.accepts(entry) else ""
        self._room += len(path)
        if not path or self._room > PATHS_LIMIT:
            self._shelf.is_cut = self._shelf.is_cut or bool(path)
            self._pass(entry)
            return
        self._shelf.sizes[path] = entry.size
        if self._wanted(path):
            self._shelf.read[path] = self._beginning(entry)
        else:
            self._pass(entry)

    def _beginning(self, entry: Entry) -> bytes:
        size = min(entry.size, self._shelf.limit)
        data = self._source.read(size)
        rest = entry.size - size + -entry.size % BLOCK
        if len(data) != size or self._source.skip(rest) != rest:
            raise cut_off(entry)
        return data


def _path(entry: Entry) -> str:
    """Below the top folder, as npm writes it; "" for a name that ends in a slash."""
    if entry.name.endswith("/"):
        return ""
    parts = [part for part in entry.name.replace("\\", "/").split("/") if part not in {"", "."}]
    return "/".join(parts[1:])
