"""`npm token create` in both shapes: what becomes of each field, that it holds everywhere, and what is refused."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from registries.services import create_registry
from tests.npm.team import PASSWORD, Team, facts
from tokens.models import Token
from tokens.services.issue import Wish, create_token
from workspaces.models import Event

TOKENS = "/-/npm/v1/tokens"
READ, WRITE = "read-only", "read-write"


def create(team: Team, who: str = "bob", **fields: Any) -> Any:
    return team.send(who, "POST", TOKENS, {"password": PASSWORD, **fields})


def made(team: Team, who: str = "bob", **fields: Any) -> tuple[str, Token]:
    answer = create(team, who, **fields)
    assert answer.status_code == 201, answer.content
    return answer.json()["token"], Token.objects.latest("pk")


def rest(team: Team, secret: str, method: str, path: str, body: object = None) -> int:
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    address = f"/api/v1/workspaces/{team.slug}/registries/main/{path}"
    return client.generic(method, address, b"" if body is None else b'{"version": "1.0.0"}', "application/json").status_code


def test_the_shape_of_npm_10_and_pnpm(team: Team) -> None:
    answer = create(team, readonly=True, cidr_whitelist=["127.0.0.1/8"])
    shown = answer.json()
    assert {"token", "key", "cidr_whitelist", "readonly", "created", "expires", "name"} <= set(shown)
    assert (shown["readonly"], shown["cidr_whitelist"], shown["expires"]) == (True, ["127.0.0.0/8"], None)
    token = Token.objects.latest("pk")
    assert (token.read_only, token.scopes, token.registries, token.cidrs) == (True, None, None, ["127.0.0.0/8"])
    assert "npm-notice" not in answer.headers
    _, full = made(team, readonly=False, cidr_whitelist=[])
    assert (full.read_only, full.scopes, full.registries, full.cidrs, full.expires_at) == (False, None, None, [], None)


SCOPES: list[tuple[dict[str, Any], list[str]]] = [
    ({"packages": ["left", "@acme/x"], "packages_and_scopes_permission": READ}, ["left:read", "@acme/x:read"]),
    ({"packages": ["left"]}, ["left:read"]),
    ({"packages": ["Old.Name"], "packages_and_scopes_permission": WRITE}, ["Old.Name:write"]),
    ({"scopes": ["@acme", "globex"], "packages_and_scopes_permission": WRITE}, ["@acme/*:write", "@globex/*:write"]),
    ({"packages_all": True, "packages_and_scopes_permission": READ}, ["*:read"]),
    ({"packages_all": True, "packages": ["left"], "packages_and_scopes_permission": WRITE}, ["*:write"]),
    ({"packages_all": True}, ["*:read"]),
    ({"packages_and_scopes_permission": "no-access"}, []),
    ({"packages": ["left"], "packages_and_scopes_permission": "no-access"}, []),
]


def test_granular_scopes(team: Team) -> None:
    for fields, scopes in SCOPES:
        _, token = made(team, name="ci", **fields)
        assert token.scopes == [f"npm:package:{scope}" for scope in scopes], fields
        assert token.registries == [team.registry.pk], "it was asked at this registry, and is for no other"
        assert not token.read_only


def test_granular_names_expiry_and_what_is_no_at_npm_too(team: Team) -> None:
    before = timezone.now()
    _, token = made(
        team,
        name="ci",
        description="of the shop",
        expires=7,
        bypass_2fa=True,
        orgs_permission="no-access",
        orgs=["acme"],
        packages_all=True,
    )
    assert token.name == "ci: of the shop"
    assert token.expires_at is not None
    assert abs(token.expires_at - before - timedelta(days=7)) < timedelta(minutes=1)
    assert Event.objects.filter(action="token.created", object="ci: of the shop").count() == 1


def test_a_token_that_nothing_narrows_is_told_of(team: Team) -> None:
    """npm 11 takes --read-only and does not send it: the person must hear what came out."""
    answer = create(team, name=None)
    assert answer.status_code == 201
    assert "everything you may" in answer.headers["npm-notice"]
    assert "npm-notice" not in create(team, name=None, packages_all=True).headers


NAMES = ("*", "l*", "a:b", "", " ", "@acme", "@acme/", "@/x", ".x", "a/b", "__proto__", "x" * 215, "a?", "\xe4")
PERMISSION = "packages_and_scopes_permission"
Bad = tuple[dict[str, Any], int, str]


def each(field: str, *values: object, named: str = "") -> list[Bad]:
    """Each of these values in `field` is 400 naming it."""
    return [({field: value}, 400, named or field) for value in values]


BAD: list[Bad] = [
    *each("expires", 0, -1, 36_501, 10**30, 1.5, "7", True, [], {}),
    *each("cidr_whitelist", "10.0.0.0/8", [5], {}, ["10.0.0.0/8"] * 101),
    *each("cidr_whitelist", ["x"], [""], ["10.0.0.0/33"], ["300.1.1.1"], ["fe80::/200"], ["10.0.0.0/8\x00"], named="cidrs"),
    *each("packages", "left", [None], [["left"]], {"left": 1}, [f"p{n}" for n in range(10_000)]),
    *each("packages", *([name] for name in NAMES)),
    *each("scopes", "@acme", [1], ["@a"] * 101),
    *each("scopes", *([name] for name in ("", "@", "*", "@*", "@acme/x", "a b", "a:b", "@@acme", "x" * 300))),
    ({"packages": ["a"] * 100, "scopes": ["@b"] * 100}, 400, "scopes"),
    *(({**fields, "packages": ["a"]}, status, named) for fields, status, named in each(PERMISSION, "admin", "READ-ONLY", 5, ["read-only"])),
    *each(PERMISSION, READ, WRITE, named="packages"),
    ({PERMISSION: "read-write-stage-only", "packages": ["a"]}, 422, ""),
    ({"orgs": ["acme"]}, 400, "orgs"),
    ({"orgs": "acme"}, 400, "orgs"),
    ({"orgs_permission": READ}, 400, "orgs_permission"),
    ({"orgs_permission": WRITE, "orgs": ["acme"], "packages_all": True}, 400, "orgs_permission"),
    ({"orgs_permission": "king"}, 400, "orgs_permission"),
    *each("packages_all", "true", 1, []),
    *each("bypass_2fa", "true", 1, []),
    *each("readonly", "true", 1, []),
    *each("name", 5, [], "a\x00b", "a\nb", "x" * 129),
    ({"name": "x" * 100, "description": "y" * 100}, 400, "description"),
    ({"description": {}}, 400, "description"),
    ({"stage_only": True}, 400, "stage_only"),
    ({"registries": ["main"]}, 400, "registries"),
    ({"password": ""}, 400, "password"),
    ({"password": 5}, 400, "password"),
    ({"password": "wrong"}, 401, "password"),
    ({"password": "x" * 900_000}, 401, "password"),
]


def test_what_cannot_be_given_is_refused_by_name(team: Team) -> None:
    before = facts()
    for fields, status, field in BAD:
        answer = create(team, **{"name": "ci", **fields})
        got = (answer.status_code, list(answer.json().get("fields", {})), "WWW-Authenticate" in answer.headers)
        assert got == (status, [field] if field else [], False), (repr(fields)[:200], answer.content)
        assert answer.json()["error"].endswith(".")
        assert facts() == before, repr(fields)[:200]


def test_packages_hold_on_npm_and_rest(team: Team) -> None:
    team.publish("left")
    team.publish("right")
    other = create_registry(actor=team.actor("alice"), workspace=team.space, slug="other")
    reader, _ = made(team, packages=["left"], packages_and_scopes_permission=READ)
    writer, _ = made(team, packages=["left"], packages_and_scopes_permission=WRITE)
    for secret in (reader, writer):
        for path in ("/left", "/left/1.0.0", "/left/-/left-1.0.0.tgz", "/-/package/left/dist-tags", "/-/whoami", "/-/ping"):
            assert team.send(secret, "GET", path).status_code == 200, path
        for path in ("/right", "/right/latest", "/right/-/right-1.0.0.tgz", "/-/package/right/dist-tags", "/never"):
            assert team.send(secret, "GET", path).status_code == 403, path
        assert rest(team, secret, "GET", "packages/npm/left/versions/") == 200
        assert rest(team, secret, "GET", "packages/npm/right/versions/") == 403
        assert Client(headers={"Authorization": f"Bearer {secret}"}).get(f"/{team.slug}/r/{other.slug}/left").status_code == 404
    before = facts()
    assert team.publish("left", "1.1.0", who=reader).status_code == 403
    assert rest(team, reader, "PUT", "packages/npm/left/tags/beta/", {}) == 403
    assert team.publish("right", "1.1.0", who=writer).status_code == 403
    assert team.send(writer, "PUT", "/-/package/right/dist-tags/beta", "1.0.0").status_code == 403
    assert rest(team, writer, "PUT", "packages/npm/right/tags/beta/", {}) == 403
    assert team.send(writer, "DELETE", "/left/-rev/1-x").status_code == 403
    assert facts() == before
    assert team.publish("left", "1.1.0", who=writer).status_code == 201
    assert rest(team, writer, "PUT", "packages/npm/left/tags/beta/", {}) == 200


def test_no_list_shows_a_name_beyond_the_token(team: Team) -> None:
    """Not the organisation's packages, not a person's, not stars, not the search, not REST (threats.md T3)."""
    for name in ("left", "hidden-away"):
        team.publish(name)
        team.send("bob", "PUT", "/-/user/v1/star", {"package": name})
    secret, _ = made(team, packages=["left"])
    lists = [
        f"/-/org/{team.slug}/package",
        "/-/user/bob/package",
        "/-/-/package",
        "/-/v1/search?text=hidden-away",
        "/-/v1/search?text=left",
    ]
    lists += ["/-/_view/starredByUser?key=%22bob%22", "/-/user/v1/star", "/-/user/bob/stars"]
    for path in lists:
        assert "hidden-away" not in team.send(secret, "GET", path).content.decode(), path
        assert "hidden-away" in team.send("bob", "GET", path).content.decode() or path.endswith("left"), path
    rest = Client(headers={"Authorization": f"Bearer {secret}"}).get(f"/api/v1/workspaces/{team.slug}/registries/main/packages/")
    assert [one["name"] for one in rest.json()["results"]] == ["left"]


def test_scopes_hold(team: Team) -> None:
    team.publish("@acme/x")
    team.publish("@acmee/x")
    secret, _ = made(team, scopes=["acme"], packages_and_scopes_permission=WRITE)
    assert team.send(secret, "GET", "/@acme%2fx").status_code == 200
    assert team.send(secret, "GET", "/@ACME%2fx").status_code in {200, 404}, "names are compared in lower case"
    assert team.publish("@acme/y", who=secret).status_code == 201
    for name in ("@acmee/x", "acme", "x"):
        assert team.send(secret, "GET", f"/{name.replace('/', '%2f')}").status_code == 403
        assert team.publish(name, "2.0.0", who=secret).status_code == 403


@pytest.mark.parametrize("fields", [{"readonly": True}, {"packages_all": True, "packages_and_scopes_permission": READ}])
def test_read_only_holds(team: Team, fields: dict[str, Any]) -> None:
    team.publish("left")
    secret, _ = made(team, "alice", **fields)
    before = facts()
    assert team.send(secret, "GET", "/left").status_code == 200
    assert team.publish("left", "2.0.0", who=secret).status_code == 403
    for method, path in (
        ("PUT", "/-/package/left/dist-tags/beta"),
        ("DELETE", "/-/package/left/dist-tags/beta"),
        ("DELETE", "/left/-rev/1-x"),
        ("POST", TOKENS),
        ("GET", TOKENS),
        ("DELETE", f"{TOKENS}/token/123456"),
        ("POST", "/-/npm/v1/user"),
    ):
        assert team.send(secret, method, path, {}).status_code == 403, (method, path)
    for method, path in (("PATCH", ""), ("POST", "upstreams/"), ("DELETE", "packages/npm/left/"), ("PUT", "packages/npm/left/tags/b/")):
        assert rest(team, secret, method, path, {}) == 403, (method, path)
    assert facts() == before


def test_the_addresses_hold(team: Team) -> None:
    team.publish("left")
    secret, _ = made(team, cidr_whitelist=["192.0.2.0/24", "2001:db8::/32"])
    for ip, status in (
        ("192.0.2.9", 200),
        ("192.0.3.9", 401),
        ("::ffff:192.0.2.9", 200),
        ("2001:db8::1", 200),
        ("2001:db9::1", 401),
        ("", 401),
    ):
        caller = Client(headers={"Authorization": f"Bearer {secret}"}, REMOTE_ADDR=ip)
        for path in (f"/{team.slug}/r/main/left", f"/{team.slug}/r/main/-/whoami", f"/api/v1/workspaces/{team.slug}/", "/api/v1/whoami/"):
            assert caller.get(path).status_code == status, (ip, path)
    refused = Client(headers={"Authorization": f"Bearer {secret}"}).get(f"/{team.slug}/r/main/left")
    assert (refused.status_code, refused.json()["code"]) == (401, "address_not_allowed")


def test_the_end_holds(team: Team) -> None:
    secret, token = made(team, expires=1)
    assert team.send(secret, "GET", "/-/whoami").status_code == 200
    Token.objects.filter(pk=token.pk).update(expires_at=timezone.now())
    assert team.send(secret, "GET", "/-/whoami").status_code == 401
    assert rest(team, secret, "GET", "") == 401


def test_pages_know_no_tokens(team: Team) -> None:
    """A token opens packages and REST, never a page: not in a header, not in a cookie."""
    client = Client(headers={"Authorization": f"Bearer {team.tokens['alice']}"})
    client.cookies["sessionid"] = client.cookies["token"] = team.tokens["alice"]
    for path in (f"/{team.slug}/", f"/{team.slug}/tokens/", "/account/"):
        assert client.get(path).status_code == 302
    assert client.post(f"/{team.slug}/tokens/", {"name": "x", "kind": "personal"}).status_code == 401
    assert not Token.objects.filter(name="x").exists()


def test_a_token_makes_only_narrower_ones_that_end_no_later(team: Team) -> None:
    parent = create_token(
        actor=team.actor("bob"),
        wish=Wish(name="parent", registries=[team.registry.pk], cidrs=["127.0.0.0/8"], expires_at=timezone.now() + timedelta(days=3)),
    )
    _, child = made(team, parent.secret)
    assert (child.registries, child.cidrs, child.expires_at) == ([team.registry.pk], ["127.0.0.0/8"], parent.token.expires_at)
    _, narrow = made(team, parent.secret, packages=["left"], expires=2, cidr_whitelist=["127.0.0.1/32"])
    assert (narrow.scopes, narrow.cidrs) == (["npm:package:left:read"], ["127.0.0.1/32"])
    before = facts()
    for wider in ({"expires": 4}, {"cidr_whitelist": ["0.0.0.0/0"]}, {"cidr_whitelist": ["126.0.0.0/7"]}, {"cidr_whitelist": ["::/0"]}):
        answer = create(team, parent.secret, **wider)
        assert (answer.status_code, answer.json()["code"]) == (403, "token_too_wide"), wider
    scoped, _ = made(team, packages_all=True, packages_and_scopes_permission=WRITE)
    before = facts()
    assert create(team, scoped).status_code == 403
    assert facts() == before


def test_a_parent_revoked_at_the_same_moment_makes_nothing(team: Team) -> None:
    parent = create_token(actor=team.actor("bob"), wish=Wish(name="parent"))
    actor = parent.token
    from tokens.services.authenticate import actor_of_token

    who = actor_of_token(parent.secret, "127.0.0.1")
    Token.objects.filter(pk=actor.pk).delete()
    before = facts()
    with pytest.raises(Exception, match="not valid"):
        create_token(actor=who, wish=Wish(name="orphan"))
    assert facts() == before
