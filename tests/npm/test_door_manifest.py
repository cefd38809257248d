"""Manifest confusion: what is served is the tarball's own package.json, at publishing and after a pull.

Rows N8 and U21 of the threats.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client, override_settings

from packages.models import Version
from tests.npm.team import PASSWORD, Team, facts
from tests.parts.pack import Packed, pack, publish_document, tar_gz
from tests.parts.recorder import Recorder
from upstreams.clients.guard import parse_network
from upstreams.models import Rendering, UpstreamDocument
from upstreams.services.sources import create_upstream
from upstreams.services.wishes import UpstreamWish
from workspaces.models import Event

INSTALL = "application/vnd.npm.install-v1+json"
PAST = datetime(2020, 1, 1, tzinfo=UTC)
LIES: dict[str, dict[str, Any]] = {
    "scripts.postinstall": {"scripts": {"postinstall": "evil"}},
    "dependencies.left": {"dependencies": {"left": "^9"}},
    "optionalDependencies.o": {"optionalDependencies": {"o": "1"}},
    "peerDependencies.p": {"peerDependencies": {"p": "1"}},
    "bin.npm": {"bin": {"npm": "index.js"}},
    "engines.node": {"engines": {"node": ">=99"}},
    "os": {"os": ["win32"]},
    "cpu": {"cpu": ["mips"]},
    "license": {"license": "MIT"},
    "main": {"main": "other.js"},
    "bundleDependencies": {"bundleDependencies": ["x"], "dependencies": {"x": "*"}},
    "repository": {"repository": "acme/thing"},
    "homepage": {"homepage": "https://evil.example.org/"},
}


@pytest.fixture
def recorder(team: Team) -> Iterator[Recorder]:
    """A public upstream of the registry."""
    cache.clear()
    with Recorder() as found, override_settings(ALLOWED_PRIVATE_NETWORKS=(parse_network("127.0.0.0/8"),)):
        create_upstream(actor=team.actor("alice"), registry=team.registry, wish=UpstreamWish(name="public", url=found.url))
        yield found


def lying(packed: Packed, **said: Any) -> Packed:
    """The same tarball under a document that says this of it; None: leaves the field out."""
    manifest = {**packed.manifest, **said}
    return replace(packed, manifest={key: value for key, value in manifest.items() if value is not None})


def document(team: Team, name: str, accept: str = "application/json") -> dict[str, Any]:
    found: dict[str, Any] = team.send("rita", "GET", f"/{name}", accept=accept).json()["versions"]["1.0.0"]
    return found


def download(team: Team, packed: Packed) -> Any:
    return team.send("rita", "GET", f"/{packed.name}/-/{packed.filename}")


@pytest.mark.parametrize("field", LIES)
def test_a_publish_that_claims_more_is_served_as_its_tarball_is(team: Team, field: str) -> None:
    packed = pack("left", homepage="https://a.example.org/")
    answer = team.send("bob", "PUT", "/left", publish_document(lying(packed, **LIES[field])))
    assert (answer.status_code, field in answer.headers["npm-notice"]) == (201, True)
    shown = document(team, "left")
    assert {key: shown.get(key) for key in LIES[field]} == {key: packed.manifest.get(key) for key in LIES[field]}
    assert "hasInstallScript" not in document(team, "left", INSTALL)
    version = Version.objects.get()
    assert field in {one["field"] for one in version.differences}
    assert Event.objects.get(action="version.manifest_differs").new == {"differences": version.differences}


@pytest.mark.parametrize("field", sorted(LIES.keys() - {"homepage"}))  # that one clients may leave out
def test_a_publish_that_hides_something_is_served_as_its_tarball_is(team: Team, field: str) -> None:
    packed = pack("left", **LIES[field])
    answer = team.send("bob", "PUT", "/left", publish_document(lying(packed, **dict.fromkeys(LIES[field]))))
    assert (answer.status_code, field in answer.headers["npm-notice"]) == (201, True)
    shown = document(team, "left")
    assert LIES[field].keys() <= shown.keys()
    assert bool(document(team, "left", INSTALL).get("hasInstallScript")) is (field == "scripts.postinstall")


def test_an_honest_publish_says_nothing_of_it(team: Team) -> None:
    answer = team.publish("left", scripts={"test": "true"}, dependencies={"a": "^1"}, bin="cli.js")
    assert "npm-notice" not in answer.headers
    assert document(team, "left")["bin"] == {"left": "cli.js"}
    assert not Event.objects.filter(action="version.manifest_differs").exists()


def holding(inside: dict[str, object]) -> Packed:
    """left@1.0.0 with a tarball that says this of itself."""
    content = json.dumps({"name": "left", "version": "1.0.0", **inside}).encode()
    return replace(pack("left"), tarball=tar_gz({"package/package.json": content}))


@pytest.mark.parametrize("inside", [{"name": "other"}, {"version": "9.9.9"}, {"name": 5}, {"version": None}])
def test_another_package_in_the_tarball_is_refused(team: Team, inside: dict[str, object]) -> None:
    before = facts()
    answer = team.send("bob", "PUT", "/left", publish_document(holding(inside)))
    assert answer.status_code == 422
    assert answer.json()["error"].startswith("package.json in the tarball says ")
    assert facts() == before


def test_a_pulled_tarball_corrects_its_document(team: Team, recorder: Recorder) -> None:
    truth = pack("confused", scripts={"postinstall": "evil"}, dependencies={"hidden": "^1"}, bin={"npm": "index.js"})
    said = lying(truth, scripts={"test": "true"}, dependencies={"left": "^1"}, bin=None)
    recorder.offer(said, signatures=[{"keyid": "a", "sig": "b"}])
    assert document(team, "confused")["dependencies"] == {"left": "^1"}  # nothing else is known of it yet
    old = team.send("rita", "GET", "/confused").headers["ETag"]
    assert download(team, said).getvalue() == truth.tarball
    for accept in ("application/json", INSTALL):
        shown = document(team, "confused", accept)
        assert (shown["dependencies"], shown["bin"]) == ({"hidden": "^1"}, {"npm": "index.js"})
        assert shown["hasInstallScript"] is True
        assert shown["dist"]["signatures"] == [{"keyid": "a", "sig": "b"}]
    assert document(team, "confused")["scripts"] == {"postinstall": "evil"}
    assert team.send("rita", "GET", "/confused").headers["ETag"] != old
    event = Event.objects.get(action="alert.manifest_differs")
    assert event.new is not None
    assert {one["field"] for one in event.new["differences"]} >= {
        "scripts.postinstall",
        "dependencies.hidden",
        "dependencies.left",
        "bin.npm",
    }
    assert download(team, said).getvalue() == truth.tarball
    assert Event.objects.filter(action="alert.manifest_differs").count() == 1


def test_what_the_source_says_later_of_a_corrected_version_is_only_its_opinion(team: Team, recorder: Recorder) -> None:
    truth = pack("confused", dependencies={"hidden": "^1"})
    recorder.offer(lying(truth, dependencies={"left": "^1"}))
    assert download(team, truth).status_code == 200
    recorder.offer(lying(truth, dependencies={"left": "^2"}, deprecated="do not use"))
    UpstreamDocument.objects.update(fresh_until=PAST)
    Rendering.objects.update(fresh_until=PAST)
    shown = document(team, "confused")
    assert (shown["dependencies"], shown["deprecated"]) == ({"hidden": "^1"}, "do not use")


@pytest.mark.parametrize("inside", [{"name": "other"}, {"version": "9.9.9"}])
def test_an_upstream_that_sends_another_package_is_refused(team: Team, recorder: Recorder, inside: dict[str, object]) -> None:
    packed = holding(inside)
    recorder.offer(packed)
    document(team, "left")
    before = facts()
    answer = download(team, packed)
    assert answer.status_code == 502
    assert "sent another package than it lists" in answer.json()["error"]
    assert facts() == before
    assert download(team, packed).status_code == 502


@pytest.mark.parametrize("tarball", [b"no tarball", tar_gz({"package/index.js": b"1"}), tar_gz({"package/package.json": b"{broken"})])
def test_what_cannot_be_read_is_served_and_told(team: Team, recorder: Recorder, tarball: bytes) -> None:
    packed = replace(pack("odd"), tarball=tarball)
    recorder.offer(packed)
    assert download(team, packed).getvalue() == tarball
    assert [one["field"] for one in Version.objects.get().differences] == ["package.json"]
    assert document(team, "odd")["description"] == "odd for tests"


def test_an_honest_pull_makes_no_document_anew(team: Team, recorder: Recorder) -> None:
    (packed,) = recorder.add("one", dependencies={"a": "^1"}, files={"lib/x.js": b"1"})
    etag = team.send("rita", "GET", "/one").headers["ETag"]
    rendered = Rendering.objects.values_list("name_epoch", "rendered_at").get()
    assert download(team, packed).status_code == 200
    assert team.send("rita", "GET", "/one").headers["ETag"] == etag
    assert Rendering.objects.values_list("name_epoch", "rendered_at").get() == rendered
    assert Version.objects.get().differences == []
    assert not Event.objects.filter(action="alert.manifest_differs").exists()


def test_people_are_shown_the_differences(team: Team) -> None:
    packed = pack("left", scripts={"postinstall": "<b>evil</b>"})
    team.send("bob", "PUT", "/left", publish_document(lying(packed, scripts=None)))
    client = Client()
    assert client.login(username="rita", password=PASSWORD)
    page = client.get(f"/{team.slug}/registries/main/npm/left/v/1.0.0/").content.decode()
    assert "manifest differs" in page
    assert "scripts.postinstall" in page
    assert "&lt;b&gt;evil" in page
    assert "manifest differs" in client.get(f"/{team.slug}/registries/main/npm/left/").content.decode()
    address = f"/api/v1/workspaces/{team.slug}/registries/main/packages/npm/left/versions/1.0.0/"
    headers = {"Authorization": f"Bearer {team.tokens['rita']}"}
    shown = Client(headers=headers).get(address).json()["differences"]
    assert shown == [{"field": "scripts.postinstall", "document": None, "tarball": "<b>evil</b>"}]
