"""Push to an upstream outside: a real publish there, and nothing internal leaves unsaid."""

import json
from typing import Any

import pytest

from packages.services.versions import keep_internal, set_internal
from tests.moving.flags import untick
from tests.moving.street import Street, events, results
from tests.parts import faults
from tests.parts.pack import pack
from tests.parts.recorder import Recorder
from tests.parts.taking import take_publishes
from upstreams.models import UpstreamDocument
from upstreams.services import outward
from upstreams.services.parcels import parcels_of
from upstreams.services.sources import change_upstream
from workspaces.services.spaces import add_claim

SECRET = "sesame-open-wide"
OUT: dict[str, Any] = {"to_upstream": "public", "who": "alice"}


@pytest.fixture
def shelf(recorder: Recorder) -> Recorder:
    """An upstream that takes publishes."""
    take_publishes(recorder)
    return recorder


def opened(street: Street, name: str, *versions: str, **manifest: Any) -> None:
    """Published, and public: nobody's secret."""
    for packed in street.make(name, *versions, **manifest):
        untick(street, name, packed.version)


def test_a_real_publish_with_the_upstreams_credentials(street: Street, shelf: Recorder) -> None:
    street.upstream(shelf, auth_type="bearer", secret=SECRET)
    shelf.demand("bearer", secret=SECRET)
    packed = street.make("open-x", dependencies={"left": "^1.0.0"})[0]
    untick(street, "open-x")
    answer = street.push("open-x", "1.0.0", **OUT)
    assert (answer["from"], answer["to"], results(answer)) == (f"{street.team.slug}/main", "public", {"open-x@1.0.0": "pushed"})
    assert shelf.offers["open-x"].versions["1.0.0"].tarball == packed.tarball
    asked, sent = shelf.seen
    assert (asked.method, sent.method, sent.path) == ("GET", "PUT", "/open-x")
    assert {one.headers["authorization"] for one in (asked, sent)} == {f"Bearer {SECRET}"}
    document = json.loads(sent.body)
    assert list(document) == ["_id", "name", "description", "dist-tags", "versions", "access", "_attachments"]
    manifest = document["versions"]["1.0.0"]
    assert (manifest["_id"], manifest["dependencies"], manifest["readme"]) == ("open-x@1.0.0", {"left": "^1.0.0"}, "# open-x")
    assert set(manifest["dist"]) == {"integrity", "shasum", "tarball"}
    assert document["dist-tags"] == {"latest": "1.0.0"}
    (event,) = events("version.pushed")
    assert event.new == {
        "from": f"{street.team.slug}/main", "to": "public", "url": shelf.url, "integrity": packed.integrity,
        "internal": False, "tags": ["latest"],
    }  # fmt: skip
    assert not events("version.disclosed")
    assert SECRET not in json.dumps([answer, *(one.new for one in events("version.pushed"))])
    assert not UpstreamDocument.objects.filter(name="open-x").exists()


def test_again_finds_the_same_bytes(street: Street, shelf: Recorder) -> None:
    street.upstream(shelf)
    opened(street, "open-x")
    street.push("open-x", **OUT)
    assert results(street.push("open-x", **OUT)) == {"open-x@1.0.0": "present"}
    assert len(events("version.pushed")) == 1
    assert [one.method for one in shelf.seen] == ["GET", "PUT", "GET"]


def test_other_bytes_there_are_a_conflict_before_anything_is_sent(street: Street, shelf: Recorder) -> None:
    street.upstream(shelf)
    opened(street, "open-x", "1.0.0", "1.1.0")
    shelf.offer(pack("open-x", "1.1.0", text="theirs"))
    said = street.refused("push", 409, "version_exists", name="open-x", **OUT)
    assert "other bytes under open-x@1.1.0" in said
    assert {one.method for one in shelf.seen} == {"GET"}


def test_somebody_else_was_first(street: Street, shelf: Recorder) -> None:
    """Between our look and our publish: the same bytes are as good, others are a conflict."""
    street.upstream(shelf)
    for text, status in (("", 200), ("theirs", 409)):
        name = f"open-{text or 'same'}"
        opened(street, name)

        def race(handler: Any, answer: Any, name: str = name, text: str = text) -> None:
            if handler.command == "PUT":
                shelf.offer(pack(name, text=text))
                handler.send(409, b"{}")
            else:
                answer()

        shelf.misbehave(name, race)
        answer = street.rest("push", {"name": name, "to_upstream": "public"}, who="alice")
        assert answer.status_code == status, answer.content
        assert not [one for one in events("version.pushed") if name in one.object]


