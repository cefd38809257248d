"""What the registry's page tells people to paste works when it is pasted, in every client and for both reaches."""

import html
import re
import shlex
from collections.abc import Callable

import pytest

from tests.clients.browser import Person, approve
from tests.clients.logins import waiting
from tests.clients.projects import loaded, write_package
from tests.clients.ways import app, ways
from tests.parts.clients import Client
from tests.parts.gate import Place
from tests.parts.pack import pack
from tests.parts.recorder import Recorder

pytestmark = [pytest.mark.npm, pytest.mark.parametrize("gate", ["sqlite"], indirect=True)]
Clients = Callable[..., Client]
CARD = re.compile(
    r'<div class="for-(?P<client>\w+) of-(?P<reach>\w+)">.*?<figcaption><span>(?P<title>[^<]*)</span>.*?<code>(?P<text>.*?)</code>',
    re.DOTALL,
)
READS = {"npm-6": "npm", "npm-12": "npm", "pnpm-10": "pnpm", "pnpm-12": "pnpm", "yarn-1": "yarn1", "yarn-4": "yarn4", "bun": "bun"}
SCOPE = "@acme"
Snippets = list[tuple[str, str, str, str]]


@pytest.fixture(scope="module")
def snippets(town: Place) -> Snippets:
    """(client, reach, title, text) of every snippet on the registry's page, read as a person who may see it."""
    town.claim(f"{SCOPE}/*")
    town.claim("plain-*")
    page = Person(town.gate.url).sign_in("rita").send(f"/{town.slug}/registries/main/")
    found = [(one["client"], one["reach"], one["title"], html.unescape(one["text"])) for one in CARD.finditer(page)]
    assert {(client, reach) for client, reach, _, _ in found} >= {
        (client, reach) for client in READS.values() for reach in ("all", "scope")
    }
    return found


@pytest.fixture(scope="module")
def wares(town: Place, outer: Recorder) -> None:
    """A package of each kind."""
    for name in ("plain-ware", f"{SCOPE}/scoped-ware"):
        town.publish(pack(name))
    outer.add("public-ware")


@pytest.mark.parametrize("reach", ["all", "scope"])
@pytest.mark.parametrize("tool", READS)
@pytest.mark.usefixtures("wares")
def test_pasted_files_install_and_publish(town: Place, outer: Recorder, client: Clients, snippets: Snippets, tool: str, reach: str) -> None:
    bob = app(client(tool, town, registry=f"{outer.url}/"))  # a machine that knows only the public registry
    bob.env = {"NPM_TOKEN": town.tokens["bob"]}
    paste(bob, snippets, reach)
    outer.forget()
    bob.run(*ways(bob).add, f"{SCOPE}/scoped-ware", "plain-ware" if reach == "all" else "public-ware")
    write_package(bob.project, f"{SCOPE}/by-{tool}-{reach}")
    bob.run(*ways(bob).publish)

    assert loaded(bob, f"{SCOPE}/scoped-ware") == f'module.exports = "{SCOPE}/scoped-ware@1.0.0";'
    assert town.versions(f"{SCOPE}/by-{tool}-{reach}") == ["1.0.0"]
    assert bool(outer.asked("public-ware")) == (reach == "scope")
    assert not outer.mentions(SCOPE)
    assert not outer.mentions(town.tokens["bob"])


@pytest.mark.parametrize("reach", ["all", "scope"])
@pytest.mark.parametrize("tool", ["npm-12", "pnpm-12"])
@pytest.mark.usefixtures("wares")
def test_the_login_line_is_all_one_needs(town: Place, outer: Recorder, client: Clients, snippets: Snippets, tool: str, reach: str) -> None:
    nobody = app(client(tool, town, registry=f"{outer.url}/"))
    line = next(text for kind, of, title, text in snippets if (kind, of, title) == (READS[tool], reach, "Terminal"))
    words = shlex.split(line)
    with waiting(nobody, *words[1:]) as (child, page):
        approve(page, town.gate.url, "bob")
        rest = child.communicate(timeout=60)[0]
    assert child.returncode == 0, rest
    paste(nobody, snippets, reach, without="_authToken")
    nobody.run(*ways(nobody).add, f"{SCOPE}/scoped-ware")

    assert loaded(nobody, f"{SCOPE}/scoped-ware") == f'module.exports = "{SCOPE}/scoped-ware@1.0.0";'


def paste(client: Client, snippets: Snippets, reach: str, *, without: str = "\0") -> None:
    """Write every file the page names for this client into its project."""
    for kind, of, title, text in snippets:
        if (kind, of) == (READS[client.tool], reach) and title != "Terminal":
            path = client.home / title[2:] if title.startswith("~/") else client.project / title
            before = path.read_text(encoding="utf-8") if path.exists() else ""
            kept = [line for line in text.splitlines() if without not in line]
            path.write_text("\n".join([before, *kept, ""]), encoding="utf-8")
