"""Testing an upstream: what stands in the way is told apart, nothing is named, nothing changes."""

import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache

from registries.services import create_registry
from tests.npm.team import Team, facts
from tests.parts.certificates import DAY, Authority, self_signed
from tests.parts.recorder import Recorder
from tests.parts.website import PAGE, Reply, Website
from upstreams.models import Upstream
from upstreams.services import probing
from upstreams.services.probing import Verdict, probe_upstream
from upstreams.services.sources import create_upstream
from upstreams.services.wishes import UpstreamWish
from upstreams.variables import shell_variables
from workspaces.access import Actor
from workspaces.errors import Denied, TooManyRequests
from workspaces.models import Event
from workspaces.services.secrets import add_secret

SECRET = "s3cr3t-of-the-partner"
ROOT = Actor(name="root", is_operator=True)
BEARER = {"auth_type": "bearer", "secret": SECRET}
PONG, WHO = Reply(200, {}), Reply(200, {"username": "ci-bot"})
UNAUTHORIZED, FORBIDDEN = "upstream_unauthorized", "upstream_forbidden"
NOT_FOUND, SAYS_NO = Reply(404, {"error": "Not found"}), Reply(401, {"error": "unauthorized"})


@pytest.fixture(autouse=True)
def _fresh(loopback: None) -> None:
    cache.clear()


def upstream(team: Team, url: str, actor: Actor | None = None, **wish: Any) -> Upstream:
    return create_upstream(actor=actor or team.actor("alice"), registry=team.registry, wish=UpstreamWish(name="partner", url=url, **wish))


def verdict_of(team: Team, url: str, **wish: Any) -> Verdict:
    """The verdict; nothing was written by it."""
    made = upstream(team, url, **wish)
    before = facts()
    verdict = probe_upstream(actor=team.actor("alice"), upstream=made)
    assert facts() == before
    assert verdict.ok == (verdict.code == "ok")
    assert verdict.sentence
    assert verdict.ok or verdict.hint
    assert SECRET not in str(verdict)
    assert "{" not in verdict.sentence.replace("${", "") + verdict.hint
    return verdict


# what answers, how we sign in -> code, HTTP status, a word of the sentence or hint
SITES: dict[str, tuple[dict[str, Reply], Reply | None, dict[str, Any], tuple[str, int | None], str]] = {
    "npm's kind": ({"/-/ping": PONG}, None, {}, ("ok", 200), "answers as a registry"),
    "empty pong": ({"/-/ping": Reply(200, b"")}, None, {}, ("ok", 200), "answers as a registry"),
    "a pong with words": ({"/-/ping": Reply(200, {"host": "a", "ok": True}), "/-/whoami": SAYS_NO}, None, {}, ("ok", 200), "registry"),
    "known to it": ({"/-/ping": PONG, "/-/whoami": WHO}, None, BEARER, ("ok", 200), "knows these credentials as ci-bot's"),
    "it repeats our token": (
        {"/-/ping": PONG, "/-/whoami": Reply(200, {"username": f"x{SECRET}"})}, None, BEARER, ("ok", 200), "as somebody's",
    ),
    "no whoami": ({"/-/ping": PONG}, None, BEARER, ("ok", 200), "with the first package"),
    "wrong token": ({"/-/ping": PONG, "/-/whoami": SAYS_NO}, None, BEARER, (UNAUTHORIZED, 401), "does not take these credentials"),
    "taken for nobody": ({"/-/ping": PONG, "/-/whoami": PONG}, None, BEARER, (UNAUTHORIZED, 200), "does not take"),
    "wants credentials": ({}, SAYS_NO, {}, (UNAUTHORIZED, 401), "Choose bearer or basic"),
    "forbids": ({}, Reply(403, {}), BEARER, (FORBIDDEN, 403), "right to read"),
    "forbids whoami": ({"/-/ping": PONG, "/-/whoami": Reply(403, b"no")}, None, BEARER, (FORBIDDEN, 403), "this question alone"),
    "a web page": ({}, Reply(200, PAGE), {}, ("not_a_registry", 200), "web page"),
    "a large web page": ({}, Reply(200, PAGE * 40_000), {}, ("not_a_registry", 200), "web page"),
    "a page at the root": ({"/": Reply(200, PAGE)}, Reply(404, PAGE), {}, ("not_a_registry", 200), "web page"),
    "any JSON": ({}, Reply(200, {"hello": "world"}), {}, ("not_a_registry", 200), "other data"),
    "a list": ({}, Reply(200, [1, 2]), {}, ("not_a_registry", 200), "other data"),
    "JSON at the root": ({"/": Reply(200, {"hello": "world"})}, None, {}, ("not_a_registry", 200), "other data"),
    "a registry's root": ({"/": Reply(200, {"db_name": "registry"})}, None, {}, ("ok", 200), "registry"),
    "nothing but 404": ({}, None, {}, ("upstream_unproven", 404), "wrong path"),
    "no ping, but whoami": ({"/-/whoami": WHO}, None, BEARER, ("ok", 200), "ci-bot"),
    "too many": ({}, Reply(429, {}, {"Retry-After": "9"}), {}, ("upstream_busy", 429), "Wait"),
    "in trouble": ({}, Reply(503, PAGE), {}, ("upstream_failing", 503), "trouble"),
    "a redirect in circles": ({}, Reply(302, b"", {"Location": "/-/ping"}), {}, ("upstream_bad_answer", None), "circles"),
    "a redirect to no place": (
        {}, Reply(302, b"", {"Location": "file:///etc"}), {}, ("upstream_forbidden_address", None), "never followed",
    ),
    "a redirect inside": (
        {"/-/ping": Reply(301, b"", {"Location": "/api/-/ping"}), "/api/-/ping": PONG}, None, {}, ("ok", 200), "registry",
    ),
}  # fmt: skip