@pytest.mark.parametrize("how", ["flag", "claim", "tombstone", "elsewhere", "partner", "partner is silent"])
def test_nothing_internal_leaves_unsaid(street: Street, shelf: Recorder, other_recorder: Recorder, how: str) -> None:
    """Whatever makes the name internal: nothing at all is asked there, and an admin's word is one event."""
    street.upstream(shelf)
    street.make("corp-x")
    if how != "flag":
        untick(street, "corp-x")
    if how == "claim":
        add_claim(actor=street.team.actor("alice"), workspace=street.team.space, pattern="corp-*")
    if how == "tombstone":
        keep_internal(street.registries["main"], "npm", "corp-x", everywhere=True, reason="once")
    if how == "elsewhere":
        street.make("corp-x", "0.0.1", at="prod")
    if how.startswith("partner"):
        street.upstream(other_recorder, "partner", internal=True)
        other_recorder.add("corp-x", "0.1.0")
    if how == "partner is silent":
        other_recorder.stop()
    said = street.refused("push", 409, "internal_version", name="corp-x", **OUT) if how != "partner" else ""
    if how == "partner":  # its answer leaves a tombstone, so rows change
        answer = street.rest("push", {"name": "corp-x", "to_upstream": "public"}, who="alice")
        assert (answer.status_code, answer.json()["code"]) == (409, "internal_version")
        said = answer.json()["error"]
    assert "corp-x@1.0.0" in said
    assert shelf.seen == []
    assert results(street.push("corp-x", disclose=True, **OUT)) == {"corp-x@1.0.0": "pushed"}
    (event,) = events("version.disclosed")
    assert (event.actor, event.object, event.new["to"]) == ("alice", f"{street.team.slug}/main npm corp-x@1.0.0", "public")
    assert event.new["versions"] == ["corp-x@1.0.0"]
    shelf.forget()
    street.send("GET", "/corp-x")
    assert shelf.seen == []  # it is there now, and is internal here all the same


def test_an_internal_dependency_is_internal_too(street: Street, shelf: Recorder) -> None:
    street.upstream(shelf)
    street.make("corp-lib")
    opened(street, "open-x", dependencies={"corp-lib": "1"})
    assert "corp-lib@1.0.0" in street.refused("push", 409, "internal_version", name="open-x", dependencies=True, **OUT)
    assert shelf.seen == []
    assert results(street.push("open-x", **OUT)) == {"open-x@1.0.0": "pushed"}
    assert not shelf.mentions("corp-lib@")


def test_to_an_internal_upstream_it_goes_with_its_flag(street: Street, shelf: Recorder) -> None:
    street.upstream(shelf, internal=True)
    street.make("corp-x")
    assert street.push("corp-x", **OUT)["versions"][0]["internal"] is True
    assert events("version.pushed")[0].new["internal"] is True
    assert not events("version.disclosed")


def test_only_admins_send_things_outside(street: Street, shelf: Recorder) -> None:
    street.upstream(shelf)
    opened(street, "open-x")
    for who in ("bob", "rita"):
        street.refused("push", 403, "denied", name="open-x", to_upstream="public", who=who)
        street.refused("push", 403, "denied", name="open-x", to_upstream="public", who=who, disclose=True)
    for wish in ({"read_only": True}, {"scopes": ["npm:package:*:write"]}):
        street.refused("push", 403, "denied", name="open-x", to_upstream="public", token=street.team.token("alice", **wish))
    assert shelf.seen == []


def test_where_nothing_can_go(street: Street, shelf: Recorder) -> None:
    public = street.upstream(shelf, patterns=("@acme/*",))
    street.link("main", "prod")
    opened(street, "open-x")
    street.refused("push", 404, "upstream_not_found", name="open-x", to_upstream="nowhere", who="alice")
    assert "push to “prod”" in street.refused("push", 409, "upstream_unsuitable", name="open-x", to_upstream="prod", who="alice")
    street.refused("push", 409, "source_not_allowed", name="open-x", **OUT)
    change_upstream(actor=street.team.actor("alice"), upstream=public, changes={"enabled": False})
    street.refused("push", 409, "upstream_disabled", name="open-x", **OUT)
    assert shelf.seen == []


@pytest.mark.parametrize("status", [401, 403, 400, 413, 500])
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_refusal_is_told_and_changes_nothing(street: Street, recorder: Recorder, status: int, method: str) -> None:
    street.upstream(recorder, auth_type="bearer", secret=SECRET)
    opened(street, "open-x")

    def refuse(handler: Any, answer: Any) -> None:
        handler.send(status, json.dumps({"error": SECRET}).encode()) if handler.command == method else answer()

    recorder.misbehave("*", refuse)
    codes = {401: "upstream_unauthorized", 403: "upstream_unauthorized", 500: "upstream_unreachable"}
    said = street.refused("push", 503 if status == 500 else 502, codes.get(status, "upstream_bad_answer"), name="open-x", **OUT)
    assert "public" in said
    assert SECRET not in said


