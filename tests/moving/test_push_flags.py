"""Pushing between registries: the internal flag goes along, and what is hidden stays."""

from packages.services.versions import set_internal
from tests.moving.flags import flag, untick
from tests.moving.street import Street, events, results
from tests.parts.pack import pack
from tests.parts.recorder import Recorder


def test_internal_when_source_or_target_is(street: Street) -> None:
    flag(street, "prod", internal=False)
    street.make("kept")
    assert street.push("kept")["versions"][0]["internal"] is True
    untick(street, "kept")
    street.make("opened")
    untick(street, "opened")
    assert street.push("opened")["versions"][0]["internal"] is False
    flag(street, "prod", internal=True)
    street.make("into-internal")
    untick(street, "into-internal")
    assert street.push("into-internal")["versions"][0]["internal"] is True


def test_the_same_bytes_become_internal_when_the_newcomer_is(street: Street) -> None:
    flag(street, "prod", internal=False)
    street.make("corp-x")
    untick(street, "corp-x")
    street.push("corp-x")
    actor, main = street.team.actor("alice"), street.registries["main"]
    set_internal(actor=actor, registry=main, format="npm", name="corp-x", version="1.0.0", internal=True)
    answer = street.push("corp-x")
    assert answer["versions"][0] | {"integrity": ""} == {
        "name": "corp-x", "version": "1.0.0", "result": "present", "internal": True, "integrity": "",
    }  # fmt: skip
    assert street.row_of("corp-x").is_internal
    assert events("version.internal")[-1].object == f"{street.team.slug}/prod npm corp-x@1.0.0"


def test_what_was_pulled_stays_public_in_an_internal_registry(street: Street, recorder: Recorder) -> None:
    """Else promoting an application with its dependencies would hide left-pad from the whole workspace."""
    street.upstream(recorder)
    packed = recorder.add("left", "1.0.0", "1.1.0")[0]
    street.install("left", "1.0.0")
    recorder.forget()
    answer = street.push("left", "1.0.0")
    assert answer["versions"][0]["internal"] is False
    row = street.row_of("left")
    assert (row.origin, row.upstream_origin.upstream_name, row.upstream_origin.upstream) == ("pulled", "public", None)
    assert recorder.seen == []
    assert street.install("left", at="prod") == packed.tarball
    assert street.versions("left", at="prod") == ["1.0.0"]
    assert street.versions("left") == ["1.0.0", "1.1.0"]


def test_what_is_hidden_is_not_sent_on(street: Street, recorder: Recorder) -> None:
    street.upstream(recorder)
    recorder.add("corp-x", "99.0.0")
    street.install("corp-x", "99.0.0")
    street.make("corp-x")
    said = street.refused("push", 409, "version_hidden", name="corp-x", to="prod", versions=["99.0.0"])
    assert "pulled from a source that is not" in said
    assert results(street.push("corp-x")) == {"corp-x@1.0.0": "pushed"}


def test_nothing_public_goes_where_the_name_is_internal(street: Street, recorder: Recorder, other_recorder: Recorder) -> None:
    street.upstream(recorder)
    street.upstream(other_recorder, "partner", at="prod", internal=True)
    for one in (recorder, other_recorder):
        one.add("corp-x", "99.0.0")
    street.install("corp-x", "99.0.0")
    answer = street.rest("push", {"name": "corp-x", "to": "prod"})
    assert (answer.status_code, answer.json()["code"]) == (409, "version_hidden"), answer.content
    assert "prod" not in street.held("corp-x")
    other_recorder.stop()
    street.refused("push", 409, "version_hidden", name="corp-x", to="prod")  # it said so once: that is remembered
    recorder.add("left")
    street.install("left")
    assert "partner" in street.refused("push", 503, "internal_upstream_unavailable", name="left", to="prod")


def test_bytes_seen_first_are_kept_to(street: Street, recorder: Recorder, other_recorder: Recorder) -> None:
    street.upstream(recorder)
    street.upstream(other_recorder, at="prod")
    recorder.offer(pack("left", text="one"))
    other_recorder.offer(pack("left", text="two"))
    street.install("left")
    street.versions("left", at="prod")
    assert "has seen other bytes" in street.refused("push", 409, "version_exists", name="left", to="prod")


def test_pulled_bytes_that_the_team_now_calls_its_own_come_out_of_the_shadow(street: Street, recorder: Recorder) -> None:
    """prod holds them, pulled; the team's own version of the same bytes is pushed there, and prod is internal."""
    street.upstream(recorder, at="prod")
    packed = pack("corp-x")
    recorder.offer(packed)
    street.install("corp-x", at="prod")
    street.offer(packed)
    untick(street, "corp-x")
    assert street.push("corp-x")["versions"][0]["internal"] is True
    assert street.row_of("corp-x").is_internal
    recorder.forget()
    assert street.versions("corp-x", at="prod") == ["1.0.0"]
    assert recorder.seen == []
