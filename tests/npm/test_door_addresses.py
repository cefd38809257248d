"""Addresses and reading: who hears what, forms, conditions, what is not here."""

import base64
import gzip

import pytest
from django.test import Client
from django.urls import URLResolver, get_resolver

from packages.models import Tombstone
from protocols.npm.door import Door
from registries.models import Registry
from tests.npm.team import PASSWORD, Team
from upstreams.services import documents, files
from workspaces.services.spaces import add_claim

INSTALL = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*"


def test_ping_whoami_and_the_registry_itself(team: Team) -> None:
    assert team.send("rita", "GET", "/-/ping").json() == {}
    assert team.send("rita", "GET", "/-/whoami").json() == {"username": "rita"}
    for path in ("", "/"):
        assert team.send("rita", "GET", path).status_code == 200


PATHS = [
    "",
    "/",
    "/-/ping",
    "/-/whoami",
    "/any",
    "/@acme%2fany",
    "/any/latest",
    "/any/-/any-1.0.0.tgz",
    "/-/package/any/dist-tags",
    "/-/v1/search",
    "/-/x",
    "/UPPER..",
    "/a/b/c/d",
    "/-/npm/v1/tokens",
    "/-/npm/v1/user",
    "/%00",
    "/.hidden",
]


@pytest.mark.parametrize("path", PATHS)
def test_nobody_hears_401_and_a_stranger_404_existing_or_not(team: Team, path: str) -> None:
    other = Client().get(f"/no-such-team/r/main{path}")
    here = team.send("", "GET", path)
    assert here.status_code == other.status_code == 401
    assert here.json() == other.json()
    assert "WWW-Authenticate" not in here.headers  # npm and bun would print it in place of our sentence
    assert team.send("mallory", "GET", path).status_code == 404
    assert team.send("gth_wrong", "GET", path).status_code == 401


def test_odd_slugs_look_like_unknown_ones(team: Team) -> None:
    for path in ("/UPPER/r/main/x", "/a%00b/r/main/x", f"/{'a' * 300}/r/main/x", f"/{team.slug}/r/..../x"):
        assert Client().get(path).status_code == 401
        assert Client().get(path, HTTP_AUTHORIZATION=f"Bearer {team.tokens['rita']}").status_code == 404


@pytest.mark.parametrize("method", ["PATCH", "POST", "PURGE", "OPTIONS"])
def test_unknown_methods_are_405(team: Team, method: str) -> None:
    answer = team.send("rita", method, "/any")
    assert answer.status_code == 405
    assert answer.json()["error"]
    assert answer.headers["Allow"] == "GET, PUT, HEAD"


ABSENT = [
    "/-/org/acme",
    "/-/team/a",
    "/-/package/x/nothing",
    "/-/_view/starredByPackage",
    "/-/npm/v1/attestations/x",
    "/-",
    "/-/",
    "/-/-/--1.0.0.tgz",
]


@pytest.mark.parametrize("path", ABSENT)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_what_is_not_here_yet_says_so(team: Team, path: str, method: str) -> None:
    answer = team.send("bob", method, path, {})
    assert answer.status_code == 404
    assert answer.json()["error"].endswith(".")


def test_a_doubled_prefix_is_read_over(team: Team) -> None:
    team.publish("left")
    for other in (f"/{team.slug}/r/main", f"/{team.slug}/r/old"):
        assert team.send("rita", "GET", f"{other}/left").status_code == 200
        assert team.send("rita", "GET", f"{other}/left/-/left-1.0.0.tgz").status_code == 200
    for path in ("/left", "/left/-/left-1.0.0.tgz"):  # another workspace's is none
        assert team.send("rita", "GET", f"/team/r/old{path}").status_code == 404


def test_the_forms(team: Team) -> None:
    team.publish("left", devDependencies={"x": "1"}, scripts={"test": "x"})
    full, short = (team.send("rita", "GET", "/left", accept=accept) for accept in ("application/json", INSTALL))
    assert full.json()["_rev"]
    assert "time" in short.json()
    assert "scripts" in full.json()["versions"]["1.0.0"]
    assert "scripts" not in short.json()["versions"]["1.0.0"]
    for accept in ("text/html", "image/png", "application/xml;q=0"):
        assert team.send("rita", "GET", "/left", accept=accept).json() == full.json()


def test_conditional_requests_and_codings(team: Team) -> None:
    team.publish("left")
    packed, plain = team.send("rita", "GET", "/left", accept_encoding="gzip"), team.send("rita", "GET", "/left")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert packed.headers["ETag"] != plain.headers["ETag"]
    for answer in (packed, plain):
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert answer.headers["Vary"] == "Authorization, Accept, Accept-Encoding"
    etag = plain.headers["ETag"]
    for value in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        answer = team.send("rita", "GET", "/left", if_none_match=value)
        assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", etag)
    assert team.send("rita", "GET", "/left", if_none_match='"x"', if_modified_since=plain.headers["Last-Modified"]).status_code == 200
    assert team.send("rita", "GET", "/left", if_modified_since=plain.headers["Last-Modified"]).status_code == 304
    assert team.send("rita", "GET", "/left", if_modified_since="nonsense").status_code == 200
    for refused in ("gzip;q=0", "identity", "br", "gzip;q=0, br"):
        assert "Content-Encoding" not in team.send("rita", "GET", "/left", accept_encoding=refused).headers
    head = team.send("rita", "HEAD", "/left")
    assert (head.status_code, head.content, head.headers["Content-Length"]) == (200, b"", str(len(plain.content)))


