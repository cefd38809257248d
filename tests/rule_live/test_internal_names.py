"""RULE.md, clauses 1 to 3, live: an internal name reaches no public upstream by any path."""

from pathlib import Path

import pytest

from tests.clients.projects import write_package
from tests.conftest import client_factory
from tests.parts.gate import Gate, Place
from tests.parts.pack import pack
from tests.parts.recorder import Recorder
from tests.rule_live.asking import ask_in_every_way, assert_never_asked, proven

NAMES = ("our-own", "@acme/our-own")


@pytest.mark.parametrize("name", NAMES)
def test_a_published_name_is_never_asked(place: Place, recorder: Recorder, name: str) -> None:
    proven(place, recorder)
    recorder.add(name, "1.0.0", "99.0.0")
    place.publish(pack(name, "1.0.0"))
    answers = assert_never_asked(place, recorder, name)

    assert answers[f"GET /{name}"].json()["dist-tags"] == {"latest": "1.0.0"}
    assert place.versions(name) == ["1.0.0"]


@pytest.mark.parametrize("pattern", ["@acme/*", "@acme/claimed-*", "@ACME/claimed-name"])
def test_a_claimed_name_is_never_asked(place: Place, recorder: Recorder, pattern: str) -> None:
    proven(place, recorder)
    recorder.add("@acme/claimed-name")
    place.claim(pattern)
    answers = assert_never_asked(place, recorder, "@acme/claimed-name")

    assert answers["GET /@acme/claimed-name"].status == 404


def test_a_claim_covers_what_was_served_before_it(place: Place, recorder: Recorder) -> None:
    proven(place, recorder)
    recorder.add("@acme/soon-ours", "1.0.0")
    assert place.versions("@acme/soon-ours") == ["1.0.0"]
    assert place.as_("rita").get("/@acme/soon-ours/-/soon-ours-1.0.0.tgz").status == 200
    recorder.forget()
    place.claim("@acme/*")
    answers = assert_never_asked(place, recorder, "@acme/soon-ours")

    assert {answer.status for asked, answer in answers.items() if "soon-ours-1.0.0.tgz" in asked} <= {400, 404}


def test_a_name_given_up_may_be_asked_again(place: Place, recorder: Recorder) -> None:
    proven(place, recorder)
    recorder.add("@acme/given-up")
    claim = place.claim("@acme/*")
    assert_never_asked(place, recorder, "@acme/given-up")
    place.api().delete(f"/api/v1/workspaces/{place.slug}/claims/{claim['id']}/")

    assert place.versions("@acme/given-up") == ["1.0.0"]
    assert recorder.asked("@acme/given-up")


@pytest.mark.parametrize("whole", [True, False])
def test_a_tombstone_keeps_the_name(place: Place, recorder: Recorder, whole: bool) -> None:  # noqa: FBT001 - a parameter of the table
    proven(place, recorder)
    recorder.add("buried")
    place.publish(pack("buried"))
    rev = place.as_("alice").get("/buried?write=true").json()["_rev"]
    path = f"/buried/-rev/{rev}" if whole else f"{place.rest}packages/npm/buried/versions/1.0.0/"
    caller = place.as_("alice") if whole else place.api()
    assert caller.delete(path).status in {200, 204}
    answers = assert_never_asked(place, recorder, "buried", who=("rita", "bob", "alice"))

    assert answers["GET /buried"].status == 404


def test_removing_the_tombstone_frees_the_name(place: Place, recorder: Recorder) -> None:
    proven(place, recorder)
    recorder.add("exhumed")
    place.publish(pack("exhumed", "0.1.0"))
    place.api().delete(f"{place.rest}packages/npm/exhumed/versions/0.1.0/")
    assert_never_asked(place, recorder, "exhumed")
    assert place.api("bob").delete(f"{place.rest}packages/npm/exhumed/tombstone/").status == 403
    assert place.api().delete(f"{place.rest}packages/npm/exhumed/tombstone/").status == 204

    assert place.versions("exhumed") == ["1.0.0"]


def test_another_registry_of_the_workspace_holds_the_name(place: Place, recorder: Recorder) -> None:
    proven(place, recorder)
    recorder.add("held-next-door")
    place.second().publish(pack("held-next-door"))
    answers = assert_never_asked(place, recorder, "held-next-door")

    assert answers["GET /held-next-door"].status == 404


