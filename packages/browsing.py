"""The files inside a version: listed and read where they lie, within bounds, never unpacked."""

import contextlib
import re
from functools import partial

from packages import blobs
from packages.errors import FileNotHere
from packages.formats import shelf
from packages.formats.errors import ContentInvalid
from packages.formats.moonbit import browse as modules
from packages.formats.npm import browse as tarballs
from packages.models import Format, Version

SHOWN = 512 * 1024  # bytes of a file that are read
READMES = re.compile(r"readme(\.(md|mkd|mkdn|markdown|txt|rst))?", re.IGNORECASE)
ORDER = (".md", ".mkd", ".mkdn", ".markdown", "", ".txt", ".rst")  # where there are several


def files_of(version: Version, *, also: str = "", limit: int = SHOWN) -> shelf.Shelf:
    """Its files by path, with the first `limit` bytes of `also`.

    Raises FileNotHere when the storage has lost it or there is no such path, ContentInvalid when it cannot be read.
    """
    found = _opened(version, lambda path: path == also, limit)
    if also and also not in found.read:
        raise FileNotHere(f"There is no file {also[:200]} in {version.version}.")
    return found


def readme_of(version: Version) -> tuple[str, str]:
    """The name and the text of the read-me file at the top; ("", "") where there is none, or none that can be read."""
    with contextlib.suppress(ContentInvalid, FileNotHere):
        found = _opened(version, READMES.fullmatch, SHOWN).read
        if found:
            name = min(found, key=_rank)
            return name, found[name].decode("utf-8", "replace").removeprefix("\ufeff")
    return "", ""


def _rank(name: str) -> tuple[int, str]:
    return ORDER.index(name[len("readme") :].lower()), name


def _opened(version: Version, wanted: shelf.Wanted, limit: int) -> shelf.Shelf:
    package = version.package
    browse = {Format.NPM.value: tarballs.browse, Format.MOONBIT.value: modules.browse}.get(package.format)
    is_at_hand = "files" in getattr(version, "_prefetched_objects_cache", {})
    file = next(iter(version.files.all()), None) if is_at_hand else version.files.select_related("blob").first()
    if browse is None or file is None:
        raise FileNotHere(f"There are no files of {version.version} here.")
    look = partial(browse, wanted=wanted, limit=limit)
    try:
        with blobs.open_blob(file.blob.sha256) as opened:
            return look(opened)
    except FileNotFoundError:
        raise FileNotHere(f"The storage has lost the file of {version.version}.") from None
