"""Every address and method of MoonBit's door by every kind of caller, with the exact code (threats.md A1, A2). None without a row."""

from typing import Any
from typing import cast as of_type

import pytest
from django.urls import resolve

from packages.blobs import Staging
from packages.formats.publication import Publication
from packages.services.publish import publish
from protocols.moonbit.door import Door
from protocols.moonbit.urls import urlpatterns
from tests.api.cast import Cast, census
from tests.permissions.npm_callers import INVALID, KNOWN, STRANGERS, client_of, secrets_of
from tests.permissions.test_matrix_npm import EVERYBODY, Codes, still
from tokens.services.issue import Wish, create_token

BASE = "/acme/m/main"
INDEX = "/git/index/info/refs?service=git-upload-pack"
PACK = "application/x-git-upload-pack-request"


def reads(code: int = 200) -> Codes:
    """Whoever reaches the registry and may read every module; the scopes of these tokens are npm's."""
    return (*[code] * 6, 403, 403, 403, code)


def registers(code: int = 404) -> Codes:
    """What is about no module: any scope that reads at all is enough."""
    return (*[code] * 8, 403, code)


ROWS: dict[tuple[str, str], tuple[bytes, Codes]] = {
    ("GET", "/git/index/info/refs?service=git-upload-pack"): (b"", reads()),
    ("GET", "/git/index.git/info/refs?service=git-upload-pack"): (b"", reads()),
    ("GET", "/git/index/info/refs?service=git-receive-pack"): (b"", reads(403)),
    ("GET", "/git/index/info/refs"): (b"", reads(403)),
    ("POST", "/git/index/git-upload-pack"): (b"zzzz", reads(400)),
    ("POST", "/git/index/git-receive-pack"): (b"0000", reads(403)),
    ("GET", "/user/acme/core/0.1.0.zip"): (b"", reads()),
    ("GET", "/user/acme%2Fcore%2F0.1.0.zip"): (b"", reads()),
    ("GET", "/user/acme/core/9.9.9.zip"): (b"", reads(404)),
    ("GET", "/user/acme/core.index"): (b"", reads()),
    ("GET", "/symbols.zip"): (b"", registers()),
    ("GET", "/assets/acme/core@0.1.0/x.wasm"): (b"", registers()),
    ("GET", ""): (b"", registers()),
}
PUBLIC = {(method, path) for (method, path), (_, codes) in ROWS.items() if codes[0] == 200}


@pytest.fixture
def filled(cast: Cast) -> Cast:
    with Staging(limit=2**20) as staging:
        staging.write(b"a zip of acme/core")
        publication = Publication(
            format="moonbit", name="acme/core", version="0.1.0", manifest=b"{}", tags=(), filename="x.zip", file=staging.finish()
        )
        publish(actor=cast.actor("bob"), registry=cast.main, publication=publication)
    return cast


def expected(codes: Codes) -> dict[str, int]:
    """The column of each caller."""
    return {"nobody": 401, **dict.fromkeys(INVALID, 401), **dict.fromkeys(STRANGERS, 404), **dict(zip(KNOWN, codes, strict=True))}


def ask(secret: str, method: str, path: str, body: bytes, base: str = BASE) -> Any:
    return client_of(secret).generic(method, base + path, body, PACK)


def test_every_address_and_method_has_a_row() -> None:
    doors = {str(pattern.pattern): of_type("Door", pattern.callback) for pattern in urlpatterns}
    every = {(pattern, method) for pattern, door in doors.items() for method in door.methods if method != "HEAD"}
    covered = set()
    for method, path in ROWS:
        found = of_type("Door", resolve((BASE + path).partition("?")[0].replace("%2F", "/")).func)
        covered.add((next(pattern for pattern, door in doors.items() if door is found), method))
    assert every - covered == set()


def test_callers(filled: Cast) -> None:
    secrets, wrong = secrets_of(filled), list[object]()
    before = still(census())
    for (method, path), (body, codes) in ROWS.items():
        for who, code in expected(codes).items():
            answer = ask(secrets.get(who, ""), method, path, body)
            wrong += [] if answer.status_code == code else [(method, path, who, answer.status_code, code)]
            if code == 401:
                wrong += [] if answer.headers["WWW-Authenticate"].startswith("Basic") else [(path, who, "no challenge")]
    assert wrong == []
    assert still(census()) == before, "reading changed something"
    assert set(expected(codes)) == set(EVERYBODY)


def test_scopes_of_modules_decide(filled: Cast) -> None:
    alice = filled.actor("alice")
    for scope, codes in {
        "moonbit:module:*:read": (200, 200),
        "moonbit:module:acme/*:read": (403, 200),
        "moonbit:module:acme/core:write": (403, 200),
        "moonbit:module:other/*:read": (403, 403),
        "moonbit:module:acme/*:delete": (403, 403),
    }.items():
        secret = create_token(actor=alice, wish=Wish(name=scope, scopes=[scope])).secret
        asked = [
            ask(secret, "GET", path, b"").status_code
            for path in ("/git/index/info/refs?service=git-upload-pack", "/user/acme/core/0.1.0.zip")
        ]
        assert tuple(asked) == codes, scope


def test_nobody_and_strangers_cannot_tell_what_exists(filled: Cast) -> None:
    secrets = secrets_of(filled)
    for (method, path), (body, _) in ROWS.items():
        for who in ("nobody", "mallory", "held"):
            known = ask(secrets.get(who, ""), method, path, body)
            unknown = ask(secrets.get(who, ""), method, path, body, base="/nowhere/m/main")
            assert known.content.replace(b"acme/main", b"nowhere/main") == unknown.content, (method, path, who)
            assert (known.status_code, sorted(known.headers)) == (unknown.status_code, sorted(unknown.headers))


def test_anybody_reads_a_public_registry_and_nothing_else(filled: Cast) -> None:
    type(filled.main).objects.filter(pk=filled.main.pk).update(visibility="public")
    for (method, path), (body, _) in ROWS.items():
        status = ask("", method, path, body).status_code
        assert status in ({200} if (method, path) in PUBLIC else {400, 401, 403, 404}), (method, path, status)
    for method in ("PUT", "DELETE", "PATCH"):
        assert ask("", method, "/user/acme/core/0.1.0.zip", b"").status_code == 405
