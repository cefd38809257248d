"""One upstream that does not answer is left alone for a while, and only that one (row U25 of the threats)."""

from typing import Any

import pytest

from tests.npm.outside import connect
from tests.npm.team import Team, facts
from tests.parts import faults
from tests.parts.recorder import Fault, Recorder
from upstreams.clients import breaker
from upstreams.clients.breaker import FAILURES, PAUSE


class Clock:
    """The breaker's `time`, which goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(breaker, "time", found)
    return found


def ask(team: Team, name: str) -> Any:
    return team.send("rita", "GET", f"/{name}")


DOWN: dict[str, Fault] = {"500": faults.status(500), "429": faults.status(429), "close": faults.close}


@pytest.mark.parametrize("how", DOWN)
def test_it_opens_after_five_failures_and_lets_one_through_every_ten_seconds(
    team: Team, recorder: Recorder, other_recorder: Recorder, loopback: None, clock: Clock, how: str
) -> None:
    connect(team, recorder, "first", patterns=["first-*"])
    connect(team, other_recorder, "second", patterns=["second-*"])
    other_recorder.add("second-one")
    recorder.misbehave("*", DOWN[how])
    before = facts()
    closed = [ask(team, f"first-{number}") for number in range(FAILURES)]
    assert [answer.status_code for answer in closed] == [503] * FAILURES, "never 404"
    assert len(recorder.seen) == FAILURES

    opened = [ask(team, f"first-{number}") for number in range(20)]
    assert [(answer.status_code, answer.headers["retry-after"]) for answer in opened] == [(503, str(int(PAUSE)))] * 20
    assert all("Upstream first has not been answering: it " in answer.json()["error"] for answer in opened)
    assert len(recorder.seen) == FAILURES, "nothing was asked while it is open"
    assert ask(team, "second-one").status_code == 200, "other upstreams go on"

    clock.now += PAUSE - 0.1
    assert (ask(team, "first-0").status_code, len(recorder.seen)) == (503, FAILURES)
    clock.now += 0.2
    assert [ask(team, f"first-{number}").status_code for number in range(5)] == [503] * 5
    assert len(recorder.seen) == FAILURES + 1, "half open: one question"

    recorder.behave()
    recorder.add("first-0")
    clock.now += PAUSE + 0.1
    assert ask(team, "first-0").status_code == 200
    assert ask(team, "first-absent").status_code == 404, "closed again"
    assert facts() == before


@pytest.mark.parametrize("how", [faults.status(404), faults.status(403), faults.garbage()], ids=["404", "403", "garbage"])
def test_an_upstream_that_answers_is_not_left_alone(team: Team, recorder: Recorder, loopback: None, clock: Clock, how: Fault) -> None:
    connect(team, recorder)
    recorder.misbehave("*", how)
    for number in range(FAILURES * 2):
        ask(team, f"odd-{number}")
    assert len(recorder.seen) == FAILURES * 2
