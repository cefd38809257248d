"""Mirroring as the engine does it, in this thread: every answer and every trouble at hand."""

from dataclasses import dataclass, field
from typing import Any

from packages.blobs import Staging
from packages.formats.publication import Publication
from packages.models import Version
from packages.services.publish import publish
from registries.models import Registry
from tests.npm.team import Team
from tests.parts.moonbit import MoonRegistry, zipped
from upstreams.models import Upstream
from upstreams.services.mirroring.drivers import Course, Options, Wanted
from upstreams.services.mirroring.moonbit import Moonbit
from upstreams.services.sources import create_upstream
from upstreams.services.wishes import UpstreamWish
from workspaces.errors import GatehouseError


@dataclass
class Brought:
    """What came of it."""

    fetched: list[str] = field(default_factory=list)
    troubles: dict[str, GatehouseError] = field(default_factory=dict)

    @property
    def codes(self) -> dict[str, str]:
        return {name: error.code for name, error in self.troubles.items()}


def source(team: Team, moon: MoonRegistry, name: str = "moon", **wish: Any) -> Upstream:
    made = UpstreamWish(name=name, format="moonbit", url=moon.url, **wish)
    return create_upstream(actor=team.actor("alice"), registry=team.registry, wish=made)


def mirror(team: Team, upstream: Upstream, *patterns: str, **options: Any) -> Brought:
    """A job over these patterns."""
    course, driver, found = Course(team.registry, upstream, Options(**options)), Moonbit(), Brought()
    waiting: list[Wanted] = [Wanted(pattern) for pattern in patterns if "*" not in pattern and "?" not in pattern]
    globs = [pattern for pattern in patterns if "*" in pattern or "?" in pattern]
    try:
        waiting += [Wanted(name) for name in driver.names(course, globs)] if globs else []
    except GatehouseError as error:
        found.troubles["*"] = error
    seen = set[Wanted]()
    while waiting:
        one = waiting.pop(0)
        if one in seen:
            continue
        seen.add(one)
        try:
            if one.is_file:
                waiting += driver.fetch(course, one)
                found.fetched.append(str(one))
            else:
                waiting += driver.versions(course, one.name)
        except GatehouseError as error:
            found.troubles[str(one)] = error
    return found


def held(registry: Registry) -> dict[str, list[str]]:
    """The versions of each module, by name."""
    found: dict[str, list[str]] = {}
    rows = Version.objects.filter(package__registry=registry, package__format="moonbit").order_by("id")
    for name, version in rows.values_list("package__name", "version"):
        found.setdefault(name, []).append(version)
    return found


def publish_module(team: Team, name: str, version: str = "0.1.0", content: bytes = b"") -> None:
    """As a publisher, below any door."""
    with Staging(limit=2**20) as staging:
        staging.write(content or zipped(name, version, ours="yes"))
        publication = Publication(
            format="moonbit",
            name=name,
            version=version,
            manifest=b'{"deps":{},"license":"MIT"}',
            tags=(),
            filename=f"{name.replace('/', '-')}-{version}.zip",
            file=staging.finish(),
        )
        publish(actor=team.actor("bob"), registry=team.registry, publication=publication)
