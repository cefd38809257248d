"""What a format brings to mirroring: how names are listed, what a name's versions are, how one is fetched.

The job itself (progress, cancelling, resuming, turns) knows no format. A driver asks the rule before it asks the
upstream: about an internal name a source that is not internal is not asked, by mirroring as little as by an install.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from registries.models import Registry
from upstreams.models import Upstream


@dataclass(frozen=True, order=True)
class Wanted:
    """A version to fetch, or with version '' a name whose versions are to be looked up."""

    name: str
    version: str = ""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a job was ordered with. `versions`: a range in the words of the format, '' is every version that is not yanked."""

    dependencies: bool = False
    versions: str = ""


@dataclass(frozen=True)
class Course:
    """Where a job leads: into `registry`, from `upstream`, with `options`."""

    registry: Registry
    upstream: Upstream
    options: Options


class Driver(Protocol):
    """One format. Each call raises UpstreamError subclasses, or Invalid with a sentence for what cannot be done."""

    def names(self, course: Course, patterns: Sequence[str]) -> Iterable[str]:
        """The names at the upstream that meet a pattern; never asks with a pattern that meets a claim."""
        ...

    def versions(self, course: Course, name: str) -> Sequence[Wanted]:
        """The versions of a name to be fetched: those wanted, without those the registry holds already."""
        ...

    def fetch(self, course: Course, wanted: Wanted) -> Sequence[Wanted]:
        """Bring one version in, verified; what it depends on, when dependencies were asked for."""
        ...
