"""Where there is much, a page or a list asks the database no more: 1,000 packages, 10,000 versions, 60 registries, a long log."""

import re
from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from bench import pages
from bench.fill import ONE
from bench.seed import seed
from packages.models import Package, Version
from tests.web.conftest import World
from tokens.services.issue import Wish, create_token

WORST = 20  # statements


@pytest.fixture
def seeded(world: World, put: Callable[..., Version]) -> None:
    create_token(actor=world.actor("alice"), wish=Wish(name="one"))
    put(ONE, "1.0.0")
    seed(60, 1_000, 10_000, events=2_000)
    assert (Package.objects.count(), Version.objects.count()) == (1_000, 9_991)


def test_no_page_and_no_list_asks_more_than_twenty_times(
    seeded: None, alice: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for address in pages.ADDRESSES:
        here = re.sub(r"page=\d+", "page=2", address).replace("/team/", "/acme/").replace("source=npm", "source=outside")
        with django_assert_max_num_queries(WORST, info=here):
            assert alice.get(here).status_code == 200, here


def test_filters_find_what_they_say(seeded: None, alice: Client) -> None:
    """Of the 1,000, 410 are in the registry: every second one came from upstream, every tenth one is internal."""
    rest = "/api/v1/workspaces/acme/registries/main/packages/"
    rows = Package.objects.filter(registry__slug="main")

    def count(query: str) -> int:
        return int(alice.get(rest + query).json()["count"])

    internal = rows.filter(versions__is_internal=True).distinct().count()
    pulled = rows.filter(versions__origin="pulled").distinct().count()
    assert (count(""), count("?internal=true"), count("?internal=false")) == (410, internal, 410 - internal)
    assert (count("?source=own"), count("?source=outside"), count("?source=nobody")) == (410 - pulled, pulled, 0)
    assert (count("?search=PACK 7"), count("?format=oci")) == (rows.filter(name__contains="7", name__startswith="pack").count(), 0)
    body = alice.get("/acme/registries/main/?source=outside&sort=updated&q=pack").content.decode()
    assert f"{pulled} packages" in body
    assert "source=outside" in body.partition('rel="next"')[2]
