"""Push to another registry of the workspace: the same bytes, flags that never get lost, all or none."""

import json

from packages.models import BlobLink, RetiredVersion, Version
from packages.services.versions import set_tag, unpublish_version
from tests.moving.flags import flag
from tests.moving.street import Street, events, results
from tests.npm.outside import switch
from tests.parts.pack import pack
from tests.parts.recorder import Recorder


def test_the_same_bytes_and_the_flag(street: Street, recorder: Recorder) -> None:
    street.upstream(recorder, at="prod")
    recorder.add("corp-x", "99.0.0")
    packed = street.make("corp-x")[0]
    answer = street.push("corp-x", "1.0.0")
    assert (answer["from"], answer["to"]) == (f"{street.team.slug}/main", f"{street.team.slug}/prod")
    assert answer["versions"] == [
        {"name": "corp-x", "version": "1.0.0", "result": "pushed", "internal": True, "integrity": packed.integrity}
    ]
    assert street.versions("corp-x", at="prod") == ["1.0.0"]
    assert street.install("corp-x", at="prod") == packed.tarball
    dist = street.send("GET", "/corp-x", at="prod").json()["versions"]["1.0.0"]["dist"]
    assert dist["integrity"] == packed.integrity
    assert [one["keyid"] for one in dist["signatures"]] == [street.row_of("corp-x", at="main").signed_by]
    row = street.row_of("corp-x")
    assert (row.origin, row.is_internal, row.published_by_name) == ("pushed", True, "bob")
    assert BlobLink.objects.values("blob").distinct().count() == 1
    assert recorder.seen == []
    (event,) = events("version.pushed")
    assert event.actor == "bob"
    assert event.new == {
        "from": f"{street.team.slug}/main", "to": f"{street.team.slug}/prod", "integrity": packed.integrity,
        "internal": True, "origin": "pushed", "tags": ["latest"],
    }  # fmt: skip


def test_again_changes_nothing(street: Street) -> None:
    street.make("corp-x")
    street.push("corp-x")
    before = Version.objects.count(), len(events("version.pushed")), street.row_of("corp-x").package.revision
    assert results(street.push("corp-x")) == {"corp-x@1.0.0": "present"}
    assert before == (Version.objects.count(), len(events("version.pushed")), street.row_of("corp-x").package.revision)


def test_what_was_rendered_before_is_not_served_after(street: Street) -> None:
    street.make("corp-x", "1.0.0", "1.1.0")
    street.push("corp-x", "1.0.0")
    assert street.versions("corp-x", at="prod") == ["1.0.0"]
    street.push("corp-x", "1.1.0")
    assert street.versions("corp-x", at="prod") == ["1.0.0", "1.1.0"]


def test_search_finds_what_arrived(street: Street, recorder: Recorder) -> None:
    street.upstream(recorder)
    recorder.add("chart-left", "1.0.0", "1.2.0")
    for version in ("1.0.0", "1.2.0"):
        street.install("chart-left", version)
    street.make("chart-x", "1.0.0", "1.1.0", "2.0.0", keywords=["graph"])
    found = []
    for versions in (["1.0.0"], ["1.1.0"], []):
        street.push("chart-x", *versions)
        street.push("chart-left", *[one for one in versions if one == "1.0.0"])
        answer = street.send("GET", "/-/v1/search?text=chart", at="prod").json()["objects"]
        found.append({one["package"]["name"]: one["package"]["version"] for one in answer})
    assert found == [
        {"chart-x": "1.0.0", "chart-left": "1.0.0"},
        {"chart-x": "1.1.0", "chart-left": "1.2.0"},
        {"chart-x": "2.0.0", "chart-left": "1.2.0"},
    ]  # fmt: skip
    assert street.send("GET", "/-/v1/search?text=keywords:graph", at="prod").json()["total"] == 1


