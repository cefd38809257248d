"""Upstreams whose credentials name a variable."""

from typing import Any

import pytest

from tests.npm.team import Team
from tests.parts.recorder import Recorder
from upstreams.errors import UpstreamInvalid
from upstreams.models import Upstream
from upstreams.services.sources import create_upstream
from upstreams.services.wishes import UpstreamWish
from workspaces.access import Actor
from workspaces.models import Secret
from workspaces.services.secrets import add_secret

ROOT = Actor(name="root", is_operator=True)
VALUE = "value-of-the-secret-7f3a"


def secret(team: Team, name: str = "PARTNER_TOKEN", value: str = VALUE) -> Secret:
    return add_secret(actor=team.actor("alice"), workspace=team.space, name=name, value=value)


def upstream(team: Team, recorder: Recorder, text: str = "${PARTNER_TOKEN}", actor: Actor | None = None, **wish: Any) -> Upstream:
    made = UpstreamWish(name="partner", url=recorder.url, **{"auth_type": "bearer", "secret": text, **wish})
    return create_upstream(actor=actor or team.actor("alice"), registry=team.registry, wish=made)


def refused(team: Team, recorder: Recorder, text: str, **wish: Any) -> UpstreamInvalid:
    with pytest.raises(UpstreamInvalid) as found:
        upstream(team, recorder, text, **wish)
    assert not Upstream.objects.exists()
    return found.value
