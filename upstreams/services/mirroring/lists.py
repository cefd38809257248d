"""Lists that say what to mirror: lock files, and names a line each."""

import hashlib
from pathlib import PurePath

from packages.formats.npm.locks import read_lock
from packages.models import Format
from upstreams.models import Upstream
from upstreams.services.mirroring.drivers import PATTERN, SPARED, Wanted
from upstreams.services.mirroring.known import wanted_of
from workspaces.errors import Invalid

LENGTH = 16 * 1024 * 1024  # bytes
LINES = 50_000
FILENAME = 40  # characters of its name that are shown


def wanted_by_lock(upstream: Upstream, data: bytes, filename: str) -> tuple[list[Wanted], str]:
    """What a lock file names, and a word for it. What is optional in it is asked for as an optional dependency is.

    Raises LockInvalid, Invalid for a format without lock files.
    """
    if upstream.format != Format.NPM:
        raise Invalid(f"There are no lock files of format {upstream.format} here.", fields={"lock": "format"})
    found = [Wanted(name, f"{SPARED}{version}" if is_optional else version) for name, version, is_optional in read_lock(data)]
    return found, _word(filename or "lock file", len(found), data)


def wanted_by_names(upstream: Upstream, data: bytes, filename: str) -> tuple[list[Wanted], str]:
    """Names a line each, with `@version` or a range where wanted; empty lines and those that begin with # do not count.

    Raises Invalid, NameInvalid.
    """
    if len(data) > LENGTH or data.count(b"\n") > LINES:
        raise Invalid(f"A list has at most {LINES:,} lines.", fields={"names": "length"})
    lines = (line.strip() for line in data.decode("utf-8-sig", "replace").splitlines())
    found = list(dict.fromkeys(wanted_in(upstream, line) for line in lines if line and not line.startswith("#")))
    return found, _word(filename or "list", len(found), data)


def wanted_in(upstream: Upstream, text: str) -> Wanted:
    """A pattern, name, or name with a version or range, as an item. Raises NameInvalid."""
    name = text[1:].partition("@")[0]
    if "*" in name or "?" in name or text[0] in "*?":
        return Wanted(text, PATTERN)
    return wanted_of(upstream.format, text)


def _word(filename: str, number: int, data: bytes) -> str:
    shown = "".join(sign for sign in PurePath(filename.replace("\\", "/")).name if sign.isprintable())[:FILENAME]
    return f"{shown}, {number} entries, sha256 {hashlib.sha256(data).hexdigest()[:12]}"
