"""Browsers that are signed in, and what a token's last use says, over REST."""

import pytest
from django.test import Client

from tests.api.cast import V1, Cast
from tokens.models import Visit
from tokens.usage import GATHERED

SESSIONS = V1 + "sessions/"


def test_a_browser_is_listed_and_signed_out(cast: Cast) -> None:
    browser = Client(headers={"accept": "text/html", "user-agent": "Mozilla/5.0 Firefox/140"})
    browser.post("/login", {"username": "bob", "password": "correct horse", "next": "/"})
    assert browser.get("/acme/").status_code == 200
    found = cast.get(SESSIONS, "bob")["results"]
    assert [(row["agent"], row["ip"], set(row)) for row in found] == [
        ("Mozilla/5.0 Firefox/140", "127.0.0.1", {"id", "agent", "ip", "created_at", "seen_at"})
    ]
    assert cast.call("alice", "DELETE", f"{SESSIONS}{found[0]['id']}/").status_code == 404
    assert cast.call("bob", "DELETE", f"{SESSIONS}{found[0]['id']}/").status_code == 204
    assert browser.get("/acme/").status_code == 302
    assert not Visit.objects.filter(user=cast.people["bob"]).exists()


@pytest.mark.parametrize("path", ["/api/v1/whoami/", "/acme/r/main/plain"])
def test_a_token_tells_its_last_use_and_from_where(cast: Cast, path: str) -> None:
    cast.get(V1 + "tokens/", "bob")
    GATHERED.flush()
    GATHERED._written.clear()
    answer = Client(REMOTE_ADDR="198.51.100.9").get(path, headers={"Authorization": cast.secret("bob")})
    assert (answer.status_code, GATHERED.flush()) == (200, 1)
    row = cast.get(V1 + "tokens/?search=BOB", "bob")["results"][0]
    assert (row["last_used_ip"], bool(row["last_used_at"])) == ("198.51.100.9", True)
