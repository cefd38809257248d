"""Whose word counts (threats.md A4, A5, A14): no header, cookie, query or id of another tenant makes a caller somebody else."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from registries.models import PackageRight
from tests.api.cast import Cast, assemble, census
from tests.parts.pack import pack, publish_document
from tokens.models import Token
from workspaces.models import GroupMember, Membership
from workspaces.services.groups import add_to_group, create_group
from workspaces.services.people import remove_member

NPM, REST, PAGE = "/acme/r/main", "/api/v1/workspaces/acme/", "text/html"
# What proxies, single sign-on and other products put a name into.
NAMES = (
    *("Remote-User", "X-Remote-User", "X-Forwarded-User", "X-Auth-Request-User", "X-WebAuth-User", "X-Authenticated-User", "From"),
    *(
        "X-Gatehouse-User",
        "X-Auth-Token",
        "X-Api-Key",
        "Private-Token",
        "Npm-Session",
        "Npm-Auth",
        "Proxy-Authorization",
        "X-Authorization",
    ),
)


@pytest.fixture
def cast(db: None) -> Iterator[Cast]:
    cache.clear()
    yield assemble()
    cache.clear()


@pytest.mark.parametrize("value", ["alice", "the token", "Bearer and the token", "Basic and the password"])
def test_no_header_but_authorization_names_the_caller(cast: Cast, value: str) -> None:
    secret = cast.tokens["alice"].secret
    basic = base64.b64encode(b"alice:correct horse").decode()
    word = {"alice": "alice", "the token": secret, "Bearer and the token": f"Bearer {secret}"}.get(value, f"Basic {basic}")
    client, before = Client(headers={**dict.fromkeys(NAMES, word), "Accept": PAGE}, REMOTE_USER=word), census()
    for path in (f"{NPM}/@acme%2ffoo", f"{NPM}/-/whoami", REST, "/api/v1/whoami/"):
        assert client.get(path).status_code == 401, path
    assert client.get("/acme/").status_code == 302
    assert client.put(f"{NPM}/@acme%2fnew", publish_document(pack("@acme/new")), content_type="application/json").status_code == 401
    assert census() == before


def test_no_cookie_is_a_token_and_no_session_opens_the_package_door(cast: Cast) -> None:
    secret, before = cast.tokens["alice"].secret, census()
    signed_in = Client()
    signed_in.force_login(cast.people["alice"])
    for name in ("token", "Authorization", "_authToken", "npm_token", "access_token"):
        signed_in.cookies[name] = secret
    assert signed_in.get(f"{NPM}/@acme%2ffoo").status_code == 401, "a browser's session is no credential of a package client"
    assert signed_in.put(f"{NPM}/@acme%2fnew", publish_document(pack("@acme/new")), content_type="application/json").status_code == 401
    stolen = Client()
    stolen.cookies["sessionid"] = secret
    assert stolen.get(REST).status_code == 401
    assert stolen.get("/acme/").status_code == 302
    assert census() == before


def test_no_secret_in_an_address_counts(cast: Cast) -> None:
    secret, client, before = cast.tokens["alice"].secret, Client(headers={"Accept": PAGE}), census()
    for name in ("token", "access_token", "_authToken", "authToken", "auth", "api_key", "private_token", "password", "apikey"):
        for path in (f"{NPM}/@acme%2ffoo", f"{NPM}/-/whoami", REST):
            assert client.get(path, {name: secret, "user": "alice", "username": "alice"}).status_code == 401, (path, name)
        assert client.get("/acme/", {name: secret}).status_code == 302
    assert census() == before


@pytest.mark.parametrize("word", ["DELETE", "PUT", "PATCH", "delete"])
def test_the_method_is_the_one_of_the_request(cast: Cast, word: str) -> None:
    over = {"X-HTTP-Method-Override": word, "X-HTTP-Method": word, "X-Method-Override": word}
    alice, before = f"Bearer {cast.tokens['alice'].secret}", census()
    package = Client(headers={**over, "Authorization": alice})
    assert package.get(f"{NPM}/@acme%2ffoo?_method={word}").status_code == 200
    assert package.post(f"{NPM}/@acme%2ffoo/-rev/1-x", {"_method": word}).status_code == 405
    assert package.get(f"{NPM}/-/npm/v1/tokens").status_code == 200
    assert package.get(f"{REST}registries/main/packages/npm/plain/?_method={word}").status_code == 200
    assert package.post(f"{REST}registries/main/packages/npm/plain/", {"_method": word}).status_code == 405
    browser = Client(headers={**over, "Accept": PAGE})
    browser.force_login(cast.people["alice"])
    assert browser.get(f"/acme/registries/main/npm/plain/delete/?_method={word}").status_code == 405
    assert still(census()) == still(before)


def still(found: dict[str, Any]) -> dict[str, Any]:
    """Without the documents that reading renders."""
    return {table: lines for table, lines in found.items() if not table.startswith(("upstreams.Rendering", "upstreams.Document"))}


def test_ids_of_another_tenant_are_unknown_below_ones_own_pages(cast: Cast) -> None:
    """mallory is owner of globex and puts acme's ids into her own addresses; the answer is that of a number nobody has."""
    mallory = Client(headers={"Accept": PAGE})
    mallory.force_login(cast.people["mallory"])
    confirm, before = {"confirm": "yes", "enabled": "false"}, census()
    addresses = {
        "/globex/registries/main/upstreams/{}/": cast.upstream.pk,
        "/globex/registries/main/upstreams/{}/switch/": cast.upstream.pk,
        "/globex/registries/main/upstreams/{}/remove/": cast.upstream.pk,
        "/globex/claims/{}/remove/": cast.claim.pk,
        "/globex/tokens/{}/revoke/": cast.service.token.pk,
    }
    for address, number in addresses.items():
        theirs = mallory.post(address.format(number), confirm)
        nobodys = mallory.post(address.format(999_999), confirm)
        assert theirs.status_code == nobodys.status_code == 404, address
        assert _plain(theirs) == _plain(nobodys), address
    alices = cast.tokens["alice"].token.pk
    assert mallory.post(f"/globex/tokens/{alices}/revoke/", confirm).status_code == 404
    for wrong in ({"registries": str(cast.main.pk)}, {"kind": "service", "role": "reader", "registries": str(cast.main.pk)}):
        assert mallory.post("/globex/tokens/", {"name": "x", "kind": "personal", "life": "30", **wrong}).status_code == 400
    assert census() == before


