"""Who asks: Bearer, Basic, the session with CSRF; and what is never believed."""

import base64

import pytest
from django.test import Client
from django.utils import timezone

from tests.api.cast import ACME, MAIN, V1, Cast, census
from tokens.models import Token
from workspaces.models import Membership, User

WHOAMI = V1 + "whoami/"


def basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def asked(header: str, path: str = WHOAMI) -> int:
    return Client(headers={"Authorization": header}).get(path).status_code


def test_bearer_and_basic(cast: Cast) -> None:
    secret = cast.tokens["bob"].secret
    assert asked(f"Bearer {secret}") == 200
    assert asked(f"bearer  {secret} ") == 200
    assert asked(basic("bob", "correct horse")) == 200
    assert asked(basic("whoever", secret)) == 200
    assert asked(basic("", secret)) == 200


ENCODED = [base64.b64encode(one).decode() for one in (b"nocolon", b"\xff\xfe:x")]
BAD = [
    *(
        "",
        " ",
        "Bearer",
        "Bearer ",
        "Bearer gth_x",
        "Bearer \x00",
        "Bearer é",
        "Bearer a b",
        "Token abc",
        "Negotiate abc",
        "Basic",
        "Basic !!!",
    ),
    *(f"Basic {one}" for one in ENCODED),
    basic("bob", "wrong"),
    basic("ghost", "correct horse"),
    basic("bob\x00", "correct horse"),
    basic("BOB", "correct horse"),
    basic("bob", "x" * 100_000),
    basic("bob", "gth_wrong"),
    "Bearer " + "x" * 100_000,
]


@pytest.mark.parametrize("header", BAD, ids=lambda header: repr(header[:24]))
def test_invalid_credentials_are_401_everywhere(cast: Cast, header: str) -> None:
    type(cast.main).objects.filter(pk=cast.main.pk).update(visibility="public")
    before = census()
    for path in (WHOAMI, MAIN, MAIN + "packages/", V1 + "nothing/", ACME):
        answer = Client(headers={"Authorization": header}).get(path)
        assert (answer.status_code, "WWW-Authenticate" in answer.headers) == (401, True), path
        assert {"error", "code"} <= set(answer.json())
    assert census() == before


def test_unknown_user_and_wrong_password_look_alike(cast: Cast) -> None:
    answers = [Client(headers={"Authorization": basic(*one)}).get(WHOAMI) for one in (("bob", "wrong"), ("ghost", "wrong"))]
    assert answers[0].content == answers[1].content


def test_failures_are_throttled(cast: Cast) -> None:
    codes = [asked(basic("bob", f"wrong {number}")) for number in range(12)]
    assert codes[:10] == [401] * 10
    assert codes[10:] == [429, 429]
    answer = Client(headers={"Authorization": basic("bob", "correct horse")}).get(WHOAMI)
    assert (answer.status_code, int(answer.headers["Retry-After"]) > 0, answer.json()["code"]) == (429, True, "login_throttled")


def test_rights_end_at_once(cast: Cast) -> None:
    secret = f"Bearer {cast.tokens['bob'].secret}"
    assert asked(secret, MAIN) == 200
    Membership.objects.filter(user=cast.people["bob"]).delete()
    assert asked(secret, MAIN) == 404
    User.objects.filter(username="bob").update(is_active=False)
    assert asked(secret) == 401
    assert asked(basic("bob", "correct horse")) == 401


def test_expired_and_foreign_addresses(cast: Cast) -> None:
    secret = f"Bearer {cast.tokens['bob'].secret}"
    Token.objects.filter(pk=cast.tokens["bob"].token.pk).update(cidrs=["10.0.0.0/8"])
    assert asked(secret) == 401
    forged = Client(headers={"Authorization": secret, "X-Forwarded-For": "10.0.0.1", "X-Real-IP": "10.0.0.1", "Forwarded": "for=10.0.0.1"})
    assert forged.get(WHOAMI).status_code == 401
    Token.objects.filter(pk=cast.tokens["bob"].token.pk).update(cidrs=["127.0.0.1/32"])
    assert asked(secret) == 200
    Token.objects.filter(pk=cast.tokens["bob"].token.pk).update(expires_at=timezone.now())
    assert asked(secret) == 401


def test_secrets_elsewhere_are_ignored(cast: Cast) -> None:
    secret = cast.tokens["alice"].secret
    client = Client(headers={"X-Auth-Token": secret, "X-Forwarded-User": "alice", "X-Remote-User": "alice", "Remote-User": "alice"})
    client.cookies["token"] = client.cookies["Authorization"] = secret
    client.cookies["sessionid"] = secret
    for path in (ACME, f"{ACME}?token={secret}", f"{ACME}?access_token={secret}", f"{ACME}?_authToken={secret}"):
        assert client.get(path).status_code == 401


def test_the_session_reads_and_needs_csrf_to_write(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.people["alice"])
    assert client.get(WHOAMI).json()["username"] == "alice"
    assert client.get(WHOAMI).json()["token"] is None
    before = census()
    for method, path in (
        ("post", V1 + "tokens/"),
        ("post", V1 + "workspaces/"),
        ("patch", MAIN),
        ("delete", MAIN + "packages/npm/plain/"),
        ("post", MAIN + "packages/npm/"),
    ):
        answer = getattr(client, method)(path, {"name": "x"}, content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")
    form = client.post(V1 + "workspaces/", {"slug": "fresh"})
    assert form.status_code in {403, 415}
    assert census() == before
    client.get("/api/docs/")
    client.cookies["csrftoken"] = "a" * 32
    answer = client.post(V1 + "tokens/", {"name": "x"}, content_type="application/json", headers={"X-CSRFToken": "a" * 32})
    assert answer.status_code == 201


def test_a_header_decides_alone(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.people["alice"])
    assert client.get(WHOAMI, headers={"Authorization": "Bearer gth_bad"}).status_code == 401
    bob = {"Authorization": cast.secret("bob")}
    assert client.get(WHOAMI, headers=bob).json()["username"] == "bob"
    assert client.post(V1 + "tokens/", {"name": "x"}, content_type="application/json", headers=bob).status_code == 201


def test_a_session_of_a_disabled_person_is_nobody(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.people["bob"])
    User.objects.filter(username="bob").update(is_active=False)
    assert client.get(WHOAMI).status_code == 401