@pytest.mark.parametrize("site", SITES)
def test_what_stands_in_the_way_is_told_apart(team: Team, site: str) -> None:
    answers, otherwise, wish, (code, status), word = SITES[site]
    with Website(answers, otherwise) as website:
        verdict = verdict_of(team, website.url, **wish)
        assert (verdict.code, verdict.status) == (code, status), verdict
        assert word in f"{verdict.sentence} {verdict.hint}"
        assert set(website.asked) <= {"/-/ping", "/-/whoami", "/", "/api/-/ping"}, "no name of a package"


def test_a_redirect_elsewhere_takes_no_credentials_along(team: Team) -> None:
    with Website({}, SAYS_NO) as other, Website({}, Reply(302, b"", {"Location": f"{other.url}/-/ping"})) as website:
        verdict = verdict_of(team, website.url, **BEARER)
        assert (verdict.code, other.authorizations) == ("upstream_redirects", [""])
        assert f"redirects to {other.url}" in verdict.sentence
        assert website.authorizations == [f"Bearer {SECRET}"]


def test_a_redirect_elsewhere_is_a_hint_where_there_are_none(team: Team) -> None:
    with Website({"/-/ping": PONG}) as other, Website({}, Reply(302, b"", {"Location": f"{other.url}/-/ping"})) as website:
        verdict = verdict_of(team, website.url)
        assert verdict.ok
        assert other.url in verdict.hint


def test_a_redirect_to_where_nobody_listens_is_told_of_that_place(team: Team) -> None:
    with Website({}, PONG) as other:
        gone = other.url
    with Website({}, Reply(302, b"", {"Location": f"{gone}/-/ping"})) as website:
        verdict = verdict_of(team, website.url)
        assert (verdict.code, verdict.status) == ("upstream_unreachable", None)
        assert verdict.sentence.startswith(f"It redirects to {gone}. Nothing listens at port {gone.rpartition(':')[2]} of")
        Upstream.objects.all().delete()
        assert verdict_of(team, website.url, **BEARER).code == "upstream_redirects"


def test_gatehouses_kind_below_a_path(team: Team) -> None:
    with Website({"/team/r/main/-/ping": PONG, "/team/r/main/-/whoami": WHO}, SAYS_NO) as website:
        assert verdict_of(team, f"{website.url}/team/r/main/", auth_type="basic", username="u", secret=SECRET).ok


def test_a_name_that_does_not_resolve(team: Team) -> None:
    verdict = verdict_of(team, "https://no-such-host.invalid")
    assert (verdict.code, verdict.status) == ("upstream_unreachable", None)
    assert "no-such-host.invalid does not resolve" in verdict.sentence


def test_nothing_listens(team: Team) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    verdict = verdict_of(team, f"http://127.0.0.1:{port}")
    assert verdict.code == "upstream_unreachable"
    assert f"port {port}" in verdict.sentence
    assert "refused" in verdict.sentence


def test_an_address_that_is_not_public(team: Team, settings: Any, recorder: Recorder) -> None:
    made = upstream(team, recorder.url)
    settings.ALLOWED_PRIVATE_NETWORKS = ()
    verdict = probe_upstream(actor=team.actor("alice"), upstream=made)
    assert verdict.code == "upstream_forbidden_address"
    assert "ALLOWED_PRIVATE_NETWORKS" in verdict.hint
    assert not recorder.seen


def test_one_that_does_not_answer(team: Team) -> None:
    with Website({}, Reply(200, {}, after=60)) as website:
        begun = time.monotonic()
        verdict = verdict_of(team, website.url, read_timeout=1)
        assert (verdict.code, verdict.status) == ("upstream_timeout", None)
        assert time.monotonic() - begun < 10
        assert verdict.millis >= 900


def test_whatever_hangs_is_over_in_time(team: Team, recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "SECONDS", 0.3)
    asleep = threading.Event()
    monkeypatch.setitem(probing.PROBES, ("url", "npm"), lambda _: lambda _: asleep.wait(30))
    verdict = verdict_of(team, recorder.url)
    asleep.set()
    assert verdict.code == "upstream_timeout"
    assert verdict.millis < 5000


