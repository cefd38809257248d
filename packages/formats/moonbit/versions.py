"""MoonBit versions: semantic versions (semver 2.0.0), exact and in order. Pure."""

import re

from packages.formats.errors import VersionInvalid

LENGTH = 100  # characters
NUMBER, WORD = r"(?:0|[1-9][0-9]{0,17})", r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
VERSION = re.compile(
    rf"(?P<core>{NUMBER}\.{NUMBER}\.{NUMBER})(?:-(?P<pre>{WORD}(?:\.{WORD})*))?(?:\+(?P<build>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
)
Key = tuple[tuple[int, ...], tuple[int, tuple[tuple[int, int, str], ...]], str]


def is_version(text: object) -> bool:
    """Whether it is a version."""
    return isinstance(text, str) and len(text) <= LENGTH and VERSION.fullmatch(text) is not None


def check_version(text: object) -> str:
    """The version itself. Raises VersionInvalid."""
    if not isinstance(text, str) or not is_version(text):
        raise VersionInvalid(f"{str(text)[:80]!r} is not a version like 1.2.3 or 1.2.3-rc.1.", fields={"version": "grammar"})
    return text


def sort_key(version: str) -> Key:
    """Order by precedence (semver 2.0.0, item 11); what is no version comes first."""
    found = VERSION.fullmatch(version)
    if found is None:
        return (-1,), (0, ()), version
    core = tuple(int(part) for part in found["core"].split("."))
    words = tuple(_word(word) for word in (found["pre"] or "").split(".") if word)
    return core, (0 if words else 1, words), found["build"] or ""


def _word(word: str) -> tuple[int, int, str]:
    """Numbers before words, in their own order."""
    return (0, int(word), "") if word.isdigit() else (1, 0, word)
