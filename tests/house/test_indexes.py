"""Every index is a page more to write with every publish: none is kept that another one begins with, and none is lost."""

import pytest
from django.apps import apps
from django.db import connection

from tests.parts.gate import Gate

KEPT = {("workspaces_event", ("workspace_id",)): "a workspace's events in their order, without sorting (its rows are by id)"}


@pytest.mark.django_db
@pytest.mark.parametrize("app", ["packages", "registries", "tokens", "upstreams", "webhooks", "workspaces"])
def test_no_index_begins_another(app: str) -> None:
    needless = []
    for model in apps.get_app_config(app).get_models():
        table = model._meta.db_table
        with connection.cursor() as cursor:
            constraints = connection.introspection.get_constraints(cursor, table)
        columns = {tuple(one["columns"]): one for one in constraints.values() if one["index"] or one["unique"] or one["primary_key"]}
        for short, one in columns.items():
            longer = [other for other in columns if other[: len(short)] == short and other != short]
            if longer and not one["unique"] and not one["primary_key"] and (table, short) not in KEPT:
                needless.append((table, short, longer))
    assert needless == []


@pytest.mark.parametrize("gate", ["postgresql"], indirect=True)
def test_postgresql_has_what_the_models_promise(gate: Gate) -> None:
    """Django drops a constraint of one column when that column shall have no index any more; SQLite keeps it."""
    found = gate.execute("SELECT indexname FROM pg_indexes UNION SELECT conname FROM pg_constraint")
    there = {str(name) for (name,) in found}
    options = [model._meta for model in apps.get_models(include_auto_created=True)]
    promised = {str(one.name) for model in options for one in (*model.constraints, *model.indexes)}
    assert promised - there == set()