def test_its_deletion_next_door_keeps_the_name(place: Place, recorder: Recorder) -> None:
    proven(place, recorder)
    recorder.add("once-next-door")
    second = place.second()
    second.publish(pack("once-next-door"))
    second.api().delete(f"{second.rest}packages/npm/once-next-door/versions/1.0.0/")

    assert_never_asked(place, recorder, "once-next-door")


def test_pulled_versions_are_shadowed_by_the_teams_own(place: Place, recorder: Recorder) -> None:
    proven(place, recorder)
    recorder.add("overtaken", "1.0.0", "3.0.0")
    rita = place.as_("rita")
    assert rita.get("/overtaken/-/overtaken-1.0.0.tgz").status == 200
    assert rita.get("/overtaken/-/overtaken-3.0.0.tgz").status == 200
    recorder.forget()
    place.publish(pack("overtaken", "2.0.0", text="ours"))
    assert_never_asked(place, recorder, "overtaken")

    document = rita.get("/overtaken").json()
    assert sorted(document["versions"]) == ["2.0.0"]
    assert document["dist-tags"] == {"latest": "2.0.0"}
    assert set(document["time"]) <= {"created", "modified", "2.0.0"}
    for version in ("1.0.0", "3.0.0"):
        assert rita.get(f"/overtaken/-/overtaken-{version}.tgz").status == 404
        assert rita.get(f"/overtaken/{version}").status == 404


def test_ticking_a_shadowed_version_shows_it(place: Place, recorder: Recorder) -> None:
    proven(place, recorder)
    recorder.add("adopted", "1.0.0")
    assert place.as_("rita").get("/adopted/-/adopted-1.0.0.tgz").status == 200
    place.publish(pack("adopted", "2.0.0"))
    assert place.versions("adopted") == ["2.0.0"]
    place.set_internal("adopted", "1.0.0", internal=True)
    recorder.forget()

    assert place.versions("adopted") == ["1.0.0", "2.0.0"]
    assert place.as_("rita").get("/adopted/-/adopted-1.0.0.tgz").status == 200
    assert not recorder.asked("adopted")


def test_deleting_a_shadowed_version_frees_its_number(place: Place, recorder: Recorder) -> None:
    proven(place, recorder)
    recorder.add("replaced", "1.0.0")
    assert place.as_("rita").get("/replaced/-/replaced-1.0.0.tgz").status == 200
    place.publish(pack("replaced", "2.0.0"))
    assert place.api().delete(f"{place.rest}packages/npm/replaced/versions/1.0.0/").status == 204
    place.publish(pack("replaced", "1.0.0", text="our own 1.0.0"))

    assert place.versions("replaced") == ["1.0.0", "2.0.0"]


def test_published_in_between(place: Place, recorder: Recorder) -> None:
    proven(place, recorder)
    recorder.add("contested", "5.0.0")
    for _ in range(6):  # both processes have it rendered and remembered
        assert place.versions("contested") == ["5.0.0"]
    place.publish(pack("contested", "0.1.0"))
    recorder.forget()
    assert_never_asked(place, recorder, "contested")

    assert {tuple(place.versions("contested")) for _ in range(10)} == {("0.1.0",)}


def test_unticking_the_last_version_makes_the_name_public(place: Place, recorder: Recorder) -> None:
    proven(place, recorder)
    recorder.add("toggled", "2.0.0")
    place.publish(pack("toggled", "1.0.0"))
    assert_never_asked(place, recorder, "toggled")
    place.set_internal("toggled", "1.0.0", internal=False)
    assert place.versions("toggled") == ["1.0.0", "2.0.0"]
    assert recorder.asked("toggled")
    place.set_internal("toggled", "1.0.0", internal=True)
    recorder.forget()
    answers = assert_never_asked(place, recorder, "toggled")

    assert sorted(answers["GET /toggled"].json()["versions"]) == ["1.0.0"]


def test_a_toggle_is_one_event(place: Place, gate: Gate) -> None:
    place.publish(pack("counted"))
    before = gate.events(place)
    place.set_internal("counted", "1.0.0", internal=False)
    place.set_internal("counted", "1.0.0", internal=False)

    assert gate.events(place)[len(before) :] == ["version.internal"]


