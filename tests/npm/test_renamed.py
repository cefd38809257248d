"""A registry that was renamed, asked by the slug it had: 308 for who may know, in place for clients that a redirect breaks."""

import itertools
import json
from typing import Any

import pytest
from django.test import Client

from registries.models import Alias, Registry
from registries.services import Changes, change_registry, create_registry
from tests.npm.team import Team, facts
from tests.parts.pack import pack, publish_document

CLIENTS = [
    "npm/6.14.18 node/v20 linux x64",
    "npm/12.2.0 node/v24 linux x64",
    "pnpm/12.21.0 npm/? node/v24",
    "yarn/1.22.22 npm/?",
    "bun/1.4.5",
]
# method and address below the registry, as each client sends them
ROUTES = [
    ("GET", ""),
    ("GET", "/"),
    ("GET", "/left"),
    ("HEAD", "/left"),
    ("GET", "/left?write=true"),
    ("GET", "/@acme%2fright"),
    ("GET", "/left/1.0.0"),
    ("GET", "/left/-/left-1.0.0.tgz"),
    ("HEAD", "/left/-/left-1.0.0.tgz"),
    ("GET", "/@acme/right/-/right-1.0.0.tgz"),
    ("GET", "/@acme%2fright/-/@acme%2fright-1.0.0.tgz"),
    ("GET", "/api/npm/somewhere/left/-/left-1.0.0.tgz"),
    ("PUT", "/left"),
    ("PUT", "/left/-rev/1-x"),
    ("DELETE", "/left/-rev/1-x"),
    ("DELETE", "/left/-/left-1.0.0.tgz/-rev/1-x"),
    ("GET", "/-/ping"),
    ("GET", "/-/whoami"),
    ("GET", "/-/package/left/dist-tags"),
    ("PUT", "/-/package/left/dist-tags/next"),
    ("DELETE", "/-/package/left/dist-tags/next"),
    ("GET", "/-/npm/v1/user"),
    ("GET", "/-/npm/v1/tokens"),
]


class Renamed:
    """A team whose registry `main` is called `newer` now."""

    def __init__(self, team: Team) -> None:
        self.team = team
        team.publish("left")
        team.publish("@acme/right")
        self.registry = change_registry(actor=team.actor("alice"), registry=team.registry, changes=Changes(slug="newer"))

    def send(self, who: str, method: str, path: str, body: object = None, *, reg: str = "main", agent: str = "") -> Any:
        client = Client(headers={"User-Agent": agent} if agent else None)
        token = self.team.tokens.get(who, who)
        named = {"HTTP_AUTHORIZATION": f"Bearer {token}"} if token else {}
        data = b"" if body is None else json.dumps(body).encode()
        return client.generic(method, f"/{self.team.slug}/r/{reg}{path}", data, content_type="application/json", **named)  # type: ignore[arg-type]


@pytest.fixture
def renamed(team: Team) -> Renamed:
    return Renamed(team)


def test_who_may_is_sent_on_with_method_and_query(renamed: Renamed) -> None:
    before = facts()
    for method, path in ROUTES:
        answer = renamed.send("alice", method, path)
        to = f"/{renamed.team.slug}/r/newer{path.replace('%2f', '/')}"
        assert (method, path, answer.status_code, answer.headers.get("Location")) == (method, path, 308, to)
    assert facts() == before


@pytest.mark.parametrize("agent", ["", CLIENTS[1]])
def test_nobody_learns_that_it_was_renamed(renamed: Renamed, agent: str) -> None:
    """Anonymous callers and strangers hear of a former slug what they hear of one that never was."""
    before = facts()
    for (method, path), (who, status) in itertools.product(ROUTES, (("", 401), ("mallory", 404), ("gth_wrong", 401))):
        former, never = (renamed.send(who, method, path, reg=reg, agent=agent) for reg in ("main", "nvr4"))
        assert (method, path, who, former.status_code, never.status_code) == (method, path, who, status, status)
        assert former.content.replace(b"/main", b"/nvr4") == never.content
        assert "Location" not in former.headers
        assert "npm-notice" not in former.headers
    assert facts() == before


def test_who_may_not_do_it_there_is_told_so_and_not_sent_on(renamed: Renamed) -> None:
    for who, method, path, status in (("rita", "PUT", "/left", 403), ("bob", "DELETE", "/left/-rev/1-x", 403)):
        answer = renamed.send(who, method, path)
        assert (answer.status_code, "Location" in answer.headers) == (status, False)


