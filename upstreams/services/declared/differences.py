"""What a file changes, line by line. Pure."""

from dataclasses import dataclass

ADDED, CHANGED, SAME = "added", "changed", "unchanged"


@dataclass(frozen=True)
class Line:
    """One field that becomes another; a secret's value is never in it."""

    field: str
    old: object
    new: object


@dataclass(frozen=True)
class Difference:
    """What the file does to one source. `notes`: what whoever gave the file should know of it, changed or not."""

    name: str
    word: str
    lines: tuple[Line, ...] = ()
    notes: tuple[str, ...] = ()
