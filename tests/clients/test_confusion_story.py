"""docs/guide/dependency-confusion.md as it stands: the attack works where it is let, and nowhere else."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.clients.projects import loaded, write_package
from tests.clients.ways import EVERY, app, ways
from tests.parts import ROOT
from tests.parts.clients import Client
from tests.parts.console import Shell, commands, files, play, real_words, unplayed
from tests.parts.gate import Gate, Place, made
from tests.parts.gatehouse import Gatehouse
from tests.parts.pack import pack
from tests.parts.recorder import Recorder
from tests.parts.repository import GitServer, Repository
from tests.parts.web_client import Caller

pytestmark = pytest.mark.npm
GUIDE = ROOT / "docs" / "guide" / "dependency-confusion.md"
Clients = Callable[..., Client]
WARES = {
    "team": {"acme-billing": "1.4.0", "acme-ledger": "2.0.0"},
    "attacker": {
        "acme-billing": "1.99.0",
        "acme-ledger": "99.0.0",
        "acme-next": "99.0.0",
        "@partner/sdk": "99.0.0",
        "corp-widgets": "99.0.0",
    },
}
SAID = {"team": "from the team", "attacker": "from who knows whom", "partner": "from the partner", "git": "from the repository"}
BILLING = {"acme-billing": "^1.4.0"}


class Stage:
    """Two live servers, ours and one in the part of the public registry and of the partner, and a terminal for everybody."""

    def __init__(self, folder: Path, npm: Callable[..., Client], until: ExitStack) -> None:
        self._folder, self._npm, self._until = folder, npm, until
        self._outside = self._server("outside", "http://127.0.0.1:1")
        self._ours = self._server("ours", f"{self._outside.url}/public/r/main")
        self._names = {
            "https://gatehouse.example.org": self._ours.url,
            "https://registry.example.org": f"{self._outside.url}/public/r/main",
            "https://partner.example.org": f"{self._outside.url}/partner/r/main",
        }
        self._git = until.enter_context(GitServer(folder / "forge", username="deploy", password="a-token-of-the-forge"))
        self._names["https://git.example.org"] = self._git.url
        self._shells: dict[str, Shell] = {}
        self._set(Gate(self._ours), Gate(self._outside))

    def shell(self, machine: str) -> Shell:
        """That machine's terminal."""
        return self._shells[machine]

    def settle(self) -> None:
        """Wait until all that the registry outside has answered stands in its log, which it writes in order, a moment later."""
        number = Caller(self._outside.url).get("/-/ping").headers["x-request-id"]
        log, deadline = self._outside.data / "log" / "requests.jsonl", time.monotonic() + 10
        while number not in log.read_text():
            assert time.monotonic() < deadline, "the request log is not written"
            time.sleep(0.05)

    def _server(self, name: str, upstream: str) -> Gatehouse:
        server = Gatehouse(self._folder / name, "", upstream, workers=1)
        server.start()
        self._until.callback(server.stop)
        return server

    def _set(self, ours: Gate, outside: Gate) -> None:
        """The cast, what is out there already, and what everybody has in their folders."""
        place = opened(ours, "acme", bob="publisher", rita="reader")
        public = opened(outside, "public", mallory="publisher")
        assert public.api().post("/api/v1/workspaces/public/registries/", OPEN).status == 201
        partner = opened(outside, "partner")
        assert partner.api().post("/api/v1/workspaces/partner/registries/", {"slug": "main"}).status == 201
        for name in ("left-hand", "right-hand"):
            public.publish(pack(name), who="mallory")
        for packed in (pack("@partner/sdk", "3.1.0", files={"index.js": speaking("partner").encode()}), pack("@partner/other")):
            partner.publish(packed, who="alice")
        Repository(self._git.root).commit({"package.json": {"name": "corp-widgets", "version": "1.0.0"}, "index.js": speaking("git")})
        given = made(partner.api().post("/api/v1/tokens/", {"name": "for acme"}))
        self._machines(place, public, partner, given)

    def _machines(self, place: Place, public: Place, partner: Place, given: dict[str, Any]) -> None:
        ours, outside = self._names["https://gatehouse.example.org"], f"{self._names['https://registry.example.org']}/"
        tokens = {"TOKEN": place.tokens["alice"], "PARTNER_TOKEN": given["token"], "GIT_TOKEN": "a-token-of-the-forge"}
        self._open("admin", self._folder, {"PATH": os.environ["PATH"], "HOME": str(self._folder), **tokens})
        self._machine("team", f"{ours}/acme/r/main/", place.tokens["bob"])
        self._machine("victim", f"{ours}/acme/r/main/", place.tokens["rita"], start="lab-app")
        self._machine("attacker", outside, public.tokens["mallory"])
        self._machine("partner", f"{self._names['https://partner.example.org']}/", partner.tokens["alice"])
        operator = {**self._ours.environment(), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        self._open("server", ROOT, operator)
        self._open("ci", self._pipeline(), {**operator, "PARTNER_TOKEN": given["token"]})
        self._open("registry", self._outside.data / "log", {"PATH": os.environ["PATH"]})
        listed = partner.as_("alice").get("/-/npm/v1/tokens").json()["objects"]
        self._shells["partner"].run("GIVEN_AWAY=" + next(one["key"] for one in listed if one["name"] == given["name"]))

    def _machine(self, who: str, registry: str, token: str, start: str = ".") -> None:
        """A terminal with npm, and the packages of that person in folders below it."""
        client = self._npm(registry, token, self._folder / who)
        workspace = registry.partition("://")[2].partition("/r/")[0]
        lines = [f"//{workspace}/r/{slug}/:_authToken={token}" for slug in ("main", "lab", "shared", "dev", "vendor")]
        (client.home / ".npmrc").write_text("\n".join([f"registry={registry}", *lines, ""]), encoding="utf-8")
        for name, version in WARES.get(who, {}).items():
            folder = write_package(client.project / name.replace("@", "").replace("/", "-"), name, version)
            (folder / "index.js").write_text(speaking(who), encoding="utf-8")
        write_package(client.project / "lab-app", "lab-app", dependencies=BILLING)
        write_package(client.project / "app", "app")
        self._open(who, client.project / start, {**client.environment(), "npm_config_loglevel": "error"})

    def _pipeline(self) -> Path:
        """A folder with the files the guide shows, and a way to `manage.py`."""
        folder = self._folder / "ci"
        folder.mkdir()
        (folder / "manage.py").symlink_to(ROOT / "manage.py")
        for machine, path, text in files(GUIDE):
            (self._folder / machine / path).write_text(real_words(text, self._names), encoding="utf-8")
        return folder

    def _open(self, machine: str, folder: Path, env: dict[str, str]) -> None:
        self._shells[machine] = Shell(folder, env, self._names)
        self._until.callback(self._shells[machine].close)


OPEN = {"slug": "main", "internal": False, "visibility": "public"}


def speaking(who: str) -> str:
    """A program that says which version it is and whose."""
    return f"module.exports = require('./package.json').version + ', {SAID[who]}'\n"


def opened(gate: Gate, slug: str, **people: str) -> Place:
    """A workspace of alice's with these people; its registries come later."""
    tokens = {who: gate.person(who) for who in ("alice", *people)}
    place = Place(gate, slug, "main", tokens)
    made(place.api().post("/api/v1/workspaces/", {"slug": slug, "name": slug}))
    for who, role in people.items():
        made(place.api().post(f"/api/v1/workspaces/{slug}/members/", {"username": who, "role": role}))
    return place


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with ExitStack() as until:
        yield Stage(tmp_path_factory.mktemp("story"), lambda registry, token, home: Client("npm-11", home, registry, token), until)


def test_the_guide_is_what_happens(stage: Stage) -> None:
    played = list(commands(GUIDE))
    for command in played:
        if "requests.jsonl" in command.words:
            stage.settle()
        play(command, stage.shell(command.machine))

    assert len(played) > 40
    assert unplayed(GUIDE) == 0


@pytest.mark.parametrize("gate", ["sqlite"], indirect=True)
@pytest.mark.parametrize("tool", EVERY)
def test_every_client(gate: Gate, recorder: Recorder, tmp_path: Path, tool: str) -> None:
    place = gate.workspace(internal=False)
    place.upstream(recorder)
    for version in ("1.4.0", "2.0.0"):
        place.publish(pack("acme-billing", version))
    recorder.add("acme-billing", "1.99.0")
    assert installed(tool, tmp_path / "unprotected", place) == 'module.exports = "acme-billing@1.99.0";'

    for version in ("1.4.0", "2.0.0"):
        place.set_internal("acme-billing", version, internal=True)
    recorder.forget()
    assert installed(tool, tmp_path / "protected", place) == 'module.exports = "acme-billing@1.4.0";'
    asking = app(Client(tool, tmp_path / "asking", place.url, place.tokens["rita"]))
    done = asking.refused(*ways(asking).add, "acme-billing@1.99.0")
    assert "1.99.0" in done.said
    assert not recorder.mentions("billing")


def installed(tool: str, home: Path, place: Place) -> str:
    """What an application that depends on the first major version gets on a new machine."""
    client = app(Client(tool, home, place.url, place.tokens["rita"]))
    write_package(client.project, "an-app", dependencies=BILLING)
    client.run("install")
    return loaded(client, "acme-billing")