def test_clients_read_and_write_in_place_and_follow_files(renamed: Renamed) -> None:
    here = f"http://testserver/{renamed.team.slug}/r"
    for number, agent in enumerate(CLIENTS):
        read = renamed.send("rita", "GET", "/left", agent=agent)
        assert (read.status_code, read.json()["versions"]["1.0.0"]["dist"]["tarball"]) == (200, f"{here}/main/left/-/left-1.0.0.tgz")
        assert read.headers["npm-notice"] == f"The registry main is called newer now: set registry={here}/newer/"
        written = renamed.send("bob", "PUT", "/fresh", publish_document(pack("fresh", f"1.0.{number}")), agent=agent)
        assert written.status_code == 201
        file = renamed.send("rita", "GET", "/left/-/left-1.0.0.tgz", agent=agent)
        assert (file.status_code, file.headers["Location"]) == (308, f"/{renamed.team.slug}/r/newer/left/-/left-1.0.0.tgz")
    assert renamed.send("rita", "GET", "/fresh", reg="newer").status_code == 200


def test_a_public_registry_sends_everybody_on(renamed: Renamed) -> None:
    Registry.objects.filter(pk=renamed.registry.pk).update(visibility=Registry.Visibility.PUBLIC)
    assert renamed.send("", "GET", "/left").status_code == 308
    assert renamed.send("", "PUT", "/left").status_code == 401


def test_login_needs_no_redirect(renamed: Renamed) -> None:
    started = renamed.send("", "POST", "/-/v1/login", {})
    assert started.status_code == 200
    assert f"/{renamed.team.slug}/r/main/-/v1/login/poll/" in started.json()["doneUrl"]


def test_renamed_twice_and_back(renamed: Renamed) -> None:
    alice = renamed.team.actor("alice")
    registry = change_registry(actor=alice, registry=renamed.registry, changes=Changes(slug="newest"))
    for former in ("main", "newer"):
        answer = renamed.send("rita", "GET", "/left", reg=former)
        assert (answer.status_code, answer.headers["Location"]) == (308, f"/{renamed.team.slug}/r/newest/left")
    change_registry(actor=alice, registry=registry, changes=Changes(slug="main"))
    assert renamed.send("rita", "GET", "/left", reg="main").status_code == 200
    assert sorted(Alias.objects.values_list("slug", flat=True)) == ["newer", "newest"]


def test_a_former_slug_is_kept_until_it_is_released(renamed: Renamed) -> None:
    team, rest = renamed.team, f"/api/v1/workspaces/{renamed.team.slug}/registries"
    headers = {"HTTP_AUTHORIZATION": f"Bearer {team.tokens['alice']}"}

    def call(method: str, path: str, body: bytes = b"") -> Any:
        return Client().generic(method, f"{rest}{path}", body, content_type="application/json", **headers)  # type: ignore[arg-type]

    before = facts()
    taken = call("POST", "/", b'{"slug":"main"}')
    assert (taken.status_code, taken.json()["code"], list(taken.json()["fields"])) == (409, "slug_reserved", ["slug"])
    assert facts() == before
    assert [one["slug"] for one in call("GET", "/newer/aliases/").json()["results"]] == ["main"]
    assert call("DELETE", "/newer/aliases/never/").status_code == 404
    moved = call("PATCH", "/main/", b'{"internal":false}')
    assert (moved.status_code, moved.headers["Location"]) == (308, f"{rest}/newer/")
    deeper = call("GET", "/main/packages/npm/@acme%2fright/versions/?page=1")
    assert (deeper.status_code, deeper.headers["Location"]) == (308, f"{rest}/newer/packages/npm/@acme/right/versions/?page=1")
    assert call("DELETE", "/newer/aliases/main/").status_code == 204
    assert renamed.send("rita", "GET", "/left").status_code == 404
    assert call("POST", "/", b'{"slug":"main"}').status_code == 201
    assert renamed.send("rita", "GET", "/left").status_code == 404  # the new registry of that name has no such package


def test_pages_lead_on_too(renamed: Renamed) -> None:
    browser = Client(headers={"accept": "text/html"})
    address = f"/{renamed.team.slug}/registries/main/npm/@acme/right/?tab=x"
    signed_out = browser.get(address)
    assert (signed_out.status_code, "/login" in signed_out.headers["Location"]) == (302, True)
    browser.force_login(renamed.team.people["mallory"])
    assert browser.get(address).status_code == 404
    browser.force_login(renamed.team.people["rita"])
    answer = browser.get(address)
    assert (answer.status_code, answer.headers["Location"]) == (308, address.replace("/main/", "/newer/"))


def test_two_registries_never_meet_on_a_slug(renamed: Renamed) -> None:
    alice = renamed.team.actor("alice")
    other = create_registry(actor=alice, workspace=renamed.team.space, slug="other")
    for slug in ("newer", "main"):
        with pytest.raises(Exception, match=slug):
            change_registry(actor=alice, registry=other, changes=Changes(slug=slug))
    assert Registry.objects.get(pk=other.pk).slug == "other"
