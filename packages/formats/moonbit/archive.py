"""A module's zip: what its own `moon.mod.json` says, read within bounds and never unpacked. Pure."""

import zipfile
import zlib
from pathlib import Path

import orjson

from packages.formats.errors import ContentInvalid
from packages.formats.moonbit.names import Name

MANIFEST = "moon.mod.json"
MANIFEST_LIMIT = 1024 * 1024  # bytes
ENTRIES = 100_000


def check_archive(path: Path, name: Name, version: str) -> None:
    """Raise ContentInvalid if the archive says that it is another module, or another version, than it is listed as.

    One that says nothing, or cannot be read, is judged by its checksum alone, as the client does.
    """
    said = _manifest(path)
    for key, wanted in (("name", name.full), ("version", version)):
        if isinstance(said.get(key), str) and said[key] != wanted:
            raise ContentInvalid(f"{MANIFEST} in the archive says {key} “{str(said[key])[:80]}”, not “{wanted}”.")


def _manifest(path: Path) -> dict[str, object]:
    try:
        with zipfile.ZipFile(path) as archive:
            if len(archive.infolist()) > ENTRIES:
                return {}
            with archive.open(MANIFEST) as file:
                data = orjson.loads(file.read(MANIFEST_LIMIT))
    except (zipfile.BadZipFile, KeyError, OSError, EOFError, ValueError, zlib.error, NotImplementedError, RuntimeError):
        return {}
    return data if isinstance(data, dict) else {}
