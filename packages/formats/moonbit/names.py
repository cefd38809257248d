"""MoonBit module names, `user/name` (reference: moon's registry index, `user/<username>/<name>.index`). Pure."""

import re
from dataclasses import dataclass

from packages.formats.errors import NameInvalid

# The public registry gives out user names of 5 to 39 characters; private ones have shorter ones too.
NAME = re.compile(r"(?P<username>[A-Za-z0-9_-]{1,39})/(?P<bare>[A-Za-z0-9_][A-Za-z0-9_.-]{0,99})")


@dataclass(frozen=True, slots=True)
class Name:
    """A module's name: `full` as written, `folded` as the rule compares it."""

    username: str
    bare: str

    @property
    def full(self) -> str:
        """As it is written."""
        return f"{self.username}/{self.bare}"

    @property
    def folded(self) -> str:
        """The canonical form: lower-cased; punctuation stays."""
        return self.full.lower()

    @property
    def index_path(self) -> str:
        """Where the index has its versions."""
        return f"user/{self.username}/{self.bare}.index"

    def archive(self, version: str) -> str:
        """What we call a version's file."""
        return f"{self.username}-{self.bare}-{version}.zip"


def parse_name(text: object) -> Name:
    """A module's name. Raises NameInvalid."""
    found = NAME.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise NameInvalid(
            f"{str(text)[:80]!r} is not a module's name: user/name, of letters, digits, dashes and underscores.",
            fields={"name": "grammar"},
        )
    return Name(found["username"], found["bare"])


def name_of_path(path: str) -> Name | None:
    """The module whose versions a file of the index lists; None for any other file."""
    found = NAME.fullmatch(path.removeprefix("user/").removesuffix(".index"))
    name = Name(found["username"], found["bare"]) if found is not None else None
    return name if name is not None and name.index_path == path else None
