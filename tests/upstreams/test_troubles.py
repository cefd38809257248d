"""Trouble with upstreams in the audit log: once an hour for each upstream and kind, in words, without a secret."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from tests.npm.outside import connect
from tests.npm.team import Team
from tests.parts import faults
from tests.parts.recorder import Fault, Recorder
from tests.upstreams.test_hostile_documents import grow_old
from upstreams.clients import watchdog
from upstreams.seal import seal
from upstreams.services import last_trouble, troubles
from workspaces.models import Event

SECRET = "a-secret-of-the-partner"
BULK = "/-/npm/v1/security/advisories/bulk"


def told() -> list[tuple[str, Any]]:
    """Actions and codes of what was told, oldest first."""
    return [(event.action, said(event)["code"]) for event in Event.objects.filter(actor="gatehouse").order_by("pk")]


def said(event: Event) -> dict[str, Any]:
    """What the event says is new."""
    assert event.new is not None
    found: dict[str, Any] = event.new
    return found


def ask(team: Team, name: str) -> int:
    status: int = team.send("rita", "GET", f"/{name}").status_code
    return status


def test_each_kind_is_told_once_an_hour(team: Team, recorder: Recorder, loopback: None) -> None:
    connect(team, recorder)
    refused, garbled = ("alert.upstream_trouble", "upstream_unauthorized"), ("upstream.trouble", "upstream_bad_answer")
    recorder.misbehave("*", faults.status(403))
    assert [ask(team, f"one-{number}") for number in range(3)] == [502] * 3
    assert told() == [refused]
    recorder.misbehave("*", faults.garbage())
    assert [ask(team, f"two-{number}") for number in range(3)] == [502] * 3
    assert told() == [refused, garbled]

    troubles._told.clear()  # another process, or this one an hour later
    ask(team, "three")
    assert told() == [refused, garbled]
    troubles._told.clear()
    Event.objects.update(at=timezone.now() - timedelta(hours=1, seconds=1))
    ask(team, "four")
    assert told() == [refused, garbled, garbled]


def test_what_could_not_be_written_down_is_told_the_next_time(team: Team, recorder: Recorder, loopback: None) -> None:
    connect(team, recorder)
    recorder.misbehave("*", faults.status(403))

    def full(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001 - Django's own shape
        if sql.startswith("INSERT") and "workspaces_event" in sql:
            raise OperationalError("no room")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(full):
        assert ask(team, "first") == 502
    assert told() == []
    assert ask(team, "second") == 502
    assert told() == [("alert.upstream_trouble", "upstream_unauthorized")]


def test_two_upstreams_are_two(team: Team, recorder: Recorder, other_recorder: Recorder, loopback: None) -> None:
    connect(team, recorder, "first", patterns=["first-*"])
    connect(team, other_recorder, "second", patterns=["second-*"], is_internal=True)
    for one in (recorder, other_recorder):
        one.misbehave("*", faults.close)
    assert [ask(team, name) for name in ("first-a", "first-b", "second-a", "second-b")] == [503] * 4
    found = Event.objects.filter(action="upstream.trouble").order_by("pk")
    assert [(event.object.rpartition(" ")[2], said(event)["about"], said(event)["internal"]) for event in found] == [
        ("first", "first-a", False),
        ("second", "second-a", True),
    ]


BY_THE_WAY: dict[str, tuple[str, str, str]] = {
    "search": ("GET", "/-/v1/search?text=graph", "search"),
    "audit": ("POST", BULK, "audit"),
    "keys": ("GET", "/-/npm/v1/keys", "keys"),
}


@pytest.mark.parametrize("case", BY_THE_WAY)
def test_questions_by_the_way_are_told_too(open_team: Team, recorder: Recorder, case: str) -> None:
    method, path, about = BY_THE_WAY[case]
    for where in ("search", "audit", "packument"):
        recorder.misbehave("*", faults.status(500), where=where)
    answer = open_team.send("rita", method, path, {"public-thing": ["1.0.0"]} if method == "POST" else None)
    assert answer.status_code == 200, answer.content
    assert [said(event)["about"] for event in Event.objects.filter(action="upstream.trouble")] == [about]


def test_what_is_our_own_doing_is_not_told(team: Team, recorder: Recorder, loopback: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many questions open at once, or a rule that changed under one, is no trouble of the upstream's."""
    connect(team, recorder)
    monkeypatch.setattr(watchdog, "AT_ONCE", 0)
    monkeypatch.setattr(watchdog, "WAIT", 0.01)
    monkeypatch.setattr(watchdog.SLOTS, "_slots", {})
    assert ask(team, "busy") == 503
    assert told() == []


@pytest.mark.parametrize("fault", [faults.status(401), faults.status(500), faults.garbage(SECRET.encode())], ids=["401", "500", "echo"])
def test_no_secret_is_told(team: Team, recorder: Recorder, loopback: None, fault: Fault) -> None:
    connect(team, recorder, auth_type="bearer", secret_sealed=seal(SECRET))
    recorder.misbehave("*", fault)
    ask(team, "secretive")
    assert len(told()) == 1
    assert SECRET not in str(list(Event.objects.values_list("object", "old", "new")))


def test_the_good_path_writes_nothing(team: Team, recorder: Recorder, loopback: None) -> None:
    connect(team, recorder)
    recorder.add("fine")
    assert ask(team, "fine") == 200
    assert ask(team, "absent") == 404
    assert told() == []


