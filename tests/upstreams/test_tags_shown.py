"""The tags on a package's page are those that npm shows, whosever they are."""

import json
import re

import pytest
from django.test import Client

from packages.formats.npm.names import parse_known
from registries.models import Registry
from tests.npm.team import Team
from tests.parts.recorder import Recorder
from tests.upstreams.test_hostile_documents import grow_old
from upstreams.services.resolve import peek
from upstreams.services.sources import create_upstream
from upstreams.services.tags import tags_shown
from upstreams.services.wishes import UpstreamWish


def plain(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


@pytest.fixture
def pulled(team: Team, recorder: Recorder, loopback: None) -> Team:
    """left-pad, of which 1.3.0 is installed; upstream tags 1.3.0 as latest and 1.4.0-rc.1 as next."""
    create_upstream(actor=team.actor("alice"), registry=team.registry, wish=UpstreamWish(name="outside", url=recorder.url))
    for version in ("1.2.0", "1.3.0", "1.4.0-rc.1"):
        recorder.add("left-pad", version)
    recorder.offers["left-pad"].tags = {"latest": "1.3.0", "next": "1.4.0-rc.1"}
    assert team.send("rita", "GET", "/left-pad").json()["dist-tags"] == {"latest": "1.3.0", "next": "1.4.0-rc.1"}
    assert team.send("rita", "GET", "/left-pad/-/left-pad-1.3.0.tgz").status_code == 200
    return team


def page_of(team: Team, who: str = "alice", tab: str = "") -> str:
    client = Client(headers={"accept": "text/html"})
    if who:
        client.force_login(team.people[who])
    return client.get(f"/{team.slug}/registries/{team.registry.slug}/npm/left-pad/{tab}").content.decode()


def test_the_tags_of_a_pulled_package_are_those_that_npm_shows(pulled: Team) -> None:
    shown = plain(page_of(pulled).partition('id="tg"')[2].partition("</section>")[0])
    assert "latest 1.3.0 as outside tags it" in shown
    assert "next 1.4.0-rc.1 as outside tags it" in shown
    assert shown.count("not pulled yet") == 1
    assert "None" not in shown
    assert '<span class="badge tag">latest</span>' in page_of(pulled, tab="versions/").partition("<tbody>")[2].partition("</tbody>")[0]
    pulled.send("bob", "PUT", "/-/package/left-pad/dist-tags/latest", "1.3.0")
    own = plain(page_of(pulled).partition('id="tg"')[2].partition("</section>")[0])
    assert "latest 1.3.0 next" in own


def test_a_list_shows_the_highest_version_of_what_was_pulled(pulled: Team) -> None:
    assert pulled.send("rita", "GET", "/left-pad/-/left-pad-1.2.0.tgz").status_code == 200
    client = Client(headers={"Authorization": f"Bearer {pulled.tokens['rita']}"})
    (listed,) = client.get(f"/api/v1/workspaces/{pulled.slug}/registries/main/packages/").json()["results"]
    assert (listed["latest"], listed["version_count"]) == ("1.3.0", 2)


def test_visitors_see_the_tags_and_not_whose_they_are(pulled: Team) -> None:
    Registry.objects.filter(pk=pulled.registry.pk).update(visibility="public")
    shown = page_of(pulled, "")
    assert '<span class="badge tag">next</span>' in shown
    assert "outside" not in shown


TAGGED = {
    "as it should be": {"latest": "1.3.0", "next": "1.4.0-rc.1"},
    "no latest": {"next": "1.4.0-rc.1"},
    "nothing": {},
    "a latest that is not there": {"latest": "9.9.9", "old": "1.2.0"},
    "a latest that is no version": {"latest": "1.5.0-of-another", "old": "1.2.0"},
    "a latest that is no text": {"latest": ["1.3.0"], "old": "1.2.0"},
    "tags that are no text": {"latest": "1.3.0", "odd": 7, "none": None},
}


@pytest.mark.parametrize("case", TAGGED)
def test_looking_at_the_tagged_versions_alone_comes_to_the_same(pulled: Team, recorder: Recorder, case: str) -> None:
    document = recorder.document("left-pad")
    document["versions"]["1.5.0-of-another"] = {**document["versions"]["1.3.0"], "name": "another", "version": "1.5.0-of-another"}
    body = json.dumps(document | {"dist-tags": TAGGED[case]}).encode()
    recorder.misbehave("left-pad", lambda handler, _: handler.send(200, body))
    grow_old()
    told = pulled.send("rita", "GET", "/left-pad").json()["dist-tags"]
    resolution = peek(pulled.registry, parse_known("left-pad"))
    assert {tag.name: tag.version for tag in tags_shown(resolution)} == told
    assert told["latest"] in {"1.3.0", "1.4.0-rc.1"}
