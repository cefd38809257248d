"""Versions pulled from outside before their name became internal: people are told, by whichever way it did."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from packages.services import shadows
from packages.services.shadows import claim
from packages.services.versions import set_internal
from tests.moving.conftest import loopback, street, team
from tests.moving.street import Street
from tests.parts.recorder import Recorder
from upstreams.services.sources import change_upstream
from workspaces.models import Event, User, Workspace

__all__ = ["loopback", "street", "team"]
NAME = "corp-x"


def told() -> list[tuple[str, list[str]]]:
    """Which packages alerts are about, with the versions."""
    found = Event.objects.filter(action="alert.versions_shadowed").order_by("pk")
    return [(event.object, (event.new or {})["versions"]) for event in found]


def claims_over_rest(street: Street, _: Recorder) -> None:
    address = f"/api/v1/workspaces/{street.team.slug}/claims/"
    headers = {"HTTP_AUTHORIZATION": f"Bearer {street.team.tokens['alice']}"}
    answer = Client().post(address, {"pattern": "CORP-?"}, content_type="application/json", **headers)  # type: ignore[arg-type]
    assert answer.status_code == 201, answer.content


def claims_on_the_page(street: Street, _: Recorder) -> None:
    browser = Client()
    browser.force_login(User.objects.get(username="alice"))
    assert browser.post(f"/{street.team.slug}/claims/", {"pattern": "corp-*"}).status_code == 302


def publishes_here(street: Street, _: Recorder) -> None:
    street.make(NAME, "1.0.0")


def publishes_elsewhere(street: Street, _: Recorder) -> None:
    street.make(NAME, "1.0.0", at="prod")


def ticks_elsewhere(street: Street, _: Recorder) -> None:
    """What was published while the registry's flag was off."""
    prod = street.registries["prod"]
    type(prod).objects.filter(pk=prod.pk).update(is_internal=False)
    street.make(NAME, "1.0.0", at="prod")
    assert told() == []
    set_internal(actor=street.team.actor("alice"), registry=prod, format="npm", name=NAME, version="1.0.0", internal=True)


def pushes_elsewhere(street: Street, _: Recorder) -> None:
    """Not internal where it was published; where it goes to, everything is."""
    street.registry("lab")
    lab = street.registries["lab"]
    type(lab).objects.filter(pk=lab.pk).update(is_internal=False)
    street.make(NAME, "1.0.0", at="lab")
    assert told() == []
    street.push(NAME, at="lab")


def makes_an_upstream_internal(street: Street, recorder: Recorder) -> None:
    partner = street.upstream(recorder, "partner", at="prod", patterns=("corp-*", "*"))
    assert told() == []
    change_upstream(actor=street.team.actor("alice"), upstream=partner, changes={"internal": True})


def adds_an_internal_upstream(street: Street, recorder: Recorder) -> None:
    street.upstream(recorder, "partner", at="prod", internal=True, patterns=("corp-*",))


WAYS = [
    claims_over_rest,
    claims_on_the_page,
    publishes_here,
    publishes_elsewhere,
    ticks_elsewhere,
    pushes_elsewhere,
    makes_an_upstream_internal,
    adds_an_internal_upstream,
]


@pytest.mark.parametrize("becomes_internal", WAYS)
def test_however_the_name_became_internal(street: Street, recorder: Recorder, becomes_internal: Callable[[Street, Recorder], Any]) -> None:
    street.upstream(recorder)
    recorder.add(NAME, "1.99.0", "1.98.0")
    recorder.add("left")
    street.pull(NAME, "*")
    street.pull("left")
    becomes_internal(street, recorder)
    assert told() == [(f"{street.team.slug}/main npm {NAME}", ["1.98.0", "1.99.0"])]
    seen = street.send("GET", f"/{NAME}")
    assert seen.status_code == 404 or list(seen.json()["versions"]) == ["1.0.0"], seen.content


def test_once_for_each_set_of_versions(street: Street, recorder: Recorder) -> None:
    street.upstream(recorder)
    recorder.add(NAME, "1.99.0")
    street.pull(NAME)
    street.make(NAME, "1.0.0", "1.1.0", at="prod")
    claim(actor=street.team.actor("alice"), workspace=street.team.space, pattern="corp-*")
    assert len(told()) == 1


def test_every_registry_that_pulled_it_and_no_other_workspace(street: Street, recorder: Recorder) -> None:
    """Names are the same in whatever letters they are written."""
    street.upstream(recorder)
    street.upstream(recorder, at="prod")
    recorder.add("Corp-X", "1.99.0")
    for slug in ("main", "prod"):
        street.pull("Corp-X", at=slug)
    strangers = Workspace.objects.create(slug="strangers", name="")
    shadows.tell_of_claimed(strangers.pk, ["*", "corp-*"])
    shadows.tell_of_owned(strangers.pk, "npm", NAME)
    assert told() == []
    street.registry("dev")
    street.make(NAME, "1.0.0", at="dev")
    assert told() == [(f"{street.team.slug}/{slug} npm Corp-X", ["1.99.0"]) for slug in ("main", "prod")]


def test_one_claim_tells_of_a_bounded_number(street: Street, recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shadows, "MOST", 2)
    street.upstream(recorder)
    for name in ("corp-a", "corp-b", "corp-c"):
        recorder.add(name)
        street.pull(name)
    claim(actor=street.team.actor("alice"), workspace=street.team.space, pattern="corp-*")
    assert [subject.rpartition(" ")[2] for subject, _ in told()] == ["corp-a", "corp-b"]
