"""`npm access set`: packages for members only, second factors, and what strangers hear of people."""

import re
from typing import Any

import pytest
from django.test import Client

from registries.models import PackageRight, RestrictedName
from tests.npm.rights import about, make_public, owners, set_access
from tests.npm.team import Team, facts
from tests.parts.pack import pack, publish_document
from upstreams.models import Rendering
from workspaces.models import Event

CSRF = re.compile(rb"[0-9A-Za-z]{64}")  # masked anew for each page


def test_second_factors_are_answered_honestly(team: Team) -> None:
    team.publish("@acme/bar")
    before = facts()
    for wish in ({"publish_requires_tfa": True, "automation_token_overrides_tfa": False}, {"publish_requires_tfa": True}):
        answer = set_access(team, "bob", wish)
        assert (answer.status_code, answer.json()["code"]) == (400, "not_supported")
        assert "second factor" in answer.json()["error"]
    assert set_access(team, "bob", {"publish_requires_tfa": False}).status_code == 200
    assert set_access(team, "bob", {"publish_requires_tfa": True}, "nothing").status_code == 404
    assert facts() == before


def test_public_is_refused_in_a_private_registry(team: Team) -> None:
    team.publish("@acme/bar")
    before = facts()
    for who in ("bob", "alice"):
        answer = set_access(team, who, {"access": "public"})
        assert (answer.status_code, answer.json()["code"]) == (403, "registry_private")
        assert "is private" in answer.json()["error"]
    odd: list[object] = [{"access": "secret"}, {"access": None}, {}, [], b"{"]
    for body in odd:
        assert set_access(team, "bob", body).status_code == 400, body
    for who, code in {"": 401, "gth_wrong": 401, "mallory": 404, "rita": 403}.items():
        assert set_access(team, who, {"access": "restricted"}).status_code == code, who
    assert set_access(team, "bob", {"access": "restricted"}, "nothing").status_code == 404
    assert team.send("bob", "PUT", about("@acme/bar", "access"), {}).status_code == 405
    assert facts() == before


def reads(team: Team, who: str) -> dict[str, tuple[int, bytes]]:
    """What a caller gets of a package by every way there is."""
    found = {}
    paths = [
        "/@acme%2fbar", "/@acme/bar", "/@acme%2fbar?write=true", "/@acme/bar/1.0.0", "/@acme/bar/latest", "/@acme/bar/-/bar-1.0.0.tgz",
        "/-/package/@acme%2fbar/dist-tags", "/-/package/@acme%2fbar/visibility", "/-/package/@acme%2fbar/access",
    ]  # fmt: skip
    for path in paths:
        answer = team.send(who, "GET", path)
        found[path] = (answer.status_code, answer.getvalue())
    base = f"/api/v1/workspaces/{team.slug}/registries/main"
    page = f"/{team.slug}/registries/main"
    name = "packages/npm/@acme%2fbar"
    rest = [f"{base}/{name}/", f"{base}/{name}/versions/", f"{base}/{name}/versions/1.0.0/", f"{base}/{name}/tags/", f"{base}/packages/"]
    headers: dict[str, Any] = {"authorization": f"Bearer {team.tokens[who]}"} if who else {}
    for path in [*rest, f"{page}/npm/@acme/bar/", f"{page}/npm/@acme/bar/v/1.0.0/", f"{page}/"]:
        client = Client()
        if who and path.startswith(page):
            client.force_login(team.people[who])
        answer = client.get(path, headers={"accept": "text/html", **({} if path.startswith(page) else headers)})
        found[path] = (answer.status_code, CSRF.sub(b"", answer.content))
    return found


@pytest.mark.parametrize("who", ["", "mallory"])
def test_a_restricted_package_is_as_if_it_were_not_there(team: Team, who: str) -> None:
    make_public(team)
    nothing = reads(team, who)
    assert {code for path, (code, _) in nothing.items() if b"bar" in path.encode()} == {404}
    team.publish("@acme/bar")
    assert {code for code, _ in reads(team, who).values()} == {200}
    assert set_access(team, "bob", {"access": "restricted"}).status_code == 200
    assert reads(team, who) == nothing
    members = reads(team, "rita")
    assert {code for code, _ in members.values()} == {200}
    assert members["/-/package/@acme%2fbar/visibility"][1] == b'{"public":false,"access":"restricted"}'
    assert reads(team, who) == nothing  # nothing that was rendered for a member comes out for others
    assert team.send(who, "GET", "/@acme%2fbar/-/bar-1.0.0.tgz", range="bytes=0-3").status_code == 404
    assert set_access(team, "bob", {"access": "public"}).status_code == 200
    assert {code for code, _ in reads(team, who).values()} == {200}
    assert [event.new for event in Event.objects.filter(action="access.status").order_by("id")] == [
        {"restricted": True},
        {"restricted": False},
    ]


