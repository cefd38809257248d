"""Every address and method of npm by every kind of caller, with the exact code (threats.md A1, A2). None without a row."""

import json
from collections.abc import Iterator
from typing import Any
from typing import cast as of_type

import pytest
from django.core.cache import cache
from django.db import transaction
from django.urls import resolve

from protocols.npm.door import Door
from protocols.npm.urls import METHODS, urlpatterns
from tests.api.cast import Cast, census
from tests.parts.census import READ_CACHES
from tests.parts.pack import pack, publish_document
from tests.permissions.npm_callers import INVALID, KNOWN, STRANGERS, client_of, secrets_of
from workspaces.services.groups import add_to_group, create_group

BASE = "/acme/r/main"
FOO, CREW = "/-/package/@acme%2ffoo", "/-/team/acme/crew"
Codes = tuple[int, ...]


def reads(code: int = 200) -> Codes:
    """Whoever reaches the registry and may read this name; a token whose scopes give nothing may not."""
    return (*[code] * 8, 403, code)


def writes(code: int, *, scoped: int = 403) -> Codes:
    """Publishers and up, and the publishing service; `scoped`: what a write scope for the name answers."""
    return (403, code, code, code, code, 403, scoped, 403, 403, code)


def people(code: int) -> Codes:
    """Publishers and up in person, by a credential that manages."""
    return (403, code, code, code, code, 403, 403, 403, 403, 403)


def admins(code: int) -> Codes:
    """Admins, owners and the operator, by a credential that manages."""
    return (403, 403, code, code, code, 403, 403, 403, 403, 403)


def account(code: int) -> Codes:
    """Any person about their own account, by a credential that manages."""
    return (code, code, code, code, code, 403, 403, 403, 403, 403)


