"""Versions on their way between live servers, and what real clients get of it."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from bench.peers import Verdaccio
from bench.tools import NODE, VERDACCIO
from tests.clients.projects import loaded, publish, write_package
from tests.parts import ROOT, faults
from tests.parts.clients import Client
from tests.parts.gate import Gate, Place
from tests.parts.gatehouse import Gatehouse
from tests.parts.pack import pack
from tests.parts.recorder import Recorder
from tests.parts.taking import take_publishes
from tests.parts.web_client import Answer, Caller

ON_SQLITE = pytest.mark.parametrize("gate", ["sqlite"], indirect=True)
DOCUMENT = ROOT / "docs" / "upstreams.md"
LARGE = 5 * 1024 * 1024


@pytest.fixture(scope="module")
def abroad(tmp_path_factory: pytest.TempPathFactory, public: Recorder) -> Iterator[Gate]:
    """A second Gatehouse, somebody else's."""
    server = Gatehouse(tmp_path_factory.mktemp("abroad"), "", public.url, workers=1)
    try:
        server.start()
        yield Gate(server)
    finally:
        server.stop()


def send(place: Place, word: str, who: str = "bob", **body: Any) -> Answer:
    """POST push/ or pull/."""
    return place.api(who).post(f"{place.rest}{word}/", {"format": "npm", **body})


def done(answer: Answer) -> dict[str, str]:
    """What became of each version."""
    assert answer.status == 200, answer
    return {f"{one['name']}@{one['version']}": one["result"] for one in answer.json()["versions"]}


def link(place: Place, to: Place, *, token: str, **more: Any) -> None:
    """A registry elsewhere as an upstream."""
    wish = {"name": "abroad", "kind": "url", "url": to.url.rstrip("/"), "auth_type": "bearer", "secret": token, **more}
    answer = place.api().post(f"{place.rest}upstreams/", wish)
    assert answer.status == 201, answer


@pytest.mark.npm
def test_promoted_and_installed(place: Place, npm: Callable[..., Client], recorder: Recorder) -> None:
    """Acceptance check 13: the same sha512, internal; an install there asks nobody."""
    prod = place.second("prod")
    prod.upstream(recorder)
    recorder.add("corp-x", "99.0.0")
    bob, rita = npm(place, "bob"), npm(prod, "rita")
    publish(bob, "corp-lib", "1.2.0")
    publish(bob, "corp-x", "1.0.0", dependencies={"corp-lib": "^1.0.0"})
    assert prod.as_("rita").get("/corp-x").status in {200, 404}  # internal already: main published it
    assert done(send(place, "push", name="corp-x", versions=["1.0.0"], to="prod", dependencies=True)) == {
        "corp-lib@1.2.0": "pushed", "corp-x@1.0.0": "pushed",
    }  # fmt: skip
    write_package(rita.project, "an-app")
    rita.run("install", "corp-x")
    assert loaded(rita, "corp-lib") == "module.exports = 'corp-lib@1.2.0'"
    lock = json.loads((rita.project / "package-lock.json").read_text())["packages"]["node_modules/corp-x"]
    shown = prod.api("rita").get(f"{prod.rest}packages/npm/corp-x/versions/1.0.0/").json()
    own = place.api("rita").get(f"{place.rest}packages/npm/corp-x/versions/1.0.0/").json()
    assert lock["integrity"] == shown["integrity"] == own["integrity"]
    assert (shown["internal"], shown["origin"]) == (True, "pushed")
    assert not recorder.mentions("corp-")


def test_of_many_pushes_with_other_bytes_one_wins(place: Place) -> None:
    prod = place.second("prod")
    sources = [place, *(place.second(f"dev-{number}") for number in range(5))]
    for number, source in enumerate(sources):
        source.publish(pack("corp-x", text=str(number)))
        source.publish(pack("corp-x", "2.0.0", text=str(number)))
    with ThreadPoolExecutor(len(sources)) as pool:
        answers = list(pool.map(lambda source: send(source, "push", name="corp-x", to="prod"), sources))
    assert sorted(answer.status for answer in answers) == [200] + [409] * 5, [str(answer) for answer in answers]
    winner = next(answer for answer in answers if answer.status == 200)
    shown = prod.as_("rita").get("/corp-x").json()["versions"]
    promised = {one["version"]: one["integrity"] for one in winner.json()["versions"]}
    assert {version: manifest["dist"]["integrity"] for version, manifest in shown.items()} == promised


