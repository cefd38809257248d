"""Logging in and out, tokens, and what the entry asks before a long body."""

import pytest
from django.conf import settings
from django.http import HttpResponse

from protocols.npm.admit import admit
from tests.npm.team import PASSWORD, Team, facts
from tokens.models import Token
from tokens.services.web_login import answer_login


def test_web_login(team: Team) -> None:
    started = team.send("gth_stale", "POST", "/-/v1/login", {"hostname": "vm"}, user_agent="npm/11.19.1 node/v20 linux").json()
    assert started["loginUrl"].startswith(f"{settings.EXTERNAL_HOST}/login/cli/")
    poll = started["doneUrl"].partition("/r/main")[2]
    waiting = team.send("gth_stale", "GET", poll)
    assert (waiting.status_code, waiting.json()) == (202, {})
    assert int(waiting.headers["Retry-After"]) > 0
    answer_login(actor=team.actor("bob"), page_id=started["loginUrl"].rpartition("/")[2], approve=True)
    token = team.send("gth_stale", "GET", poll).json()["token"]
    assert team.send(token, "GET", "/-/whoami").json() == {"username": "bob"}
    assert team.send("", "GET", poll).status_code == 404
    assert team.send("", "GET", "/-/v1/login/poll/nonsense").status_code == 404
    assert team.send("", "POST", "/-/v1/login").status_code == 200


def test_a_refused_web_login(team: Team) -> None:
    started = team.send("", "POST", "/-/v1/login", {}).json()
    answer_login(actor=team.actor("bob"), page_id=started["loginUrl"].rpartition("/")[2], approve=False)
    assert team.send("", "GET", started["doneUrl"].partition("/r/main")[2]).status_code == 403


def test_legacy_login_and_logout(team: Team) -> None:
    address, body = "/-/user/org.couchdb.user:bob", {"name": "bob", "password": PASSWORD, "type": "user"}
    answer = team.send("gth_stale", "PUT", address, body)
    assert answer.status_code == 201
    token = answer.json()["token"]
    assert team.send(token, "GET", address).json()["email"] == "bob@example.org"
    assert team.send(token, "GET", "/-/user/org.couchdb.user:alice").json()["name"] == "alice", "a colleague"
    assert team.send(token, "GET", "/-/user/org.couchdb.user:mallory").status_code == 404
    assert team.send(token, "GET", "/-/npm/v1/user").json()["name"] == "bob"
    for one in (token, "gth_unknown", "with%2Fslash"):
        assert team.send(token, "DELETE", f"/-/user/token/{one}").status_code == 200
    assert team.send(token, "GET", "/-/whoami").status_code == 401


def test_wrong_logins(team: Team) -> None:
    before = facts()
    for body, status in [
        ({"name": "bob", "password": "wrong"}, 401),
        ({"name": "nobody", "password": "wrong"}, 401),
        ({"name": "bob"}, 400),
        ({"name": "bob", "password": ["x"]}, 400),
        ([], 400),
        (b"{", 400),
        (b"", 400),
    ]:
        name = body.get("name") if isinstance(body, dict) else "bob"
        answer = team.send("", "PUT", f"/-/user/org.couchdb.user:{name}", body)
        assert answer.status_code == status
        assert "WWW-Authenticate" not in answer.headers
    assert team.send("", "PUT", "/-/user/org.couchdb.user:alice", {"name": "bob", "password": PASSWORD}).status_code == 400
    assert facts() == before


def test_tokens(team: Team) -> None:
    wish = {
        "name": "ci",
        "password": PASSWORD,
        "packages": ["left"],
        "scopes": ["@acme", "globex"],
        "packages_and_scopes_permission": "read-write",
        "expires": 7,
        "cidr_whitelist": ["127.0.0.0/8"],
    }
    made = team.send("bob", "POST", "/-/npm/v1/tokens", wish)
    assert made.status_code == 201, made.content
    stored = Token.objects.get(name="ci")
    assert stored.scopes == ["npm:package:left:write", "npm:package:@acme/*:write", "npm:package:@globex/*:write"]
    assert stored.expires_at is not None
    listed = team.send("bob", "GET", "/-/npm/v1/tokens").json()
    assert listed["urls"] == {}
    entry = next(one for one in listed["objects"] if one["name"] == "ci")
    assert made.json()["token"].startswith(entry["token"])
    assert len(entry["token"]) < 10
    assert team.send(made.json()["token"], "GET", "/-/npm/v1/tokens").status_code == 403
    assert team.send("alice", "DELETE", f"/-/npm/v1/tokens/token/{entry['key']}").status_code == 404
    assert team.send("bob", "DELETE", f"/-/npm/v1/tokens/token/{entry['key']}").status_code == 204
    assert team.send(made.json()["token"], "GET", "/-/whoami").status_code == 401


def test_old_tokens_and_revoking_by_the_secret(team: Team) -> None:
    made = team.send("bob", "POST", "/-/npm/v1/tokens", {"password": PASSWORD, "readonly": True, "cidr_whitelist": []}).json()
    assert made["readonly"] is True
    assert Token.objects.get(secret_hash__gt="", read_only=True).scopes is None
    assert team.publish("left", who=made["token"]).status_code == 403
    assert team.send("bob", "DELETE", f"/-/npm/v1/tokens/token/{made['token']}").status_code == 204
    assert team.send("bob", "DELETE", f"/-/npm/v1/tokens/token/{made['token']}").status_code == 404


@pytest.mark.parametrize(
    ("who", "method", "path", "length", "status"),
    [
        ("bob", "PUT", "/left", 100, None),
        ("bob", "PUT", "/left", 2**40, 413),
        ("rita", "PUT", "/left", 100, None),  # a star is as small
        ("rita", "PUT", "/left", 2**21, 403),
        ("", "PUT", "/@acme/left", 100, 401),
        ("mallory", "PUT", "/left", 100, 404),
        ("bob", "PUT", "/left/-rev/1-x", 100, None),  # a list of owners is as small
        ("bob", "PUT", "/left/-rev/1-x", 2**21, 403),
        ("alice", "PUT", "/left/-rev/1-x", 100, None),
        ("bob", "POST", "/-/npm/v1/tokens", 2**30, 413),
        ("", "POST", "/-/v1/login", 10, None),
        ("", "PUT", "/-/user/org.couchdb.user:x", 10, None),
        ("", "PUT", "/-/user/org.couchdb.user:x", 2**30, 413),
        ("bob", "PURGE", "/left", 10, 405),
        ("bob", "PUT", "/UPPER CASE", 10, 400),
    ],
)
def test_admission(team: Team, who: str, method: str, path: str, length: int, status: int | None) -> None:
    headers = {"content-length": str(length), "host": "localhost"}
    if who:
        headers["authorization"] = f"Bearer {team.tokens[who]}"
    refusal = admit(method, f"/{team.slug}/r/main{path}", headers, "127.0.0.1")
    assert (refusal.status_code if isinstance(refusal, HttpResponse) else None) == status
