"""Publishing through the door: codes, limits, refusals that change nothing.

Rows N2, N3 and N5 of the threats.
"""

import io
import json
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings

from packages.models import Version
from packages.services.versions import set_internal
from tests.npm.team import Team, facts
from tests.parts.pack import pack, publish_document
from tokens.services.issue import Wish, create_token


@pytest.mark.parametrize("name", ["left", "@acme/bar"])
def test_publish_read_and_download(team: Team, name: str) -> None:
    answer = team.publish(name, tag="next")
    assert answer.status_code == 201, answer.content
    packed = pack(name)
    for path in ("/" + name, "/" + name.replace("/", "%2f"), "/" + name.replace("/", "%2F"), "/" + name + "/"):
        document = team.send("rita", "GET", path).json()
        assert document["dist-tags"] == {"latest": "1.0.0", "next": "1.0.0"}
    shown = document["versions"]["1.0.0"]
    assert shown["dist"]["tarball"] == f"http://testserver/{team.slug}/r/main/{name}/-/{packed.filename}"
    assert shown["dist"]["integrity"] == packed.integrity
    for path in (f"/{name}/-/{packed.filename}", f"/{name.replace('/', '%2f')}/-/{packed.filename}", f"/{name}/-/{name}-1.0.0.tgz"):
        assert team.send("rita", "GET", path).getvalue() == packed.tarball
    for wanted in ("1.0.0", "latest", "next"):
        assert team.send("rita", "GET", f"/{name}/{wanted}").json()["version"] == "1.0.0"
    assert team.send("rita", "GET", f"/{name}/9.9.9").status_code == 404
    assert team.send("rita", "GET", f"/{name}/-/other-1.0.0.tgz").status_code == 404


def test_a_retried_publish_and_other_bytes(team: Team) -> None:
    assert team.publish("left").status_code == 201
    before = facts()
    assert team.publish("left").status_code == 200
    answer = team.publish("left", text="other")
    assert (answer.status_code, answer.json()["code"]) == (409, "version_exists")
    assert facts() == before


@pytest.mark.parametrize(("who", "status"), [("", 401), ("mallory", 404), ("rita", 403), ("gth_wrong", 401)])
def test_who_may_not_publish_is_refused_before_the_body(team: Team, who: str, status: int) -> None:
    before = facts()
    assert team.publish("left", who=who).status_code == status
    assert team.send(who, "PUT", "/left", b"{broken").status_code == status
    assert facts() == before


def test_a_scoped_token_publishes_its_names_only(team: Team) -> None:
    wish = Wish(name="ci", scopes=["npm:package:@acme/*:write"])
    secret = create_token(actor=team.actor("bob"), wish=wish).secret
    assert team.publish("@acme/bar", who=secret).status_code == 201
    assert team.publish("left", who=secret).status_code == 403
    assert team.send(secret, "GET", "/left").status_code == 403
    inside = publish_document(pack("left"))
    assert team.send(secret, "PUT", "/@acme%2fleft", inside).status_code == 400


@pytest.mark.parametrize(
    "name",
    [
        "UPPER",
        "..",
        "%2e%2e",
        "@acme",
        "@acme%2f",
        "@acme%2f..",
        "__proto__",
        "node_modules",
        "a%20b",
        "a%00",
        "a%0a",
        "x" * 300,
        "%ff",
        "a%252fb",
        "@acme%252fb",
    ],
)
def test_bad_names(team: Team, name: str) -> None:
    before = facts()
    assert team.send("bob", "PUT", f"/{name}", publish_document(pack("left"))).status_code in {400, 404}
    assert team.send("rita", "GET", f"/{name}").status_code in {400, 404}
    assert facts() == before


HEADERS: list[tuple[dict[str, str], int]] = [
    ({"content_encoding": "gzip"}, 415),
    ({"content_encoding": "br"}, 415),
]


@pytest.mark.parametrize(("headers", "status"), HEADERS)
def test_bodies_in_other_codings_are_refused(team: Team, headers: dict[str, str], status: int) -> None:
    assert team.send("bob", "PUT", "/left", publish_document(pack("left")), **headers).status_code == status


def test_another_charset_is_refused(team: Team) -> None:
    body = json.dumps(publish_document(pack("left"))).encode()
    address, header = f"/{team.slug}/r/main/left", {"HTTP_AUTHORIZATION": f"Bearer {team.tokens['bob']}"}
    for charset, status in (("utf-16", 400), ("iso-8859-1", 400), ("UTF-8", 201)):
        assert Client().generic("PUT", address, body, content_type=f"application/json; charset={charset}", **header).status_code == status  # type: ignore[arg-type]


def test_limits_of_bodies(team: Team) -> None:
    before = facts()
    with override_settings(PUBLISH_LIMIT=500):
        assert team.publish("left").status_code == 413
    with override_settings(FILE_LIMIT=50):
        assert team.publish("left").status_code == 413
    big = b'"' + b"1" * (settings.SMALL_BODY_LIMIT + 1) + b'"'
    assert team.send("bob", "PUT", "/-/package/left/dist-tags/next", big).status_code == 413
    assert team.send("", "PUT", "/-/user/org.couchdb.user:bob", big).status_code == 413
    assert facts() == before


def test_a_body_shorter_than_its_length(team: Team) -> None:
    body = json.dumps(publish_document(pack("left"))).encode()
    more: dict[str, Any] = {
        "CONTENT_LENGTH": str(len(body) + 10),
        "HTTP_AUTHORIZATION": f"Bearer {team.tokens['bob']}",
        "wsgi.input": io.BytesIO(body),
    }
    answer = Client().generic("PUT", f"/{team.slug}/r/main/left", body, content_type="application/json", **more)
    assert (answer.status_code, Version.objects.count()) == (400, 0)


def test_an_unexpected_fault_shows_nothing(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr("protocols.npm.views.publish.publish", fail)
    answer = team.publish("left")
    assert (answer.status_code, answer.json()["error"]) == (500, "internal error")
    assert "secret" not in answer.content.decode()


def test_provenance_is_422_and_stores_nothing(team: Team) -> None:
    document = publish_document(pack("left"))
    document["_attachments"] = {"left-1.0.0.sigstore": {"data": '{"not":"base64"}', "length": 16}, **document["_attachments"]}
    assert team.send("bob", "PUT", "/left", document).status_code == 422
    assert not Version.objects.exists()


def test_an_unticked_version_is_still_ours(team: Team) -> None:
    team.publish("left")
    set_internal(actor=team.actor("alice"), registry=team.registry, format="npm", name="left", version="1.0.0", internal=False)
    assert team.send("rita", "GET", "/left").status_code == 200
