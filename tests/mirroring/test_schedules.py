"""Schedules: kept over REST, looked at by the clock, never in a storm."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.api.cast import MAIN, Cast, assemble
from upstreams.models import Mirror, MirrorSchedule
from upstreams.services.mirroring.schedules import order_due
from workspaces.models import Event

SCHEDULES = MAIN + "schedules/"
WISH: dict[str, Any] = {"upstream": "npm", "patterns": ["left-*", "right-pad@^1"], "every": "1h", "dependencies": True}


@pytest.fixture
def cast(db: None) -> Cast:
    made = assemble()
    Mirror.objects.all().delete()
    MirrorSchedule.objects.all().delete()
    return made


def test_kept_changed_and_removed(cast: Cast) -> None:
    made = cast.call("adam", "POST", SCHEDULES, WISH)
    assert made.status_code == 201, made.content
    told = made.json()
    assert {key: told[key] for key in WISH} == WISH
    assert told["enabled"] is True
    one = f"{SCHEDULES}{told['id']}/"
    changed = cast.call("adam", "PATCH", one, {"every": "15 3 * * mon-fri", "versions": "latest"})
    assert changed.status_code == 200, changed.content
    assert (changed.json()["every"], changed.json()["versions"], changed.json()["dependencies"]) == ("15 3 * * mon-fri", "latest", True)
    assert changed.json()["next_at"] != told["next_at"]
    assert cast.call("adam", "PATCH", one, {"upstream": "npm"}).status_code == 400
    assert [row["id"] for row in cast.get(SCHEDULES)["results"]] == [told["id"]]
    assert cast.call("adam", "DELETE", one).status_code == 204
    events = [event.action for event in Event.objects.filter(action__startswith="mirror.").order_by("pk")]
    assert events[-3:] == ["mirror.scheduled", "mirror.rescheduled", "mirror.unscheduled"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"every": "soon"}, "every"),
        ({"every": "1m"}, "every"),
        ({"patterns": []}, "patterns"),
        ({"patterns": ["../etc"]}, "name"),
        ({"patterns": ["a" * 300]}, "patterns.0"),
        ({"upstream": "nobody"}, "upstream"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_refused_naming_the_field(cast: Cast, change: dict[str, Any], field: str) -> None:
    answer = cast.call("adam", "POST", SCHEDULES, {**WISH, **change})
    assert answer.status_code == 400, answer.content
    assert field in answer.json()["fields"], answer.content
    assert not MirrorSchedule.objects.exists()


def test_due_once_however_long_nobody_looked(cast: Cast) -> None:
    cast.call("adam", "POST", SCHEDULES, WISH)
    now = timezone.now()
    assert order_due(now) == []
    MirrorSchedule.objects.update(next_at=now - timedelta(days=30))
    (number,) = order_due(now)
    assert order_due(now) == []
    schedule, job = MirrorSchedule.objects.get(), Mirror.objects.get(pk=number)
    assert now < schedule.next_at <= now + timedelta(hours=1)
    assert (job.patterns, job.options["dependencies"], job.asked_by) == (WISH["patterns"], True, f"schedule {schedule.pk}")
    assert order_due(schedule.next_at) == [], "the same is under way still"
    Mirror.objects.update(state="done")
    assert len(order_due(schedule.next_at + timedelta(hours=1))) == 1


def test_a_schedule_that_rests_orders_nothing(cast: Cast) -> None:
    cast.call("adam", "POST", SCHEDULES, {**WISH, "enabled": False})
    MirrorSchedule.objects.update(next_at=timezone.now() - timedelta(days=1))
    assert order_due(timezone.now()) == []


def test_what_cannot_be_ordered_is_told(cast: Cast) -> None:
    cast.call("adam", "POST", SCHEDULES, WISH)
    cast.call("adam", "PATCH", f"{MAIN}upstreams/{cast.upstream.pk}/", {"enabled": False})
    MirrorSchedule.objects.update(next_at=timezone.now() - timedelta(days=1))
    assert order_due(timezone.now()) == []
    told = Event.objects.get(action="mirror.not_ordered")
    assert "disabled" in str(told.new)
