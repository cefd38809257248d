"""npm package names (validate-npm-package-name 6; the registry's rule for new names). Pure."""

import re
from dataclasses import dataclass

from packages.formats.errors import NameInvalid

LENGTH = 214  # characters, scope included
PART = r"[a-z0-9~-][a-z0-9._~-]*"
NEW = re.compile(rf"(?:@(?P<scope>{PART})/)?(?P<bare>{PART})")
OLD_PART = r"[A-Za-z0-9~!'()*-][A-Za-z0-9._~!'()*-]*"
OLD = re.compile(rf"(?:@(?P<scope>{OLD_PART})/)?(?P<bare>{OLD_PART})")
NEVER = frozenset({"node_modules", "favicon.ico"})  # npm's own
# Keys that break JavaScript objects. Public packages of these names exist and can be installed; new ones are not taken.
FORBIDDEN = NEVER | {"__proto__", "constructor", "prototype", "hasownproperty"}


@dataclass(frozen=True, slots=True)
class Name:
    """A package name: `full` as written, `folded` as the rule compares it, `bare` without its scope."""

    full: str
    bare: str
    scope: str | None

    @property
    def folded(self) -> str:
        """The canonical form: lower-cased; punctuation stays."""
        return self.full.lower()

    def tarball(self, version: str) -> str:
        """The file name clients ask for: without the scope."""
        return f"{self.bare}-{version}.tgz"

    def version_of(self, filename: str) -> str:
        """The version whose file that is; '' for a name that is not of this form."""
        is_ours = filename.startswith(f"{self.bare}-") and filename.endswith(".tgz")
        return filename[len(self.bare) + 1 : -4] if is_ours else ""


def parse_new(text: object) -> Name:
    """A name that may be published under today's rule. Raises NameInvalid."""
    return _parse(text, NEW, FORBIDDEN)


def parse_known(text: object) -> Name:
    """A name that may exist, capital letters of old packages included. Raises NameInvalid."""
    return _parse(text, OLD, NEVER)


def _parse(text: object, grammar: re.Pattern[str], forbidden: frozenset[str]) -> Name:
    if not isinstance(text, str):
        raise NameInvalid("A package name is a string.", fields={"name": "not a string"})
    found = grammar.fullmatch(text) if len(text) <= LENGTH else None
    if found is None or found["bare"].lower() in forbidden or (found["scope"] or "").lower() in forbidden:
        raise NameInvalid(
            f"{text[:80]!r} is not a package name: lower-case letters, digits, dot, dash, underscore and tilde,"
            f" at most {LENGTH} characters, not beginning with a dot or underscore.",
            fields={"name": "grammar"},
        )
    return Name(text, found["bare"], found["scope"])
