"""A repository that goes on, that lies, and that goes away."""

import shutil
from collections.abc import Callable
from typing import Any

import pytest

from tests.clients.browser import Person
from tests.git.conftest import USER, Modules
from tests.git.shown import MOD, Add, bytes_of, integrity, shown
from tests.parts.clients import Client
from tests.parts.gate import Gate, Place, made
from tests.parts.repository import GitServer


@pytest.mark.npm
def test_a_later_commit_sorts_higher_and_is_latest(
    gate: Gate, place: Place, modules: Modules, add_git: Add, npm: Callable[..., Client]
) -> None:
    add_git(place)
    before = shown(place)
    later = modules.repository.commit({"packages/mod/index.js": "module.exports = 'later';\n"})
    gate.grow_old()
    bob = npm(place, "bob")

    after = shown(place)

    assert after["dist-tags"]["latest"] == modules.repository.version(later) != before["dist-tags"]["latest"]
    highest = bob.run("view", "mod@>=0.0.0-0 <0.0.1", "version", "--json").out
    assert modules.repository.version(later) in highest
    bob.run("install", "mod")
    assert "later" in (bob.project / "node_modules" / "mod" / "index.js").read_text()


def test_what_was_installed_of_an_earlier_head_stays(gate: Gate, place: Place, modules: Modules, add_git: Add) -> None:
    add_git(place, internal=True, patterns=["mod", "@acme/*"])
    old = modules.repository.version(modules.main)
    data = bytes_of(place, old)
    modules.repository.commit({"packages/mod/index.js": "module.exports = 'later';\n"})
    gate.grow_old()

    assert old in shown(place)["versions"]
    assert bytes_of(place, old) == data


def test_the_promise_is_kept_and_no_difference_is_told(gate: Gate, place: Place, add_git: Add) -> None:
    add_git(place)
    document = shown(place)
    for version, manifest in document["versions"].items():
        assert integrity(bytes_of(place, version)) == manifest["dist"]["integrity"]
        assert manifest["gitHead"]

    assert gate.events(place, "alert.") == []


def test_equal_refs_fetch_nothing(gate: Gate, place: Place, forge: GitServer, add_git: Add) -> None:
    add_git(place)
    shown(place)
    forge.seen.clear()
    gate.grow_old()

    shown(place)

    assert forge.seen
    assert not [path for path, _ in forge.seen if path.endswith("git-upload-pack") and len(forge.seen) > 3]


def test_a_moved_tag_changes_nothing_here(gate: Gate, place: Place, modules: Modules, add_git: Add) -> None:
    add_git(place)
    first = bytes_of(place, "1.2.0")
    modules.repository.tag("v1.2.0", at=modules.main)
    gate.grow_old()

    assert shown(place)["versions"]["1.2.0"]["dist"]["integrity"] == integrity(first)
    assert bytes_of(place, "1.2.0") == first
    assert "alert.tag_moved" in gate.events(place, "alert.")


@pytest.mark.parametrize("is_shelved", [True, False])
def test_a_tag_moved_before_anybody_installed_stays_where_it_was_seen(
    gate: Gate, place: Place, modules: Modules, add_git: Add, *, is_shelved: bool
) -> None:
    row = add_git(place)
    before = shown(place)
    modules.repository.tag("v1.2.0", at=modules.main)
    gate.grow_old()
    after = shown(place)
    if not is_shelved:
        for path in (gate.server.data / "git" / str(row["id"])).glob("packed/*"):
            path.unlink()

    assert after["versions"]["1.2.0"]["gitHead"] == modules.released
    assert after["time"]["1.2.0"] == before["time"]["1.2.0"]
    assert integrity(bytes_of(place, "1.2.0")) == before["versions"]["1.2.0"]["dist"]["integrity"]
    assert "released" in str(modules.repository.git("show", f"{modules.released}:packages/mod/index.js"))
    assert gate.events(place, "alert.") == ["alert.tag_moved"]


