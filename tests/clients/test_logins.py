"""Every way each client logs in, with a person at the real page; and out again."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.browser import PAGE, Person, approve
from tests.clients.logins import waiting
from tests.clients.ways import app, publish_with, ways
from tests.parts.clients import Client
from tests.parts.gate import Place
from tests.parts.gatehouse import PASSWORD

pytestmark = [pytest.mark.npm, pytest.mark.parametrize("gate", ["sqlite"], indirect=True)]
Clients = Callable[..., Client]
WEB = {
    "npm-6": ("login", "--no-browser"),
    "npm-9": ("login",),
    "npm-10": ("login",),
    "npm-11": ("login", "--auth-type=web"),
    "npm-12": ("login",),
    "pnpm-10": ("login",),
    "pnpm-12": ("login",),
}
BOB = [("sername", "bob"), ("assword", PASSWORD)]


@pytest.mark.parametrize("tool", WEB)
def test_through_the_browser_and_out(town: Place, client: Clients, tool: str) -> None:
    nobody = client(tool, town, "")
    with waiting(nobody, *WEB[tool]) as (child, page):
        approve(page, town.gate.url, "rita")
        rest = child.communicate(timeout=60)[0]

    assert child.returncode == 0, rest
    assert nobody.run("whoami").out.strip() == "rita"
    secret = saved_token(nobody)
    nobody.run("logout")
    assert secret not in "".join(path.read_text() for path in settings_of(nobody))
    reply = town.as_("").request("GET", "/-/whoami", headers={"authorization": f"Bearer {secret}"})
    assert reply.status == 401, reply


def test_refused_in_the_browser(town: Place, client: Clients) -> None:
    nobody = client("npm-12", town, "")
    with waiting(nobody, "login", "--fetch-retries=0") as (child, page):
        approve(page, town.gate.url, "rita", answer="refuse")
        rest = child.communicate(timeout=60)[0]

    assert child.returncode != 0, rest
    assert "_authToken" not in nobody.npmrc


@pytest.mark.parametrize("tool", ["npm-9", "npm-10", "npm-12", "pnpm-10"])
def test_with_a_password(town: Place, client: Clients, tool: str) -> None:
    nobody = client(tool, town, "")
    done = nobody.at_a_terminal("login", "--auth-type=legacy", answers=BOB)

    assert done.code == 0, str(done)
    assert nobody.run("whoami").out.strip() == "bob"


@pytest.mark.parametrize("tool", ["npm-9", "npm-12", "pnpm-10"])
def test_with_a_login_password_from_the_page(town: Place, client: Clients, tool: str) -> None:
    page = f"/{town.slug}/registries/{town.registry}/"
    shown = Person(town.gate.url).sign_in("bob").send(f"{page}login-password/", {}, at=page, expect=201)
    secret = re.search(r"gtl_[\w-]+", shown)
    assert secret is not None
    answers = [("sername", "bob"), ("assword", secret[0])]
    nobody = client(tool, town, "")
    done = nobody.at_a_terminal("login", "--auth-type=legacy", answers=answers)

    assert done.code == 0, str(done)
    assert nobody.run("whoami").out.strip() == "bob"
    again = client(tool, town, "", home="again").at_a_terminal("login", "--auth-type=legacy", answers=answers)
    assert again.code != 0, "once"
    assert "was used" in again.said


def test_yarn_4_with_a_password_and_out(town: Place, client: Clients) -> None:
    nobody = client("yarn-4", town, "")
    done = nobody.at_a_terminal("npm", "login", "--always-auth", answers=BOB)

    assert done.code == 0, str(done)
    assert "bob" in nobody.run("npm", "whoami").out
    nobody.run("npm", "logout")
    assert "npmAuthToken" not in (nobody.home / ".yarnrc.yml").read_text(encoding="utf-8")


def test_yarn_4_through_the_browser(town: Place, client: Clients) -> None:
    nobody = client("yarn-4", town, "")
    approved: list[str] = []

    def person(said: str) -> None:
        if (page := PAGE.search(said)) and not approved:
            approved.append(page[0])
            approve(page[0], town.gate.url, "rita")

    done = nobody.at_a_terminal("npm", "login", "--web-login", answers=[("browser now?", "n")], watch=person)
    assert done.code == 0, str(done)
    assert "rita" in nobody.run("npm", "whoami").out


def test_yarn_1_asks_when_it_publishes(town: Place, client: Clients) -> None:
    nobody = client("yarn-1", town, "")
    (nobody.project / "package.json").write_text('{"name": "by-yarn-1-with-a-password", "version": "1.0.0"}', encoding="utf-8")
    answers = [("username", "bob"), ("email", "bob@example.org"), ("password", PASSWORD)]
    done = nobody.at_a_terminal("publish", "--new-version", "1.0.0", answers=answers)

    assert done.code == 0, str(done)
    assert town.versions("by-yarn-1-with-a-password") == ["1.0.0"]
    assert "Revoked login token" in done.said


def test_bun_has_no_login_and_takes_the_npmrc_that_npm_wrote(town: Place, client: Clients) -> None:
    bob = client("npm-12", town, "bob")
    with_bun = client("bun", town, "")
    (with_bun.home / ".bunfig.toml").unlink()
    (with_bun.home / ".npmrc").write_text(bob.npmrc, encoding="utf-8")

    assert with_bun.run("pm", "whoami").out.strip() == "bob"
    publish_with(with_bun, "by-bun-with-an-npmrc")
    app(with_bun).run(*ways(with_bun).add, "by-bun-with-an-npmrc")


def saved_token(client: Client) -> str:
    """The token a login wrote into the client's settings."""
    lines = [line for path in settings_of(client) for line in path.read_text(encoding="utf-8").splitlines() if "gth_" in line]
    assert lines, f"{client.tool} saved no token"
    return "gth_" + lines[0].rpartition("gth_")[2].strip("\"' ")


def settings_of(client: Client) -> list[Path]:
    """The files clients save a token in."""
    return [path for path in (client.home / ".npmrc", *client.home.glob(".config/pnpm/*")) if path.is_file()]
