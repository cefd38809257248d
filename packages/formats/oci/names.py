"""Names of repositories and tags (OCI Distribution Specification 1.1, "Pulling manifests"). Pure."""

import re

from packages.formats.errors import NameInvalid, TagInvalid

_WORD = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
NAME = re.compile(rf"{_WORD}(?:/{_WORD})*")
TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
LONGEST = 255  # of host, "/" and the whole path: what clients take


def parse_name(text: str) -> str:
    """A repository's name; lower-case by its grammar, so it is its own canonical form. Raises NameInvalid."""
    if len(text) > LONGEST or not NAME.fullmatch(text):
        said = f"{text[:80]!r} is not a repository's name: lower-case letters and digits, with . _ __ or - between them, parts joined by /."
        raise NameInvalid(said, fields={"name": "grammar"})
    return text


def parse_tag(text: str) -> str:
    """A tag. Raises TagInvalid."""
    if not TAG.fullmatch(text):
        raise TagInvalid(f"{text[:80]!r} is not a tag: at most 128 letters, digits, _ . and -, not beginning with . or -.")
    return text
