"""The tags on a package's page are those that npm shows, whosever they are."""

import re

import pytest
from django.test import Client

from registries.models import Registry
from tests.npm.team import Team
from tests.parts.recorder import Recorder
from upstreams.services.sources import create_upstream
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


def page_of(team: Team, who: str = "alice") -> str:
    client = Client(headers={"accept": "text/html"})
    if who:
        client.force_login(team.people[who])
    return client.get(f"/{team.slug}/registries/{team.registry.slug}/npm/left-pad/").content.decode()


def test_the_tags_of_a_pulled_package_are_those_that_npm_shows(pulled: Team) -> None:
    shown = plain(page_of(pulled).partition('id="tg"')[2].partition("</section>")[0])
    assert "latest 1.3.0 as outside tags it" in shown
    assert "next 1.4.0-rc.1 as outside tags it" in shown
    assert shown.count("not pulled yet") == 1
    assert "None" not in shown
    assert '<span class="badge tag">latest</span>' in page_of(pulled).partition("<tbody>")[2].partition("</tbody>")[0]
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
