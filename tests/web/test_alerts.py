"""What needs a look: told in sentences, with links, until somebody says that they looked."""

import re
from collections.abc import Callable

import pytest
from django.test import Client

from packages.models import Version
from tests.web.addresses import MAIN, text
from tests.web.conftest import World
from upstreams.services import alerts
from workspaces.models import Event
from workspaces.services.audit import SYSTEM, record

TROUBLE = {
    "sentence": "Upstream outside refused our credentials (401).",
    "code": "upstream_unauthorized",
    "about": "left-pad",
    "internal": True,
}


def trouble(world: World) -> Event:
    return record(SYSTEM, "alert.upstream_trouble", "acme/main outside", workspace=world.workspace, new=TROUBLE)


def plain(page: str) -> str:
    """The page as it is read."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))


def test_alerts_are_sentences_with_links_and_no_raw_values(alice: Client, world: World, put: Callable[..., Version]) -> None:
    put("left-pad", "1.3.0", pulled=True)
    alerts.integrity_changed(world.upstream, "left-pad", {"1.3.0": "sha512-" + "A" * 88}, {"1.3.0": "sha512-" + "B" * 88})
    alerts.removed_upstream(world.upstream, "left-pad", ["1.2.0", "1.1.0"], whole=False)
    alerts.manifest_differs(world.upstream, "left-pad@1.3.0", [{"field": "scripts.install", "document": None, "tarball": "x"}])
    record(SYSTEM, "alert.versions_shadowed", "acme/main npm @acme/http", workspace=world.workspace, new={"versions": ["9.9.9"]})
    trouble(world)
    page = text(alice, "/acme/alerts/")
    read = plain(page)
    for sentence in (
        "Upstream outside sent other bytes of left-pad@1.3.0 than are on record: sha512-AAAAAAAAAAAA… before, sha512-BBBBBBBBBBBB… now.",
        "Upstream outside no longer offers left-pad 2 versions (1.1.0, 1.2.0).",
        "The package.json inside left-pad@1.3.0 is not what Upstream outside said of it: scripts.install.",
        "A version of @acme/http (9.9.9), pulled from a source that is not internal, was hidden from clients",
        "Upstream outside refused our credentials (401). Met with left-pad. It is internal",
    ):
        assert sentence in read, sentence
    assert "{" not in read.replace("{{", "")
    assert "upstream_unauthorized" not in read
    assert f'href="{MAIN}npm/left-pad/"' in page
    assert f'href="{MAIN}npm/@acme/http/"' in page
    assert f'href="{MAIN}upstreams/{world.upstream.pk}/"' in page


def test_alike_alerts_are_one_until_somebody_looked_and_open_again_when_it_happens_again(
    alice: Client, sign_in: Callable[[str], Client], world: World
) -> None:
    events = [trouble(world) for _ in range(3)]
    front = text(alice, "/acme/")
    assert front.count("refused our credentials") == 1
    assert "3 times" in front
    answer = alice.post("/acme/alerts/", {"id": str(events[-1].pk), "note": "token is being renewed"}, follow=True)
    assert "1 alert is acknowledged" in answer.content.decode()
    assert "refused our credentials" not in text(alice, "/acme/")
    kept = plain(text(alice, "/acme/alerts/?state=acknowledged"))
    assert "Acknowledged by alice" in kept
    assert "token is being renewed" in kept
    logged = Event.objects.get(action="alerts.acknowledged")
    assert (logged.actor, logged.object) == ("alice", "acme/main outside")
    assert "token is being renewed" in str(logged.new)
    alice.post("/acme/alerts/", {"id": str(events[0].pk)})  # an older one is covered already
    assert Event.objects.filter(action="alerts.acknowledged").count() == 1
    trouble(world)
    again = text(alice, "/acme/")
    assert "refused our credentials" in again
    assert "3 times" not in again
    assert "Acknowledge" not in text(sign_in("rita"), "/acme/alerts/").partition("<main")[2].partition("<nav")[0]


def test_all_of_a_page_are_acknowledged_at_once(alice: Client, world: World) -> None:
    for number in range(30):
        record(SYSTEM, "alert.versions_shadowed", f"acme/main npm p{number}", workspace=world.workspace, new={"versions": ["1.0.0"]})
    assert "27 more alerts" in text(alice, "/acme/")
    page = text(alice, "/acme/alerts/")
    shown = re.findall(r'name="id" value="(\d+)"', page.rpartition("data-confirm")[2])
    assert len(shown) == 25
    alice.post("/acme/alerts/", {"id": shown})
    assert "2 more alerts" in text(alice, "/acme/")


@pytest.mark.parametrize("chosen", [[], ["x"], ["999999999"], ["-1"], ["9" * 30]])
def test_what_is_no_alert_cannot_be_acknowledged(chosen: list[str], alice: Client, world: World) -> None:
    other = Event.objects.filter(workspace=world.workspace).exclude(action__startswith="alert.").first()
    assert other is not None
    for words in (chosen, [*chosen, str(other.pk)], [*chosen, str(trouble(world).pk), str(other.pk)]):
        assert alice.post("/acme/alerts/", {"id": words}).status_code == 404
    assert not Event.objects.filter(action="alerts.acknowledged").exists()


@pytest.mark.parametrize(
    "new", [None, [], "x", 5, {"offered": 3}, {"offered": {}}, {"versions": "x", "number": "y"}, {"differences": [1, {}]}]
)
@pytest.mark.parametrize(
    "action", ["integrity_changed", "manifest_differs", "removed_upstream", "upstream_trouble", "versions_shadowed", "unheard_of"]
)
def test_an_event_of_another_shape_is_no_error(action: str, new: object, alice: Client, world: World) -> None:
    for subject in ("acme/main npm x@1.0.0", "acme/main npm", "acme/main npm @", "x", "", "acme/main npm @a/b/c d"):
        Event.objects.create(workspace=world.workspace, actor="gatehouse", action=f"alert.{action}", object=subject, new=new, old=new)
    assert alice.get("/acme/alerts/").status_code == 200
    assert alice.get("/acme/activity/").status_code == 200