def test_a_moved_tag_whose_first_commit_is_lost_is_not_offered_until_somebody_accepts_it(
    gate: Gate, place: Place, modules: Modules, add_git: Add
) -> None:
    row = add_git(place)
    promised = shown(place)["versions"]["1.2.0"]["dist"]["integrity"]
    modules.repository.tag("v1.2.0", at=modules.main)
    shutil.rmtree(gate.server.data / "git" / str(row["id"]))
    gate.grow_old()

    assert "1.2.0" not in shown(place)["versions"]
    assert place.as_("rita").get("/mod/-/mod-1.2.0.tgz").status == 404
    assert gate.events(place, "alert.") == ["alert.tag_moved"]

    accept = f"{place.rest}packages/npm/mod/versions/1.2.0/accept/"
    assert place.api("bob").post(accept, {}).status == 403
    assert place.api().post(accept, {}).status == 204
    now = shown(place)["versions"]["1.2.0"]
    assert now["gitHead"] == modules.main
    assert integrity(bytes_of(place, "1.2.0")) == now["dist"]["integrity"] != promised
    assert "version.bytes_accepted" in gate.events(place)
    held = place.api().post(accept, {})
    assert (held.status, held.json()["code"]) == (409, "version_exists"), "what is held stays"
    assert place.api().post(f"{place.rest}packages/npm/mod/versions/9.9.9/accept/", {}).status == 404


def test_a_tag_that_is_moved_to_and_fro_is_told_each_time_somebody_accepted_it(
    gate: Gate, place: Place, modules: Modules, add_git: Add
) -> None:
    add_git(place)
    shown(place)
    for number, commit in enumerate((modules.main, modules.released, modules.main), 1):
        modules.repository.tag("v1.2.0", at=commit)
        for _ in range(2):
            gate.grow_old()
            shown(place)
        assert gate.events(place, "alert.") == ["alert.tag_moved"] * number, "once each time"
        assert place.api().post(f"{place.rest}packages/npm/mod/versions/1.2.0/accept/", {}).status == 204
        assert shown(place)["versions"]["1.2.0"]["gitHead"] == commit


def test_an_admin_accepts_a_moved_tag_on_the_pages(gate: Gate, place: Place, modules: Modules, add_git: Add) -> None:
    add_git(place)
    first = shown(place)["versions"]["1.2.0"]
    modules.repository.tag("v1.2.0", at=modules.main)
    gate.grow_old()
    assert shown(place)["versions"]["1.2.0"] == first
    alerts, package = f"/{place.slug}/alerts/", f"/{place.slug}/registries/main/npm/mod/"
    accept = f"{package}v/1.2.0/accept/"
    button, alice = f'action="{accept}"', Person(gate.url).sign_in("alice")
    assert button in alice.send(alerts)
    assert button in alice.send(package, expect=404), "nothing of it is held here yet"
    for who in ("bob", "rita"):
        assert button not in Person(gate.url).sign_in(who).send(alerts)

    question = alice.send(accept, {}, at=alerts)
    assert modules.released[:12] in question
    assert "Lock files that were made before" in question
    assert shown(place)["versions"]["1.2.0"] == first, "asked, not done"
    alice.send(accept, {"confirm": "yes"}, at=alerts, expect=302)

    assert shown(place)["versions"]["1.2.0"]["gitHead"] == modules.main
    assert button not in alice.send(alerts)
    assert "The new commit was accepted." in alice.send(f"{alerts}?state=acknowledged")
    bytes_of(place, "1.2.0")
    assert button not in alice.send(package)
    modules.repository.tag("v1.2.0", at=modules.feat)
    gate.grow_old()
    assert shown(place)["versions"]["1.2.0"]["gitHead"] == modules.main
    assert "moved its tag" in alice.send(alerts)
    assert button not in alice.send(alerts), "what is held stays"
    assert "keeps to them" in alice.send(accept, {"confirm": "yes"}, at=alerts, expect=409)


def test_a_tag_that_is_gone_is_told(gate: Gate, place: Place, modules: Modules, add_git: Add) -> None:
    add_git(place)
    shown(place)
    modules.repository.git("push", "--quiet", str(modules.repository.bare), ":refs/tags/v1.2.0")
    gate.grow_old()

    assert "1.2.0" not in shown(place)["versions"]
    assert "alert.removed_upstream" in gate.events(place, "alert.")


def test_gone_it_is_still_served(gate: Gate, place: Place, modules: Modules, forge: GitServer, add_git: Add) -> None:
    add_git(place)
    before = shown(place)
    forge.stop()
    gate.grow_old()

    answer = place.as_("rita").get(MOD, accept="application/json")
    assert answer.status == 200, answer
    assert sorted(answer.json()["versions"]) == sorted(before["versions"])
    assert answer.headers["x-cache"] == "stale"
    assert bytes_of(place, "1.2.0")
    assert shown(place, "@acme/other")["dist-tags"]["latest"], "never asked for before: the listing and the mirror have it"
    assert "upstream.trouble" in gate.events(place)


