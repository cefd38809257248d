"""The rows that the matrix of pages leaves out: an admin, who may what an owner may but for the workspace itself; tokens open no page."""

from collections.abc import Callable

import pytest
from django.test import Client

from packages.models import Version
from tests.web.conftest import PASSWORD, World
from tests.web.furnished import filled, furnished, with_github
from tests.web.test_permissions import FORMS, PAGES
from tokens.services.issue import Wish, create_service_token
from workspaces.access import Actor, Role
from workspaces.models import User
from workspaces.services.people import create_user, set_member

__all__ = ["furnished", "with_github"]  # fixtures that every test here uses
OWNERS = {"workspace-settings", "workspace-delete"}  # 403 for everybody else


@pytest.fixture
def adam(world: World) -> Client:
    create_user(actor=Actor(None, "set-up", is_operator=True), username="adam", password=PASSWORD)
    set_member(actor=world.actor("alice"), workspace=world.workspace, username="adam", role=Role.ADMIN)
    client = Client(headers={"accept": "text/html"})
    client.force_login(User.objects.get(username="adam"))
    return client


@pytest.mark.parametrize("page", PAGES)
def test_pages(page: str, adam: Client, world: World, put: Callable[..., Version]) -> None:
    put("@acme/http", "1.0.0")
    address, expected = PAGES[page]
    assert adam.get(filled(address, world)).status_code == (403 if page in OWNERS else expected[0])


@pytest.mark.parametrize("form", FORMS)
def test_forms(form: str, adam: Client, world: World, put: Callable[..., Version]) -> None:
    put("@acme/http", "1.0.0")
    address, fields, expected = FORMS[form]
    answer = adam.post(filled(address, world), fields)
    assert answer.status_code == (403 if form in OWNERS else expected[0]), answer.content.decode()[:1000]


@pytest.mark.parametrize("page", PAGES)
def test_a_token_opens_no_page(page: str, world: World, put: Callable[..., Version]) -> None:
    """Pages know sessions alone: whoever sends a token is nobody there."""
    put("@acme/http", "1.0.0")
    issued = create_service_token(actor=world.actor("alice"), workspace=world.workspace, role=Role.ADMIN, wish=Wish(name="ci"))
    address, expected = PAGES[page]
    robot = Client(headers={"accept": "text/html", "authorization": f"Bearer {issued.secret}"})
    assert robot.get(filled(address, world)).status_code == expected[-1]