def test_people_read_a_sentence(team: Team, recorder: Recorder, loopback: None) -> None:
    connect(team, recorder, "partner")
    recorder.misbehave("*", faults.status(401))
    ask(team, "@partner/thing")
    page = Client()
    page.force_login(team.people["alice"])
    for address in (f"/{team.slug}/activity/", f"/{team.slug}/"):
        shown = page.get(address).content.decode()
        assert "Upstream partner refused our credentials (401)." in shown, address
        assert "An upstream cannot be used until somebody mends it" in shown, address
        assert "Met with @partner/thing." in shown, address


def test_who_explains_a_name_is_told_the_trouble(team: Team, recorder: Recorder, other_recorder: Recorder, loopback: None) -> None:
    """Asked as an install asks: the decision that nobody may answer is a trace too, with who stands in the way and why."""
    connect(team, recorder, "partner", is_internal=True, patterns=["@partner/*"], priority=1)
    connect(team, other_recorder)
    recorder.misbehave("*", faults.status(401))
    place = f"/api/v1/workspaces/{team.slug}/registries/main/packages/npm/@partner%2Fapi/resolution/?ask=true"
    page = Client()
    page.force_login(team.people["rita"])
    answer = page.get(place)
    assert answer.status_code == 200, answer.content
    trace = answer.json()
    assert (trace["outcome"], trace["blocked_by"]) == ("unavailable", "partner")
    assert [(one["clause"], one["detail"]) for one in trace["sources"] if one["source"] == "partner"] == [
        ("could not answer", "Upstream partner refused our credentials (401).")
    ]
    out = StringIO()
    call_command("explain", f"{team.slug}/main", "@partner/api", ask=True, stdout=out)
    assert "blocked by partner: an install gets 503" in out.getvalue()
    assert "(url): could not answer\n      Upstream partner refused our credentials (401)." in out.getvalue()
    call_command("explain", f"{team.slug}/main", "nobody-has-it", ask=True, stdout=out)
    assert "nobody-has-it: internal" in out.getvalue() or "nobody-has-it: public" in out.getvalue()
    assert not other_recorder.mentions("partner")


def trace_of(team: Team, name: str, source: str = "public") -> dict[str, Any]:
    """A source of the trace that asks nobody."""
    page = Client()
    page.force_login(team.people["rita"])
    answer = page.get(f"/api/v1/workspaces/{team.slug}/registries/main/packages/npm/{name}/resolution/")
    assert answer.status_code == 200, answer.content
    return next(one for one in answer.json()["sources"] if one["source"] == source)


def explained(team: Team, name: str) -> str:
    out = StringIO()
    call_command("explain", f"{team.slug}/main", name, stdout=out)
    return out.getvalue()


def test_who_asks_nobody_is_told_that_the_last_question_failed(team: Team, recorder: Recorder, loopback: None) -> None:
    connect(team, recorder)
    recorder.add("fine")
    assert "to be asked now" in explained(team, "some")
    recorder.misbehave("*", faults.status(401))
    ask(team, "some")
    recorder.seen.clear()
    for name in ("some", "another"):  # whose credentials are refused, they are for every name
        shown = trace_of(team, name)
        assert (shown["clause"], shown["last_trouble"]["code"]) == ("to be asked again", "upstream_unauthorized")
        assert shown["last_trouble"]["sentence"] == "Upstream public refused our credentials (401)."
        assert shown["last_trouble"]["asked_again_at"] is None
        assert "refused our credentials (401). It is asked again at the next question." in explained(team, name)
    page = Client()
    page.force_login(team.people["rita"])
    why = page.get(f"/{team.slug}/registries/main/npm/some/resolution/").content.decode()
    assert "Upstream public refused our credentials (401). It is asked again at the next question." in why
    assert recorder.seen == [], "nobody was asked"

    recorder.faults.clear()
    assert ask(team, "fine") == 200
    assert trace_of(team, "another")["last_trouble"] is None
    assert "to be asked now" in explained(team, "another")


def test_trouble_of_one_name_is_told_of_that_name_alone(team: Team, recorder: Recorder, loopback: None) -> None:
    connect(team, recorder)
    recorder.misbehave("odd", faults.garbage())
    ask(team, "odd")
    assert trace_of(team, "odd")["last_trouble"]["code"] == "upstream_bad_answer"
    assert trace_of(team, "another")["last_trouble"] is None


@pytest.mark.parametrize("found", [ConnectionError("the cache is down"), {"of another": "release"}])
def test_without_the_cache_the_trace_is_told_all_the_same(
    team: Team, recorder: Recorder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, found: Any
) -> None:
    class Cache:
        def get(self, _: str) -> Any:
            if isinstance(found, Exception):
                raise found
            return found

    connect(team, recorder)
    monkeypatch.setattr(last_trouble, "cache", Cache())
    shown = trace_of(team, "some")
    assert (shown["clause"], shown["last_trouble"]) == ("to be asked now", None)
    assert "could not be looked up" in caplog.text


def test_while_an_earlier_answer_stands_in_it_is_told_until_when(team: Team, recorder: Recorder, loopback: None) -> None:
    connect(team, recorder)
    recorder.add("kept")
    assert ask(team, "kept") == 200
    grow_old()
    recorder.misbehave("*", faults.status(500))
    assert ask(team, "kept") == 200
    shown = trace_of(team, "kept")
    assert (shown["clause"], shown["answer"]) == ("answers", "has")
    assert shown["last_trouble"]["asked_again_at"] > shown["last_trouble"]["at"]
    assert "Upstream public answers 500. It is asked again not before 20" in explained(team, "kept")


def test_a_registry_without_its_workspace_is_told_how_it_is_written() -> None:
    with pytest.raises(CommandError, match=r"Write the registry as workspace/registry, like team/main\."):
        call_command("explain", "team", "left-pad")