def test_a_registry_that_is_not_internal_publishes_public_names(place: Place, recorder: Recorder) -> None:
    proven(place, recorder)
    recorder.add("shared-name", "2.0.0")
    recorder.add("earlier", "2.0.0")
    place.publish(pack("earlier"))
    assert place.api().patch(place.rest, {"internal": False}).status == 200
    place.publish(pack("shared-name"))

    assert place.versions("shared-name") == ["1.0.0", "2.0.0"]
    assert place.versions("earlier") == ["1.0.0"]
    assert not recorder.asked("earlier")


def test_the_own_version_wins_over_the_same_number_outside(place: Place, recorder: Recorder) -> None:
    proven(place, recorder)
    recorder.add("same-number", "1.0.0", "1.1.0")
    place.api().patch(place.rest, {"internal": False})
    own = pack("same-number", "1.0.0", text="ours")
    place.publish(own)

    assert place.as_("rita").get("/same-number").json()["versions"]["1.0.0"]["dist"]["integrity"] == own.integrity
    assert place.as_("rita").get("/same-number/-/same-number-1.0.0.tgz").body == own.tarball


def test_a_pulled_version_is_not_internal(place: Place, recorder: Recorder) -> None:
    proven(place, recorder)
    recorder.add("only-pulled", "1.0.0")
    assert place.as_("rita").get("/only-pulled/-/only-pulled-1.0.0.tgz").status == 200

    found = place.api().get(f"{place.rest}packages/npm/only-pulled/versions/1.0.0/").json()
    assert (found["internal"], found["origin"], found["upstream"]) == (False, "pulled", "public")


def test_workspaces_do_not_influence_each_other(place: Place, gate: Gate, recorder: Recorder, other_recorder: Recorder) -> None:
    proven(place, recorder)
    globex = gate.globex()
    other_recorder.add("same-word", "7.0.0")
    recorder.add("same-word", "7.0.0")
    made = globex.api("mallory").post(
        globex.rest + "upstreams/", {"name": "public", "kind": "url", "format": "npm", "url": other_recorder.url}
    )
    assert made.status == 201, made
    place.publish(pack("same-word", "1.0.0"))
    place.claim("@acme/*")
    assert_never_asked(place, recorder, "same-word")

    assert sorted(globex.as_("mallory").get("/same-word").json()["versions"]) == ["7.0.0"]
    assert place.versions("same-word") == ["1.0.0"]
    assert other_recorder.asked("same-word")


@pytest.mark.npm
@pytest.mark.parametrize("tool", ["npm", "pnpm"])
def test_publishing_a_new_name_does_not_leak_it(place: Place, recorder: Recorder, tmp_path: Path, tool: str) -> None:
    proven(place, recorder)
    bob = client_factory(tool, tmp_path)(place, "bob")
    for name in ("brand-new-idea", "@acme/brand-new-idea"):
        folder = write_package(bob.home / name.replace("/", "-"), name)
        bob.run("publish", *(["--no-git-checks"] if tool == "pnpm" else []), cwd=folder)

    assert not recorder.mentions("brand-new-idea")


def test_a_publishers_questions_about_a_new_name_stay_at_home(place: Place, recorder: Recorder) -> None:
    proven(place, recorder)
    recorder.add("@acme/not-yet")
    bob = place.as_("bob")
    for headers in (
        {"npm-command": "publish"},
        {"referer": "publish"},
        {"npm-command": "publish", "accept": "application/vnd.npm.install-v1+json"},
    ):
        assert bob.request("GET", "/@acme%2fnot-yet", headers=headers).status == 404
    for path in ("/@acme%2fnot-yet?write=true", "/-/package/@acme%2fnot-yet/dist-tags", "/-/package/@acme%2fnot-yet/access"):
        assert bob.get(path).status in {404, 501}

    assert not recorder.mentions("not-yet")


def test_a_plain_view_of_an_unknown_name_does_ask(place: Place, recorder: Recorder) -> None:
    proven(place, recorder)
    ask_in_every_way(place.as_("rita"), "nobody-has-this")

    assert recorder.asked("nobody-has-this")
    assert len(recorder.asked("nobody-has-this", tarball=False)) <= 3, "a 404 is remembered, for each spelling by case"