def test_pushed_while_others_read(place: Place) -> None:
    """Whatever was read before, the next look shows the version, at every worker."""
    prod = place.second("prod")
    for number in range(6):
        place.publish(pack("corp-x", f"1.{number}.0"))
        prod.as_("rita").get("/corp-x")
        send(place, "push", name="corp-x", versions=[f"1.{number}.0"], to="prod")
        assert all(f"1.{number}.0" in prod.versions("corp-x") for _ in range(4))


def test_dependencies_are_pulled_by_the_rule_for_each_name(place: Place, recorder: Recorder) -> None:
    place.upstream(recorder)
    place.publish(pack("corp-lib", dependencies={"deep": "~1.1"}))
    recorder.add("corp-lib", "99.0.0")
    recorder.add("deep", "1.1.0", "1.1.7", "1.2.0", dependencies={"app": "*"})
    recorder.add("heavy")
    recorder.misbehave("heavy", faults.status(500), where="tarball")
    wide = [f"wide-{number}" for number in range(40)]
    for name in wide:
        recorder.add(name)
    wants = {"corp-lib": "*", "deep": "1.1.0", "missing": "1", "tool": "github:acme/tool", "heavy": "1", **dict.fromkeys(wide, "1")}
    recorder.add("app", dependencies=wants, devDependencies={"never": "1"})
    answer = send(place, "pull", name="app", dependencies=True)
    assert done(answer) == {
        "app@1.0.0": "pulled", "corp-lib@1.0.0": "present", "deep@1.1.0": "pulled", "deep@1.1.7": "pulled",
        **{f"{name}@1.0.0": "pulled" for name in wide},
    }  # fmt: skip
    assert sorted(one["name"] for one in answer.json()["left_out"]) == ["heavy", "missing", "tool"]
    assert not recorder.mentions("corp-lib")
    assert not recorder.asked("never")


@ON_SQLITE
@pytest.mark.npm
def test_published_abroad_and_installed_there(place: Place, abroad: Gate, npm: Callable[..., Client]) -> None:
    far = abroad.workspace("far")
    link(place, far, token=far.tokens["bob"], internal=True, patterns=["@acme/*"])
    bob = npm(place, "bob")
    publish(bob, "@acme/lib", "1.0.0")
    publish(bob, "@acme/app", "2.0.0", dependencies={"@acme/lib": "1"})
    place.publish(pack("@acme/large", files={"data.bin": os.urandom(LARGE)}))
    answer = send(place, "push", "alice", name="@acme/app", to_upstream="abroad", dependencies=True)
    assert done(answer) == {"@acme/app@2.0.0": "pushed", "@acme/lib@1.0.0": "pushed"}
    assert done(send(place, "push", "alice", name="@acme/large", to_upstream="abroad")) == {"@acme/large@1.0.0": "pushed"}
    assert set(done(send(place, "push", "alice", name="@acme/app", to_upstream="abroad")).values()) == {"present"}
    there = npm(far, "rita", home="far")
    write_package(there.project, "an-app")
    there.run("install", "@acme/app", "@acme/large")
    assert loaded(there, "@acme/lib") == "module.exports = '@acme/lib@1.0.0'"
    for name, version in (("@acme/app", "2.0.0"), ("@acme/large", "1.0.0")):
        dists = [one.as_("rita").get(f"/{name}").json()["versions"][version]["dist"] for one in (place, far)]
        assert dists[0]["integrity"] == dists[1]["integrity"]
    manifest = far.api().get(f"{far.rest}packages/npm/@acme%2fapp/versions/2.0.0/").json()
    assert (manifest["published_by"], manifest["differences"]) == ("bob", [])


@ON_SQLITE
def test_wrong_credentials_change_nothing(place: Place, abroad: Gate, gate: Gate) -> None:
    far = abroad.workspace("far")
    place.publish(pack("@acme/app"))
    link(place, far, token=far.tokens["rita"], internal=True, patterns=["@acme/*"])  # may read there, not publish
    with gate.unchanged(), abroad.unchanged():
        answer = send(place, "push", "alice", name="@acme/app", to_upstream="abroad")
    assert (answer.status, answer.json()["code"]) == (502, "upstream_unauthorized"), answer
    assert "abroad" in answer.json()["error"]
    assert far.tokens["rita"] not in answer.text