def test_what_is_rendered_knows_that_it_is_restricted(team: Team) -> None:
    make_public(team)
    team.publish("@acme/bar")
    team.send("rita", "GET", "/@acme/bar")
    assert not Rendering.objects.get(name="@acme/bar").is_restricted
    set_access(team, "bob", {"access": "restricted"})
    team.send("rita", "GET", "/@acme/bar")
    assert Rendering.objects.get(name="@acme/bar").is_restricted


def published(team: Team, name: str, version: str, access: str) -> int:
    document = {**publish_document(pack(name, version)), "access": access}
    return int(team.send("bob", "PUT", "/" + name.replace("/", "%2f"), document).status_code)


def test_publish_asks_for_an_access(team: Team) -> None:
    assert published(team, "private-one", "1.0.0", "public") == 201  # as yarn 4 sends it, unasked
    assert published(team, "private-two", "1.0.0", "restricted") == 201
    make_public(team)
    assert published(team, "@acme/bar", "1.0.0", "restricted") == 201
    assert published(team, "@acme/bar", "1.1.0", "public") == 201
    assert published(team, "left", "1.0.0", "public") == 201
    assert published(team, "left", "1.1.0", "restricted") == 201  # only the first version says
    assert list(RestrictedName.objects.values_list("name", flat=True)) == ["@acme/bar"]
    told = Event.objects.filter(action="access.status").values_list("actor", "object", "new")
    assert list(told) == [("bob", f"{team.slug}/main npm @acme/bar", {"restricted": True})]
    assert [team.send("", "GET", path).status_code for path in ("/@acme/bar", "/left", "/private-one", "/private-two")] == [
        404,
        200,
        200,
        200,
    ]


def test_a_restriction_made_in_a_private_registry_outlives_its_opening(team: Team) -> None:
    team.publish("@acme/bar")
    assert set_access(team, "bob", {"access": "restricted"}).status_code == 200
    make_public(team)
    assert team.send("", "GET", "/@acme/bar").status_code == 404


def test_what_tells_of_people_is_for_members_of_a_public_registry_too(team: Team) -> None:
    make_public(team)
    team.publish("@acme/bar")
    for path in (
        about("@acme/bar", "collaborators"), f"/-/org/{team.slug}/user", f"/-/org/{team.slug}/team", f"/-/org/{team.slug}/package",
        "/-/user/bob/package", f"/-/team/{team.slug}/devs/user", f"/-/team/{team.slug}/devs/package", '/-/_view/starredByUser?key="bob"',
    ):  # fmt: skip
        assert team.send("", "GET", path).status_code == 401, path
        assert team.send("mallory", "GET", path).status_code == 404, path
    before = facts()
    assert set_access(team, "mallory", {"access": "restricted"}).status_code == 404
    assert set_access(team, "", {"access": "restricted"}).status_code == 401
    assert owners(team, "mallory", ["mallory"]).status_code == 403
    assert not PackageRight.objects.exists()
    assert facts() == before


QUESTIONS: list[tuple[str, str, object]] = [
    ("GET", "/{name}", None),
    ("GET", "/{name}/1.0.0", None),
    ("GET", "/-/package/{name}/collaborators", None),
    ("GET", "/-/package/{name}/dist-tags", None),
    ("GET", "/-/package/{name}/access", None),
    ("GET", "/-/npm/v1/attestations/{name}@1.0.0", None),
    ("POST", "/-/package/{name}/access", {"access": "public"}),
    ("PUT", "/-/package/{name}/owners", {"user": "rita"}),
    ("DELETE", "/-/package/{name}/owners/rita", None),
    ("PUT", "/-/user/package/{name}/star", None),
    ("DELETE", "/-/user/package/{name}/star", None),
    ("PUT", "/-/user/v1/star", {"package": "@acme/NAME"}),
    ("PUT", "/{name}", {"_id": "@acme/NAME", "users": {"mallory": True}}),
    ("PUT", "/{name}/-rev/1-x", {"_id": "@acme/NAME", "users": {}}),
    ("PUT", "/-/package/{name}/dist-tags/next", b'"1.0.0"'),
    ("PUT", "/-/team/{team}/devs/package", {"package": "@acme/NAME", "permissions": "read-write"}),
]


@pytest.mark.parametrize("who", ["", "mallory"])
def test_a_restricted_name_is_answered_like_one_that_is_not_there(team: Team, who: str) -> None:
    make_public(team)
    team.publish("@acme/bar")
    assert set_access(team, "bob", {"access": "restricted"}).status_code == 200
    before = facts()
    for method, path, body in QUESTIONS:
        told = []
        for bare in ("bar", "baz"):
            sent = (
                {key: f"@acme/{bare}" if value == "@acme/NAME" else value for key, value in body.items()}
                if isinstance(body, dict)
                else body
            )
            answer = team.send(who, method, path.format(name=f"@acme%2f{bare}", team=team.slug), sent)
            told.append((answer.status_code, answer.getvalue().replace(bare.encode(), b"...")))
        assert told[0] == told[1], (method, path)
    assert facts() == before
