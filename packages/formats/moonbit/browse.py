"""The files of a module's zip, by its own directory and never unpacked. Pure."""

import zipfile
import zlib
from typing import IO

from packages.formats.errors import ContentInvalid
from packages.formats.moonbit.archive import ENTRIES
from packages.formats.shelf import Shelf, Wanted

TROUBLE = (zipfile.BadZipFile, KeyError, EOFError, ValueError, zlib.error, NotImplementedError, RuntimeError)


def browse(file: IO[bytes], wanted: Wanted, *, limit: int) -> Shelf:
    """Its files, and at most `limit` bytes of each that is wanted. Raises ContentInvalid."""
    shelf = Shelf(limit)
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            shelf.is_cut = len(entries) > ENTRIES
            for entry in entries[:ENTRIES]:
                path = "/".join(part for part in entry.filename.replace("\\", "/").split("/") if part not in {"", "."})
                if entry.is_dir() or not path or ".." in path.split("/"):
                    continue
                shelf.sizes[path] = entry.file_size
                if wanted(path):
                    with archive.open(entry) as opened:
                        shelf.read[path] = opened.read(limit)
    except TROUBLE:
        raise ContentInvalid("The archive is no zip that can be read.") from None
    return shelf
