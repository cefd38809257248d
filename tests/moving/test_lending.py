"""Whose credentials a push may go with: an operator's variables of the environment are lent by an operator alone."""

from typing import Any

import pytest
from django.test import Client

from tests.moving.street import Street, events, results
from tests.moving.test_outward import opened, shelf
from tests.parts.recorder import Recorder
from upstreams.errors import UpstreamInvalid
from upstreams.models import Upstream
from upstreams.services.declared.applying import apply_sources
from upstreams.services.declared.reading import read_sources
from upstreams.services.declared.writing import written
from upstreams.services.sources import change_upstream, create_upstream
from upstreams.services.wishes import UpstreamWish
from workspaces.access import Actor, Role
from workspaces.models import User
from workspaces.services.secrets import add_secret

__all__ = ["shelf"]

ROOT = Actor(name="root", is_operator=True)
VALUE = "value-of-the-environment-51b0"
VARIABLE: dict[str, Any] = {"auth_type": "bearer", "secret": "${UPSTREAM_PARTNER}"}
BASIC = {"auth_type": "basic", "username": "${UPSTREAM_PARTNER}", "secret": "x"}
MIXED = {"auth_type": "basic", "username": "ci", "secret": "pre-${UPSTREAM_PARTNER}"}
OUT: dict[str, Any] = {"to_upstream": "public", "name": "open-x"}


@pytest.fixture(autouse=True)
def _environment(settings: Any) -> None:
    settings.UPSTREAM_VARIABLES = {"UPSTREAM_PARTNER": VALUE}


def saved(street: Street, recorder: Recorder, *, by: Actor = ROOT, **fields: Any) -> Upstream:
    wish = UpstreamWish(name="public", url=recorder.url, **fields)
    return create_upstream(actor=by, registry=street.registries["main"], wish=wish)


def operator(street: Street) -> str:
    """The token of an operator of the installation, who is an admin here too."""
    street.team.person("root", Role.ADMIN)
    User.objects.filter(username="root").update(is_superuser=True)
    street.team.people["root"].refresh_from_db()
    return street.team.token("root")


@pytest.mark.parametrize("credentials", [VARIABLE, BASIC, MIXED])
def test_admins_do_not_publish_with_the_operators_variables(street: Street, shelf: Recorder, credentials: dict[str, Any]) -> None:
    saved(street, shelf, **credentials)
    opened(street, "open-x")
    said = street.refused("push", 403, "credentials_not_lent", who="alice", **OUT)
    assert "operator" in said
    assert "allow_push" in said
    assert "UPSTREAM_PARTNER" not in said
    assert shelf.seen == [], "nobody was asked anything"
    street.refused("push", 403, "denied", who="bob", **OUT)
    assert results(street.push("open-x", to_upstream="public", token=operator(street))) == {"open-x@1.0.0": "pushed"}


def test_an_operators_token_held_to_a_registry_is_an_admins(street: Street, shelf: Recorder) -> None:
    saved(street, shelf, **VARIABLE)
    opened(street, "open-x")
    operator(street)
    held = street.team.token("root", registries=[street.registries["main"].pk])
    street.refused("push", 403, "credentials_not_lent", token=held, **OUT)


def test_an_operator_lends_them_and_takes_them_back(street: Street, shelf: Recorder) -> None:
    made = saved(street, shelf, **VARIABLE, allow_push=True)
    opened(street, "open-x", "1.0.0", "2.0.0")
    assert results(street.push("open-x", "1.0.0", to_upstream="public", who="alice")) == {"open-x@1.0.0": "pushed"}
    assert {one.headers["authorization"] for one in shelf.seen} == {f"Bearer {VALUE}"}
    change_upstream(actor=ROOT, upstream=made, changes={"allow_push": False})
    street.refused("push", 403, "credentials_not_lent", who="alice", **OUT)
    assert [one.new["allow_push"] for one in events("upstream.changed")] == [False]