# Members in person, by a credential that may write the name.
STARS: Codes = (200, 200, 200, 200, 403, 403, 200, 403, 403, 403)
OPEN = "no credentials are looked at"
ROWS: dict[tuple[str, str], tuple[Any, Codes | str]] = {
    ("GET", ""): (None, reads()),
    ("GET", "/-/ping"): (None, reads()),
    ("GET", "/-/whoami"): (None, reads()),
    ("POST", "/-/v1/login"): ({}, OPEN),
    ("GET", "/-/v1/login/poll/x"): (None, OPEN),
    ("PUT", "/-/user/org.couchdb.user:bob"): ({"name": "bob", "password": "correct horse"}, OPEN),
    ("DELETE", "/-/user/token/gth_x"): (None, OPEN),
    ("GET", "/-/user/org.couchdb.user:bob"): (None, reads()),
    ("GET", "/-/npm/v1/tokens"): (None, account(200)),
    ("POST", "/-/npm/v1/tokens"): ({"password": "correct horse"}, account(201)),
    ("DELETE", "/-/npm/v1/tokens/token/123456"): (None, account(404)),
    ("GET", "/-/npm/v1/user"): (None, (*reads()[:9], 401)),
    ("POST", "/-/npm/v1/user"): ({"email": "x@example.org"}, account(200)),
    ("GET", f"{FOO}/dist-tags"): (None, reads()),
    ("PUT", f"{FOO}/dist-tags/next"): ("1.0.0", writes(201, scoped=201)),
    ("POST", f"{FOO}/dist-tags/next"): ("1.0.0", writes(201, scoped=201)),
    ("DELETE", f"{FOO}/dist-tags/beta"): (None, writes(200, scoped=200)),
    ("GET", f"{FOO}/access"): (None, reads()),
    ("POST", f"{FOO}/access"): ({"access": "restricted"}, people(200)),
    ("GET", f"{FOO}/visibility"): (None, reads()),
    ("GET", f"{FOO}/collaborators"): (None, reads()),
    ("GET", "/-/org/acme/user"): (None, reads()),
    ("PUT", "/-/org/acme/user"): ({"user": "carol", "role": "developer"}, admins(200)),
    ("DELETE", "/-/org/acme/user"): ({"user": "rita"}, admins(200)),
    ("GET", "/-/org/acme/team"): (None, reads()),
    ("PUT", "/-/org/acme/team"): ({"name": "devs", "description": ""}, admins(201)),
    ("GET", "/-/org/acme/package"): (None, reads()),
    ("DELETE", CREW): (None, admins(200)),
    ("GET", f"{CREW}/user"): (None, reads()),
    ("PUT", f"{CREW}/user"): ({"user": "rita"}, admins(201)),
    ("DELETE", f"{CREW}/user"): ({"user": "bob"}, admins(200)),
    ("GET", f"{CREW}/package"): (None, reads()),
    ("PUT", f"{CREW}/package"): ({"package": "@acme/foo", "permissions": "read-only"}, people(200)),
    ("DELETE", f"{CREW}/package"): ({"package": "@acme/foo"}, people(404)),
    ("GET", "/-/user/bob/package"): (None, reads()),
    ("GET", "/-/_view/starredByUser?key=%22bob%22"): (None, reads()),
    ("PUT", f"{FOO}/owners"): ({"user": "bob"}, people(200)),
    ("DELETE", f"{FOO}/owners/bob"): (None, people(409)),
    ("GET", "/-/-/package"): (None, reads()),
    ("GET", "/-/user/v1/star"): (None, reads()),
    ("PUT", "/-/user/v1/star"): ({"package": "@acme/foo"}, STARS),
    ("DELETE", "/-/user/v1/star"): ({"package": "@acme/foo"}, STARS),
    ("PUT", "/-/user/package/@acme%2ffoo/star"): (None, STARS),
    ("DELETE", "/-/user/package/@acme%2ffoo/star"): (None, STARS),
    ("GET", "/-/user/bob/stars"): (None, reads()),
    ("GET", "/-/v1/search?text=foo"): (None, reads()),
    ("POST", "/-/npm/v1/security/advisories/bulk"): ({"@acme/foo": ["1.0.0"]}, reads()),
    ("POST", "/-/npm/v1/security/audits/quick"): ({"name": "x", "version": "1.0.0", "requires": {}, "dependencies": {}}, reads()),
    ("GET", "/-/npm/v1/keys"): (None, reads()),
    ("GET", "/-/npm/v1/attestations/@acme%2ffoo@1.0.0"): (None, reads(404)),
    ("GET", "/@acme%2ffoo"): (None, reads()),
    ("GET", "/@acme%2ffoo/1.0.0"): (None, reads()),
    ("GET", "/@acme%2ffoo/-/foo-1.0.0.tgz"): (None, reads()),
    ("GET", "/api/npm/@acme%2ffoo/-/foo-1.0.0.tgz"): (None, reads()),
    ("GET", "/plain"): (None, (200, 200, 200, 200, 200, 200, 403, 403, 403, 200)),
    ("PUT", "/@acme%2fnew"): (publish_document(pack("@acme/new", "1.0.0")), writes(201, scoped=201)),
    ("PUT", "/plain"): (publish_document(pack("plain", "3.0.0")), writes(201)),
    ("PUT", "/@acme%2ffoo/-rev/1-x"): ({"_id": "@acme/foo", "name": "@acme/foo", "versions": {}}, admins(409)),
    ("DELETE", "/@acme%2ffoo/-rev/1-x"): (None, admins(409)),
    ("DELETE", "/@acme%2ffoo/-/foo-2.0.0.tgz/-rev/1-x"): (None, admins(200)),
}
# Doors that answer every method alike.
ALIKE: dict[str, Codes] = {
    f"{FOO}/trust": reads(422),
    "/-/stage": reads(422),
    "/-/npm/v1/hooks": reads(422),
    "/-/all": reads(404),
    "/-/nothing": reads(404),
    "/a/b/c/d": reads(404),
}
# What anybody may ask a public registry, besides its packages.
PUBLIC = {
    ("GET", ""),
    ("GET", "/-/ping"),
    ("GET", f"{FOO}/dist-tags"),
    ("GET", f"{FOO}/access"),
    ("GET", f"{FOO}/visibility"),
    ("GET", "/-/npm/v1/keys"),
    ("GET", "/-/v1/search?text=foo"),
    ("POST", "/-/npm/v1/security/advisories/bulk"),
    ("POST", "/-/npm/v1/security/audits/quick"),
}
EVERYBODY = ("nobody", *INVALID, *STRANGERS, *KNOWN)


def expected(codes: Codes | str, open_code: int) -> dict[str, int]:
    """The column of each caller."""
    if codes == OPEN:
        return dict.fromkeys(EVERYBODY, open_code)
    assert isinstance(codes, tuple)
    assert len(codes) == len(KNOWN)
    return {"nobody": 401, **dict.fromkeys(INVALID, 401), **dict.fromkeys(STRANGERS, 404), **dict(zip(KNOWN, codes, strict=True))}


