"""A running Gatehouse with the fixed cast of ARCHITECTURE.md, driven through its REST API only."""

import itertools
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.parts.census import Census, census, execute
from tests.parts.gatehouse import ADMIN, PASSWORD, Gatehouse
from tests.parts.pack import Packed, publish_document
from tests.parts.recorder import Recorder
from tests.parts.web_client import Answer, Caller, basic

CAST = {"alice": "owner", "bob": "publisher", "rita": "reader"}
STRANGER = "mallory"
SETTLE = 4.0  # seconds a server may take to clear up behind a connection that broke
_numbers = itertools.count(1)


@dataclass
class Place:
    """One workspace with one registry and the cast's tokens."""

    gate: "Gate"
    slug: str
    registry: str
    tokens: dict[str, str]

    @property
    def path(self) -> str:
        """The registry's path for package clients, without a trailing slash."""
        return f"/{self.slug}/r/{self.registry}"

    @property
    def url(self) -> str:
        """The registry's address for package clients, with the trailing slash."""
        return f"{self.gate.url}{self.path}/"

    @property
    def rest(self) -> str:
        """The registry's path in REST, with the trailing slash."""
        return f"/api/v1/workspaces/{self.slug}/registries/{self.registry}/"

    def as_(self, who: str) -> Caller:
        """A package client of that person at this registry; "" is nobody."""
        return Caller(self.gate.url + self.path, f"Bearer {self.tokens[who]}" if who else "")

    def api(self, who: str = "alice") -> Caller:
        """REST as that person."""
        return Caller(self.gate.url, f"Bearer {self.tokens[who]}" if who else "")

    def publish(self, packed: Packed, *, who: str = "bob", tag: str = "latest", expect: int | None = 201) -> Answer:
        """Publish as npm does, below npm."""
        answer = self.as_(who).put("/" + packed.name.replace("/", "%2f"), publish_document(packed, tag=tag))
        assert expect is None or answer.status == expect, answer
        return answer

    def second(self, slug: str = "second", **fields: object) -> "Place":
        """Another registry of the same workspace."""
        made(self.api().post(f"/api/v1/workspaces/{self.slug}/registries/", {"slug": slug, **fields}))
        return Place(self.gate, self.slug, slug, self.tokens)

    def upstream(self, recorder: Recorder, name: str = "public", **fields: object) -> dict[str, Any]:
        """Add the recorder as an upstream; answers the REST object."""
        wish = {"name": name, "kind": "url", "format": "npm", "url": recorder.url, "priority": 100, **fields}
        return made(self.api().post(self.rest + "upstreams/", wish))

    def claim(self, pattern: str) -> dict[str, Any]:
        """Claim a pattern in the workspace."""
        return made(self.api().post(f"/api/v1/workspaces/{self.slug}/claims/", {"pattern": pattern}))

    def set_internal(self, name: str, version: str, *, internal: bool) -> Answer:
        """The toggle of one version, over REST."""
        answer = self.api().patch(f"{self.rest}packages/npm/{name.replace('/', '%2F')}/versions/{version}/", {"internal": internal})
        assert answer.status == 200, answer
        return answer

    def versions(self, name: str, *, who: str = "rita") -> list[str]:
        """The versions a reader is shown."""
        answer = self.as_(who).get("/" + name.replace("/", "%2f"), accept="application/json")
        assert answer.status == 200, answer
        return sorted(answer.json()["versions"])


@dataclass
class Gate:
    """The installation, its administrator and its people."""

    server: Gatehouse
    people: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The base address."""
        return self.server.url

    @property
    def admin(self) -> Caller:
        """REST as the operator."""
        return Caller(self.url, basic(ADMIN, PASSWORD))

    def rest(self, method: str, path: str, body: object = None) -> Answer:
        """One REST call as the operator; `path` is below /api/v1."""
        return self.admin.request(method, f"/api/v1{path}", body=body)

    def person(self, username: str) -> str:
        """A token of that person, created with the person the first time."""
        if username not in self.people:
            made(self.rest("POST", "/users/", {"username": username, "email": f"{username}@example.org", "password": PASSWORD}))
            who = Caller(self.url, basic(username, PASSWORD))
            self.people[username] = made(who.post("/api/v1/tokens/", {"name": "tests"}))["token"]
        return self.people[username]

    def workspace(self, slug: str = "acme", **registry: object) -> Place:
        """A fresh workspace owned by alice, with the registry `main` and the cast; mallory owns another."""
        unique = f"{slug}-{next(_numbers)}-{secrets.token_hex(3)}"
        tokens = {who: self.person(who) for who in (*CAST, STRANGER)}
        place = Place(self, unique, "main", tokens)
        made(place.api("alice").post("/api/v1/workspaces/", {"slug": unique, "name": unique}))
        for who, role in CAST.items():
            if role != "owner":
                made(place.api("alice").post(f"/api/v1/workspaces/{unique}/members/", {"username": who, "role": role}))
        made(place.api("alice").post(f"/api/v1/workspaces/{unique}/registries/", {"slug": "main", **registry}))
        return place

    def globex(self) -> Place:
        """A fresh workspace that mallory alone belongs to."""
        slug = f"globex-{next(_numbers)}-{secrets.token_hex(3)}"
        place = Place(self, slug, "main", {who: self.person(STRANGER) for who in (*CAST, STRANGER)})
        made(place.api(STRANGER).post("/api/v1/workspaces/", {"slug": slug, "name": slug}))
        made(place.api(STRANGER).post(f"/api/v1/workspaces/{slug}/registries/", {"slug": "main"}))
        return place

    def census(self) -> Census:
        """Everything the installation holds."""
        return census(self.server.database_url, self.server.data)

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Whatever happens inside leaves rows, blobs, events and staging as they were."""
        before = self.census()
        yield
        deadline = time.monotonic() + SETTLE
        while (after := self.census()) != before and time.monotonic() < deadline:
            time.sleep(0.1)
        assert after.rows == before.rows
        assert after.blobs == before.blobs
        assert after.staged == before.staged

    def execute(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """One statement on the database beside the server."""
        return execute(self.server.database_url, self.server.data, statement, *values)

    def grow_old(self) -> None:
        """Let everything that upstreams ever said be out of date."""
        past = "2001-01-01 00:00:00+00:00" if self.server.database_url else "2001-01-01 00:00:00"
        self.execute("UPDATE upstreams_upstreamdocument SET fresh_until = ?, fetched_at = ?", past, past)
        self.execute("UPDATE upstreams_gitlisting SET fresh_until = ?", past)
        self.execute("UPDATE upstreams_rendering SET fresh_until = ?", past)

    def events(self, place: Place, action: str = "") -> list[str]:
        """The actions in the workspace's audit log, oldest first."""
        ask = "SELECT e.action FROM workspaces_event e JOIN workspaces_workspace w ON w.id = e.workspace_id WHERE w.slug = ? ORDER BY e.id"
        return [str(row[0]) for row in self.execute(ask, place.slug) if str(row[0]).startswith(action)]


def made(answer: Answer) -> dict[str, Any]:
    """The object a create answered with."""
    assert answer.status == 201, answer
    found: dict[str, Any] = answer.json()
    return found
