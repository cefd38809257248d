"""Acts of the pages in a real browser, and what they look like empty, and with an error."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from packages.models import Version
from tests.parts.pack import pack
from tests.web.conftest import World
from tests.web.looking import trouble_of, violations
from tokens.models import Token
from upstreams.models import Upstream
from upstreams.services.sources import create_upstream
from upstreams.services.wishes import UpstreamWish
from workspaces.models import Workspace

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MAIN = "/acme/registries/main/"
FRESH = "another horse"
SPACE, REG = "/globe/", "/globe/registries/bare/"
EMPTY = (
    SPACE,
    *(f"{SPACE}{page}/" for page in ("people", "people/invitations", "claims", "secrets", "webhooks", "tokens", "alerts", "activity")),
    *(f"{SPACE}{page}/" for page in ("settings", "tombstones")),
    *(f"{REG}{page}" for page in ("", "?q=nothing", "upstreams/", "mirrors/", "settings/", "upload/")),
    "/account/",
    "/account/sessions/",
)
# Addresses of what is not there, is over, or is somebody else's.
ABSENT = (
    *("/nowhere/", "/acme/registries/nothing/", f"{MAIN}npm/nothing/", f"{MAIN}npm/nothing/resolution/", f"{MAIN}mirrors/999/"),
    *(f"{MAIN}upstreams/999/", "/acme/webhooks/999/", "/acme/secrets/NOTHING/", "/account/guides/nothing"),
    *("/login/cli/unknown", "/account/invitations/unknown/"),
)
# a page, what is typed where, and the button: each is refused
REFUSED = (
    ("/", {"Address": "Not A Slug"}, "Create workspace"),
    ("/acme/", {"Address": "Not A Slug"}, "Create registry"),
    ("/acme/claims/", {"Pattern": "*"}, "Claim"),
    ("/acme/people/", {"User name": "ghost"}, "Add"),
    ("/acme/secrets/", {"Name": "small letters", "Value": "x"}, "Store"),
    ("/acme/webhooks/", {"Address": "https://127.0.0.1/"}, "Add"),
    ("/acme/tokens/", {"Name": "x", "Scopes": "nonsense"}, "Create token"),
    (f"{MAIN}settings/", {"New address": "Not A Slug"}, "Rename"),
    (f"{MAIN}upstreams/", {"Name": "x", "Address": "ftp://x"}, "Add upstream"),
    (
        "/account/password/",
        {"Current password": "wrong", "New password": "another horse", "New password again": "another horse"},
        "Change password",
    ),
    ("/account/second-factor/", {"Code": "000000"}, "Turn on"),
    (f"{MAIN}mirrors/", {"Packages": "no name at all!"}, "Order the job"),
    ("/account/proof/", {"Password": "wrong"}, "Go on"),
)


def test_pages_that_are_empty_meet_the_rules(page: Page) -> None:
    page.goto("/")
    page.get_by_text("Create a workspace").click()
    page.get_by_label("Address").fill("globe")
    page.get_by_role("button", name="Create workspace").click()
    page.get_by_role("heading", name="No registry yet").wait_for()
    assert Workspace.objects.filter(slug="globe").exists()
    page.get_by_label("Address").locator("visible=true").first.fill("bare")
    page.get_by_role("button", name="Create registry").click()
    page.wait_for_url(f"**{REG}**")
    broken = {}
    for address in EMPTY:
        page.goto(address)
        if found := violations(page):
            broken[address] = found
    assert not broken


def test_pages_of_what_is_not_there_meet_the_rules(page: Page) -> None:
    broken = {}
    for address in ABSENT:
        answer = page.goto(address)
        assert answer is not None
        assert answer.status in {404, 410, 200}, address  # 200: a name nobody has says what would come of it
        if found := violations(page):
            broken[address] = found
    assert not broken


@pytest.mark.parametrize(("address", "typed", "button"), REFUSED, ids=[row[2] for row in REFUSED])
def test_pages_with_an_error_meet_the_rules(page: Page, address: str, typed: dict[str, str], button: str) -> None:
    page.goto(address)
    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    for label, value in typed.items():
        page.get_by_label(label, exact=True).locator("visible=true").first.fill(value)
    page.get_by_role("button", name=button, exact=True).first.click()
    page.locator(".error, [role=alert]").locator("visible=true").first.wait_for()
    assert violations(page) == ""


def test_a_scope_is_built_by_choosing(page: Page) -> None:
    trouble = trouble_of(page)
    page.goto("/acme/tokens/?preset=ci-read")
    page.get_by_label("matching").fill("@acme/*")
    page.locator("[data-part=action]").select_option("write")
    page.get_by_role("button", name="Add scope").click()
    page.get_by_label("matching").fill("tool")
    page.get_by_role("button", name="Add scope").click()
    assert page.get_by_label("Scopes").input_value().split() == ["npm:package:@acme/*:write", "npm:package:tool:write"]
    assert violations(page) == ""
    page.get_by_role("button", name="Create token").click()
    page.get_by_text("This is the only time it is shown.").wait_for()
    assert Token.objects.get().scopes == ["npm:package:@acme/*:write", "npm:package:tool:write"]
    assert not trouble


def test_upstreams_are_dragged_and_stepped_into_order(page: Page, world: World) -> None:
    for name in ("two", "three"):
        create_upstream(actor=world.actor("alice"), registry=world.main, wish=UpstreamWish(name=name, url="https://registry.example.org"))

    def names() -> list[str]:
        return list(Upstream.objects.order_by("priority", "id").values_list("name", flat=True))

    page.goto(f"{MAIN}upstreams/")
    rows = page.locator("tr[draggable]")
    rows.nth(2).drag_to(rows.nth(0), target_position={"x": 40, "y": 2})
    page.get_by_text("They are asked in this order from now on.").wait_for()
    assert names() == ["three", "outside", "two"]
    page.get_by_role("button", name="Ask three later").focus()
    page.keyboard.press("Enter")
    page.get_by_text("They are asked in this order from now on.").wait_for()
    assert names() == ["outside", "three", "two"]
    assert violations(page) == ""


def test_a_large_tarball_is_uploaded_and_a_wrong_one_is_told(page: Page, tmp_path: Path, world: World) -> None:
    page.goto(f"{MAIN}upload/")
    wrong = tmp_path / "wrong.tgz"
    wrong.write_bytes(b"no tarball")
    page.get_by_label("Tarball").set_input_files(wrong)
    page.get_by_role("button", name="Publish").click()
    page.locator(".error, [role=alert]").locator("visible=true").first.wait_for()
    assert violations(page) == ""
    right = tmp_path / "right.tgz"
    right.write_bytes(pack("@acme/big", "1.0.0", files={"data": bytes(range(256)) * 12_000}).tarball)
    page.get_by_label("Tarball").set_input_files(right)
    page.get_by_role("button", name="Publish").click()
    page.get_by_text("@acme/big 1.0.0 is published.").wait_for()
    assert Version.objects.get().origin == "uploaded"


def test_internal_says_what_follows_and_is_undone(page: Page, put: Callable[..., Version]) -> None:
    made = put("left-pad", "1.0.0", pulled=True)
    page.goto(f"{MAIN}npm/left-pad/v/1.0.0/")
    page.get_by_text("no public source is asked about left-pad").wait_for()
    page.get_by_role("checkbox", name="Internal").check()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("left-pad@1.0.0 is internal.").wait_for()
    assert violations(page) == ""
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("left-pad@1.0.0 is not internal any more.").wait_for()
    made.refresh_from_db()
    assert not made.is_internal
