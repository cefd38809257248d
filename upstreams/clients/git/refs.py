"""Branches and tags as repositories tell them: `git ls-remote`, and the advertisement of smart HTTP (gitprotocol-http)."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

OID = r"[0-9a-f]{40}(?:[0-9a-f]{24})?"
LINE = re.compile(rf"({OID})[\t ](\S+)")
REF = re.compile(r"refs/(heads|tags)/(?!-)[^\x00-\x20\x7f~^:?*\[\\]{1,200}")
SYMREF = re.compile(r"ref: refs/heads/(\S+)\tHEAD")
CAPABLE = re.compile(r"symref=HEAD:refs/heads/(\S+)")
PEELED = "^{}"
SERVICE = b"# service=git-upload-pack"
LENGTH = 4  # hex digits before each line


class NoAdvertisement(ValueError):
    """Not what a Git server says."""


@dataclass(frozen=True, kw_only=True)
class Refs:
    """Branches and tags with their commits; `default`: the branch HEAD points to, '' when it points to a commit itself.

    Where HEAD points to a branch that is not there, `head` is '' too, unless there is one branch alone.
    """

    head: str
    default: str
    branches: Mapping[str, str]
    tags: Mapping[str, str]


def read_listing(said: str) -> Refs:
    """The answer of `git ls-remote --symref`."""
    lines = said.splitlines()
    default = next((found[1] for line in lines if (found := SYMREF.fullmatch(line))), "")
    return _refs(lines, default)


def read_advertisement(data: bytes) -> Refs:
    """The answer to `info/refs?service=git-upload-pack`. Raises NoAdvertisement."""
    lines = list(_lines(data))
    if not lines or lines[0].rstrip() != SERVICE:
        raise NoAdvertisement
    if len(lines) == 1:
        return _refs((), "")
    first, _, capabilities = lines[1].partition(b"\0")
    found = CAPABLE.search(capabilities.decode("utf-8", "replace"))
    texts = (line.rstrip(b"\n").decode("utf-8", "replace") for line in (first, *lines[2:]))
    return _refs(texts, found[1] if found else "")


def _lines(data: bytes) -> Iterator[bytes]:
    """The lines, without flushes. Raises NoAdvertisement."""
    at = 0
    while at < len(data):
        try:
            length = int(data[at : at + LENGTH], 16)
        except ValueError:
            raise NoAdvertisement from None
        if length > LENGTH:
            yield data[at + LENGTH : at + length]
        at += max(length, LENGTH)
    if at != len(data):
        raise NoAdvertisement


def _refs(lines: Iterable[str], default: str) -> Refs:
    """Names no ref may have, and refs to nothing, are passed over."""
    head = ""
    found: dict[str, dict[str, str]] = {"heads": {}, "tags": {}}
    for line in lines:
        read = LINE.fullmatch(line)
        if read is None or not read[1].strip("0"):
            continue
        oid, name = read[1], read[2]
        if name == "HEAD":
            head = oid
        elif (ref := REF.fullmatch(name.removesuffix(PEELED))) is not None and ".." not in name:
            found[ref[1]][ref[0].split("/", 2)[2]] = oid  # a peeled tag comes after the tag, and counts
    branches = found["heads"]
    if default not in branches:
        default = _likely(head, branches)
    return Refs(head=head or branches.get(default, ""), default=default, branches=branches, tags=found["tags"])


def _likely(head: str, branches: Mapping[str, str]) -> str:
    """The default branch where none is told: one at HEAD's commit; without a HEAD the only one there is."""
    if head:
        return next((branch for branch in ("main", "master") if branches.get(branch) == head), "")
    return next(iter(branches)) if len(branches) == 1 else ""