def test_words_for_versions(street: Street) -> None:
    street.make("corp-x", "1.0.0", "1.2.0", "2.0.0-rc.1", "2.0.0")
    assert list(results(street.push("corp-x", "^1.0.0"))) == ["corp-x@1.0.0", "corp-x@1.2.0"]
    assert results(street.push("corp-x", "latest")) == {"corp-x@2.0.0": "pushed"}
    assert results(street.push("corp-x", "*"))["corp-x@2.0.0-rc.1"] == "pushed"
    assert results(street.push("corp-x", "1.0.0", "2.x")) == {"corp-x@1.0.0": "present", "corp-x@2.0.0": "present"}
    street.refused("push", 404, "version_not_found", name="corp-x", to="prod", versions=["3.x"])
    street.refused("push", 404, "version_not_found", name="corp-x", to="prod", versions=["1.0.0", "nightly"])
    street.refused("push", 404, "package_not_found", name="corp-z", to="prod")
    street.refused("push", 404, "registry_not_found", name="corp-x", to="nowhere")
    street.refused("push", 400, "invalid", name="corp-x", to="main")
    street.refused("push", 400, "invalid", name="corp-x")
    street.refused("push", 400, "invalid", name="corp-x", to="prod", to_upstream="npm")
    street.refused("push", 400, "invalid", name="corp-x", to="prod", versions=[])
    street.refused("push", 400, "name_invalid", name="../corp-x", to="prod")


def test_tags_follow_and_latest_goes_forward(street: Street) -> None:
    street.make("corp-x", "1.0.0", "1.1.0")
    street.offer(pack("corp-x", "2.0.0-beta.1"), tag="beta")
    street.push("corp-x", "1.0.0")
    assert street.tags("corp-x") == {"latest": "1.0.0"}  # nothing had it
    street.push("corp-x", "2.0.0-beta.1")
    assert street.tags("corp-x") == {"latest": "1.0.0", "beta": "2.0.0-beta.1"}
    street.make("corp-x", "3.0.0")
    street.push("corp-x", "1.1.0")
    assert street.tags("corp-x")["latest"] == "1.1.0"  # higher, although main's latest is 3.0.0
    street.offer(pack("corp-x", "0.9.0"), tag="old")
    street.push("corp-x", "0.9.0")
    assert street.tags("corp-x") == {"latest": "1.1.0", "beta": "2.0.0-beta.1", "old": "0.9.0"}
    actor, main = street.team.actor("alice"), street.registries["main"]
    set_tag(actor=actor, registry=main, format="npm", name="corp-x", tag="latest", version="1.0.0")
    street.push("corp-x")  # 3.0.0 is new in prod, and further than main itself goes
    assert street.tags("corp-x")["latest"] == "1.1.0"


def test_latest_goes_back_only_with_its_version(street: Street) -> None:
    street.make("corp-x", "1.0.0", "2.0.0")
    actor, main = street.team.actor("alice"), street.registries["main"]
    set_tag(actor=actor, registry=main, format="npm", name="corp-x", tag="latest", version="1.0.0")
    street.push("corp-x")
    assert street.tags("corp-x") == {"latest": "1.0.0"}


def test_all_or_none(street: Street) -> None:
    street.make("corp-x", "1.0.0", "1.1.0", "1.2.0")
    street.offer(pack("corp-x", "1.1.0", text="other"), at="prod")
    said = street.refused("push", 409, "version_exists", name="corp-x", to="prod")
    assert "holds other bytes under corp-x@1.1.0" in said
    assert street.held("corp-x")["prod"] == ["1.1.0"]


def test_a_retired_number_is_not_given_out_again(street: Street) -> None:
    street.make("corp-x")
    street.make("corp-x", "0.1.0", at="prod")
    street.push("corp-x")
    actor = street.team.actor("alice")
    unpublish_version(actor=actor, registry=street.registries["prod"], format="npm", name="corp-x", version="1.0.0")
    assert RetiredVersion.objects.count() == 1
    street.refused("push", 409, "version_retired", name="corp-x", to="prod")


