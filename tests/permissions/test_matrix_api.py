"""Every address and method of REST by every kind of caller, with the exact code. An address without a row fails."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.admindocs.views import simplify_regex
from django.db import transaction

from api.urls import urlpatterns
from packages.formats.npm import publish as npm
from tests.api.cast import Cast, census, upload
from tests.parts.pack import pack
from upstreams.models import Upstream

CALLERS = ("nobody", "bad", "mallory", "rita", "bob", "adam", "alice", "readonly", "scoped", "root")
SIGNED_IN = (401, 401, 200, 200, 200, 200, 200, 200, 200, 200)
MEMBERS = (401, 401, 404, 200, 200, 200, 200, 200, 200, 200)
UNSCOPED = (401, 401, 404, 200, 200, 200, 200, 200, 403, 200)  # members, but no token that may read only some packages
UNKNOWN = (404, 401, *[404] * 8)


def people(code: int) -> tuple[int, ...]:
    """Any signed-in person, by a token that manages."""
    return (401, 401, code, code, code, code, code, 403, 403, code)


def publishers(code: int, scoped: int = 0) -> tuple[int, ...]:
    """Publishers and up; `scoped`: what a write scope for the name answers (as it is: a whole registry is 403)."""
    return (401, 401, 404, 403, code, code, code, 403, scoped or 403, code)


def admins(code: int) -> tuple[int, ...]:
    """Admins and owners, and the operator."""
    return (401, 401, 404, 403, 403, code, code, 403, 403, code)


def owners(code: int) -> tuple[int, ...]:
    """Owners and the operator."""
    return (401, 401, 404, 403, 403, 403, code, 403, 403, code)


def operators(code: int) -> tuple[int, ...]:
    """The operator alone."""
    return (401, 401, *[403] * 7, code)


# 501 until the format can read a bare tarball.
UPLOADED = 201 if hasattr(npm, "publication_from_tarball") else 501
WS, REG = "/v1/workspaces/<ws>", "/v1/workspaces/<ws>/registries/<reg>"
HOOK = f"{WS}/webhooks/<id>"
FORMAT, NAME = f"{REG}/packages/<format>", f"{REG}/packages/<format>/<name>"
WISH = {"name": "second", "kind": "url", "format": "npm", "url": "https://registry.example.org", "priority": 5}
INVITATION = "http://localhost/account/invitations/the-secret-of-a-link/"
MATRIX: dict[tuple[str, str], tuple[tuple[int, ...], Any]] = {
    ("GET", "/v1/whoami/"): (SIGNED_IN, None),
    ("GET", "/v1/users/"): (operators(200), None),
    ("POST", "/v1/users/"): (operators(201), {"username": "dora", "email": "dora@example.org", "password": "correct horse"}),
    ("GET", "/v1/users/<username>/"): (operators(200), None),
    ("PATCH", "/v1/users/<username>/"): (operators(200), {"active": True}),
    ("GET", "/v1/tokens/"): (SIGNED_IN, None),
    ("POST", "/v1/tokens/"): (people(201), {"name": "ci"}),
    ("GET", "/v1/tokens/<id>/"): ((401, 401, 404, 404, 404, 404, 200, 200, 404, 404), None),
    ("DELETE", "/v1/tokens/<id>/"): ((401, 401, 404, 404, 404, 404, 204, 403, 404, 404), None),
    ("GET", "/v1/sessions/"): (people(200), None),
    ("DELETE", "/v1/sessions/<id>/"): ((401, 401, 404, 404, 404, 404, 204, 403, 403, 404), None),
    ("GET", "/v1/workspaces/"): (SIGNED_IN, None),
    ("POST", "/v1/workspaces/"): (people(201), {"slug": "fresh", "name": "Fresh"}),
    ("GET", f"{WS}/"): (MEMBERS, None),
    ("PATCH", f"{WS}/"): (owners(200), {"name": "Acme Ltd"}),
    ("DELETE", f"{WS}/"): (owners(204), None),
    ("GET", f"{WS}/usage/"): (MEMBERS, None),
    ("GET", f"{WS}/members/"): (MEMBERS, None),
    ("POST", f"{WS}/members/"): (admins(201), {"username": "carol", "role": "reader"}),
    ("GET", f"{WS}/members/<username>/"): (MEMBERS, None),
    ("PATCH", f"{WS}/members/<username>/"): (admins(200), {"role": "reader"}),
    ("DELETE", f"{WS}/members/<username>/"): (admins(204), None),
    ("GET", f"{WS}/tokens/"): (admins(200), None),
    ("POST", f"{WS}/tokens/"): (admins(201), {"name": "ci", "role": "publisher"}),
    ("GET", f"{WS}/tokens/<id>/"): (admins(200), None),
    ("DELETE", f"{WS}/tokens/<id>/"): (admins(204), None),
    ("GET", f"{WS}/alerts/"): (UNSCOPED, None),
    ("POST", f"{WS}/alerts/<id>/acknowledge/"): (admins(204), {"note": "seen"}),
    ("GET", f"{WS}/events/"): (admins(200), None),
    ("GET", f"{WS}/tombstones/"): (UNSCOPED, None),
    ("POST", f"{WS}/tombstones/lift/"): (admins(404), {"registry": "main", "upstream": "npm"}),  # it left none
    ("GET", f"{WS}/claims/"): (MEMBERS, None),
    ("POST", f"{WS}/claims/"): (admins(201), {"pattern": "acme-*"}),
    ("GET", f"{WS}/claims/<id>/"): (MEMBERS, None),
    ("DELETE", f"{WS}/claims/<id>/"): (admins(204), None),
    ("POST", "/v1/invitations/accept/"): ((401, 401, 200, 409, 409, 409, 409, 403, 403, 200), {"url": INVITATION}),
    ("GET", f"{WS}/invitations/"): (admins(200), None),
    ("POST", f"{WS}/invitations/"): (admins(201), {"email": "mona@example.org", "role": "reader"}),
    ("GET", f"{WS}/invitations/<id>/"): (admins(200), None),
    ("DELETE", f"{WS}/invitations/<id>/"): (admins(204), None),
    ("GET", f"{WS}/secrets/"): (admins(200), None),
    ("POST", f"{WS}/secrets/"): (admins(201), {"name": "FRESH", "value": "x"}),
    ("GET", f"{WS}/secrets/<name>/"): (admins(200), None),
    ("PATCH", f"{WS}/secrets/<name>/"): (admins(200), {"value": "y"}),
    ("DELETE", f"{WS}/secrets/<name>/"): (admins(204), None),
    ("GET", f"{WS}/webhooks/"): (admins(200), None),
    ("POST", f"{WS}/webhooks/"): (admins(201), {"url": "https://hooks.example.org/x", "events": ["publish"]}),
    ("GET", f"{HOOK}/"): (admins(200), None),
    ("PATCH", f"{HOOK}/"): (admins(200), {"active": False}),
    ("DELETE", f"{HOOK}/"): (admins(204), None),
    ("POST", f"{HOOK}/rotate/"): (admins(200), {}),
    ("POST", f"{HOOK}/test/"): (admins(202), {}),
    ("GET", f"{HOOK}/deliveries/"): (admins(200), None),
    ("GET", f"{HOOK}/deliveries/<delivery>/"): (admins(200), None),
    ("POST", f"{HOOK}/deliveries/<delivery>/redeliver/"): (admins(202), {}),
    ("GET", f"{WS}/registries/"): (MEMBERS, None),
    ("POST", f"{WS}/registries/"): (admins(201), {"slug": "second"}),
    ("GET", f"{REG}/"): (MEMBERS, None),
    ("PATCH", f"{REG}/"): (admins(200), {"internal": False}),
    ("DELETE", f"{REG}/"): (admins(204), None),
    ("PUT", f"{REG}/upstreams/order/"): (admins(409), {"ids": [1]}),  # there are others
    ("POST", f"{REG}/clone/"): (admins(201), {"slug": "copy"}),
    ("GET", f"{REG}/aliases/"): (admins(200), None),
    ("DELETE", f"{REG}/aliases/<alias>/"): (admins(204), None),
    ("GET", f"{REG}/upstreams/"): (MEMBERS, None),
    ("POST", f"{REG}/upstreams/"): (admins(201), WISH),
    ("GET", f"{REG}/upstreams/<id>/"): (MEMBERS, None),
    ("PATCH", f"{REG}/upstreams/<id>/"): (admins(200), {"internal": True}),
    ("DELETE", f"{REG}/upstreams/<id>/"): (admins(204), None),
    ("POST", f"{REG}/upstreams/<id>/test/"): (admins(200), {}),
    ("POST", f"{REG}/push/"): (publishers(200, scoped=200), {"name": "@acme/foo", "to": "shelf"}),
    ("POST", f"{REG}/pull/"): (publishers(404, scoped=404), {"name": "@acme/foo"}),  # claimed, and no internal source has it
    ("GET", f"{REG}/mirrors/"): (UNSCOPED, None),
    ("POST", f"{REG}/mirrors/"): (publishers(202), {"upstream": "npm", "patterns": ["left-pad"]}),
    ("GET", f"{REG}/mirrors/<id>/"): (UNSCOPED, None),
    ("DELETE", f"{REG}/mirrors/<id>/"): (publishers(204), None),
    ("POST", f"{REG}/mirrors/<id>/cancel/"): (publishers(202), {}),
    ("POST", f"{REG}/mirrors/<id>/retry/"): (publishers(409), {}),
    ("GET", f"{REG}/schedules/"): (UNSCOPED, None),
    ("POST", f"{REG}/schedules/"): (admins(201), {"upstream": "npm", "patterns": ["left-pad"], "every": "1h"}),
    ("GET", f"{REG}/schedules/<id>/"): (UNSCOPED, None),
    ("PATCH", f"{REG}/schedules/<id>/"): (admins(200), {"every": "2h"}),
    ("DELETE", f"{REG}/schedules/<id>/"): (admins(204), None),
    ("GET", f"{REG}/packages/"): (MEMBERS, None),
    ("GET", f"{FORMAT}/"): (MEMBERS, None),
    ("POST", f"{FORMAT}/"): (publishers(UPLOADED, scoped=UPLOADED), upload(pack("@acme/up", "1.0.0").tarball)),
    ("GET", f"{NAME}/"): (MEMBERS, None),
    ("DELETE", f"{NAME}/"): (admins(204), None),
    ("GET", f"{NAME}/dependents/"): (MEMBERS, None),
    ("GET", f"{NAME}/downloads/"): (MEMBERS, None),
    ("GET", f"{NAME}/versions/<version>/dependencies/"): (MEMBERS, None),
    ("GET", f"{NAME}/versions/<version>/files/"): (MEMBERS, None),
    ("GET", f"{NAME}/versions/<version>/files/<file>/"): (MEMBERS, None),
    ("GET", f"{NAME}/versions/"): (MEMBERS, None),
    ("GET", f"{NAME}/versions/<version>/"): (MEMBERS, None),
    ("PATCH", f"{NAME}/versions/<version>/"): (admins(200), {"internal": False}),
    ("DELETE", f"{NAME}/versions/<version>/"): (admins(204), None),
    ("POST", f"{NAME}/versions/<version>/accept/"): (admins(409), {}),  # it is held
    ("GET", f"{NAME}/tags/"): (MEMBERS, None),
    ("PUT", f"{NAME}/tags/<tag>/"): (publishers(200, scoped=200), {"version": "1.0.0"}),
    ("DELETE", f"{NAME}/tags/<tag>/"): (publishers(204, scoped=204), None),
    ("GET", f"{NAME}/resolution/"): (MEMBERS, None),
    ("GET", f"{NAME}/tombstone/"): (MEMBERS, None),
    ("DELETE", f"{NAME}/tombstone/"): (admins(204), None),
    **{(method, "/<path>"): (UNKNOWN, None) for method in ("GET", "POST", "PUT", "PATCH", "DELETE")},
}
# A public registry: anybody reads packages, members alone see where they come from.
PUBLIC = (200, 401, *[200] * 8)
PUBLIC_MATRIX = {
    f"{NAME}/downloads/": PUBLIC,
    f"{NAME}/versions/<version>/dependencies/": PUBLIC,
    f"{NAME}/versions/<version>/files/": PUBLIC,
    f"{NAME}/versions/<version>/files/<file>/": PUBLIC,
    f"{REG}/": PUBLIC,
    f"{REG}/packages/": PUBLIC,
    f"{FORMAT}/": PUBLIC,
    f"{NAME}/": PUBLIC,
    f"{NAME}/dependents/": PUBLIC,
    f"{NAME}/versions/": PUBLIC,
    f"{NAME}/versions/<version>/": PUBLIC,
    f"{NAME}/tags/": PUBLIC,
    f"{REG}/upstreams/": MEMBERS,
    f"{REG}/upstreams/<id>/": MEMBERS,
    f"{REG}/mirrors/": UNSCOPED,
    f"{REG}/mirrors/<id>/": UNSCOPED,
    f"{REG}/schedules/": UNSCOPED,
    f"{REG}/schedules/<id>/": UNSCOPED,
    f"{NAME}/resolution/": MEMBERS,
    f"{NAME}/tombstone/": MEMBERS,
    f"{WS}/registries/": MEMBERS,
}


def addresses() -> Iterator[tuple[str, str]]:
    """Every (method, address) below /api/ that the resolver knows, but schema and docs."""
    for pattern in urlpatterns:
        address = simplify_regex(str(pattern.pattern))
        view = pattern.callback.view_class  # type: ignore[attr-defined]
        if address not in {"/schema/", "/docs/"}:
            yield from ((method.upper(), address) for method in view.http_method_names if method != "head" and hasattr(view, method))


def filled(cast: Cast, address: str) -> str:
    """The address with acme's things in it."""
    ids = {"tokens": cast.tokens["alice"].token.pk, "claims": cast.claim.pk, "upstreams": cast.upstream.pk}
    if "<ws>" in address:
        ids["tokens"] = cast.service.token.pk
    ids |= {"mirrors": cast.mirror.pk, "schedules": cast.schedule.pk, "alerts": cast.alert.pk, "webhooks": cast.webhook.pk}
    ids |= {"invitations": cast.invitation.pk, "sessions": cast.visit}
    if address.endswith("/test/"):
        ids["upstreams"] = Upstream.objects.get(name="asleep").pk
    for word, number in ids.items():
        address = address.replace(f"{word}/<id>", f"{word}/{number}")
    name = "@acme%2fgone" if "tombstone" in address else "@acme%2ffoo"
    if "/secrets/" in address:
        name = cast.secret_of_acme.name
    values = {
        "ws": "acme",
        "reg": "main",
        "username": "bob",
        "alias": "before",
        "format": "npm",
        "name": name,
        "version": "1.0.0",
        "tag": "beta",
        "file": "package.json",
        "path": "v1/nothing/",
        "delivery": str(cast.delivery.pk),
    }
    for word, value in values.items():
        address = address.replace(f"<{word}>", value)
    return f"/api{address}"