@pytest.mark.parametrize(
    ("wish", "word"),
    [({}, ""), ({"ends": -DAY}, "expired"), ({"host": "other.example.org"}, "another name"), (None, "not trusted here")],
)
def test_certificates(team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wish: dict[str, Any] | None, word: str) -> None:
    authority = Authority(tmp_path, "known")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    tls = self_signed(tmp_path) if wish is None else authority.context(**wish)
    with Website({"/-/ping": PONG}, tls=tls) as website:
        verdict = verdict_of(team, website.url)
    assert verdict.code == ("upstream_unreachable" if word else "ok"), verdict
    assert word in verdict.sentence
    assert "certificate" in verdict.sentence or not word


def test_plain_http_where_tls_is_spoken(team: Team, recorder: Recorder) -> None:
    verdict = verdict_of(team, recorder.url.replace("http://", "https://"))
    assert "does not speak TLS" in verdict.sentence
    assert "http://" in verdict.hint


def test_a_variable_that_is_not_set_asks_nobody(team: Team, recorder: Recorder, settings: Any) -> None:
    settings.UPSTREAM_VARIABLES = {}
    verdict = verdict_of(team, recorder.url, actor=ROOT, auth_type="bearer", secret="${UPSTREAM_PARTNER}")
    assert (verdict.code, verdict.status) == ("variable_unset", None)
    assert "${UPSTREAM_PARTNER}" in verdict.sentence
    assert not recorder.seen
    settings.UPSTREAM_VARIABLES = {"UPSTREAM_PARTNER": "two\nlines"}
    assert probe_upstream(actor=ROOT, upstream=Upstream.objects.get()).code == "variable_unusable"
    assert not recorder.seen


def test_a_secret_of_the_workspace_is_expanded(team: Team) -> None:
    add_secret(actor=team.actor("alice"), workspace=team.space, name="TOKEN", value=SECRET)
    with Website({"/-/ping": PONG, "/-/whoami": WHO}) as website:
        assert verdict_of(team, website.url, auth_type="bearer", secret="${TOKEN}").ok
        assert set(website.authorizations) == {f"Bearer {SECRET}"}


def test_one_that_is_switched_off_is_not_asked(team: Team, recorder: Recorder) -> None:
    assert verdict_of(team, recorder.url, enabled=False).code == "upstream_disabled"
    assert not recorder.seen


def test_a_registry_of_the_workspace(team: Team) -> None:
    create_registry(actor=team.actor("alice"), workspace=team.space, slug="shared")
    made = create_upstream(
        actor=team.actor("alice"), registry=team.registry, wish=UpstreamWish(name="s", kind="registry", registry="shared")
    )
    verdict = probe_upstream(actor=team.actor("alice"), upstream=made)
    assert verdict.ok
    assert "shared can be read" in verdict.sentence


def test_a_kind_without_a_test_says_so(team: Team, recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(probing.PROBES, ("url", "npm"))
    assert verdict_of(team, recorder.url).code == "not_testable"
    assert not recorder.seen


def test_no_breaker_hides_the_cause_and_none_is_opened(team: Team) -> None:
    website = Website({}, Reply(500, {}))
    with website:
        made = upstream(team, website.url)
        for _ in range(7):
            assert probe_upstream(actor=team.actor("alice"), upstream=made).status == 500
        website.otherwise = NOT_FOUND
        assert team.send("rita", "GET", "/anything").status_code == 404, "installs are asked for as before"


def test_only_so_many_a_minute(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "PER_MINUTE", 2)
    monkeypatch.setattr("upstreams.services.probing.time.time", lambda: 1_000_000.0)
    made = upstream(team, "https://registry.example.org", enabled=False)
    for _ in range(2):
        probe_upstream(actor=team.actor("alice"), upstream=made)
    with pytest.raises(TooManyRequests) as refused:
        probe_upstream(actor=team.actor("alice"), upstream=made)
    assert 0 < refused.value.retry_after <= 60
    with shell_variables():
        probe_upstream(actor=team.actor("alice"), upstream=made)


@pytest.mark.parametrize("who", ["bob", "rita", "mallory"])
def test_admins_alone_test(team: Team, recorder: Recorder, who: str) -> None:
    made = upstream(team, recorder.url)
    with pytest.raises(Denied):
        probe_upstream(actor=team.actor(who), upstream=made)
    assert not recorder.seen
    assert not Event.objects.filter(action__contains="test").exists()


def test_at_a_shell_the_hint_tells_of_the_shell(team: Team, recorder: Recorder) -> None:
    """What an operator sets there is for commands alone; installs and schedules need it elsewhere."""
    with shell_variables():
        verdict = verdict_of(team, recorder.url, actor=ROOT, auth_type="bearer", secret="${PARTNER_TOKEN_OF_NOBODY}")
    assert verdict.sentence.endswith(" is not set in this shell's environment or among the secrets of the workspace.")
    assert verdict.hint.startswith("Set it in this shell for commands given here. For installs and schedules too: as a secret")
    assert not recorder.seen
