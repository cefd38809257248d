"""The activity log: what changed in words, by kind, and no flood of what mirrors bring in."""

import html
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from packages.models import Version
from tests.parts import ROOT
from tests.web.addresses import MAIN, text
from tests.web.conftest import World
from upstreams.services.sources import change_upstream, create_upstream
from upstreams.services.wishes import UpstreamWish
from web.words import WORDS
from workspaces.models import Event
from workspaces.services.audit import SYSTEM, record
from workspaces.services.spaces import add_claim

ACTIVITY = "/acme/activity/"
SERVICES = ("packages", "registries", "tokens", "upstreams", "webhooks", "workspaces")


def plain(page: str) -> str:
    """The lines of the page as they are read."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.partition("<tbody>")[2].partition("</tbody>")[0]))


def pulled(world: World, number: int) -> None:
    for one in range(number):
        record(SYSTEM, "version.pulled", f"acme/main npm dep-{one}@1.0.0", workspace=world.workspace, new={"upstream": "outside"})


def test_a_mirror_does_not_hide_what_people_did(alice: Client, world: World) -> None:
    add_claim(actor=world.actor("alice"), workspace=world.workspace, pattern="@acme/*")
    pulled(world, 120)
    page = text(alice, ACTIVITY)
    assert "@acme/*" in page
    assert "dep-1@" not in page
    assert "120 versions that were pulled are left out" in page
    shown = text(alice, f"{ACTIVITY}?kind=pulled")
    assert "dep-119@" in shown
    assert "@acme/*" not in plain(shown)
    assert "kind=pulled&amp;page=2" in shown
    assert "dep-119@" in text(alice, f"{ACTIVITY}?kind=all")


def test_a_changed_upstream_tells_what_changed_and_nothing_else(alice: Client, world: World) -> None:
    changes = {"internal": True, "patterns": ("@partner/*", "@other/*"), "priority": 7}
    change_upstream(actor=world.actor("alice"), upstream=world.upstream, changes=changes)  # type: ignore[arg-type]
    read = plain(text(alice, f"{ACTIVITY}?kind=upstreams")).partition("An upstream was added")[0]
    assert "An upstream was changed" in read
    assert "internal: no → yes" in read
    assert "name patterns: none → @partner/*, @other/*" in read
    assert "priority: 100 → 7" in read
    for unchanged in ("https://registry.example.org", "git", "signs in", "secret", "enabled", "kind"):
        assert unchanged not in read, unchanged


def test_a_new_upstream_tells_of_an_index_only_where_there_is_one(alice: Client, world: World) -> None:
    assert "An upstream was added" in plain(text(alice, f"{ACTIVITY}?kind=upstreams"))
    assert "index" not in plain(text(alice, f"{ACTIVITY}?kind=upstreams"))
    wish = UpstreamWish(name="modules", format="moonbit", url="https://modules.example.org", index_type="http")
    create_upstream(actor=world.actor("alice"), registry=world.main, wish=wish)
    assert "the index is read by: http" in plain(text(alice, f"{ACTIVITY}?kind=upstreams"))


def test_a_long_log_is_looked_at_in_stretches(alice: Client, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search reads each event, so one page looks at so many and says how far back that is."""
    Event.objects.all().delete()
    for number in range(25):
        record(SYSTEM, "version.published", f"acme/main npm p-{number}@1.0.0", workspace=world.workspace)
    assert "25 events, newest first<" in re.sub(r"\s*</p>", "<", text(alice, ACTIVITY))
    monkeypatch.setattr("upstreams.selectors.events.STRETCH", 10)
    page = text(alice, f"{ACTIVITY}?kind=all&q=p-")
    assert "10 events, newest first" in page
    assert "Looked at: the newest 10 events, back to 20" in page
    seen = [found_in(page)]
    assert "p-12@" not in plain(page)
    for words in ("Looked at: 10 older events, back to 20", "Looked at: older events, back to the first."):
        older = re.search(r'<a href="\?(kind=all&amp;q=p-&amp;before=\d+)">Look at older ones', page)
        assert older, page
        page = text(alice, f"{ACTIVITY}?{html.unescape(older[1])}")
        assert words in page
        assert "Back to the newest" in page
        seen.append(found_in(page))
    assert [number for numbers in seen for number in numbers] == list(range(24, -1, -1)), "each once"
    assert "Look at older ones" not in page
    missed = text(alice, f"{ACTIVITY}?q=p-3@")
    assert "Nothing matches" in missed
    assert "Looked at: the newest 10 events" in missed
    assert "Look at older ones" in missed
    for odd in ("x", "-1", "9" * 30, "", "\u00b2"):
        assert alice.get(ACTIVITY, {"before": odd}).status_code == 200


def found_in(page: str) -> list[int]:
    return [int(number) for number in re.findall(r"acme/main npm p-(\d+)@", plain(page))]


def test_events_are_found_by_kind_by_person_and_by_what_they_are_about(alice: Client, world: World, put: Callable[..., Version]) -> None:
    put("@acme/http", "1.0.0")
    put("left-pad", "1.3.0", pulled=True)
    add_claim(actor=world.actor("alice"), workspace=world.workspace, pattern="@acme/*")
    assert "A version was published" in plain(text(alice, f"{ACTIVITY}?kind=packages"))
    assert "left-pad" not in plain(text(alice, f"{ACTIVITY}?kind=packages"))
    assert "Names were claimed" not in plain(text(alice, f"{ACTIVITY}?kind=packages"))
    by_bob = plain(text(alice, f"{ACTIVITY}?who=bob"))
    assert "@acme/http@1.0.0" in by_bob
    assert "Names were claimed" not in by_bob
    about = text(alice, f"{ACTIVITY}?q=@ACME/http")
    assert "Names were claimed" not in plain(about)
    assert f'href="{MAIN}npm/@acme/http/"' in about
    assert "Nothing matches" in text(alice, f"{ACTIVITY}?q=%00zzz%25_")
    assert alice.get(f"{ACTIVITY}?kind=nonsense&who=%00").status_code == 200


def test_every_event_has_words() -> None:
    """Whatever the services write into the log is told in words on the page."""
    written = re.compile(r'(?:record|_record|event_write|_once|_begin)\((?:[^()"]*, )?"([a-z_]+\.[a-z_]+)"')
    found: dict[str, str] = {}
    for folder in SERVICES:
        for path in Path(ROOT, folder).rglob("services*/**/*.py"):
            found |= dict.fromkeys(written.findall(path.read_text()), path.name)
    found |= dict.fromkeys(("session.opened", "github.linked", "github.unlinked"), "composed")
    assert len(found) > 40
    assert {action: where for action, where in found.items() if action not in WORDS} == {}
