"""A module's zip: what its own `moon.mod.json` says, read within bounds and never unpacked. Pure."""

import zipfile
import zlib

import orjson

from packages.formats.errors import ContentInvalid
from packages.formats.moonbit.names import Name
from packages.formats.publication import StagedFile

MANIFEST = "moon.mod.json"
MANIFEST_LIMIT = 1024 * 1024  # bytes
ENTRIES = 100_000


def check_archive(file: StagedFile, name: Name, version: str) -> None:
    """Raise ContentInvalid if the archive says that it is another module, or another version, than it is listed as.

    One that says nothing, or cannot be read, is judged by its checksum alone, as the client does.
    """
    said = _manifest(file)
    for key, wanted in (("name", name.full), ("version", version)):
        if isinstance(said.get(key), str) and said[key] != wanted:
            raise ContentInvalid(f"{MANIFEST} in the archive says {key} “{str(said[key])[:80]}”, not “{wanted}”.")


def _manifest(staged: StagedFile) -> dict[str, object]:
    try:
        with staged.open() as whole, zipfile.ZipFile(whole) as archive:
            if len(archive.infolist()) > ENTRIES:
                return {}
            with archive.open(MANIFEST) as file:
                data = orjson.loads(file.read(MANIFEST_LIMIT))
    except (zipfile.BadZipFile, KeyError, OSError, EOFError, ValueError, zlib.error, NotImplementedError, RuntimeError):
        return {}
    return data if isinstance(data, dict) else {}
