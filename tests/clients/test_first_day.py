"""The first day of somebody new, in a real browser and with a real npm: from GitHub to a published package, and a token's end."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.clients.projects import write_package
from tests.parts.clients import Client
from tests.parts.gatehouse import Gatehouse
from tests.parts.github import CLIENT, SECRET, GitHub
from tests.parts.recorder import Recorder

pytestmark = [pytest.mark.npm, pytest.mark.browser]


@pytest.fixture
def server(tmp_path: Path, recorder: Recorder) -> Iterator[Gatehouse]:
    with GitHub() as hub:
        server = Gatehouse(tmp_path, "", recorder.url)
        github = {"OAUTH_GITHUB_CLIENT": CLIENT, "OAUTH_GITHUB_SECRET": SECRET, "OAUTH_GITHUB_URL": hub.url}
        server.env = {"EXTERNAL_HOST": server.url, "SIGNUP": "open", **github}
        try:
            server.start()
            yield server
        finally:
            server.stop()


@pytest.fixture
def page(server: Gatehouse) -> Iterator[Page]:
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        pytest.skip("no Chromium: apt-get install -y --no-install-recommends chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        context = browser.new_context(base_url=server.url, permissions=["clipboard-read", "clipboard-write"])
        yield context.new_page()
        browser.close()


def test_from_github_to_a_revoked_token(page: Page, server: Gatehouse, tmp_path: Path) -> None:
    page.goto("/login")
    page.get_by_role("button", name="Sign in with GitHub").click()
    page.get_by_role("button", name="Create account").click()
    page.get_by_label("Address").fill("octo")
    page.get_by_role("button", name="Create workspace").click()
    page.get_by_label("Address").fill("main")
    page.get_by_role("button", name="Create registry").click()
    page.get_by_text("Waiting for the first package").wait_for()
    connect = page.locator(".connect")
    connect.get_by_role("button", name="Copy .npmrc").locator("visible=true").first.click()
    connect.get_by_text("Copied").first.wait_for()
    npmrc = page.evaluate("navigator.clipboard.readText()")

    secret = token_made(page)
    npm = Client("npm-11", tmp_path / "home", f"{server.url}/octo/r/main/")
    npm.env = {"NPM_TOKEN": secret}
    package = write_package(npm.project, "octo-tool")
    (package / ".npmrc").write_text(npmrc, encoding="utf-8")
    page.goto("/octo/registries/main/")
    npm.run("publish")
    page.get_by_role("link", name="octo-tool").click()  # the page moved on by itself
    page.get_by_role("link", name="1.0.0").first.click()
    page.get_by_role("checkbox", name="Internal").uncheck()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Yes, untick it").click()
    page.get_by_text("octo-tool@1.0.0 is not internal any more.").wait_for()
    assert npm.run("whoami").out.strip() == "octocat"

    page.goto("/octo/tokens/")
    page.get_by_role("button", name="Revoke laptop").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    page.get_by_text("The token is revoked.").wait_for()
    refused = npm.refused("view", "octo-tool")
    assert "E401" in refused.said


def token_made(page: Page) -> str:
    """The secret of a new token, as the page shows it once."""
    page.goto("/octo/tokens/?preset=developer")
    page.get_by_label("Name", exact=True).fill("laptop")
    page.get_by_role("button", name="Create token").click()
    page.get_by_text("This is the only time it is shown.").wait_for()
    return page.locator(".fresh pre").first.inner_text().strip()
