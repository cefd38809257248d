"""The pages in a real browser: without a violation of WCAG's machine-checkable rules, and with their script at work."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from packages.models import Version
from tests.parts.receiver import Receiver
from tests.web.conftest import World
from tests.web.looking import trouble_of, violations
from tests.webhooks.conftest import work
from tokens.models import Token
from tokens.services.web_login import collect_login, start_login
from upstreams.clients.guard import parse_network
from workspaces.models import Secret

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MAIN = "/acme/registries/main/"
HTTP = f"{MAIN}npm/@acme/http/"
ADDRESSES = (
    "/",
    "/account/",
    "/account/password/",
    "/account/sessions/",
    "/account/guides/",
    "/account/guides/access-denied",
    "/account/second-factor/",
    "/acme/",
    "/acme/people/",
    "/acme/people/invitations/",
    "/acme/settings/",
    "/acme/tokens/",
    "/acme/claims/",
    "/acme/secrets/",
    "/acme/webhooks/",
    "/acme/activity/",
    "/acme/alerts/",
    "/acme/tombstones/",
    MAIN,
    f"{MAIN}settings/",
    f"{MAIN}upstreams/",
    f"{MAIN}mirrors/",
    f"{MAIN}upload/",
    HTTP,
    f"{HTTP}resolution/",
    f"{HTTP}versions/",
    f"{HTTP}dependents/",
    f"{HTTP}v/1.0.0/",
    f"{HTTP}v/1.0.0/dependencies/",
    f"{HTTP}v/1.0.0/files/",
    f"{HTTP}v/1.0.0/files/README.md",
    f"{MAIN}npm/unheard-of/",
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_breaks_an_accessibility_rule(scheme: str, page: Page, put: Callable[..., Version]) -> None:
    put("@acme/http", "1.0.0", dependencies={"@acme/log": "1"}, license="MIT")
    put("@acme/http", "9.0.0", tags=("zzz",), pulled=True)
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    trouble = trouble_of(page)
    broken = {}
    for address in ADDRESSES:
        page.goto(address)
        if found := violations(page):
            broken[address] = found
    assert not broken
    assert not trouble


def test_no_page_scrolls_sideways_at_360_pixels(page: Page, put: Callable[..., Version]) -> None:
    put("@acme/http", "1.0.0")
    page.set_viewport_size({"width": 360, "height": 740})
    for address in ADDRESSES:
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, address


def test_every_client_has_its_set_up_and_copies_it(page: Page, world: World) -> None:
    page.goto(MAIN)
    page.get_by_role("radio", name="yarn 4").check()
    page.get_by_role("radio", name="Only @acme").check()
    connect = page.locator(".connect")
    assert connect.locator("figcaption span").locator("visible=true").all_inner_texts() == [".yarnrc.yml"]
    connect.get_by_role("button", name="Copy .yarnrc.yml").locator("visible=true").click()
    page.get_by_role("button", name="Copied").or_(connect.get_by_text("Copied")).first.wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "npmAlwaysAuth: true" in copied
    assert "npmPreapprovedPackages:" in copied


def test_the_search_is_live(page: Page, put: Callable[..., Version]) -> None:
    put("@acme/http", "1.0.0")
    put("left-pad", "1.0.0", pulled=True)
    page.goto(MAIN)
    trouble = trouble_of(page)
    page.keyboard.press("/")
    page.keyboard.type("left")
    page.locator("#packages").get_by_text("1 package", exact=True).wait_for()
    assert page.locator("#packages .name").all_inner_texts() == ["left-pad"]
    assert page.url.endswith("?q=left&kind=&source=&sort=")
    assert not trouble


def test_an_upstream_is_tested_in_its_row(page: Page, world: World) -> None:
    type(world.upstream).objects.filter(pk=world.upstream.pk).update(is_enabled=False)
    for address in (f"{MAIN}upstreams/", f"{MAIN}upstreams/{world.upstream.pk}/"):
        page.goto(address)
        trouble = trouble_of(page)
        page.get_by_role("button", name="Test the connection to outside").click()
        page.get_by_text("This upstream is switched off, so it was not asked.").wait_for()
        assert page.url.endswith(address), "in the page"
        assert violations(page) == ""
        assert not trouble


def test_a_webhook_is_made_tried_and_removed(page: Page, settings: Any) -> None:
    settings.ALLOWED_PRIVATE_NETWORKS = (parse_network("127.0.0.0/8"),)
    trouble = trouble_of(page)
    with Receiver(answers=[(200, {}, b"thanks")]) as receiver:
        page.goto("/acme/webhooks/")
        page.get_by_label("Address").fill(receiver.url)
        page.get_by_role("button", name="Add", exact=True).click()
        page.get_by_role("heading", name="Its secret").wait_for()
        assert "whsec_" in page.locator(".fresh pre").inner_text()
        assert violations(page) == ""
        page.get_by_role("button", name="Send a test").click()
        page.get_by_text("waits", exact=True).wait_for()
        work()
        page.get_by_text("delivered", exact=True).wait_for()
        page.get_by_text("thanks", exact=True).wait_for()
        assert violations(page) == ""
    page.get_by_role("link", name=receiver.url).click()
    page.get_by_role("button", name="Remove the webhook").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    page.get_by_text("The webhook is removed.").wait_for()
    assert not trouble


def test_a_secret_is_removed_by_dialog(page: Page, world: World) -> None:
    page.goto("/acme/secrets/")
    page.get_by_label("Name", exact=True).fill("PARTNER_TOKEN")
    page.get_by_label("Value", exact=True).fill("value-of-the-secret")
    page.get_by_role("button", name="Store").click()
    page.get_by_text("PARTNER_TOKEN is stored.").wait_for()
    assert "value-of-the-secret" not in page.content()
    page.get_by_role("button", name="Remove PARTNER_TOKEN").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    page.get_by_text("The secret is removed.").wait_for()
    assert not Secret.objects.exists()


def test_a_token_is_made_and_revoked_by_dialog(page: Page, world: World) -> None:
    page.goto("/acme/tokens/")
    page.get_by_label("Name").fill("laptop")
    page.get_by_role("button", name="Create token").click()
    page.get_by_role("heading", name="Your new token “laptop”").wait_for()
    page.get_by_role("link", name="I have saved it").click()
    page.get_by_role("button", name="Revoke laptop").click()
    dialog = page.get_by_role("dialog")
    assert "refused from the next request" in dialog.inner_text()
    page.keyboard.press("Escape")
    assert Token.objects.count() == 1
    page.get_by_role("button", name="Revoke laptop").click()
    dialog.get_by_role("button", name="Revoke").click()
    page.get_by_text("The token is revoked.").wait_for()
    assert not Token.objects.exists()


def test_the_internal_checkbox_without_any_script(
    browser: Browser, page: Page, put: Callable[..., Version], live_server: LiveServer
) -> None:
    made = put("tool", "1.0.0")
    plain = browser.new_context(base_url=live_server.url, java_script_enabled=False, storage_state=page.context.storage_state())
    shown = plain.new_page()
    shown.goto(f"{MAIN}npm/tool/v/1.0.0/")
    shown.get_by_role("checkbox", name="Internal").uncheck()
    shown.get_by_role("button", name="Save", exact=True).click()
    assert "tool may then be fetched from outside" in shown.inner_text("main")
    shown.get_by_role("button", name="Yes, untick it").click()
    assert "is not internal any more" in shown.inner_text("main")
    plain.close()
    made.refresh_from_db()
    assert not made.is_internal


def test_a_readme_runs_nothing_and_asks_nobody(page: Page, live_server: LiveServer, put: Callable[..., Version]) -> None:
    put("@acme/http", "1.0.0", homepage="javascript:alert(1)", description="<img src=//evil.example/x onerror=alert(1)>")
    trouble, asked = trouble_of(page), []
    page.on("request", lambda request: asked.append(request.url))
    for address in (HTTP, f"{HTTP}v/1.0.0/"):
        page.goto(address)
    assert not trouble
    assert all(url.startswith((live_server.url, "data:")) for url in asked)


def test_npm_login_is_approved_at_the_page(page: Page, world: World) -> None:
    started = start_login(registry_path="acme/main", client="npm/11", ip="198.51.100.4")
    page.goto(f"/login/cli/{started.page_id}")
    page.get_by_role("button", name="Approve").click()
    page.get_by_text("You can return to the terminal").wait_for()
    assert collect_login(poll_id=started.poll_id) is not None
