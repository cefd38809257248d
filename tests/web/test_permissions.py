"""Every page for every kind of caller; every form refuses a post without its CSRF token."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from packages.models import Version
from tests.web.conftest import PASSWORD, World
from tests.web.furnished import caller_of, filled, furnished, with_github
from web.urls import urlpatterns
from workspaces.models import Event, User

__all__ = ["furnished", "with_github"]  # fixtures that every test here uses
P = "/acme/registries/main/npm/@acme/http/"
V = f"{P}v/1.0.0/"
FRESH = "another horse entirely"
# what it is: (address, form) -> status for alice (owner), bob (publisher), rita (reader), mallory (stranger), nobody
PAGES = {
    "home": ("/", (200, 200, 200, 200, 302)),
    "account": ("/account/", (200, 200, 200, 200, 302)),
    "password": ("/account/password/", (200, 200, 200, 200, 302)),
    "guides": ("/account/guides/", (200, 200, 200, 200, 200)),
    "guide": ("/account/guides/ci.md", (200, 200, 200, 200, 200)),
    "second-factor": ("/account/second-factor/", (302, 302, 302, 302, 302)),  # to the proof
    "sessions": ("/account/sessions/", (200, 200, 200, 200, 302)),
    "login-code": ("/login/code", (302, 302, 302, 302, 302)),  # nobody is half-way in
    "workspace": ("/acme/", (200, 200, 200, 404, 302)),
    "workspace-settings": ("/acme/settings/", (200, 403, 403, 404, 302)),
    "alerts": ("/acme/alerts/", (200, 200, 200, 404, 302)),
    "tombstones": ("/acme/tombstones/", (200, 200, 200, 404, 302)),
    "activity": ("/acme/activity/", (200, 403, 403, 404, 302)),
    "activity-export": ("/acme/activity/export/", (200, 403, 403, 404, 302)),
    "people": ("/acme/people/", (200, 200, 200, 404, 302)),
    "invitations": ("/acme/people/invitations/", (200, 403, 403, 404, 302)),
    "invitation": ("/account/invitations/the-secret-of-a-link/", (200, 200, 200, 200, 200)),
    "claims": ("/acme/claims/", (200, 200, 200, 404, 302)),
    "secrets": ("/acme/secrets/", (200, 403, 403, 404, 302)),
    "secret": ("/acme/secrets/PARTNER_TOKEN/", (200, 403, 403, 404, 302)),
    "webhooks": ("/acme/webhooks/", (200, 403, 403, 404, 302)),
    "webhook": ("/acme/webhooks/{webhook}/", (200, 403, 403, 404, 302)),
    "webhook-delivery": ("/acme/webhooks/{webhook}/deliveries/{delivery}/", (200, 403, 403, 404, 302)),
    "tokens": ("/acme/tokens/", (200, 200, 200, 404, 302)),
    "registry": ("/acme/registries/main/", (200, 200, 200, 404, 302)),
    "registry-arrived": ("/acme/registries/main/arrived/", (302, 302, 302, 404, 302)),  # a package is there
    "registry-upload": ("/acme/registries/main/upload/", (200, 200, 403, 404, 302)),
    "registry-settings": ("/acme/registries/main/settings/", (200, 403, 403, 404, 302)),
    "upstreams": ("/acme/registries/main/upstreams/", (200, 200, 200, 404, 302)),
    "upstream": ("/acme/registries/main/upstreams/{upstream}/", (200, 403, 403, 404, 302)),
    "mirrors": ("/acme/registries/main/mirrors/", (200, 200, 200, 404, 302)),
    "mirror": ("/acme/registries/main/mirrors/{mirror}/", (200, 200, 200, 404, 302)),
    "package": (P, (200, 200, 200, 404, 302)),
    "resolution": (f"{P}resolution/", (200, 200, 200, 404, 302)),
    "dependents": (f"{P}dependents/", (200, 200, 200, 404, 302)),
    "versions": (f"{P}versions/", (200, 200, 200, 404, 302)),
    "version": (V, (200, 200, 200, 404, 302)),
    "version-effect": (f"{V}internal/effect/", (200, 403, 403, 404, 302)),
    "dependencies": (f"{V}dependencies/", (200, 200, 200, 404, 302)),
    "files": (f"{V}files/", (200, 200, 200, 404, 302)),
    "file": (f"{V}files/README.md", (200, 200, 200, 404, 302)),
    "login": ("/login", (302, 302, 302, 302, 200)),
    "www-login": ("/www/login", (302, 302, 302, 302, 200)),
    "github-begin": ("/www/login/providers/github", (405, 405, 405, 405, 405)),
    "github-callback": ("/www/login/providers/github/callback?code=x&state=y", (400, 400, 400, 400, 400)),
    "signup": ("/www/signup", (302, 302, 302, 302, 200)),
    "proof": ("/account/proof/", (200, 200, 200, 200, 302)),
    "www-tokens": ("/www/tokens", (302, 302, 302, 302, 302)),
    "github-unlink": ("/account/github/unlink/", (405, 405, 405, 405, 405)),
    "healthz": ("/healthz", (200, 200, 200, 200, 200)),
    "readyz": ("/readyz", (200, 200, 200, 200, 200)),
    "approval": ("/login/cli/unknown", (410, 410, 410, 410, 302)),
    "elsewhere": ("/no/such/page", (404, 404, 404, 404, 404)),
}
FORMS: dict[str, tuple[str, dict[str, Any], tuple[int, ...]]] = {
    "alerts": ("/acme/alerts/", {"id": "7007"}, (302, 403, 403, 404, 401)),
    "workspace": ("/acme/", {"slug": "x9", "visibility": "private"}, (302, 403, 403, 404, 401)),
    "people": ("/acme/people/", {"username": "mallory", "role": "reader"}, (302, 403, 403, 404, 401)),
    "workspace-settings": ("/acme/settings/", {"name": "Acme Ltd"}, (302, 403, 403, 404, 401)),
    "workspace-delete": ("/acme/delete/", {"confirm": "yes", "typed": "acme"}, (302, 403, 403, 404, 401)),
    "member-active": ("/acme/people/active/", {"username": "rita", "active": "false", "confirm": "yes"}, (302, 403, 403, 404, 401)),
    "member-remove": ("/acme/people/remove/", {"username": "rita", "confirm": "yes"}, (302, 403, 403, 404, 401)),
    "invitations": ("/acme/people/invitations/", {"role": "reader", "email": ""}, (201, 403, 403, 404, 401)),
    "invitation-withdraw": ("/acme/people/invitations/{invitation}/withdraw/", {"confirm": "yes"}, (302, 403, 403, 404, 401)),
    "invitation": ("/account/invitations/the-secret-of-a-link/", {}, (409, 409, 409, 302, 401)),
    "claims": ("/acme/claims/", {"pattern": "@acme/*"}, (302, 403, 403, 404, 401)),
    "tombstones-lift": (
        "/acme/tombstones/lift/",
        {"registry": "main", "format": "npm", "upstream": "outside", "confirm": "yes", "typed": "outside"},
        (302, 403, 403, 404, 401),
    ),
    "claim-remove": ("/acme/claims/999/remove/", {"confirm": "yes"}, (404, 403, 403, 404, 401)),
    "secrets": ("/acme/secrets/", {"name": "FRESH", "value": "x"}, (302, 403, 403, 404, 401)),
    "secret": ("/acme/secrets/PARTNER_TOKEN/", {"value": "x"}, (302, 403, 403, 404, 401)),
    "secret-remove": ("/acme/secrets/PARTNER_TOKEN/remove/", {"confirm": "yes"}, (302, 403, 403, 404, 401)),
    "webhooks": ("/acme/webhooks/", {"url": "https://two.example.org/", "events": ["alert"]}, (201, 403, 403, 404, 401)),
    "webhook": ("/acme/webhooks/{webhook}/", {"url": "https://two.example.org/", "events": ["job"]}, (302, 403, 403, 404, 401)),
    "webhook-test": ("/acme/webhooks/{webhook}/test/", {}, (302, 403, 403, 404, 401)),
    "webhook-rotate": ("/acme/webhooks/{webhook}/rotate/", {"confirm": "yes"}, (201, 403, 403, 404, 401)),
    "webhook-remove": ("/acme/webhooks/{webhook}/remove/", {"confirm": "yes"}, (302, 403, 403, 404, 401)),
    "webhook-redeliver": ("/acme/webhooks/{webhook}/deliveries/{delivery}/again/", {}, (302, 403, 403, 404, 401)),
    "tokens": ("/acme/tokens/", {"name": "t", "kind": "service", "role": "reader", "life": "30"}, (201, 400, 400, 404, 401)),
    "token-revoke": ("/acme/tokens/999/revoke/", {"confirm": "yes"}, (404, 404, 404, 404, 401)),
    "second-factor": ("/account/second-factor/", {"code": "000000"}, (302, 302, 302, 302, 401)),  # to the proof
    "second-factor-codes": ("/account/second-factor/codes/", {}, (302, 302, 302, 302, 401)),
    "second-factor-off": ("/account/second-factor/off/", {"code": "000000"}, (409, 409, 409, 409, 401)),
    "session-end": ("/account/sessions/999/end/", {}, (404, 404, 404, 404, 401)),
    "sessions-end-others": ("/account/sessions/end-others/", {}, (302, 302, 302, 302, 401)),
    "login-code": ("/login/code", {"code": "000000"}, (302, 302, 302, 302, 302)),
    "login-password": ("/acme/registries/main/login-password/", {}, (201, 201, 201, 404, 401)),
    "registry-settings": ("/acme/registries/main/settings/", {"visibility": "private"}, (302, 403, 403, 404, 401)),
    "upstreams": (
        "/acme/registries/main/upstreams/",
        {"name": "two", "url": "https://two.example.org", "priority": "5", "auth_type": "none"},
        (302, 403, 403, 404, 401),
    ),
    "upstream": (
        "/acme/registries/main/upstreams/{upstream}/",
        {"name": "outside", "url": "https://registry.example.org", "priority": "7", "auth_type": "none", "enabled": "on"},
        (302, 403, 403, 404, 401),
    ),
    "registry-rename": ("/acme/registries/main/rename/", {"slug": "newer"}, (302, 403, 403, 404, 401)),
    "registry-archive": ("/acme/registries/main/archive/", {"archived": "true", "confirm": "yes"}, (302, 403, 403, 404, 401)),
    "registry-delete": ("/acme/registries/main/delete/", {"confirm": "yes", "typed": "main"}, (302, 403, 403, 404, 401)),
    "registry-clone": ("/acme/registries/main/clone/", {"slug": "copy"}, (302, 403, 403, 404, 401)),
    "alias-release": ("/acme/registries/main/aliases/none/release/", {"confirm": "yes"}, (404, 403, 403, 404, 401)),
    "upstreams-order": ("/acme/registries/main/upstreams/order/", {"ids": "77"}, (302, 403, 403, 404, 401)),
    "registry-upload": ("/acme/registries/main/upload/", {"tag": "latest"}, (400, 400, 403, 404, 401)),  # without a file
    "upstream-test": ("/acme/registries/main/upstreams/{asleep}/test/", {}, (200, 403, 403, 404, 401)),
    "upstream-switch": ("/acme/registries/main/upstreams/{upstream}/switch/", {"enabled": "false"}, (302, 403, 403, 404, 401)),
    "upstream-remove": ("/acme/registries/main/upstreams/{upstream}/remove/", {"confirm": "yes"}, (302, 403, 403, 404, 401)),
    "mirrors": ("/acme/registries/main/mirrors/", {"upstream": "outside", "patterns": "right-pad"}, (302, 302, 403, 404, 401)),
    "mirror-cancel": ("/acme/registries/main/mirrors/{mirror}/cancel/", {}, (302, 302, 403, 404, 401)),
    "mirror-retry": ("/acme/registries/main/mirrors/{mirror}/retry/", {}, (409, 409, 403, 404, 401)),
    "mirror-schedules": (
        "/acme/registries/main/mirrors/schedules/",
        {"upstream": "outside", "patterns": "left-pad", "every": "1d"},
        (302, 403, 403, 404, 401),
    ),
    "mirror-schedule-switch": (
        "/acme/registries/main/mirrors/schedules/{schedule}/switch/",
        {"enabled": "false"},
        (302, 403, 403, 404, 401),
    ),
    "mirror-schedule-remove": ("/acme/registries/main/mirrors/schedules/{schedule}/remove/", {"confirm": "yes"}, (302, 403, 403, 404, 401)),
    "tag": (f"{P}tags/", {"tag": "next", "version": "1.0.0"}, (302, 302, 403, 404, 401)),
    "package-delete": (f"{P}delete/", {"confirm": "yes", "typed": "@acme/http"}, (302, 403, 403, 404, 401)),
    "tombstone": (f"{P}tombstone/", {"confirm": "yes"}, (404, 403, 403, 404, 401)),
    "package-push": (f"{P}push/", {"where": "upstream:outside"}, (200, 403, 403, 404, 401)),  # asks first
    "version-push": (f"{V}push/", {"where": "upstream:outside"}, (200, 403, 403, 404, 401)),
    "package-pull": (f"{P}pull/", {"upstream": "outside"}, (302, 302, 403, 404, 401)),  # back with the clause: the name is internal
    "version-internal": (f"{V}internal/", {"confirm": "yes"}, (302, 403, 403, 404, 401)),
    "version-accept": (f"{V}accept/", {"confirm": "yes"}, (409, 403, 403, 404, 401)),  # it is held
    "version-deprecate": (f"{V}deprecate/", {"message": "old"}, (302, 302, 403, 404, 401)),
    "version-delete": (f"{V}delete/", {"confirm": "yes"}, (302, 403, 403, 404, 401)),
    "approval": ("/login/cli/unknown", {"answer": "approve"}, (410, 410, 410, 410, 401)),
    "home": ("/", {"slug": "fresh"}, (302, 302, 302, 302, 401)),
    "account": ("/account/", {"theme": "dark"}, (302, 302, 302, 302, 401)),
    "password": ("/account/password/", {"old": PASSWORD, "new": FRESH, "repeat": FRESH}, (302, 302, 302, 302, 401)),
    "logout": ("/logout", {}, (302, 302, 302, 302, 302)),
    "login": ("/login", {"username": "x", "password": "y"}, (401, 401, 401, 401, 401)),
    "www-login": ("/www/login", {"username": "x", "password": "y"}, (401, 401, 401, 401, 401)),
    "github-begin": ("/www/login/providers/github", {}, (302, 302, 302, 302, 302)),
    "signup": ("/www/signup", {"username": "fresh", "email": "", "new": FRESH, "repeat": FRESH}, (302, 302, 302, 302, 302)),
    "proof": ("/account/proof/", {"password": PASSWORD}, (302, 302, 302, 302, 401)),
    "github-unlink": ("/account/github/unlink/", {"confirm": "yes"}, (404, 404, 404, 404, 401)),  # nobody's is linked
}
CALLERS = ("alice", "bob", "rita", "mallory", "")
CHANGED = (302, 201)


def test_every_address_has_a_row() -> None:
    named = {pattern.name for pattern in urlpatterns}
    assert named == PAGES.keys() | FORMS.keys()


@pytest.mark.parametrize("page", PAGES)
def test_pages(page: str, world: World, put: Callable[..., Version]) -> None:
    put("@acme/http", "1.0.0")
    address, expected = PAGES[page]
    got = tuple(caller_of(name).get(filled(address, world)).status_code for name in CALLERS)
    assert got == expected


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("form", FORMS)
def test_forms(form: str, caller: str, world: World, put: Callable[..., Version]) -> None:
    put("@acme/http", "1.0.0")
    address, fields, expected = FORMS[form]
    events = Event.objects.count()
    answer = caller_of(caller).post(filled(address, world), fields)
    assert answer.status_code == expected[CALLERS.index(caller)], answer.content.decode()[:2000]
    if answer.status_code not in CHANGED:
        assert Event.objects.count() == events


@pytest.mark.parametrize("form", FORMS)
def test_no_form_works_without_its_csrf_token(form: str, world: World, put: Callable[..., Version]) -> None:
    put("@acme/http", "1.0.0")
    address, fields, _ = FORMS[form]
    events, users = Event.objects.count(), User.objects.count()
    answer = caller_of("alice", csrf=True).post(filled(address, world), fields)
    assert answer.status_code == 403
    assert (Event.objects.count(), User.objects.count()) == (events, users)


def test_a_public_registry_shows_its_packages_to_anybody(world: World, put: Callable[..., Version], nobody: Client) -> None:
    put("@acme/http", "1.0.0")
    type(world.main).objects.filter(pk=world.main.pk).update(visibility="public")
    for address in ("/acme/registries/main/", P, V):
        answer = nobody.get(address)
        assert answer.status_code == 200, address
        assert '<form method="post"' not in answer.content.decode()
    assert nobody.get("/acme/").status_code == 302
    assert nobody.get("/acme/registries/main/settings/").status_code == 302


def test_errors_are_json_unless_html_is_asked_for(alice: Client) -> None:
    answer = alice.get("/globex/", headers={"accept": "*/*"})
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"
    assert answer.json()["error"]
    page = alice.get("/globex/")
    assert page["Content-Type"].startswith("text/html")
    assert "404" in page.content.decode()


def test_a_missing_last_slash_is_mended_and_leads_nowhere_else(alice: Client) -> None:
    assert alice.get("/acme/people?x=1")["Location"] == "/acme/people/?x=1"
    answer = alice.get("/x", PATH_INFO="//evil.example")
    assert (answer.status_code, answer.headers.get("Location")) == (404, None)
    assert alice.get("/acme/registries/main/npm/@acme/http")["Location"] == P


@pytest.mark.parametrize("address", ["/.env", "/.git/config", "/static/../config/settings.py", "/static/%2e%2e/manage.py", "/metrics/x"])
def test_hidden_files_are_not_there(alice: Client, address: str) -> None:
    assert alice.get(address).status_code == 404


def test_pages_carry_a_strict_policy_and_no_inline_script(alice: Client) -> None:
    answer = alice.get("/acme/registries/main/")
    policy = answer["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Cache-Control"] == "private, no-store"
    body = answer.content.decode()
    assert "<script>" not in body
    assert " style=" not in body
    assert " onclick=" not in body
