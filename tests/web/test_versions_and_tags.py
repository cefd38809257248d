"""The page of a package: versions in order, tags as clients see them, whosever they are; what sources are, in words."""

import re
from collections.abc import Callable

from django.test import Client

from packages.models import Version
from tests.web.addresses import HTTP, MAIN, text
from tests.web.conftest import World
from upstreams.models import Upstream
from upstreams.services.explain import explain
from upstreams.services.sources import create_upstream
from upstreams.services.wishes import UpstreamWish


def plain(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_versions_stand_in_their_order_whenever_they_came(alice: Client, put: Callable[..., Version]) -> None:
    git = "0.0.0-git.20260101120000.aaaaaaaaaaaa", "0.0.0-git.20261101120000.bbbbbbbbbbbb"
    for version in ("1.2.0", git[1], "1.10.0", "2.0.0-beta.1", git[0], "1.9.0"):
        put("@acme/http", version, tags=())
    shown = re.findall(r'/v/([^/"]+)/">', text(alice, f"{HTTP}versions/").partition("<tbody>")[2].partition("</tbody>")[0])
    assert shown == ["2.0.0-beta.1", "1.10.0", "1.9.0", "1.2.0", git[1], git[0]]


def test_fifty_versions_a_page_the_highest_first(alice: Client, put: Callable[..., Version]) -> None:
    for minor in range(53):
        put("@acme/http", f"1.{minor}.0", tags=())
    assert "/v/1.52.0/" in text(alice, f"{HTTP}versions/")
    assert "/v/1.2.0/" not in text(alice, f"{HTTP}versions/")
    assert "/v/1.2.0/" in text(alice, f"{HTTP}versions/?page=2")


def test_what_is_held_is_counted_once(world: World, put: Callable[..., Version]) -> None:
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        put("left-pad", version, pulled=True)

    def said() -> str:
        sources = explain(world.main, "npm", "left-pad")["sources"]
        assert isinstance(sources, list)
        return str(sources[0]["clause"])

    assert said() == "holds 3 versions: 3 pulled; none internal"
    Version.objects.update(is_internal=True)
    assert said() == "holds 3 versions: 3 pulled; all internal"
    put("left-pad", "2.0.0")
    Version.objects.filter(version__in=("1.0.0", "1.1.0")).update(is_internal=False)
    assert said() == "holds 4 versions: 1 own, 3 pulled; 2 internal; the pulled ones that are not internal are shadowed"


def test_nothing_is_called_shadowed_before_the_sources_were_asked(world: World, put: Callable[..., Version]) -> None:
    put("left-pad", "1.0.0", pulled=True)
    trace = explain(world.main, "npm", "left-pad")
    assert (trace["outcome"], trace["shadowed"]) == ("ask", [])


def test_upstreams_say_what_they_are(alice: Client, world: World) -> None:
    wishes = (
        UpstreamWish(name="design", kind="git", url="https://git.example.org/x.git"),
        UpstreamWish(name="cakes", format="moonbit", url="https://cakes.example.org"),
    )
    for wish in wishes:
        create_upstream(actor=world.actor("alice"), registry=world.main, wish=wish)
    alice.post("/acme/", {"slug": "shared", "visibility": "private"})
    alice.post(f"{MAIN}upstreams/", {"kind": "registry", "registry": "shared", "name": "shared", "priority": "9", "enabled": "on"})
    assert Upstream.objects.filter(name="shared").exists()
    shown = plain(text(alice, f"{MAIN}upstreams/"))
    for words in ("npm registry", "Git repository (npm)", "MoonBit registry index by Git", "chained registry"):
        assert words in shown, words
    assert "Git repository (npm)" in plain(text(alice, MAIN))
