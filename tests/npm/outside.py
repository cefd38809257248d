"""A recorder as a public upstream of a Team's registry, in-process."""

from typing import Any

from registries.services import Changes
from tests.npm.team import Team
from tests.parts.recorder import Recorder
from upstreams.models import Upstream
from upstreams.services.settings import change_registry
from workspaces.services.spaces import bump_rules


def connect(team: Team, recorder: Recorder, name: str = "public", **fields: Any) -> Upstream:
    """Add the recorder as an upstream."""
    upstream = Upstream.objects.create(registry=team.registry, name=name, kind="url", url=recorder.url, **fields)
    bump_rules(team.space.pk)
    return upstream


def switch(team: Team, **switches: Any) -> None:
    """Turn a registry's switches, as an owner does."""
    change_registry(actor=team.actor("alice"), registry=team.registry, changes=Changes(**switches))


def names(answer: Any) -> list[str]:
    """The names a search found, in order."""
    assert answer.status_code == 200, answer.content
    return [one["package"]["name"] for one in answer.json()["objects"]]
