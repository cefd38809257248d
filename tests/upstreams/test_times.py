"""Times of an upstream's own, beside the installation's: a slow one that is given more, a quick one that is given less."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.npm.team import Team
from tests.parts import faults
from tests.parts.recorder import Recorder
from upstreams.errors import UpstreamInvalid
from upstreams.models import Upstream, UpstreamDocument
from upstreams.services.sources import change_upstream, create_upstream
from upstreams.services.wishes import UpstreamWish
from upstreams.targets import target_of

pytestmark = pytest.mark.usefixtures("loopback")


def upstream(team: Team, recorder: Recorder, **times: Any) -> Upstream:
    return create_upstream(actor=team.actor("alice"), registry=team.registry, wish=UpstreamWish(name="own", url=recorder.url, **times))


def asked(team: Team, name: str) -> int:
    status: int = team.send("rita", "GET", f"/{name}").status_code
    return status


@pytest.mark.parametrize(("own", "installation", "status"), [(5, 0.3, 200), (1, 30.0, 504), (None, 0.3, 504), (None, 30.0, 200)])
def test_one_that_thinks_long(team: Team, recorder: Recorder, settings: Any, own: int | None, installation: float, status: int) -> None:
    settings.UPSTREAM_READ_TIMEOUT = installation
    recorder.add("slow")
    recorder.misbehave("slow", faults.slow(2 if status == 504 else 1))
    upstream(team, recorder, read_timeout=own)
    assert asked(team, "slow") == status


@pytest.mark.parametrize(("own", "installation", "status"), [(60, 0.3, 200), (1, 60.0, 504), (None, 0.3, 504)])
def test_one_that_drips(team: Team, recorder: Recorder, settings: Any, own: int | None, installation: float, status: int) -> None:
    settings.UPSTREAM_TOTAL_TIMEOUT = installation
    recorder.add("drip")
    body = json.dumps(recorder.document("drip")).encode()
    recorder.misbehave("drip", faults.drip(body, pause=2.0 / len(body)))
    upstream(team, recorder, total_timeout=own)
    assert asked(team, "drip") == status


def test_what_was_not_here_is_asked_anew_at_once(team: Team, recorder: Recorder) -> None:
    made = upstream(team, recorder, negative_ttl=0)
    assert asked(team, "later") == 404
    recorder.add("later")
    assert asked(team, "later") == 200
    recorder.forget()
    change_upstream(actor=team.actor("alice"), upstream=made, changes={"negative_ttl": 3600})
    assert [asked(team, "never"), asked(team, "never")] == [404, 404]
    assert len(recorder.asked("never")) == 1
    said = UpstreamDocument.objects.get(name="never")
    assert said.fresh_until - timezone.now() > timedelta(minutes=50)


def test_every_time_reaches_the_conversation_and_none_is_the_installations(team: Team, recorder: Recorder, settings: Any) -> None:
    times = {"connect_timeout": 3, "read_timeout": 4, "total_timeout": 50}
    made = upstream(team, recorder, **times)
    assert {name: getattr(target_of(made), name) for name in times} == times
    change_upstream(actor=team.actor("alice"), upstream=made, changes=dict.fromkeys(times))  # type: ignore[arg-type]
    made.refresh_from_db()
    own = {name: getattr(settings, f"UPSTREAM_{name.upper()}") for name in times}
    assert {name: getattr(target_of(made), name) for name in times} == own


@pytest.mark.parametrize(
    ("field", "seconds"),
    [
        ("negative_ttl", -1),
        ("negative_ttl", 86_401),
        ("connect_timeout", 0),
        ("connect_timeout", 61),
        ("read_timeout", 301),
        ("total_timeout", 3601),
    ],
)
def test_times_have_bounds(team: Team, recorder: Recorder, field: str, seconds: int) -> None:
    with pytest.raises(UpstreamInvalid) as refused:
        upstream(team, recorder, **{field: seconds})
    assert refused.value.fields.keys() == {field}
