"""What no person types: each is a clear refusal, none is a 500, and nothing changes."""

from collections.abc import Callable

import pytest
from django.test import Client

from packages.models import Version
from workspaces.models import Event

MAIN = "/acme/registries/main/"
HTTP = f"{MAIN}npm/@acme/http/"
HUGE = "9" * 30


@pytest.mark.parametrize(
    ("address", "status"),
    [
        (f"{MAIN}?q=%00&kind=%00&page=%00", 200),
        (f"{MAIN}?page=-1", 200),
        (f"{MAIN}?q={'x' * 5000}", 200),
        (f"{MAIN}npm/__proto__/", 404),
        (f"{MAIN}npm/{'x' * 300}/", 404),
        (f"{MAIN}npm/..%2f..%2fetc/", 404),
        (f"{MAIN}npm/@acme%2fhttp/", 200),
        (f"{MAIN}npm/@ACME/HTTP/", 404),
        (f"{MAIN}npm/%EF%BF%BD/", 404),
        (f"{MAIN}npm/__proto__/resolution/", 400),
        (f"{HTTP}v/../", 404),
        (f"{HTTP}v/%3Cscript%3E/", 404),
        (f"{MAIN}oci/app/", 404),
        (f"{MAIN}oci/app/resolution/", 404),
        (f"{MAIN}pypi/app/", 404),
        (f"{MAIN}upstreams/{HUGE}/", 404),
        ("/acme/claims/?pattern=%00%22%3E", 200),
        ("/login/cli/" + "f" * 4000, 410),
        ("/ACME/", 404),
        ("/acme/registries/settings/", 404),
    ],
)
def test_strange_addresses(address: str, status: int, alice: Client, put: Callable[..., Version]) -> None:
    put("@acme/http", "1.0.0")
    answer = alice.get(address)
    assert answer.status_code == status
    assert "<script>" not in answer.content.decode()


@pytest.mark.parametrize(
    ("address", "fields", "status"),
    [
        ("/", {"slug": "a\x00b"}, 400),
        ("/acme/", {"slug": "ok", "visibility": "nobody"}, 400),
        ("/acme/people/", {"username": "bob\x00", "role": "reader"}, 400),
        ("/acme/people/", {"username": "bob", "role": "king"}, 400),
        ("/acme/people/remove/", {"username": "x" * 5000, "confirm": "yes"}, 404),
        ("/acme/claims/", {"pattern": "\x00"}, 400),
        ("/acme/claims/", {"pattern": "a b"}, 400),
        (f"/acme/claims/{HUGE}/remove/", {"confirm": "yes"}, 404),
        (f"/acme/tokens/{HUGE}/revoke/", {"confirm": "yes"}, 404),
        ("/acme/tokens/", {"name": "x\x00", "life": "30", "kind": "personal"}, 400),
        ("/acme/tokens/", {"name": "x", "life": "30", "kind": "robot"}, 400),
        ("/acme/tokens/", {"name": "x", "life": "30", "kind": "personal", "registries": HUGE}, 400),
        (f"{MAIN}upstreams/", {"name": "x", "url": "ftp://x.example.org", "priority": "1", "auth_type": "none"}, 400),
        (f"{MAIN}upstreams/", {"name": "x", "url": "http://127.0.0.1:1", "priority": "1", "auth_type": "none"}, 400),
        (f"{MAIN}upstreams/", {"name": "x", "url": "https://x.example.org", "priority": HUGE, "auth_type": "none"}, 400),
        (f"{MAIN}upstreams/", {"name": "x", "url": "https://u:p@x.example.org", "priority": "1", "auth_type": "none"}, 400),
        (f"{HTTP}tags/", {"tag": "next\x00", "version": "9.9.9"}, 404),
        (f"{HTTP}tags/", {"tag": "a b", "version": "1.0.0"}, 400),
        (f"{HTTP}tags/", {"tag": "\x00", "remove": "1"}, 404),
        (f"{HTTP}v/9.9.9/internal/", {"internal": "on"}, 404),
        (f"{HTTP}v/9.9.9/delete/", {"confirm": "yes"}, 404),
    ],
)
def test_strange_forms(address: str, fields: dict[str, str], status: int, alice: Client, put: Callable[..., Version]) -> None:
    put("@acme/http", "1.0.0")
    events = Event.objects.count()
    assert alice.post(address, fields).status_code == status
    assert Event.objects.count() == events
