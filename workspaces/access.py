"""Who may do what: roles, actions, scopes and the one authoriser of every protocol (CONTRACT.md section 5).

Pure: no Django, no database. The slow path and the hot path both ask `Actor.may`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from functools import lru_cache
from typing import Protocol

from workspaces.errors import Invalid


class Role(IntEnum):
    """A member's standing in a workspace; each includes the ones below it."""

    READER = 10
    PUBLISHER = 20
    ADMIN = 30
    OWNER = 40

    @property
    def word(self) -> str:
        """The role as it is written in pages and REST."""
        return self.name.lower()


class Action(StrEnum):
    """What a door asks leave for."""

    READ = "read"
    STAR = "star"
    PUBLISH = "publish"
    MAINTAIN = "maintain"  # say who else may write one package, and who may see it
    DELETE = "delete"
    MANAGE = "manage"
    OWN = "own"


NEEDED: Mapping[Action, Role] = {
    Action.READ: Role.READER,
    Action.STAR: Role.READER,
    Action.PUBLISH: Role.PUBLISHER,
    Action.MAINTAIN: Role.ADMIN,
    Action.DELETE: Role.ADMIN,
    Action.MANAGE: Role.ADMIN,
    Action.OWN: Role.OWNER,
}
GIVEN_BY_NAME = frozenset({Action.PUBLISH, Action.MAINTAIN})
SCOPE_TYPES: Mapping[str, str] = {"npm": "package", "oci": "repository", "entropic": "package", "moonbit": "module"}
SCOPE_ACTIONS: Mapping[str, frozenset[Action]] = {
    "read": frozenset({Action.READ}),
    "pull": frozenset({Action.READ}),
    "write": frozenset({Action.READ, Action.STAR, Action.PUBLISH}),
    "push": frozenset({Action.READ, Action.STAR, Action.PUBLISH}),
    "delete": frozenset({Action.DELETE}),
    "*": frozenset({Action.READ, Action.STAR, Action.PUBLISH, Action.DELETE}),
}


@lru_cache(maxsize=4096)
def glob(pattern: str) -> re.Pattern[str]:
    """A glob as Gatehouse reads it everywhere: `*` spans `/` too, `?` is one character.

    Each part between two stars is taken where it is first found and never looked for again (atomic groups), so
    that matching takes no more than the product of both lengths: people write patterns, and strangers write names.
    """
    first, *rest = ["".join("." if char == "?" else re.escape(char) for char in part) for part in pattern.split("*")]
    if not rest:
        return re.compile(first, re.DOTALL)
    *middle, last = rest
    return re.compile(first + "".join(f"(?>.*?{part})" for part in middle if part) + ".*" + last, re.DOTALL)


def matches(pattern: str, name: str) -> bool:
    """Whether the canonical (lower-cased) `name` meets `pattern`."""
    return glob(pattern.lower()).fullmatch(name.lower()) is not None


@dataclass(frozen=True, slots=True)
class Target:
    """What an action touches: one name of one format, or (name None) the registry as a whole.

    `is_restricted`: members only, although the registry is public. `is_own`: the caller published it, and nobody
    was named as its maintainer yet.
    """

    format: str | None = None
    name: str | None = None
    is_restricted: bool = False
    is_own: bool = False


ALL = Target()


@dataclass(frozen=True, slots=True)
class Scope:
    """`{protocol}:{type}:{name}:{action}`; the format of smartregistry."""

    protocol: str
    type: str
    name: str
    action: str

    def allows(self, action: Action, target: Target) -> bool:
        """Whether this scope gives `action` on `target`. On a whole registry it gives reading, if it gives any."""
        if action not in SCOPE_ACTIONS[self.action]:
            return False
        if target.format is not None and target.format != self.protocol:
            return False
        if target.name is None:
            return action is Action.READ
        return matches(self.name, target.name)

    def __str__(self) -> str:
        return f"{self.protocol}:{self.type}:{self.name}:{self.action}"


class ScopeInvalid(Invalid):
    """A scope with an unknown word or the wrong number of parts."""

    code = "scope_invalid"


def parse_scope(text: str) -> Scope:
    """Read one scope. Raises ScopeInvalid naming the part that is not known."""
    head = text.split(":", 2)
    if len(head) != 3 or ":" not in head[2]:  # noqa: PLR2004 - the three colons of the format
        raise ScopeInvalid(f"Scope {text[:200]!r} is not of the form protocol:type:name:action.", fields={"scopes": text[:200]})
    protocol, kind, rest = head
    name, _, action = rest.rpartition(":")
    known_type = kind in {"*", SCOPE_TYPES.get(protocol)}
    if protocol not in SCOPE_TYPES or not known_type or action not in SCOPE_ACTIONS or not 0 < len(name) <= 256:  # noqa: PLR2004
        raise ScopeInvalid(f"Scope {text[:200]!r} has a word that is not known.", fields={"scopes": text[:200]})
    return Scope(protocol, kind, name, action)


