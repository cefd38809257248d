"""What a format brings to mirroring: how names are listed, what a name's versions are, how one is fetched.

The job itself (progress, cancelling, resuming, turns) knows no format. A driver asks the rule before it asks the
upstream: about an internal name a source that is not internal is not asked, by mirroring as little as by an install.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from django.utils import timezone

from registries.models import Registry
from upstreams.models import Upstream
from workspaces.errors import Invalid

PATTERN = "*"  # as a version: the name is a glob, and the names that meet it are to be listed
WITHIN = "@"  # before a range: every version within it
BEST = "@!"  # before a range: the one a client would choose
SPARED = "@?"  # before a range: the same, where an install goes on without it if it does not exist


@dataclass(frozen=True, order=True)
class Wanted:
    """A version to fetch, or a question whose answer is versions to fetch.

    With version '' it is a name whose versions are to be looked up, `@^1.2` those within a range, `@!^1.2` the one that a
    client would choose there, `@?^1.2` the same of something optional, `*` a glob whose names are to be listed.
    """

    name: str
    version: str = ""

    @property
    def is_file(self) -> bool:
        """Whether this is one version, and no question."""
        return self.version not in {"", PATTERN} and not self.version.startswith(WITHIN)

    @property
    def is_optional(self) -> bool:
        """Whether it is left out, and nothing has failed, where it does not exist."""
        return self.version.startswith(SPARED)

    def __str__(self) -> str:
        """As people write it."""
        return f"{self.name}@{self.version.lstrip('@!?') or '*'}" if self.version not in {"", PATTERN} else self.name


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a job was ordered with.

    `versions`: a range in the words of the format, '' is every version that is not yanked; `newest`: only the one of them
    that a client would choose. `full`: nothing counts as known, what is held is looked at again. `anywhere`: a name may come
    from whichever source the rule names, as what a lock file lists does. `strict`: the first failure ends the job.
    """

    dependencies: bool = False
    versions: str = ""
    newest: bool = False
    full: bool = False
    anywhere: bool = False
    strict: bool = False


@dataclass(frozen=True)
class Course:
    """Where a job leads: into `registry`, from `upstream`, with `options`. What was said before it `began` is asked again."""

    registry: Registry
    upstream: Upstream
    options: Options
    began: datetime = field(default_factory=timezone.now)

    def is_free(self, *, is_named: bool) -> bool:
        """Whether a name may come from whichever source the rule names: what a lock file lists, and what others depend on.

        `is_named`: it was ordered, or the upstream listed it. At an internal upstream such a name may be nobody else's to hear.
        """
        options = self.options
        return options.anywhere or (options.dependencies and not (is_named and self.upstream.is_internal))


class PatternsRefused(Invalid):
    """Some patterns could not be listed; `why` has a sentence for each. The names of the others were given before."""

    def __init__(self, message: str, *, why: Mapping[str, str] | None = None, fields: dict[str, str] | None = None) -> None:
        super().__init__(message, fields=fields)
        self.why = why or {}


class Driver(Protocol):
    """One format. Each call raises UpstreamError subclasses, NotFound for what nobody has, or Invalid for what cannot be done.

    Sentences do not name the item, which is told before them: so the same trouble of many is one.
    A job makes one driver and calls it from several threads.
    """

    def names(self, course: Course, patterns: Sequence[str]) -> Iterable[str]:
        """The names at the upstream that meet a pattern; never asks with a pattern that meets a claim.

        Patterns that cannot be listed are told at the end, by PatternsRefused.
        """
        ...

    def versions(self, course: Course, name: str) -> Sequence[Wanted]:
        """The versions of a name to be fetched: those wanted, without those the registry holds already."""
        ...

    def fetch(self, course: Course, wanted: Wanted) -> Sequence[Wanted]:
        """Bring one version in, verified; what it depends on, when dependencies were asked for."""
        ...
