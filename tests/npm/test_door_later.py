"""What is not here yet: one sentence that npm prints alone, no repetition, nothing changed; and the OIDC exchange at the root."""

import pytest
from django.http import HttpResponse
from django.test import Client

from protocols.npm.admit import admit
from protocols.npm.views.later import HOOKS, STAGE, TRUST
from tests.npm.team import Team, facts
from tests.parts.pack import pack, publish_document

UUID = "5f0b3c7e-0000-4000-8000-000000000000"
LATER = [
    ("POST", "/-/stage/package/left", STAGE),
    ("POST", "/-/stage/package/@acme%2fleft", STAGE),
    ("GET", "/-/stage?page=0&perPage=100&package=left", STAGE),
    ("GET", f"/-/stage/{UUID}", STAGE),
    ("GET", f"/-/stage/{UUID}/tarball", STAGE),
    ("POST", f"/-/stage/{UUID}/approve", STAGE),
    ("DELETE", f"/-/stage/{UUID}", STAGE),
    ("GET", "/-/package/left/trust", TRUST),
    ("GET", "/-/package/@acme%2fleft/trust", TRUST),
    ("POST", "/-/package/@acme%2Fleft/trust", TRUST),
    ("DELETE", f"/-/package/left/trust/{UUID}", TRUST),
    ("GET", "/-/npm/v1/hooks", HOOKS),
    ("POST", "/-/npm/v1/hooks/hook", HOOKS),
]


def test_one_sentence_and_no_reason_to_repeat(team: Team) -> None:
    before = facts()
    for method, path, text in LATER:
        answer = team.send("bob", method, path, {"any": "body"})
        assert (answer.status_code, answer.json()) == (422, {"error": text, "message": text, "code": "not_supported"}), (method, path)
        assert not {"WWW-Authenticate", "Retry-After"} & set(answer.headers)
        assert team.send("", method, path, {}).status_code == 401
        assert team.send("mallory", method, path, {}).status_code == 404
    assert facts() == before


def test_a_staged_publish_is_refused_before_its_body_comes(team: Team) -> None:
    headers = {"content-length": str(2**40), "host": "localhost", "authorization": f"Bearer {team.tokens['bob']}"}
    refusal = admit("POST", f"/{team.slug}/r/main/-/stage/package/left", headers, "127.0.0.1")
    assert isinstance(refusal, HttpResponse)
    assert refusal.status_code == 422
    root = admit("POST", "/-/npm/v1/oidc/token/exchange/package/left", headers, "127.0.0.1")
    assert isinstance(root, HttpResponse)
    assert root.status_code == 422


def test_the_exchange_looks_at_no_credentials(team: Team) -> None:
    before = facts()
    for name in ("left", "@acme%2fleft", "@acme/left", "%00", "a" * 5000):
        for authorization in ("Bearer eyJhbGciOiJub25lIn0.e30.", "Bearer gth_wrong", "Basic !!!", "", f"Bearer {team.tokens['bob']}"):
            answer = Client(headers={"Authorization": authorization}).post(f"/-/npm/v1/oidc/token/exchange/package/{name}")
            assert (answer.status_code, answer.json()) == (422, {"error": TRUST, "message": TRUST, "code": "not_supported"})
    assert facts() == before


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "/-/npm/v1/oidc/token/exchange/package/left", 405),
        ("get", "/-/npm/v1/keys", 404),
        ("post", "/-/npm/v1/security/advisories/bulk", 404),
        ("get", "/-/npm/", 404),
        ("put", "/-/npm/v1/user", 404),
    ],
)
def test_nothing_else_is_at_the_root(db: None, method: str, path: str, status: int) -> None:
    answer = getattr(Client(headers={"Accept": "text/html"}), method)(path)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/json")
    assert answer.json()["error"]


def test_provenance_is_refused_once_and_stores_nothing(team: Team) -> None:
    before = facts()
    document = publish_document(pack("left"))
    document["_attachments"] = {"left-1.0.0.sigstore": {"data": '{"not":"base64"}', "length": 16}, **document["_attachments"]}
    answer = team.send("bob", "PUT", "/left", document)
    assert (answer.status_code, answer.json()["code"]) == (422, "not_supported")
    assert "--provenance" in answer.json()["error"]
    assert facts() == before


def test_a_staged_publish_asks_about_its_name_at_home(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    def leak(*_: object) -> None:
        raise AssertionError("the rule was asked, and so an upstream may be")

    monkeypatch.setattr("upstreams.services.documents.packument", leak)
    assert team.send("bob", "GET", "/@acme%2fnew", npm_command="stage").status_code == 404