class RegistryFacts(Protocol):
    """What the authoriser needs to know of a registry."""

    @property
    def id(self) -> int:
        """Its number, as tokens name it."""

    @property
    def workspace_id(self) -> int:
        """Whose roles count."""

    @property
    def is_public(self) -> bool:
        """Anybody may read."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token leaves of its owner's rights. `registries` and `scopes`: None is all, empty is nothing."""

    token_id: int
    token_name: str = ""
    read_only: bool = False
    registries: frozenset[int] | None = None
    scopes: tuple[Scope, ...] | None = None

    @property
    def manages(self) -> bool:
        """Whether the token may manage at all: one with scopes or the read-only flag may not."""
        return not self.read_only and self.scopes is None

    @property
    def reaches_all(self) -> bool:
        """Whether the token may act for the installation: it manages, and is not held to some registries."""
        return self.manages and self.registries is None

    def knows(self, registry_id: int) -> bool:
        """Whether the token reaches this registry at all."""
        return self.registries is None or registry_id in self.registries

    def readable(self, format: str) -> tuple[str, ...] | None:  # noqa: A002 - the field's own word
        """Patterns of the names of a format that the token reads; None is all of them."""
        if self.scopes is None:
            return None
        reading = (scope for scope in self.scopes if scope.protocol == format and Action.READ in SCOPE_ACTIONS[scope.action])
        return tuple(scope.name for scope in reading)

    def allows(self, action: Action, target: Target) -> bool:
        """Whether the token's flag and scopes leave `action` on `target`."""
        if action in {Action.MAINTAIN, Action.MANAGE, Action.OWN}:
            return self.manages
        if self.read_only and action is not Action.READ:
            return False
        return self.scopes is None or any(scope.allows(action, target) for scope in self.scopes)


class Rights(Protocol):
    """What a person may do with single names beyond their role."""

    def on(self, registry_id: int, target: Target) -> frozenset[Action]:
        """The actions given on `target`, as they are at this moment."""


class NoRights:
    """Nothing beyond the role: nobody, services, and the hot path, which only reads."""

    def on(self, registry_id: int, target: Target) -> frozenset[Action]:  # noqa: ARG002 - the protocol's own
        """Nothing."""
        return frozenset()


NO_RIGHTS = NoRights()


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is asking: a person, a service or nobody, and what their token leaves of their rights."""

    user_id: int | None = None
    name: str = ""
    is_operator: bool = False
    roles: Mapping[int, Role] = field(default_factory=dict)
    grant: Grant | None = None
    ip: str = ""
    rights: Rights = field(default=NO_RIGHTS, compare=False, repr=False)

    @property
    def is_anonymous(self) -> bool:
        """Nobody: no person and no service stands behind the request."""
        return self.user_id is None and self.grant is None

    def role_in(self, workspace_id: int) -> Role | None:
        """The caller's role in a workspace; an operator is owner everywhere."""
        return Role.OWNER if self.is_operator else self.roles.get(workspace_id)

    def knows(self, registry: RegistryFacts) -> bool:
        """Whether the caller may know that the registry exists."""
        if self.grant is not None and not self.grant.knows(registry.id):
            return False
        return registry.is_public or self.role_in(registry.workspace_id) is not None

    def may(self, action: Action, registry: RegistryFacts, target: Target = ALL) -> bool:
        """The one decision of every protocol. Whole-registry questions pass ALL as `target`."""
        if not self.knows(registry) or (self.grant is not None and not self.grant.allows(action, target)):
            return False
        role = self.role_in(registry.workspace_id)
        if role is None:
            return action is Action.READ and registry.is_public and not target.is_restricted
        if role >= (Role.PUBLISHER if action is Action.MAINTAIN and target.is_own else NEEDED[action]):
            return True
        # Asked last, and never for reading: it is a question to the database.
        return target.name is not None and action in GIVEN_BY_NAME and action in self.rights.on(registry.id, target)

    def may_in(self, workspace_id: int, action: Action) -> bool:
        """The same decision about a workspace as a whole; a token held to some registries only reads there."""
        role = self.role_in(workspace_id)
        if role is None or role < NEEDED[action]:
            return False
        if self.grant is None:
            return True
        return self.grant.allows(action, ALL) and (action is Action.READ or self.grant.registries is None)


NOBODY = Actor()
