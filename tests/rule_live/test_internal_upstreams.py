"""RULE.md, clauses 3 and 4, live: internal upstreams decide first, and when one cannot answer, nobody else may."""

import pytest

from tests.parts import faults
from tests.parts.gate import Place
from tests.parts.pack import pack
from tests.parts.recorder import Fault, Recorder
from tests.rule_live.asking import assert_never_asked, proven

FAULTS: dict[str, Fault] = {
    "500": faults.status(500),
    "503": faults.status(503),
    "429": faults.status(429),
    "401": faults.status(401),
    "403": faults.status(403),
    "hang": faults.hang,
    "close": faults.close,
    "garbage": faults.garbage(),
    "truncated": faults.truncated(b'{"name":'),
    "another name": faults.garbage(b'{"name":"somebody-else","versions":{}}'),
    "redirect to nowhere": faults.redirect("http://127.0.0.1:1/"),
}


@pytest.fixture
def partner(place: Place, recorder: Recorder, other_recorder: Recorder) -> Recorder:
    """`recorder` is public and proven to be asked; what is returned is an internal upstream beside it, asked first or last."""
    proven(place, recorder)
    other_recorder.add("partner-proof")
    place.upstream(other_recorder, "partner", internal=True, priority=200)
    assert place.versions("partner-proof") == ["1.0.0"]
    assert other_recorder.asked("partner-proof")
    return other_recorder


def test_what_it_has_is_internal(place: Place, recorder: Recorder, partner: Recorder) -> None:
    recorder.add("partners-own", "9.0.0")
    partner.add("partners-own", "1.0.0")
    answers = assert_never_asked(place, recorder, "partners-own")

    assert sorted(answers["GET /partners-own"].json()["versions"]) == ["1.0.0"]


def test_what_it_has_not_is_public(place: Place, recorder: Recorder, partner: Recorder) -> None:
    recorder.add("not-partners", "9.0.0")

    assert place.versions("not-partners") == ["9.0.0"]
    assert partner.asked("not-partners")


@pytest.mark.parametrize("fault", FAULTS)
def test_when_it_cannot_answer_nobody_else_is_asked(place: Place, recorder: Recorder, partner: Recorder, fault: str) -> None:
    recorder.add("unknown-whose", "9.0.0")
    partner.misbehave("unknown-whose", FAULTS[fault])
    answer = place.as_("rita").get("/unknown-whose")

    assert answer.status == 503, answer
    assert int(answer.headers["retry-after"]) > 0
    assert "partner" in answer.json()["error"]
    assert place.as_("rita").get("/unknown-whose/-/unknown-whose-9.0.0.tgz").status == 503
    assert place.as_("rita").get("/unknown-whose/9.0.0").status == 503
    assert not recorder.mentions("unknown-whose")


def test_when_it_is_gone_altogether(place: Place, recorder: Recorder, partner: Recorder) -> None:
    recorder.add("nobody-home", "9.0.0")
    partner.stop()
    answer = place.as_("rita").get("/nobody-home")

    assert answer.status == 503, answer
    assert "partner" in answer.json()["error"]
    assert not recorder.mentions("nobody-home")


def test_it_recovers_at_once(place: Place, recorder: Recorder, partner: Recorder) -> None:
    partner.add("comes-back")
    partner.misbehave("comes-back", faults.status(500))
    assert place.as_("rita").get("/comes-back").status == 503
    partner.behave()

    answers = [place.as_("rita").get("/comes-back").status for _ in range(3)]
    assert answers[-1] == 200, answers
    assert not recorder.mentions("comes-back")


def test_a_recent_not_here_counts_as_its_answer(place: Place, recorder: Recorder, partner: Recorder) -> None:
    recorder.add("was-not-there", "9.0.0")
    assert place.versions("was-not-there") == ["9.0.0"]
    partner.misbehave("was-not-there", faults.status(500))

    assert place.versions("was-not-there") == ["9.0.0"]