def test_over_rest_only_an_operator_sets_it(street: Street, shelf: Recorder) -> None:
    made = saved(street, shelf, **VARIABLE)
    path = f"/api/v1/workspaces/{street.team.slug}/registries/main/upstreams/{made.pk}/"

    def patch(who: str, **changes: Any) -> Any:
        headers = {"HTTP_AUTHORIZATION": f"Bearer {street.team.tokens.get(who, who)}"}
        return Client().patch(path, changes, content_type="application/json", **headers)  # type: ignore[arg-type]

    refused = patch("alice", allow_push=True)
    assert (refused.status_code, set(refused.json()["fields"])) == (400, {"allow_push"})
    assert patch(operator(street), allow_push=True).json()["allow_push"] is True
    assert patch("alice", priority=3).json()["allow_push"] is True, "other settings are anybody's"
    assert patch("alice", allow_push=False).json()["allow_push"] is False, "whoever manages it may close it"
    assert patch("alice", allow_push=True).status_code == 400


def test_who_takes_it_over_does_not_keep_the_operators_word(street: Street, shelf: Recorder) -> None:
    made = saved(street, shelf, **VARIABLE, allow_push=True)
    mine = change_upstream(actor=street.team.actor("alice"), upstream=made, changes={"secret": "mine"})
    assert (mine.is_operators, mine.allows_push) == (False, False)
    opened(street, "open-x")
    assert results(street.push("open-x", to_upstream="public", who="alice")) == {"open-x@1.0.0": "pushed"}
    assert {one.headers["authorization"] for one in shelf.seen} == {"Bearer mine"}


@pytest.mark.parametrize("fields", [{"auth_type": "bearer", "secret": "${PARTNER}"}, {"auth_type": "bearer", "secret": "literal"}, {}])
def test_what_is_the_workspaces_own_needs_no_word(street: Street, shelf: Recorder, fields: dict[str, Any]) -> None:
    add_secret(actor=street.team.actor("alice"), workspace=street.team.space, name="PARTNER", value="the-teams")
    saved(street, shelf, **fields)
    opened(street, "open-x")
    assert results(street.push("open-x", to_upstream="public", who="alice")) == {"open-x@1.0.0": "pushed"}


@pytest.mark.parametrize("fields", [{"kind": "git", "url": "https://git.example.org/x.git"}, {"format": "moonbit"}])
def test_where_nothing_can_be_published_nothing_is_lent(street: Street, fields: dict[str, Any]) -> None:
    wish = UpstreamWish(**{"name": "public", "url": "https://registry.example.org", "allow_push": True, **fields})
    with pytest.raises(UpstreamInvalid) as found:
        create_upstream(actor=ROOT, registry=street.registries["main"], wish=wish)
    assert found.value.fields.keys() == {"allow_push"}


def test_an_upstream_of_the_workspace_is_not_lent_to_it(street: Street, shelf: Recorder) -> None:
    made = saved(street, shelf, by=street.team.actor("alice"), auth_type="bearer", secret="theirs")
    with pytest.raises(UpstreamInvalid, match="already"):
        change_upstream(actor=ROOT, upstream=made, changes={"allow_push": True})


def test_as_code(street: Street, shelf: Recorder) -> None:
    registry = street.registries["main"]
    source = f'[[sources]]\nname = "public"\ntype = "npm"\nurl = "{shelf.url}"\nallow_push = true\n'
    file = read_sources(f'{source}[sources.auth]\ntype = "bearer"\ntoken = "${{UPSTREAM_PARTNER}}"\n'.encode())
    apply_sources(actor=ROOT, registry=registry, file=file)
    assert Upstream.objects.get().allows_push
    assert "allow_push = true" in written(registry)
    assert [one.word for one in apply_sources(actor=ROOT, registry=registry, file=read_sources(written(registry).encode()))] == [
        "unchanged"
    ]