def rows() -> Iterator[tuple[str, str, Any, Codes | str]]:
    """All rows; of the doors that answer alike, each method."""
    yield from ((method, path, body, codes) for (method, path), (body, codes) in ROWS.items())
    yield from ((method, path, None, codes) for path, codes in ALIKE.items() for method in METHODS)


def test_every_address_and_method_has_a_row() -> None:
    doors = {str(pattern.pattern): of_type("Door", pattern.callback) for pattern in urlpatterns}
    every = {(pattern, method) for pattern, door in doors.items() for method in door.methods if method != "HEAD"}
    covered = set()
    for method, path, _, _ in rows():
        found = of_type("Door", resolve((BASE + path).partition("?")[0].replace("%2f", "/")).func)
        covered.add((next(pattern for pattern, door in doors.items() if door is found), method))
    assert every - covered == set()


def ask(secret: str, method: str, path: str, body: Any) -> Any:
    content = b"" if body is None else json.dumps(body).encode()
    return client_of(secret).generic(method, BASE + path, content, "application/json")


@pytest.mark.timeout(600)
def test_callers(cast: Cast) -> None:
    """In one test, for its cast takes longer than a row. What refuses must leave every row and event as it was."""
    create_group(actor=cast.actor("alice"), workspace=cast.acme, slug="crew")
    add_to_group(actor=cast.actor("alice"), workspace=cast.acme, slug="crew", username="bob")
    secrets, wrong = secrets_of(cast), list[object]()
    before = census()
    for method, path, body, codes in rows():
        cache.clear()
        open_code = {"POST": 200, "GET": 404, "PUT": 201, "DELETE": 200}[method] if codes == OPEN else 0
        for who, code in expected(codes, open_code).items():
            with transaction.atomic():
                answer = ask(secrets.get(who, ""), method, path, body)
                wrong += [] if answer.status_code == code else [(method, path, who, answer.status_code, code)]
                wrong += _badly_said(answer, who)
                transaction.set_rollback(answer.status_code < 400)  # what a refusal leaves behind stays, to be found below
    assert wrong == []
    assert still(census()) == still(before), "somebody was refused and something changed"


def still(found: dict[str, Any]) -> dict[str, Any]:
    """Without what reading may write: documents as they were rendered."""
    return {table: lines for table, lines in found.items() if table.lower().replace(".", "_") not in READ_CACHES}


def _badly_said(answer: Any, who: str) -> list[object]:
    """What is wrong with how a refusal is said."""
    if answer.status_code < 400:
        return []
    told = answer.json()
    good = told["error"] and told["error"] == told["message"] and told["code"]
    return [] if good else [(who, answer.status_code, told)]


def test_nobody_and_strangers_cannot_tell_what_exists(cast: Cast) -> None:
    """Byte for byte, and header for header, the same as at a workspace that does not exist (threats.md T4)."""
    secrets = secrets_of(cast)
    for method, path, body, codes in rows():
        if codes == OPEN:
            continue
        for who in ("nobody", "mallory", "held"):
            here, content = client_of(secrets.get(who, "")), b"" if body is None else json.dumps(body).encode()
            known = here.generic(method, BASE + path, content, "application/json")
            unknown = here.generic(method, "/nowhere/r/main" + path, content, "application/json")
            assert known.content.replace(b"acme/main", b"nowhere/main") == unknown.content, (method, path, who)
            assert known.status_code == unknown.status_code
            assert sorted(known.headers) == sorted(unknown.headers), (method, path, who)


def test_anybody_reads_a_public_registry_and_nothing_else(cast: Cast) -> None:
    type(cast.main).objects.filter(pk=cast.main.pk).update(visibility="public")
    before, wrong = census(), []
    for method, path, body, codes in rows():
        if codes == OPEN or path in ALIKE:
            continue
        status = ask("", method, path, body).status_code
        is_open = (method, path) in PUBLIC or (method == "GET" and path.startswith(("/@acme", "/api", "/plain")))
        allowed = {200} if is_open else {401, 403, 404}
        wrong += [] if status in allowed else [(method, path, status)]
    assert wrong == []
    assert still(census()) == still(before)
