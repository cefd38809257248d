"""Internal repositories: their names never leave, and without them the gate is closed."""

import pytest

from tests.git.conftest import ANYBODY
from tests.git.shown import Add, shown
from tests.parts.gate import Gate, Place
from tests.parts.recorder import Recorder
from tests.parts.repository import GitServer
from tests.rule_live.asking import assert_never_asked, proven


def test_an_internal_repositorys_names_never_leave(place: Place, recorder: Recorder, add_git: Add) -> None:
    proven(place, recorder)
    recorder.add("mod", "9.9.9")
    add_git(place, internal=True, patterns=["mod"], priority=200)

    answers = assert_never_asked(place, recorder, "mod")

    assert "9.9.9" not in answers["GET /mod"].json()["versions"]


@pytest.mark.usefixtures("open_forge")
def test_what_an_internal_repository_has_not_is_public(place: Place, recorder: Recorder, add_git: Add) -> None:
    proven(place, recorder)
    add_git(place, internal=True, **ANYBODY)
    recorder.add("nobodys")

    assert place.versions("nobodys") == ["1.0.0"]


@pytest.fixture
def closed(place: Place, recorder: Recorder, forge: GitServer, add_git: Add) -> Place:
    """An internal repository that was never reached, beside a public upstream."""
    proven(place, recorder)
    forge.stop()
    add_git(place, internal=True, **ANYBODY)
    return place


def test_never_listed_it_closes_the_gate(closed: Place, recorder: Recorder) -> None:
    recorder.add("unknown-whose", "9.9.9")

    answer = closed.as_("rita").get("/unknown-whose")

    assert answer.status == 503
    assert "modules" in answer.json()["error"]
    assert not recorder.asked("unknown-whose")


def test_listed_once_its_absences_still_count(gate: Gate, place: Place, recorder: Recorder, open_forge: GitServer, add_git: Add) -> None:
    proven(place, recorder)
    add_git(place, internal=True, **ANYBODY)
    shown(place)
    open_forge.stop()
    gate.grow_old()
    recorder.add("nobodys")

    assert place.versions("nobodys") == ["1.0.0"]
    assert "1.2.0" in shown(place)["versions"]


def test_the_toggle_makes_it_internal(place: Place, recorder: Recorder, add_git: Add) -> None:
    proven(place, recorder)
    recorder.add("mod", "9.9.9")
    made = add_git(place, internal=False, patterns=["mod"], priority=200)
    assert place.versions("mod") == ["9.9.9"]
    recorder.forget()

    answer = place.api().patch(f"{place.rest}upstreams/{made['id']}/", {"internal": True})
    assert answer.status == 200, answer

    assert "1.2.0" in place.versions("mod")
    assert not recorder.asked("mod")
