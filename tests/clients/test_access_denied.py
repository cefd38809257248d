"""docs/guide/access-denied.md: every row is what npm shows when that happens, and everything that is tried here has its row."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.clients.projects import write_package
from tests.parts import ROOT
from tests.parts.clients import Client
from tests.parts.gate import Place, made
from tests.parts.gatehouse import PASSWORD
from tests.parts.pack import pack
from tests.parts.web_client import Caller, basic

pytestmark = pytest.mark.npm
GUIDE = (ROOT / "docs" / "guide" / "access-denied.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (40[134]) \| “(.*?)” \|", GUIDE, re.MULTILINE)
HELD = "held"  # a package that is there
NARROW: dict[str, tuple[str, dict[str, object]]] = {
    "elsewhere": ("rita", {"cidrs": ["192.0.2.0/24"]}),
    "read only": ("bob", {"read_only": True}),
    "scoped": ("rita", {"scopes": ["npm:package:@acme/*:read"]}),
    "other registries": ("rita", {"registries": []}),
}
# what happens: (who, what they try)
CASES = {
    "nobody": ("", HELD),
    "stale": ("a stale token", HELD),
    "expired": ("an expired token", HELD),
    "elsewhere": ("elsewhere", HELD),
    "stranger": ("mallory", HELD),
    "absent": ("rita", "no-such-thing"),
    "reader": ("rita", "publish"),
    "read only": ("read only", "publish"),
    "scoped": ("scoped", HELD),
    "other registries": ("other registries", HELD),
    "retired": ("bob", "publish"),
}
SAID = {  # the row of the guide
    "nobody": 0, "stale": 1, "expired": 1, "elsewhere": 2, "reader": 3, "read only": 3, "scoped": 4, "retired": 5,
    "stranger": 6, "other registries": 6, "absent": 7,
}  # fmt: skip


@pytest.fixture(scope="module")
def place(town: Place) -> Place:
    town.publish(pack(HELD))
    town.publish(pack("gone"))
    assert town.api().delete(f"{town.rest}packages/npm/gone/versions/1.0.0/").status == 204
    return town


def test_every_row_is_tried() -> None:
    assert sorted(set(SAID.values())) == list(range(len(ROWS)))


@pytest.mark.parametrize("gate", ["sqlite"], indirect=True)
@pytest.mark.parametrize("case", CASES)
def test_npm_shows_the_sentence(place: Place, client: Callable[..., Client], case: str) -> None:
    who, wanted = CASES[case]
    npm = client("npm-12", place, who) if who in {"", *place.tokens} else narrow(place, client, who)
    name = "gone" if case == "retired" else "mine" if wanted == "publish" else wanted
    if wanted == "publish":
        write_package(npm.project, name)
    done = npm.refused(*(["publish"] if wanted == "publish" else ["install", name]))

    status, sentence = ROWS[SAID[case]]
    owner = NARROW[who][0] if who in NARROW else who
    here = f"{place.slug}/{place.registry}"
    expected = sentence.replace("WHO", owner).replace("NAME", name).replace("WORKSPACE/REGISTRY", here)
    assert f"npm error code E{status}" in done.said
    assert expected in done.said, done


def narrow(place: Place, client: Callable[..., Client], what: str) -> Client:
    """npm with a token that is not enough."""
    home = client("npm-12", place, home="narrow").home
    return Client("npm-12", home, place.url, secret(place, what))


def secret(place: Place, what: str) -> str:
    if what == "a stale token":
        return "gth_" + "0" * 46
    soon = {"expires_at": (datetime.now(UTC) + timedelta(seconds=1)).isoformat()}
    who, wish = NARROW.get(what, ("rita", soon))
    answer = Caller(place.gate.url, basic(who, PASSWORD)).post("/api/v1/tokens/", {"name": what, **wish})
    if wish is soon:
        time.sleep(1.5)
    return str(made(answer)["token"])