def test_versions_of_several_internal_sources_are_merged(place: Place, recorder: Recorder, partner: Recorder) -> None:
    recorder.add("merged", "9.0.0")
    partner.add("merged", "1.0.0", "1.1.0")
    own = pack("merged", "1.1.0", text="ours")
    place.publish(own)
    place.publish(pack("merged", "2.0.0"))
    document = place.as_("rita").get("/merged").json()

    assert sorted(document["versions"]) == ["1.0.0", "1.1.0", "2.0.0"]
    assert document["versions"]["1.1.0"]["dist"]["integrity"] == own.integrity
    assert not recorder.asked("merged")


def test_its_answer_leaves_a_tombstone_that_survives_it(place: Place, recorder: Recorder, partner: Recorder) -> None:
    recorder.add("remembered", "9.0.0")
    partner.add("remembered", "1.0.0")
    assert place.versions("remembered") == ["1.0.0"]
    upstreams = place.api().get(place.rest + "upstreams/").json()["results"]
    path = f"{place.rest}upstreams/{next(one['id'] for one in upstreams if one['name'] == 'partner')}/"
    assert place.api().patch(path, {"enabled": False}).status == 200
    assert_never_asked(place, recorder, "remembered", who=("rita",))
    assert place.api().delete(path).status == 204

    assert_never_asked(place, recorder, "remembered", who=("rita",))


def test_its_patterns_are_claims_even_while_it_is_disabled(place: Place, recorder: Recorder, other_recorder: Recorder) -> None:
    proven(place, recorder)
    recorder.add("@partner/thing")
    made = place.upstream(other_recorder, "partner", internal=True, patterns=["@partner/*"])
    assert place.as_("rita").get("/@partner/thing").status == 404
    place.api().patch(f"{place.rest}upstreams/{made['id']}/", {"enabled": False})

    assert_never_asked(place, recorder, "@partner/thing", who=("rita",))


def test_outside_its_patterns_it_does_not_exist(place: Place, recorder: Recorder, other_recorder: Recorder) -> None:
    proven(place, recorder)
    recorder.add("elsewhere")
    place.upstream(other_recorder, "partner", internal=True, patterns=["@partner/*"])
    other_recorder.stop()

    assert place.versions("elsewhere") == ["1.0.0"]


def test_the_toggle_of_an_upstream_over_rest(place: Place, recorder: Recorder, other_recorder: Recorder) -> None:
    proven(place, recorder)
    recorder.add("which-way", "9.0.0")
    other_recorder.add("which-way", "1.0.0")
    made = place.upstream(other_recorder, "partner", priority=200)
    assert place.versions("which-way") == ["9.0.0"]
    assert place.api().patch(f"{place.rest}upstreams/{made['id']}/", {"internal": True}).status == 200
    recorder.forget()

    assert place.versions("which-way") == ["1.0.0"]
    assert not recorder.asked("which-way")


def test_public_upstreams_in_order_of_priority(place: Place, recorder: Recorder, other_recorder: Recorder) -> None:
    proven(place, recorder)
    recorder.add("first-wins", "1.0.0")
    other_recorder.add("first-wins", "2.0.0")
    other_recorder.add("only-second", "2.0.0")
    place.upstream(other_recorder, "later", priority=200)

    assert place.versions("first-wins") == ["1.0.0"]
    assert not other_recorder.asked("first-wins")
    assert place.versions("only-second") == ["2.0.0"]


def test_a_disabled_upstream_is_never_asked(place: Place, recorder: Recorder) -> None:
    made = proven(place, recorder)
    recorder.add("behind-it")
    place.api().patch(f"{place.rest}upstreams/{made['id']}/", {"enabled": False})

    assert place.as_("rita").get("/behind-it").status == 404
    assert not recorder.seen


def test_another_path_of_one_host_is_another_registry(place: Place, recorder: Recorder, other_recorder: Recorder) -> None:
    """An address that was mistyped said "not here" of every name; mended, that counts no longer."""
    proven(place, recorder)
    other_recorder.add("of-the-partner")
    row = place.upstream(other_recorder, "partner", internal=True, url=f"{other_recorder.url}/wrong")
    assert place.as_("rita").get("/of-the-partner").status == 404
    recorder.forget()
    recorder.add("of-the-partner", "9.9.9")

    changed = place.api().patch(f"{place.rest}upstreams/{row['id']}/", {"url": other_recorder.url})

    assert changed.status == 200, changed
    assert place.versions("of-the-partner") == ["1.0.0"]
    assert not recorder.asked("of-the-partner")