def test_dependencies_come_along_on_request(street: Street, recorder: Recorder) -> None:
    street.upstream(recorder)
    recorder.add("left", "1.0.0", "1.4.0", "2.0.0")
    for version in ("1.0.0", "1.4.0", "2.0.0"):
        street.install("left", version)
    street.make("corp-lib", "1.0.0", "1.5.0", dependencies={"left": "^1.0.0"}, peerDependencies={"corp-peer": "*"})
    street.make("corp-peer", "3.0.0", optionalDependencies={"not-held": "1"})
    wants = {"corp-lib": "^1.0.0", "other": "npm:left@2", "tool": "git+https://git.example.org/tool.git"}
    street.make("corp-app", dependencies=wants)
    assert results(street.push("corp-app")) == {"corp-app@1.0.0": "pushed"}
    answer = street.push("corp-app", dependencies=True)
    assert results(answer) == {
        "corp-app@1.0.0": "present", "corp-lib@1.5.0": "pushed", "corp-peer@3.0.0": "pushed",
        "left@1.4.0": "pushed", "left@2.0.0": "pushed",
    }  # fmt: skip
    assert sorted((one["name"], one["why"]) for one in answer["left_out"]) == [
        ("not-held", f"{street.team.slug}/main does not hold it"),
        ("tool", "it does not come from a registry"),
    ]
    assert {one["name"]: one["internal"] for one in answer["versions"]} == {
        "corp-app": True, "corp-lib": True, "corp-peer": True, "left": False,
    }  # fmt: skip


def test_rights_on_both_sides(street: Street) -> None:
    street.make("corp-x")
    street.make("@acme/y")
    body = {"name": "corp-x", "to": "prod"}
    street.refused("push", 403, "denied", who="rita", **body)
    street.refused("push", 404, "registry_not_found", who="mallory", **body)
    for wish in ({"read_only": True}, {"scopes": ["npm:package:@acme/*:write"]}, {"scopes": ["npm:package:*:read"]}):
        street.refused("push", 403, "denied", token=street.team.token("bob", **wish), **body)
    for slug in ("main", "prod"):
        token = street.team.token("bob", registries=[street.registries[slug].pk])
        street.refused("push", 404, "registry_not_found", token=token, **body)
    scoped = street.team.token("bob", scopes=["npm:package:@acme/*:write"])
    assert results(street.push("@acme/y", token=scoped)) == {"@acme/y@1.0.0": "pushed"}


def test_a_former_slug_of_the_target_leads_there(street: Street) -> None:
    street.make("corp-x")
    flag(street, "prod", slug="production")
    assert street.push("corp-x")["to"].endswith("/production")


def test_for_members_only_stays_so_where_anybody_reads(street: Street) -> None:
    switch(street.team, visibility="public")
    flag(street, "prod", visibility="public")
    street.make("corp-x")
    answer = street.send("POST", "/-/package/corp-x/access", json.dumps({"access": "restricted"}).encode(), who="alice")
    assert answer.status_code == 200
    street.push("corp-x")
    assert street.send("GET", "/corp-x", at="prod", who="mallory").status_code == 404
    assert street.versions("corp-x", at="prod") == ["1.0.0"]
    street.make("corp-y", at="prod")
    street.make("corp-y", "2.0.0")
    street.send("POST", "/-/package/corp-y/access", json.dumps({"access": "restricted"}).encode(), who="alice")
    street.refused("push", 409, "members_only", name="corp-y", to="prod")


def test_a_tag_means_what_clients_see(street: Street, recorder: Recorder) -> None:
    """Of what was pulled the registry keeps no tags: `latest` is the upstream's."""
    street.upstream(recorder)
    recorder.add("left", "1.0.0", "1.1.0", "2.0.0")
    recorder.offers["left"].tags.update(next="2.0.0", latest="1.1.0")
    street.install("left", "1.0.0")
    assert street.send("GET", "/left").json()["dist-tags"] == {"latest": "1.1.0", "next": "2.0.0"}
    recorder.forget()
    said = street.refused("push", 404, "version_not_found", name="left", versions=["latest"], to="prod")
    assert "latest of left is 1.1.0" in said
    assert "pull it first" in said
    street.install("left", "1.1.0")
    street.install("left", "2.0.0")
    recorder.forget()
    assert results(street.push("left", "latest")) == {"left@1.1.0": "pushed"}
    assert results(street.push("left", "next")) == {"left@2.0.0": "pushed"}
    assert not recorder.seen, "by what it said before"