def _plain(answer: Any) -> list[str]:
    return [line for line in answer.content.decode().splitlines() if "csrfmiddlewaretoken" not in line]


def test_ids_of_another_tenant_in_bodies_of_rest_and_npm(cast: Cast) -> None:
    before = census()
    bodies = [
        ("POST", "/api/v1/tokens/", {"name": "x", "registries": ["acme/main"]}),
        ("POST", "/api/v1/workspaces/globex/tokens/", {"name": "x", "role": "reader", "registries": ["acme/main"]}),
        (
            "POST",
            "/api/v1/workspaces/globex/registries/main/upstreams/",
            {"name": "x", "kind": "registry", "format": "npm", "registry": "acme/main"},
        ),
        ("POST", "/api/v1/tokens/", {"name": "x", "owner": cast.people["alice"].pk}),
        ("POST", "/api/v1/tokens/", {"name": "x", "workspace": cast.acme.pk}),
        ("POST", "/globex/r/main/-/npm/v1/tokens", {"password": "correct horse", "registries": [cast.main.pk]}),
        ("POST", "/globex/r/main/-/npm/v1/user", {"name": "alice", "email": "m@example.org"}),
    ]
    for method, path, body in bodies:
        answer = cast.call("mallory", method, path, body)
        assert answer.status_code == 400, (path, body, answer.content)
        assert "acme" not in answer.json()["error"] or "acme/main" in json.dumps(body)
    assert census() == before


def test_who_is_taken_out_is_out_everywhere_at_once(cast: Cast) -> None:
    """And nothing is left that would come back with a new invitation: no group, no right on a package."""
    alice, bob = cast.actor("alice"), Client(headers={"Authorization": f"Bearer {cast.tokens['bob'].secret}"})
    create_group(actor=alice, workspace=cast.acme, slug="crew")
    add_to_group(actor=alice, workspace=cast.acme, slug="crew", username="bob")
    browser = Client(headers={"Accept": PAGE})
    browser.force_login(cast.people["bob"])
    places = [(bob, f"{NPM}/@acme%2ffoo"), (bob, f"{NPM}/-/whoami"), (bob, f"{REST}registries/main/"), (browser, "/acme/")]
    assert [client.get(path).status_code for client, path in places] == [200] * 4
    remove_member(actor=alice, workspace=cast.acme, username="bob")
    assert [client.get(path).status_code for client, path in places] == [404] * 4
    person = cast.people["bob"]
    assert not Membership.objects.filter(user=person, workspace=cast.acme).exists()
    assert not GroupMember.objects.filter(member__user=person, group__workspace=cast.acme).exists()
    assert not PackageRight.objects.filter(member__user=person, registry__workspace=cast.acme).exists()
    orphans = Token.objects.filter(workspace=cast.acme, owner=person)
    assert not orphans.exists()
    before = census()
    assert bob.put(f"{NPM}/@acme%2fnew", publish_document(pack("@acme/new")), content_type="application/json").status_code == 404
    assert census() == before