@ON_SQLITE
def test_pulled_from_abroad(place: Place, abroad: Gate) -> None:
    """Acceptance check 15."""
    far = abroad.workspace("far")
    packed = pack("left-hand", "1.3.0", dependencies={"right-hand": "1"})
    far.publish(packed)
    far.publish(pack("left-hand", "1.4.0"))
    far.publish(pack("right-hand"))
    link(place, far, token=far.tokens["rita"])
    answer = send(place, "pull", name="left-hand", versions=["1.3.0"], upstream="abroad")
    assert done(answer) == {"left-hand@1.3.0": "pulled"}
    assert answer.json()["versions"][0]["integrity"] == packed.integrity
    held = place.api().get(f"{place.rest}packages/").json()["results"]
    assert [(one["name"], one["version_count"], one["internal"]) for one in held] == [("left-hand", 1, False)]


@ON_SQLITE
def test_published_at_verdaccio(place: Place, tmp_path: Path, public: Recorder) -> None:
    if not (NODE.exists() and VERDACCIO.exists()):
        pytest.skip("no Verdaccio: `make bench` installs it")
    peer = Verdaccio(tmp_path / "verdaccio", public.url)
    try:
        peer.start()
        wish = {"name": "verdaccio", "kind": "url", "url": peer.url, "auth_type": "bearer", "secret": peer.token}
        assert place.api().post(f"{place.rest}upstreams/", wish).status == 201
        packed = pack("@bench/app", "1.0.0", dependencies={"left": "1"})
        place.publish(packed)
        place.publish(pack("@bench/app", "1.1.0-rc.1"), tag="next")
        assert send(place, "push", "alice", name="@bench/app", to_upstream="verdaccio").json()["code"] == "internal_version"
        answer = send(place, "push", "alice", name="@bench/app", to_upstream="verdaccio", disclose=True)
        assert done(answer) == {"@bench/app@1.0.0": "pushed", "@bench/app@1.1.0-rc.1": "pushed"}
        assert set(done(send(place, "push", "alice", name="@bench/app", to_upstream="verdaccio", disclose=True)).values()) == {"present"}
        there = Caller(peer.url, f"Bearer {peer.token}").get("/@bench%2fapp").json()
        assert there["versions"]["1.0.0"]["dist"]["integrity"] == packed.integrity
        assert there["dist-tags"] == {"latest": "1.0.0", "next": "1.1.0-rc.1"}
    finally:
        peer.stop()


@ON_SQLITE
def test_the_documented_commands(gate: Gate, recorder: Recorder, tmp_path: Path) -> None:
    """The blocks of docs/upstreams.md, word for word, in a shell: what is made first, then push and pull."""
    take_publishes(recorder)
    recorder.add("left-pad", "1.2.0", "1.3.0")
    space = gate.workspace("team")
    _in_a_shell(gate, space, recorder, "## To follow along", tmp_path)
    dev, prod = (Place(gate, space.slug, slug, space.tokens) for slug in ("dev", "prod"))
    dev.publish(pack("@acme/lib"))
    dev.publish(pack("@acme/app", "1.4.0", dependencies={"@acme/lib": "1"}))
    dev.publish(pack("open-x"))
    dev.set_internal("open-x", "1.0.0", internal=False)
    said = _in_a_shell(gate, space, recorder, "## Push, pull, promote", tmp_path)
    assert said.count('"versions":[{') == 4
    assert prod.versions("@acme/app") == ["1.4.0"]
    assert prod.versions("@acme/lib") == ["1.0.0"]
    assert list(recorder.offers["open-x"].versions) == ["1.0.0"]
    assert dev.api().get(f"{dev.rest}packages/npm/left-pad/versions/").json()["results"][0]["version"] == "1.3.0"


def _in_a_shell(gate: Gate, space: Place, recorder: Recorder, heading: str, folder: Path) -> str:
    """What the first block below that heading prints, at our addresses and with our token."""
    block = DOCUMENT.read_text().partition(heading)[2].split("```")[1].replace("TOKEN=gth_…\n", "")
    script = block.replace("http://localhost:8000", gate.url).replace("https://registry.example.org", recorder.url)
    script = script.replace("/workspaces/team", f"/workspaces/{space.slug}").replace("curl ", "curl -fsS ")
    done = subprocess.run(
        ["bash", "-euc", script],
        env={"PATH": os.environ["PATH"], "TOKEN": space.tokens["alice"]},
        capture_output=True, text=True, timeout=60, check=False, cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout
