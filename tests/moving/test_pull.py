"""Pull: exactly the versions asked for, by the rule, with the flag of their source."""

from typing import Any

import pytest

from packages.services.shadows import claim
from tests.moving.street import Street, events, results
from tests.parts.pack import pack
from tests.parts.recorder import Recorder
from upstreams.services.sources import change_upstream


def test_exactly_that_version_and_no_dependency(street: Street, recorder: Recorder) -> None:
    street.upstream(recorder)
    packed = recorder.add("left", "1.3.0", "1.4.0", dependencies={"right": "^1.0.0"})[0]
    recorder.add("right")
    answer = street.pull("left", "1.3.0", upstream="public")
    assert (answer["from"], answer["to"]) == ("public", f"{street.team.slug}/main")
    assert answer["versions"] == [
        {"name": "left", "version": "1.3.0", "result": "pulled", "internal": False, "integrity": packed.integrity}
    ]
    assert street.held("left") == {"main": ["1.3.0"]}
    assert not recorder.asked("right")
    row = street.row_of("left", "1.3.0", at="main")
    assert (row.origin, row.is_internal, row.upstream_origin.upstream_name) == ("pulled", False, "public")
    (act,), (came,) = events("package.pulled"), events("version.pulled")
    assert (act.actor, act.new["from"], act.new["versions"]) == ("bob", "public", ["left@1.3.0"])
    assert came.new == {"upstream": "public", "internal": False, "integrity": packed.integrity}


def test_again_it_is_there(street: Street, recorder: Recorder) -> None:
    street.upstream(recorder)
    recorder.add("left")
    street.pull("left")
    recorder.forget()
    assert results(street.pull("left")) == {"left@1.0.0": "present"}
    assert not recorder.asked("left", tarball=True)
    assert len(events("package.pulled")) == 1


def test_words_for_versions(street: Street, recorder: Recorder) -> None:
    street.upstream(recorder)
    recorder.add("left", "1.0.0", "1.1.0", "2.0.0")
    recorder.offer(pack("left", "3.0.0-rc.1"), tag="next")
    assert list(results(street.pull("left"))) == ["left@2.0.0"]
    assert list(results(street.pull("left", "^1.0.0"))) == ["left@1.0.0", "left@1.1.0"]
    assert list(results(street.pull("left", "next"))) == ["left@3.0.0-rc.1"]
    assert len(results(street.pull("left", "*"))) == 4
    street.refused("pull", 404, "version_not_found", name="left", versions=["9.9.9"])
    street.refused("pull", 404, "package_not_found", name="missing")
    named = street.refused("pull", 404, "package_not_found", name="missing", upstream="public")
    assert named.startswith("Upstream public has no package missing."), named
    street.refused("pull", 404, "upstream_not_found", name="left", upstream="nowhere")
    street.refused("pull", 400, "name_invalid", name="no name")


def test_what_came_out_a_moment_ago_is_found(street: Street, recorder: Recorder) -> None:
    street.upstream(recorder)
    recorder.add("left", "1.0.0")
    street.pull("left")
    street.refused("pull", 404, "package_not_found", name="right")
    recorder.add("left", "1.1.0")
    recorder.add("right", "2.0.0")
    assert list(results(street.pull("left", "1.1.0"))) == ["left@1.1.0"]
    assert list(results(street.pull("right", "2.0.0"))) == ["right@2.0.0"]
    recorder.forget()
    street.refused("pull", 404, "version_not_found", name="left", versions=["9.9.9"])
    assert len(recorder.asked("left")) == 1, "once more, not again and again"


def test_a_named_upstream_that_lacks_the_package_is_named(street: Street, recorder: Recorder) -> None:
    """Whatever kind it is, and where the registry holds the name itself too."""
    street.upstream(recorder, at="prod")
    street.link("main", "prod")
    said = street.refused("pull", 404, "package_not_found", name="missing", upstream="prod")
    assert said.startswith("Upstream prod has no package missing, and nobody behind it has."), said
    street.upstream(recorder, "partner", internal=True)
    street.make("corp-x")
    said = street.refused("pull", 404, "package_not_found", name="corp-x", upstream="partner")
    assert said.startswith("Upstream partner has no package corp-x."), said


def test_latest_is_the_sources_own(street: Street, recorder: Recorder) -> None:
    """Not what the registry itself calls latest: that one it has."""
    street.upstream(recorder, internal=True)
    street.make("corp-x", "5.0.0")
    recorder.add("corp-x", "1.0.0", "1.5.0")
    answer = street.pull("corp-x")
    assert answer["versions"][0] | {"integrity": ""} == {
        "name": "corp-x", "version": "1.5.0", "result": "pulled", "internal": True, "integrity": "",
    }  # fmt: skip


def test_by_priority_without_a_name(street: Street, recorder: Recorder, other_recorder: Recorder) -> None:
    street.upstream(recorder, priority=20)
    street.upstream(other_recorder, "first", priority=10)
    recorder.add("left", "1.0.0")
    other_recorder.add("left", "2.0.0")
    assert results(street.pull("left")) == {"left@2.0.0": "pulled"}
    assert not recorder.asked("left")


def test_an_upstream_that_may_not_answer_is_refused_with_the_clause(street: Street, recorder: Recorder, other_recorder: Recorder) -> None:
    street.upstream(recorder, priority=20)
    first = street.upstream(other_recorder, "first", priority=10)
    recorder.add("left")
    other_recorder.add("left")
    assert "rule 5: an earlier source answers" in street.refused("pull", 409, "source_not_allowed", name="left", upstream="public")
    change_upstream(actor=street.team.actor("alice"), upstream=first, changes={"enabled": False})
    street.refused("pull", 409, "upstream_disabled", name="left", upstream="first")
    assert results(street.pull("left", upstream="public")) == {"left@1.0.0": "pulled"}
    change_upstream(actor=street.team.actor("alice"), upstream=first, changes={"enabled": True, "patterns": ("@acme/*",)})
    assert "patterns do not fit" in street.refused("pull", 409, "source_not_allowed", name="left", upstream="first")


@pytest.mark.parametrize("versions", [["99.0.0"], ["*"], []])
def test_a_public_upstream_hears_nothing_of_an_internal_name(street: Street, recorder: Recorder, versions: list[str]) -> None:
    street.upstream(recorder)
    street.make("corp-x")
    recorder.add("corp-x", "99.0.0")
    body: dict[str, Any] = {"name": "corp-x", **({"versions": versions} if versions else {})}
    assert "rule 2" in street.refused("pull", 409, "source_not_allowed", upstream="public", **body)
    said = street.refused("pull", 404, "package_not_found", **body)
    assert said.endswith("The name is internal here (this registry holds an internal version); no public source is asked."), said
    assert recorder.seen == []


def test_a_claimed_name_that_nobody_has_is_refused_with_the_claim(street: Street, recorder: Recorder) -> None:
    """Also where it is a dependency that is left out."""
    street.upstream(recorder)
    recorder.add("left", dependencies={"corp-next": "^1.0.0"})
    recorder.add("corp-next", "1.99.0")
    claim(actor=street.team.actor("alice"), workspace=street.team.space, pattern="corp-*")
    why = "The name is internal here (by the claim corp-*); no public source is asked."
    assert street.refused("pull", 404, "package_not_found", name="corp-next").endswith(why)
    (left,) = street.pull("left", dependencies=True)["left_out"]
    assert (left["name"], left["wanted"]) == ("corp-next", "^1.0.0")
    assert left["why"].endswith(why), left
    assert not recorder.asked("corp-next")
    assert "internal" not in street.refused("pull", 404, "package_not_found", name="nobody-has-it")


def test_what_an_internal_upstream_has_comes_internal(street: Street, recorder: Recorder, other_recorder: Recorder) -> None:
    street.upstream(recorder, priority=1)
    street.upstream(other_recorder, "partner", internal=True)
    recorder.add("corp-x", "99.0.0")
    other_recorder.add("corp-x", "1.0.0")
    assert street.pull("corp-x")["versions"][0]["internal"] is True
    assert recorder.seen == []


def test_an_internal_upstream_that_is_silent_closes_the_gate(street: Street, recorder: Recorder, other_recorder: Recorder) -> None:
    street.upstream(recorder)
    street.upstream(other_recorder, "partner", internal=True)
    recorder.add("left")
    other_recorder.stop()
    said = street.refused("pull", 503, "internal_upstream_unavailable", name="left")
    assert "partner" in said
    assert recorder.seen == []


def test_what_a_named_internal_upstream_has_not_is_asked_nowhere_else(street: Street, recorder: Recorder, other_recorder: Recorder) -> None:
    street.upstream(recorder)
    street.upstream(other_recorder, "partner", internal=True)
    recorder.add("corp-x")
    assert "nobody else was asked" in street.refused("pull", 404, "package_not_found", name="corp-x", upstream="partner")
    assert other_recorder.asked("corp-x")
    assert recorder.seen == []


def test_through_a_chain_it_is_kept_in_each_link(street: Street, recorder: Recorder) -> None:
    street.link("main", "prod")
    street.upstream(recorder, at="prod")
    recorder.add("left")
    assert results(street.pull("left", upstream="prod")) == {"left@1.0.0": "pulled"}
    assert street.held("left") == {"main": ["1.0.0"], "prod": ["1.0.0"]}
    street.make("corp-x", at="prod")
    assert street.pull("corp-x")["versions"][0]["internal"] is True
    token = street.team.token("bob", registries=[street.registries["main"].pk])
    street.make("corp-y", at="prod")
    street.refused("pull", 403, "denied", name="corp-y", token=token)


def test_a_large_file_comes_whole(street: Street, recorder: Recorder) -> None:
    """It flows in while it is followed; the answer waits for the end."""
    street.upstream(recorder)
    import os

    packed = recorder.offer(pack("large", files={"data.bin": os.urandom(3_000_000)}))
    assert street.pull("large")["versions"][0]["integrity"] == packed.integrity
    assert street.install("large") == packed.tarball


def test_a_large_file_that_lies_is_told(street: Street, recorder: Recorder) -> None:
    import os

    street.upstream(recorder)
    honest = pack("large", files={"data.bin": os.urandom(3_000_000)})
    recorder.offer(pack("large", files={"data.bin": os.urandom(3_000_000)}), integrity=honest.integrity, shasum=honest.shasum)
    answer = street.rest("pull", {"name": "large"})
    assert answer.status_code in {502, 503}, answer.content
    assert street.held("large") == {}


def test_rights(street: Street, recorder: Recorder) -> None:
    street.upstream(recorder)
    recorder.add("left")
    recorder.add("@acme/y")
    street.refused("pull", 403, "denied", name="left", who="rita")
    street.refused("pull", 404, "registry_not_found", name="left", who="mallory")
    street.refused("pull", 403, "denied", name="left", token=street.team.token("bob", read_only=True))
    scoped = street.team.token("bob", scopes=["npm:package:@acme/*:write"])
    street.refused("pull", 403, "denied", name="left", token=scoped)
    assert results(street.pull("@acme/y", token=scoped)) == {"@acme/y@1.0.0": "pulled"}


def test_a_registry_without_upstreams(street: Street) -> None:
    street.refused("pull", 404, "package_not_found", name="left")
    street.make("corp-x")
    street.refused("push", 404, "upstream_not_found", name="corp-x", to_upstream="public", who="alice")