def test_credentials_do_not_follow_a_redirect(street: Street, recorder: Recorder, other_recorder: Recorder) -> None:
    street.upstream(recorder, auth_type="bearer", secret=SECRET)
    opened(street, "open-x")
    for code in (302, 307):

        def elsewhere(handler: Any, answer: Any, code: int = code) -> None:
            handler.send(code, b"", location=f"{other_recorder.url}/open-x") if handler.command == "PUT" else answer()

        recorder.misbehave("*", elsewhere)
        street.refused("push", 502, "upstream_bad_answer", name="open-x", **OUT)
    assert other_recorder.seen == []


def test_how_far_it_came_is_told(street: Street, shelf: Recorder) -> None:
    street.upstream(shelf)
    opened(street, "open-x", "1.0.0", "1.1.0", "1.2.0")
    take = shelf.faults["*", "packument"]

    def second_fails(handler: Any, answer: Any) -> None:
        puts = [one for one in shelf.seen if one.method == "PUT"]
        handler.send(500, b"{}") if handler.command == "PUT" and len(puts) == 2 else take(handler, answer)

    shelf.misbehave("*", second_fails)
    answer = street.rest("push", {"name": "open-x", "to_upstream": "public"}, who="alice")
    assert answer.status_code == 503
    assert "1 versions were published there before" in answer.json()["error"]
    shelf.misbehave("*", take)
    assert results(street.push("open-x", **OUT)) == {"open-x@1.0.0": "present", "open-x@1.1.0": "pushed", "open-x@1.2.0": "pushed"}


def test_tags_there(street: Street, shelf: Recorder) -> None:
    street.upstream(shelf)
    opened(street, "open-x", "1.0.0", "1.1.0", "2.0.0")
    street.offer(pack("open-x", "3.0.0-beta.1"), tag="beta")
    untick(street, "open-x", "3.0.0-beta.1")
    street.push("open-x", **OUT)
    assert shelf.offers["open-x"].tags == {"latest": "2.0.0", "release-1.x": "1.1.0", "beta": "3.0.0-beta.1"}
    opened(street, "open-x", "1.0.5")
    street.push("open-x", "1.0.5", **OUT)  # became latest in main when it was published
    assert shelf.offers["open-x"].tags["latest"] == "1.0.5"


def test_a_hanging_upstream_ends(street: Street, recorder: Recorder) -> None:
    street.upstream(recorder, total_timeout=1)
    opened(street, "open-x")

    def hang(handler: Any, answer: Any) -> None:
        faults.hang(handler, answer) if handler.command == "PUT" else answer()

    recorder.misbehave("*", hang)
    street.refused("push", 504, "upstream_timeout", name="open-x", **OUT)


def test_a_tick_while_it_goes_stops_it(street: Street, shelf: Recorder) -> None:
    """The rule changed between the look and the publish: what was decided before does not count any more."""
    street.upstream(shelf)
    opened(street, "open-x")
    take = shelf.faults["*", "packument"]

    def tick(handler: Any, answer: Any) -> None:
        if handler.command == "GET":
            actor, main = street.team.actor("alice"), street.registries["main"]
            set_internal(actor=actor, registry=main, format="npm", name="open-x", version="1.0.0", internal=True)
        take(handler, answer)

    shelf.misbehave("*", tick)
    answer = street.rest("push", {"name": "open-x", "to_upstream": "public"}, who="alice")
    assert (answer.status_code, answer.json()["code"]) == (503, "rule_changed")
    assert [one.method for one in shelf.seen] == ["GET"]


def test_a_toggle_while_versions_are_gathered_is_noticed(street: Street, shelf: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The upstream was internal when it was looked up, and is not any more: what was seen before does not count."""
    source = street.upstream(shelf, internal=True)
    street.make("corp-x")

    def slowly(*words: Any) -> Any:
        change_upstream(actor=street.team.actor("alice"), upstream=source, changes={"internal": False})
        return parcels_of(*words)

    monkeypatch.setattr(outward, "parcels_of", slowly)
    answer = street.rest("push", {"name": "corp-x", "to_upstream": "public"}, who="alice")
    assert (answer.status_code, answer.json()["code"]) == (503, "rule_changed")
    assert shelf.seen == []
