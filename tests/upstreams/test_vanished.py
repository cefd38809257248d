"""What an upstream takes back stops being offered, unless its bytes are here; and people are told (row U26 of the threats)."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from packages.formats.npm.sent import Sent
from tests.npm.outside import connect
from tests.npm.team import Team
from tests.parts import faults
from tests.parts.recorder import Recorder
from upstreams.models import Rendering, UpstreamDocument
from upstreams.services import consult, files
from workspaces.models import Event


@pytest.fixture
def asked(team: Team, recorder: Recorder, loopback: None) -> Recorder:
    connect(team, recorder)
    recorder.add("taken", "1.0.0", "1.1.0", "1.2.0")
    assert sorted(shown(team)["versions"]) == ["1.0.0", "1.1.0", "1.2.0"]
    return recorder


def shown(team: Team) -> Any:
    answer = team.send("rita", "GET", "/taken")
    assert answer.status_code == 200, answer.content
    return answer.json()


def grow_old() -> None:
    """The refresh interval has passed."""
    past = datetime(2020, 1, 1, tzinfo=UTC)
    UpstreamDocument.objects.update(fresh_until=past)
    Rendering.objects.update(fresh_until=past)


def take_back(recorder: Recorder, *versions: str, latest: str) -> None:
    offer = recorder.offers["taken"]
    for version in versions:
        del offer.versions[version]
    offer.tags["latest"] = latest


def told() -> list[Any]:
    return [event.new for event in Event.objects.filter(action="alert.removed_upstream").order_by("pk")]


def test_a_version_that_is_gone_is_not_offered_and_not_latest(team: Team, asked: Recorder) -> None:
    take_back(asked, "1.2.0", latest="1.1.0")
    assert shown(team)["dist-tags"] == {"latest": "1.2.0"}, "within the refresh interval nobody knows"
    grow_old()
    found = shown(team)
    assert (sorted(found["versions"]), found["dist-tags"]) == (["1.0.0", "1.1.0"], {"latest": "1.1.0"})
    assert "1.2.0" not in found["time"]
    assert team.send("rita", "GET", "/taken/-/taken-1.2.0.tgz").status_code == 404
    assert told() == [{"upstream": "public", "whole": False, "versions": ["1.2.0"], "number": 1}]
    grow_old()
    shown(team)
    assert len(told()) == 1


def test_what_is_held_stays_but_is_not_latest(team: Team, asked: Recorder) -> None:
    packed = asked.offers["taken"].versions["1.2.0"]
    assert team.send("rita", "GET", "/taken/-/taken-1.2.0.tgz").getvalue() == packed.tarball
    take_back(asked, "1.2.0", latest="1.1.0")
    grow_old()
    found = shown(team)
    assert (sorted(found["versions"]), found["dist-tags"]) == (["1.0.0", "1.1.0", "1.2.0"], {"latest": "1.1.0"})
    assert team.send("rita", "GET", "/taken/-/taken-1.2.0.tgz").getvalue() == packed.tarball
    assert [one["versions"] for one in told()] == [["1.2.0"]]


def test_a_package_that_is_gone(team: Team, asked: Recorder) -> None:
    packed = asked.offers["taken"].versions["1.0.0"]
    assert team.send("rita", "GET", "/taken/-/taken-1.0.0.tgz").getvalue() == packed.tarball
    asked.remove("taken")
    grow_old()
    found = shown(team)
    assert (sorted(found["versions"]), found["dist-tags"]) == (["1.0.0"], {"latest": "1.0.0"}), "what we hold is all there is"
    assert told() == [{"upstream": "public", "whole": True, "versions": ["1.0.0", "1.1.0", "1.2.0"], "number": 3}]


def test_a_name_that_is_replaced_by_a_holder(team: Team, asked: Recorder) -> None:
    asked.remove("taken")
    asked.add("taken", "0.0.1-security")
    grow_old()
    found = shown(team)
    assert (sorted(found["versions"]), found["dist-tags"]) == (["0.0.1-security"], {"latest": "0.0.1-security"})
    assert [one["number"] for one in told()] == [3]


@pytest.mark.parametrize("trouble", [faults.status(500), faults.garbage(b"{}"), faults.status(403)], ids=["500", "garbage", "403"])
def test_trouble_is_not_taken_for_a_removal(team: Team, asked: Recorder, trouble: Any) -> None:
    asked.misbehave("taken", trouble)
    grow_old()
    assert sorted(shown(team)["versions"]) == ["1.0.0", "1.1.0", "1.2.0"]
    assert told() == []


def test_what_never_was_a_version_is_not_missed(team: Team, asked: Recorder) -> None:
    document = asked.document("taken")
    document["versions"] |= {"1.0.0\0": {}, "x" * 30_000: {}}
    asked.misbehave("taken", faults.garbage(json.dumps(document).encode()))
    grow_old()
    shown(team)
    asked.behave()
    grow_old()
    shown(team)
    assert told() == []


def test_what_an_upstream_said_is_forgotten_while_it_is_looked_at(team: Team, asked: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when an admin changes or removes the upstream at that moment: the question is put anew."""
    read, times = consult.sent_by, list[int]()

    def forgotten(document: UpstreamDocument) -> Sent:
        times.append(UpstreamDocument.objects.all().delete()[0] if not times else 0)
        return read(document)

    monkeypatch.setattr(files, "sent_by", forgotten)
    answer = team.send("rita", "GET", "/taken/-/taken-1.1.0.tgz")
    assert (answer.status_code, times) == (200, [1, 0]), answer.content
