"""The words of the rule: sources, facts, replies, decisions (RULE.md, "Words"). Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

Path = tuple[int, ...]  # upstream ids from the asked registry to a source; () is the registry itself


class Kind(StrEnum):
    """What kind of source an upstream is."""

    REGISTRY = "registry"
    URL = "url"
    GIT = "git"


class Reply(StrEnum):
    """What an external source said about the name."""

    UNASKED = "unasked"
    HAS = "has"
    ABSENT = "absent"
    FAILED = "failed"


class Outcome(StrEnum):
    """What to do next."""

    ASK = "ask"
    ANSWER = "answer"
    ABSENT = "absent"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, kw_only=True)
class Source:
    """An upstream as the rule sees it. `fits`: the name meets its patterns. `home`: behind a `registry` upstream."""

    id: int
    label: str
    kind: Kind
    is_enabled: bool = True
    is_internal: bool = False
    fits: bool = True
    reply: Reply = Reply.UNASKED
    detail: str = ""
    home: "Home | None" = None

    @property
    def is_usable(self) -> bool:
        """It exists for this name and may be switched to."""
        return self.is_enabled and self.fits


@dataclass(frozen=True, kw_only=True)
class Home:
    """What a registry itself holds of the name, in numbers of versions, and its upstreams in order.

    `own`: published, uploaded or pushed there, whatever their flag. `internal`: flagged internal, own or pulled.
    `pulled`: pulled and not internal, `pulled_internal`: pulled and internal.
    `family_internal`: internal versions under any spelling of the name.
    """

    label: str
    own: int = 0
    internal: int = 0
    pulled: int = 0
    pulled_internal: int = 0
    family_internal: int = 0
    tombstone: str = ""
    sources: tuple[Source, ...] = ()

    @property
    def holds_any(self) -> bool:
        """At least one version of whatever flag."""
        return bool(self.own or self.internal or self.pulled)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything known at one moment. `claim`, `tombstone`, `held_by`: a word for people, or ''."""

    name: str
    home: Home
    claim: str = ""
    tombstone: str = ""
    held_by: str = ""
    home_only: bool = False


@dataclass(frozen=True, kw_only=True)
class Step:
    """One line of the trace: a source, whether the rule lets it answer, whether its word counts, and why."""

    path: Path
    label: str
    kind: str
    allowed: bool
    asked: bool
    clause: str
    reply: Reply = Reply.UNASKED
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The rule's word. `answering` is in order of nearness; `shows_pulled`: pulled, not internal versions are visible."""

    outcome: Outcome
    is_internal: bool | None
    clause: str
    ask: tuple[Path, ...] = ()
    answering: tuple[Path, ...] = ()
    blocked_by: str = ""
    shows_pulled: bool = False
    tracing: Callable[["Decision"], Iterable[Step]] = field(default=lambda _: (), compare=False, repr=False)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The trace: made where somebody wants to know, which is seldom."""
        return tuple(self.tracing(self))