def test_a_foreign_host_is_refused(team: Team) -> None:
    answer = team.send("rita", "GET", "/left", host="evil.example.org")
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_questions_around_a_publish_are_answered_from_home(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def spy(which: str) -> None:
        real = getattr(documents, which)

        def noting(*parts: object) -> object:
            asked.append(which)
            return real(*parts)

        monkeypatch.setattr(documents, which, noting)

    spy("home_packument")
    spy("packument")
    team.publish("left")
    questions: list[tuple[str, str, dict[str, str]]] = [
        ("/left", "packument", {}),
        ("/left", "home_packument", {"npm_command": "publish"}),
        ("/left", "home_packument", {"referer": "publish"}),
        ("/left?write=true", "home_packument", {}),
        ("/-/package/left/dist-tags", "home_packument", {}),
        ("/left", "packument", {"npm_command": "install"}),
    ]
    for path, expected, headers in questions:
        asked.clear()
        team.send("bob", "GET", path, **headers)
        assert asked == [expected]
        asked.clear()
        team.send("rita", "GET", path, **headers)
        assert asked == ["packument"]


def test_a_404_tells_members_why_nobody_else_is_asked(team: Team) -> None:
    add_claim(actor=team.actor("alice"), workspace=team.space, pattern="@acme/*")
    Tombstone.objects.create(workspace=team.space, format="npm", name="gone", reason="published once")
    Registry.objects.filter(pk=team.registry.pk).update(visibility=Registry.Visibility.PUBLIC)
    for path, word in (
        ("/@acme%2fx", "@acme/*"),
        ("/@acme%2fx/1.0.0", "@acme/*"),
        ("/gone", "published once"),
        ("/gone/-/gone-1.0.0.tgz", "once"),
    ):
        told = team.send("rita", "GET", path)
        assert told.status_code == 404
        assert word in told.json()["error"]
        assert "no public source is asked. Admins and owners of the workspace can change that: " in told.json()["error"]
        for who in ("", "mallory"):
            bare = team.send(who, "GET", path)
            assert (bare.status_code, bare.json()["code"]) == (404, told.json()["code"])
            assert word not in bare.content.decode()
            assert "internal" not in bare.content.decode()
    assert "internal" not in team.send("rita", "GET", "/plain").json()["error"]


@pytest.mark.parametrize("wanted", ["1.0.0", "latest"])
def test_one_version_around_a_publish_is_answered_from_home(team: Team, monkeypatch: pytest.MonkeyPatch, wanted: str) -> None:
    team.publish("left")
    usual = team.send("bob", "GET", f"/left/{wanted}")
    monkeypatch.setattr(documents, "version_manifest", lambda *_: b'{"by":"rule"}')
    assert team.send("bob", "GET", f"/left/{wanted}", npm_command="publish").json() == usual.json()
    assert team.send("bob", "GET", f"/left/{wanted}", npm_command="install").json() == {"by": "rule"}
    assert team.send("rita", "GET", f"/left/{wanted}", npm_command="publish").json() == {"by": "rule"}
    for path in ("/left/9.9.9", "/nothing/1.0.0"):
        assert team.send("bob", "GET", path, npm_command="publish").status_code == 404


def test_a_file_the_storage_has_lost_is_no_404(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_: object) -> None:
        raise FileNotFoundError(2, "blob is damaged in storage")

    monkeypatch.setattr(files, "open_file", lost)
    answer = team.send("rita", "GET", "/left/-/left-1.0.0.tgz")
    assert (answer.status_code, answer.json()["code"]) == (503, "file_damaged")


def test_a_public_registry_is_read_by_anybody(team: Team) -> None:
    team.publish("left")
    Registry.objects.filter(pk=team.registry.pk).update(visibility=Registry.Visibility.PUBLIC)
    assert team.send("", "GET", "/left").status_code == 200
    assert team.send("", "GET", "/-/whoami").status_code == 401
    assert team.send("", "PUT", "/left", {}).status_code == 401
    assert team.send("gth_wrong", "GET", "/left").status_code == 401


def test_basic_credentials(team: Team) -> None:
    good, bad = (base64.b64encode(f"bob:{password}".encode()).decode() for password in (PASSWORD, "wrong"))
    assert team.send("", "GET", "/-/whoami", authorization=f"Basic {good}").json() == {"username": "bob"}
    answer = team.send("", "GET", "/-/whoami", authorization=f"Basic {bad}")
    assert (answer.status_code, "WWW-Authenticate" in answer.headers) == (401, False)


def test_every_address_is_a_door() -> None:
    npm = next(one for one in get_resolver("protocols.urls").url_patterns if isinstance(one, URLResolver))
    assert all(isinstance(pattern.callback, Door) for pattern in npm.url_patterns)