def test_wrong_credentials(gate: Gate, place: Place, forge: GitServer, add_git: Add) -> None:
    add_git(place, secret="not-the-password-of-it")

    answer = place.as_("rita").get(MOD)

    assert answer.status == 502
    assert "refused our credentials" in answer.json()["error"]
    assert "alert.upstream_trouble" in gate.events(place)
    assert "not-the-password-of-it" not in answer.text + gate.server.log()


def test_credentials_go_nowhere_else(place: Place, forge: GitServer, modules: Modules, add_git: Add) -> None:
    with GitServer(modules.repository.folder) as other:
        forge.status, forge.leads_to = 302, other.url
        add_git(place, url=f"{forge.url}/modules.git")
        answer = place.as_("rita").get(MOD)

        assert answer.status == 502
        assert "redirects" in answer.json()["error"]
        assert [authorization for _, authorization in other.seen] == [""], "one question, and nothing to sign in with"
    assert forge.seen[0][1].startswith("Basic ")
    assert USER not in answer.text


def packed_of(gate: Gate, row: dict[str, Any]) -> list[str]:
    return sorted(path.name for path in (gate.server.data / "git" / str(row["id"])).glob("packed/*"))


def test_what_was_promised_is_what_is_given(gate: Gate, place: Place, add_git: Add) -> None:
    row = add_git(place)
    document = shown(place)
    assert len(packed_of(gate, row)) == len(document["versions"])

    data = bytes_of(place, "1.2.0")

    assert integrity(data) == document["versions"]["1.2.0"]["dist"]["integrity"]
    assert len(packed_of(gate, row)) == len(document["versions"]) - 1, "it is in the storage now"
    for path in (gate.server.data / "git" / str(row["id"])).glob("packed/*"):
        path.unlink()
    assert bytes_of(place, document["dist-tags"]["feat"]), "packed again"


def test_a_mirror_that_was_deleted_is_fetched_again(gate: Gate, place: Place, forge: GitServer, add_git: Add) -> None:
    row = add_git(place)
    shown(place)
    shutil.rmtree(gate.server.data / "git" / str(row["id"]))

    assert bytes_of(place, "1.2.0")
    assert shown(place, "@acme/other")["versions"]


def test_without_mirror_and_forge_it_says_so(gate: Gate, place: Place, forge: GitServer, add_git: Add) -> None:
    row = add_git(place)
    shown(place)
    shutil.rmtree(gate.server.data / "git" / str(row["id"]))
    forge.stop()

    answer = place.as_("rita").get("/mod/-/mod-1.2.0.tgz")

    assert answer.status == 503, answer
    assert "modules" in answer.json()["error"]
    assert "1.2.0" in shown(place)["versions"]


def test_through_a_chain(place: Place, add_git: Add) -> None:
    add_git(place)
    dev = place.second("dev")
    made(place.api().post(dev.rest + "upstreams/", {"name": "main", "kind": "registry", "registry": "main"}))

    assert "1.2.0" in shown(dev)["versions"]
    assert bytes_of(dev, "1.2.0") == bytes_of(place, "1.2.0")


def test_mirrored_as_a_whole(gate: Gate, place: Place, add_git: Add) -> None:
    add_git(place)

    gate.server.manage("mirror", f"{place.slug}/main", "-s", "modules", "*")

    held = gate.execute(
        "SELECT p.name, v.version FROM packages_version v JOIN packages_package p ON p.id = v.package_id"
        " JOIN registries_registry r ON r.id = p.registry_id JOIN workspaces_workspace w ON w.id = r.workspace_id WHERE w.slug = ?",
        place.slug,
    )
    assert {("mod", "1.2.0"), ("@acme/other", "1.2.0")} <= {(str(name), str(version)) for name, version in held}


def test_what_was_tagged_a_moment_ago_is_pulled(place: Place, modules: Modules, add_git: Add) -> None:
    add_git(place)
    shown(place)
    modules.repository.commit({"packages/fresh/package.json": {"name": "fresh", "version": "7.0.0"}})
    modules.repository.tag("v7.0.0")
    for name in ("mod", "fresh"):
        answer = place.api("bob").post(place.rest + "pull/", {"name": name, "versions": ["7.0.0"]})
        assert (answer.status, [one["version"] for one in answer.json().get("versions", [])]) == (200, ["7.0.0"]), answer
