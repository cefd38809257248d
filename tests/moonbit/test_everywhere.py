"""The matrix of tests/rule_live/test_everywhere.py for modules: an internal module is asked of no public source, by no path.

A Git index tells its source no names, so there a zip would be the leak; an index over HTTP is asked by name. In each cell the
same path is gone with a public module first.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from registries.models import Registry
from registries.services import create_registry
from tests.moonbit.modules import mirror, publish_module, source
from tests.npm.team import Team
from tests.parts.moonbit import MoonRegistry
from upstreams.models import Upstream
from upstreams.services.sources import change_upstream, create_upstream
from upstreams.services.wishes import UpstreamWish
from workspaces.services.spaces import add_claim

NAME, WORD = "acme/secret", "secret"


@dataclass
class World:
    """A team, its public source, and a source that may be internal."""

    team: Team
    public: MoonRegistry
    partner: MoonRegistry
    outside: Upstream

    def claim(self, pattern: str) -> None:
        add_claim(actor=self.team.actor("alice"), workspace=self.team.space, pattern=pattern)

    def trust(self, **wish: Any) -> Upstream:
        return source(self.team, self.partner, "partner", internal=True, **wish)

    def disable(self, upstream: Upstream) -> None:
        change_upstream(actor=self.team.actor("alice"), upstream=upstream, changes={"enabled": False})

    def send(self, method: str, path: str, body: object = None) -> Any:
        caller = Client(headers={"Authorization": f"Bearer {self.team.tokens['alice']}"})
        return caller.generic(method, path, json.dumps(body) if body else b"", content_type="application/json")

    def pull(self, name: str, at: str = "main", **more: object) -> Any:
        path = f"/api/v1/workspaces/{self.team.slug}/registries/{at}/pull/"
        return self.send("POST", path, {"format": "moonbit", "name": name, "versions": ["9.9.9", "0.1.0"], **more})

    @property
    def rest(self) -> str:
        return f"/api/v1/workspaces/{self.team.slug}/registries/main/packages/moonbit/"


def deleted(world: World) -> None:
    publish_module(world.team, NAME)
    assert world.send("DELETE", f"{world.rest}{NAME.replace('/', '%2F')}/versions/0.1.0/").status_code == 204


def next_door(world: World) -> None:
    main = world.team.registry
    world.team.registry = create_registry(actor=world.team.actor("alice"), workspace=world.team.space, slug="next-door")
    publish_module(world.team, NAME)
    world.team.registry = main


def held_by_partner(world: World) -> None:
    world.partner.add(NAME)
    world.trust()


def remembered(world: World) -> None:
    world.partner.add(NAME)
    inside = world.trust()
    assert mirror(world.team, inside, NAME).fetched == [f"{NAME}@0.1.0"]
    world.disable(inside)


def in_trouble(world: World) -> None:
    world.trust(patterns=["acme/*"])
    world.partner.status = 503


WAYS: Mapping[str, Callable[[World], object]] = {
    "published here": lambda world: publish_module(world.team, NAME),
    "claimed": lambda world: world.claim("acme/*"),
    "claimed in capitals": lambda world: world.claim("ACME/s?cret"),
    "buried": deleted,
    "in another registry of the workspace": next_door,
    "held by an internal source": held_by_partner,
    "in the pattern of an internal source": lambda world: world.trust(patterns=["acme/*"]),
    "in the pattern of one that is disabled": lambda world: world.disable(world.trust(patterns=["acme/*"])),
    "remembered of an internal source": remembered,
    "in the pattern of one in trouble": in_trouble,
}


def by_dependency(world: World, name: str) -> None:
    """A public module that wants it."""
    world.public.add(f"wants/{name.replace('/', '-')}", deps={name: "0.1.0"})
    mirror(world.team, world.outside, f"wants/{name.replace('/', '-')}", dependencies=True)


PATHS: Mapping[str, tuple[Callable[[World, str], object], bool]] = {  # and whether it leaves for a public module
    "mirrored by its name": (lambda world, name: mirror(world.team, world.outside, name), True),
    "mirrored by a pattern": (lambda world, name: mirror(world.team, world.outside, f"{name[:-1]}*", "no-such/*"), True),
    "mirrored as a dependency": (by_dependency, True),
    "asked for by moon": (lambda world, name: world.send("GET", f"/{world.team.slug}/m/main/user/{name}/0.1.0.zip"), False),
    "asked for by moon in the other spelling": (
        lambda world, name: world.send("GET", f"/{world.team.slug}/m/main/user/{name.replace('/', '%2F')}/0.1.0.zip"),
        False,
    ),
    "pulled over REST": (lambda world, name: world.pull(name), True),
    "pulled from the public source": (lambda world, name: world.pull(name, upstream="public"), True),
    "pulled through a chain": (lambda world, name: world.pull(name, at="dev"), True),
    "asked for through a chain": (lambda world, name: world.send("GET", f"/{world.team.slug}/m/dev/user/{name}/9.9.9.zip"), False),
    "in the index of a chain": (lambda world, name: world.send("GET", f"/{world.team.slug}/m/dev/user/{name}.index"), False),
    "pushed": (
        lambda world, name: world.send(
            "POST", world.rest.removesuffix("packages/moonbit/") + "push/", {"format": "moonbit", "name": name, "to": "dev"}
        ),
        False,
    ),
    "read in REST": (lambda world, name: world.send("GET", f"{world.rest}{name.replace('/', '%2F')}/"), False),
    "explained": (lambda world, name: world.send("GET", f"{world.rest}{name.replace('/', '%2F')}/resolution/"), False),
}


@pytest.mark.parametrize("index_type", ["git", "http"])
@pytest.mark.parametrize("way", WAYS)
def test_a_module_that_is(team: Team, moons: Callable[[], MoonRegistry], way: str, index_type: str) -> None:
    world = World(team, moons(), moons(), None)  # type: ignore[arg-type]
    world.outside = source(team, world.public, "public", index_type=index_type, priority=200)
    world.partner.add("partner/other")
    create_registry(actor=team.actor("alice"), workspace=team.space, slug="dev")
    WAYS[way](world)
    dev = Registry.objects.get(workspace=team.space, slug="dev")
    wish = UpstreamWish(name="main", kind="registry", registry="main")
    create_upstream(actor=team.actor("alice"), registry=dev, wish=wish)
    world.public.add(NAME, "0.1.0", "9.9.9")
    for number, (path, (ask, leaves)) in enumerate(PATHS.items()):
        control = f"plain/one-{number}"
        world.public.add(control, "0.1.0", "9.9.9")
        world.public.seen.clear()
        ask(world, control)
        listed = index_type == "http" and path == "mirrored by a pattern"  # such an index cannot be listed
        assert bool(world.public.asked("one-")) == (leaves and not listed), path

        ask(world, NAME)
        leaked = [one.path for one in world.public.asked(WORD) if "wants/" not in one.path]
        assert leaked == [], path