def test_every_address_has_a_row() -> None:
    assert set(addresses()) == set(MATRIX)


@pytest.mark.parametrize(("method", "address"), sorted(MATRIX))
def test_callers(cast: Cast, method: str, address: str) -> None:
    codes, body = MATRIX[method, address]
    before = census()
    got = {}
    for caller in CALLERS:
        with transaction.atomic():
            answer = cast.call(caller, method, filled(cast, address), body)
            got[caller] = answer.status_code
            if answer.status_code >= 400:
                assert census() == before, f"{caller} was refused and something changed"
                assert set(answer.json()) >= {"error", "code"}
            assert (answer.status_code == 401) == ("WWW-Authenticate" in answer.headers)
            transaction.set_rollback(True)
    assert got == dict(zip(CALLERS, codes, strict=True))


@pytest.mark.parametrize("address", sorted(PUBLIC_MATRIX))
def test_callers_of_a_public_registry(cast: Cast, address: str) -> None:
    type(cast.main).objects.filter(pk=cast.main.pk).update(visibility="public")
    got = tuple(cast.call(caller, "GET", filled(cast, address)).status_code for caller in CALLERS)
    assert got == PUBLIC_MATRIX[address]


@pytest.mark.parametrize(("method", "address"), sorted(row for row in MATRIX if "<reg>" in row[1] or "<ws>" in row[1]))
def test_ids_of_another_workspace_are_unknown(cast: Cast, method: str, address: str) -> None:
    """mallory asks below her own workspace for acme's ids, and below acme: all 404 (or her own, empty)."""
    _, body = MATRIX[method, address]
    before = census()
    if "<id>" in address:
        foreign = cast.call("mallory", method, filled(cast, address).replace("/acme/", "/globex/"), body)
        assert foreign.status_code == 404
    unknown = cast.call("mallory", method, filled(cast, address).replace("/acme/", "/nowhere/"), body)
    forbidden = cast.call("mallory", method, filled(cast, address), body)
    assert unknown.status_code == forbidden.status_code == 404
    assert unknown.content.replace(b"nowhere", b"acme") == forbidden.content
    assert census() == before
