"""The operators' admin: every table to be looked at, no secret in it, nothing of it changed."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext

from packages.models import Version
from tests.web.conftest import HTML, PASSWORD, World
from web.admin import OWN, LookOnly, fields_of, is_hidden
from workspaces.models import User
from workspaces.services.secrets import add_secret

OURS = [model for name in OWN for model in apps.get_app_config(name).get_models()]
SECRET = re.compile(r"secret|sealed|digest|hash|password|token|key")
HARMLESS = {"secret_shown", "token_name", "keyid"}  # the last letters of a secret, a token's name, a public key's


@pytest.fixture
def root(world: World) -> Client:
    client = Client(headers={"accept": HTML})
    client.force_login(User.objects.create_superuser("root", password=PASSWORD))
    return client


def test_every_model_is_there() -> None:
    assert [model for model in OURS if model not in admin.site._registry] == []
    assert len(OURS) > 40


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_no_column_with_a_secret_is_shown(model: type[models.Model]) -> None:
    if model is User:
        return  # Django's own form shows a password's algorithm alone
    shown = {field.name for field in fields_of(model) if not is_hidden(field)}
    assert {name for name in shown if SECRET.search(name)} <= HARMLESS
    made = admin.site._registry[model]
    assert isinstance(made, LookOnly)
    assert set(made.list_display) <= shown


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_each_list_and_row_opens_and_changes_nothing(
    model: type[models.Model], root: Client, world: World, put: Callable[..., Version]
) -> None:
    for number in range(6):
        put("@acme/http", f"1.{number}.0", tags=(f"t{number}",))
        put(f"left-{number}", "1.0.0", pulled=True)
    add_secret(actor=world.actor("alice"), workspace=world.workspace, name="PARTNER", value="hush-hush")
    address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    with CaptureQueriesContext(connection) as asked:
        listed = root.get(address)
    assert listed.status_code == 200
    assert len(asked) <= 12, [query["sql"] for query in asked]
    row: Any = model._default_manager.order_by("-pk").first()
    if row is not None and model is not User:
        page = root.get(f"{address}{row.pk}/change/")
        assert page.status_code == 200
        assert "hush-hush" not in page.content.decode()
        assert root.post(f"{address}{row.pk}/change/", {"name": "x"}).status_code == 403
        assert root.post(f"{address}{row.pk}/delete/", {"post": "yes"}).status_code == 403
        assert root.get(f"{address}add/").status_code == 403
