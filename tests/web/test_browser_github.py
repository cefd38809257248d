"""The story of somebody's first day with GitHub, in a real browser."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from tests.parts.github import GitHub
from tests.web.looking import TAGS, trouble_of
from workspaces.models import User

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def visitor(browser: Browser, hub: GitHub, settings: Settings, live_server: LiveServer) -> Iterator[Page]:
    """A browser in which nobody is signed in."""
    settings.EXTERNAL_HOST = live_server.url
    made = browser.new_context(base_url=live_server.url)
    yield made.new_page()
    made.close()


def checked(page: Page) -> None:
    """Without a violation, in both schemes, and at 360 pixels without scrolling sideways."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        result = Axe().run(page, options={"runOnly": TAGS})
        assert not result.violations_count, result.generate_report()
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.set_viewport_size({"width": 1280, "height": 720})


def test_a_first_day_and_a_second(visitor: Page, hub: GitHub) -> None:
    page, trouble = visitor, trouble_of(visitor)
    page.goto("/login")
    checked(page)
    page.get_by_role("button", name="Sign in with GitHub").click()
    page.get_by_role("heading", name="One more step").wait_for()
    assert page.get_by_label("User name").input_value() == "octocat"
    assert page.get_by_label("E-mail").input_value() == "mona@example.org"
    checked(page)
    page.get_by_role("button", name="Create account").click()
    page.get_by_text("Welcome. From now on GitHub signs you in.").wait_for()
    page.get_by_role("heading", name="No workspace yet").wait_for()
    page.get_by_role("link", name="octocat").click()
    page.get_by_text("It is your only way in").wait_for()
    checked(page)
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in with GitHub").click()
    page.get_by_role("heading", name="Your workspaces").wait_for()
    assert not trouble
    assert User.objects.get(username="octocat").identities.count() == 1


def test_a_refusal_is_mended_by_trying_again(visitor: Page, hub: GitHub) -> None:
    hub.denies = True
    visitor.goto("/login?next=/account/")
    visitor.get_by_role("button", name="Sign in with GitHub").click()
    visitor.get_by_role("heading", name="GitHub sign-in was cancelled").wait_for()
    checked(visitor)
    hub.denies = False
    visitor.get_by_role("button", name="Try GitHub again").click()
    visitor.get_by_role("heading", name="One more step").wait_for()


def test_with_a_password_and_github_later(visitor: Page, hub: GitHub) -> None:
    page, trouble = visitor, trouble_of(visitor)
    page.goto("/login")
    page.get_by_role("link", name="Create an account").click()
    page.get_by_role("heading", name="Create an account").wait_for()
    checked(page)
    page.get_by_label("User name").fill("lisa")
    page.get_by_label("New password", exact=True).fill("a gate of one's own")
    page.get_by_label("New password again").fill("a gate of one's own")
    page.get_by_role("button", name="Create account").click()
    page.get_by_role("link", name="lisa").click()
    page.get_by_role("button", name="Link GitHub").click()
    page.get_by_text("GitHub is linked: from now on it opens this account.").wait_for()
    checked(page)
    page.goto("/account/proof/?next=/account/")
    checked(page)
    page.get_by_role("button", name="Ask GitHub").click()
    page.get_by_role("button", name="Unlink GitHub").click()
    page.get_by_role("dialog").or_(page.locator("main")).get_by_role("button", name="Unlink", exact=True).click()
    page.get_by_text("GitHub is unlinked.").wait_for()
    assert not trouble
    assert not User.objects.get(username="lisa").identities.exists()
