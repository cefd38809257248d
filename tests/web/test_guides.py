"""The guides as pages: each is there, leads to the others, and is linked where it is needed."""

from collections.abc import Callable

import pytest
from django.test import Client

from packages.models import Version
from tests.parts import ROOT
from tests.web.addresses import MAIN, text
from tests.web.conftest import HTML
from web.views.guides import TITLES

GUIDES = "/account/guides/"


def test_every_guide_is_a_page() -> None:
    assert set(TITLES) == {path.stem for path in (ROOT / "docs" / "guide").glob("*.md")}


@pytest.mark.parametrize("name", TITLES)
def test_a_guide_leads_to_the_others_and_nowhere_else(name: str, db: None) -> None:
    nobody = Client(headers={"accept": HTML})
    page = text(nobody, GUIDES + name)
    for word in page.split('href="')[1:]:
        address = word.partition('"')[0]
        if address.startswith(GUIDES):
            assert nobody.get(address.partition("#")[0]).status_code == 200, address
    assert text(nobody, GUIDES, 200).count(f'href="{GUIDES}{name}"') == 1


def test_they_are_linked_where_they_are_needed(alice: Client, put: Callable[..., Version]) -> None:
    put("@acme/http", "1.0.0")
    for address, name, status in (
        (MAIN, "ci", 200),
        (f"{MAIN}npm/@acme/http/v/1.0.0/", "internal-packages", 200),
        ("/acme/claims/", "internal-packages", 200),
        ("/acme/people/invitations/", "inviting-a-team", 200),
        (f"{MAIN}mirrors/", "mirroring", 200),
        ("/no/such/page", "access-denied", 404),
    ):
        assert f'href="{GUIDES}{name}"' in text(alice, address, status), address
    assert alice.get(f"{GUIDES}nonsense").status_code == 404
