"""Registries in a row: dev -> shared -> public. What each holds, keeps, hides and never asks."""

import json
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from packages.models import Version
from registries.models import Registry
from registries.services import Changes
from tests.npm.outside import connect
from tests.npm.team import Team
from tests.parts.pack import pack, publish_document
from tests.parts.recorder import Recorder
from tests.upstreams.row import Row
from upstreams.errors import UpstreamInvalid
from upstreams.models import Origin, Pin, Upstream
from upstreams.services.explain import explain
from upstreams.services.settings import change_registry
from upstreams.services.sources import change_upstream, create_upstream
from upstreams.services.wishes import UpstreamWish
from workspaces.errors import Invalid


@pytest.fixture
def row(team: Team, recorder: Recorder, loopback: None) -> Row:
    """dev (`main`) -> shared -> public."""
    made = Row(team)
    made.registry("shared")
    made.link("main", "shared")
    connect(team, recorder)
    Upstream.objects.filter(name="public").update(registry=made.registries["shared"])
    return made


def test_what_is_installed_through_a_chain_is_kept_in_each_link(row: Row, recorder: Recorder) -> None:
    packed = recorder.add("left")[0]
    assert row.versions("left") == ["1.0.0"]
    assert row.held("left") == {}
    assert row.install("left") == packed.tarball
    assert row.held("left") == {"main": ["1.0.0"], "shared": ["1.0.0"]}
    origins = {one.version.package.registry.slug: one.upstream_name for one in Origin.objects.select_related("version__package__registry")}
    assert origins == {"main": "shared", "shared": "public"}
    assert not Version.objects.filter(package__name="left", is_internal=True).exists()
    recorder.stop()
    assert row.install("left") == row.install("left", at="shared") == packed.tarball


def test_a_tarball_that_is_not_what_its_document_says_comes_through_too(row: Row, recorder: Recorder) -> None:
    """What it turns out to be makes the name's rendering another while it comes in."""
    packed = pack("left", "1.0.0", dependencies={"honest": "1.0.0"})
    recorder.offer(packed)
    recorder.offers["left"].versions["1.0.0"] = replace(packed, manifest={**packed.manifest, "dependencies": {"other": "1.0.0"}})
    assert row.install("left") == packed.tarball
    assert row.held("left") == {"main": ["1.0.0"], "shared": ["1.0.0"]}
    assert row.send("GET", "/left").json()["versions"]["1.0.0"]["dependencies"] == {"honest": "1.0.0"}


def test_three_in_a_row(row: Row, recorder: Recorder) -> None:
    row.registry("far")
    row.link("shared", "far", priority=1)
    Upstream.objects.filter(name="public").update(registry=row.registries["far"])
    packed = recorder.add("left")[0]
    assert row.install("left") == packed.tarball
    assert row.held("left") == {"far": ["1.0.0"], "main": ["1.0.0"], "shared": ["1.0.0"]}
    assert [seen.is_tarball for seen in recorder.seen] == [False, True]


def test_what_shared_holds_already_costs_no_question(row: Row, recorder: Recorder) -> None:
    recorder.add("left")
    row.install("left", at="shared")
    asked = len(recorder.seen)
    row.install("left")
    assert len(recorder.seen) == asked
    assert row.held("left") == {"main": ["1.0.0"], "shared": ["1.0.0"]}
    assert Pin.objects.filter(registry=row.registries["main"], name="left").count() == 1


def test_an_internal_name_of_shared_is_internal_in_dev(row: Row, recorder: Recorder) -> None:
    recorder.add("corp-x", "99.0.0")
    row.publish("corp-x", at="shared")
    assert row.versions("corp-x") == ["1.0.0"]
    tags = row.send("GET", "/corp-x").json()["dist-tags"]
    assert tags == {"latest": "1.0.0"}
    row.install("corp-x")
    assert row.send("GET", "/corp-x/-/corp-x-99.0.0.tgz").status_code == 404
    assert Version.objects.filter(package__name="corp-x", is_internal=True).count() == 2  # the flag travels
    assert recorder.seen == []


def test_the_nearer_registry_wins_on_the_same_number(row: Row) -> None:
    row.publish("corp-x", "1.0.0", at="shared")
    row.publish("corp-x", "2.0.0", at="shared")
    nearer = pack("corp-x", "1.0.0", text="nearer")

    answer = row.send("PUT", "/corp-x", json.dumps(publish_document(nearer)).encode(), who="bob")
    assert answer.status_code == 201, answer.content
    document = row.send("GET", "/corp-x").json()
    assert sorted(document["versions"]) == ["1.0.0", "2.0.0"]
    assert document["versions"]["1.0.0"]["dist"]["integrity"] == nearer.integrity
    assert row.install("corp-x") == nearer.tarball


def test_what_is_published_behind_is_seen_at_once(row: Row) -> None:
    row.publish("corp-x", at="shared")
    assert row.versions("corp-x") == ["1.0.0"]
    row.publish("corp-x", "1.1.0", at="shared")
    assert row.versions("corp-x") == ["1.0.0", "1.1.0"]
    assert row.send("GET", "/corp-x/latest").json()["version"] == "1.1.0"


def test_patterns_of_a_link_hold(row: Row, recorder: Recorder) -> None:
    recorder.add("left")
    link = Upstream.objects.get(name="shared")
    change_upstream(actor=row.team.actor("alice"), upstream=link, changes={"patterns": ("@acme/*",)})
    assert row.send("GET", "/left").status_code == 404
    assert recorder.seen == []
    row.publish("@acme/x", at="shared")
    assert row.versions("@acme/x") == ["1.0.0"]


def test_a_disabled_link_is_not_gone_through(row: Row, recorder: Recorder) -> None:
    recorder.add("left")
    link = Upstream.objects.get(name="shared")
    change_upstream(actor=row.team.actor("alice"), upstream=link, changes={"enabled": False})
    assert row.send("GET", "/left").status_code == 404
    assert recorder.seen == []


def test_a_ring_comes_to_an_end(row: Row, recorder: Recorder) -> None:
    row.link("shared", "main", name="back")
    packed = recorder.add("left")[0]
    assert row.install("left") == row.install("left", at="shared") == packed.tarball
    assert row.send("GET", "/missing").status_code == 404


def test_trouble_behind_a_chain_is_told_as_trouble(row: Row, recorder: Recorder) -> None:
    recorder.stop()
    answer = row.send("GET", "/left")
    assert answer.status_code == 503
    assert "public" in answer.json()["error"]


def test_a_failing_internal_upstream_behind_a_chain_closes_the_gate(row: Row, recorder: Recorder, other_recorder: Recorder) -> None:
    recorder.add("left")
    connect(row.team, other_recorder, "partner", is_internal=True)
    Upstream.objects.filter(name="partner").update(registry=row.registries["shared"])
    other_recorder.stop()
    assert row.send("GET", "/left").status_code == 503
    assert recorder.seen == []


def test_an_audit_leaves_only_where_every_registry_on_the_way_allows_it(row: Row, recorder: Recorder) -> None:
    recorder.add("left")
    row.install("left")
    row.publish("corp-x", at="shared")
    asked = {"left": ["1.0.0"], "corp-x": ["1.0.0"]}
    for slug, expected in (("main", {}), ("shared", {"left": ["1.0.0"]})):
        change_registry(actor=row.team.actor("alice"), registry=row.registries[slug], changes=Changes(audit_upstream=True))
        answer = row.send("POST", "/-/npm/v1/security/advisories/bulk", json.dumps(asked).encode())
        assert (answer.status_code, recorder.audited()) == (200, expected)
    assert not recorder.mentions("corp-x")


def found(row: Row, text: str, **page: int) -> tuple[list[str], int]:
    """The names a search finds, and how many it says there are."""
    rest = "".join(f"&{key}={value}" for key, value in page.items())
    answer = row.send("GET", f"/-/v1/search?text={text}{rest}")
    assert answer.status_code == 200, answer.content
    return [one["package"]["name"] for one in answer.json()["objects"]], answer.json()["total"]


def test_search_goes_through_the_chain(row: Row, recorder: Recorder) -> None:
    for name in ("chart-a", "chart-b", "chart-c"):
        row.publish(name, at="shared")
    row.publish("chart-b", "2.0.0", at="main")
    assert found(row, "chart") == (["chart-b", "chart-a", "chart-c"], 3)
    pages = [found(row, "chart", **{"size": 1, "from": start})[0] for start in range(4)]
    assert pages == [["chart-b"], ["chart-a"], ["chart-c"], []]
    link = Upstream.objects.get(name="shared")
    change_upstream(actor=row.team.actor("alice"), upstream=link, changes={"patterns": ("*-c",)})
    assert found(row, "chart") == (["chart-b", "chart-c"], 2)
    change_upstream(actor=row.team.actor("alice"), upstream=link, changes={"enabled": False})
    assert found(row, "chart") == (["chart-b"], 1)
    assert recorder.seen == []


def test_what_was_only_installed_does_not_hide_what_was_published(row: Row, recorder: Recorder) -> None:
    recorder.add("chart", "1.0.0")
    row.install("chart")
    assert found(row, "chart") == (["chart"], 1)
    row.publish("chart", "3.0.0", at="shared")
    answer = row.send("GET", "/-/v1/search?text=chart").json()["objects"]
    assert [(one["package"]["name"], one["package"]["version"]) for one in answer] == [("chart", "3.0.0")]


def test_the_trace_names_every_registry(row: Row) -> None:
    row.publish("corp-x", at="shared")
    traced = explain(row.registries["main"], "npm", "corp-x")
    assert traced["internal"] is True
    assert traced["versions"] == {"1.0.0": str(row.registries["shared"])}
    assert [(one["through"], one["source"], one["allowed"]) for one in traced["sources"]] == [  # type: ignore[attr-defined]
        ([], str(row.registries["main"]), False),
        ([], "shared", True),
        (["shared"], "public", False),
    ]
    told = StringIO()
    call_command("explain", str(row.registries["main"]), "corp-x", stdout=told)
    assert "→ shared (registry): answers" in told.getvalue()
    assert "blocked by" not in told.getvalue()
    assert "· shared > public (url): rule 2" in told.getvalue()
    page = Client()
    page.force_login(row.team.people["alice"])
    assert "url, through shared" in page.get(f"/{row.team.slug}/registries/main/npm/corp-x/resolution/").content.decode()


def test_a_version_deleted_behind_stays_where_it_was_installed(row: Row) -> None:
    row.publish("corp-x", at="shared")
    packed = row.install("corp-x")
    Version.objects.filter(package__name="corp-x", package__registry=row.registries["shared"]).delete()
    assert row.install("corp-x") == packed


WRONG: dict[str, dict[str, Any]] = {
    "no such registry": {"registry": "nowhere"},
    "none named": {"registry": ""},
    "itself": {"registry": "main"},
    "an address": {"registry": "other", "url": "https://registry.example.org"},
    "credentials": {"registry": "other", "auth_type": "bearer", "secret": "x"},
    "the flag": {"registry": "other", "internal": True},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_no_link_can_be(team: Team, wrong: str) -> None:
    Row(team).registry("other")
    with pytest.raises(UpstreamInvalid):
        create_upstream(actor=team.actor("alice"), registry=team.registry, wish=UpstreamWish(name="link", kind="registry", **WRONG[wrong]))
    assert not Upstream.objects.filter(registry=team.registry).exists()


def test_an_upstream_outside_names_no_registry(team: Team) -> None:
    Row(team).registry("other")
    wish = UpstreamWish(name="link", url="https://registry.example.org", registry="other")
    with pytest.raises(UpstreamInvalid):
        create_upstream(actor=team.actor("alice"), registry=team.registry, wish=wish)


def visibility(team: Team, registry: Registry, value: str) -> None:
    change_registry(actor=team.actor("alice"), registry=registry, changes=Changes(visibility=value))


def test_nothing_private_is_seen_through_a_public_registry(team: Team) -> None:
    made = Row(team)
    shared = made.registry("shared")
    visibility(team, team.registry, "public")
    with pytest.raises(UpstreamInvalid):
        made.link("main", "shared")
    visibility(team, shared, "public")
    made.link("main", "shared")
    with pytest.raises(Invalid, match="fed from this one"):
        visibility(team, shared, "private")
    visibility(team, team.registry, "private")
    visibility(team, shared, "private")
    with pytest.raises(Invalid):
        visibility(team, team.registry, "public")


def test_what_is_for_members_behind_a_chain_is_for_members_here(team: Team, restricted: Callable[[Registry, str], None]) -> None:
    made = Row(team)
    shared = made.registry("shared")
    for registry in (shared, team.registry):
        visibility(team, registry, "public")
    made.link("main", "shared")
    made.publish("corp-x", at="shared")
    address = f"/{team.slug}/r/main/corp-x"
    assert Client().get(address).status_code == 200
    restricted(shared, "corp-x")
    assert Client().get(address).status_code in {401, 404}
    assert made.versions("corp-x") == ["1.0.0"]


@pytest.fixture
def restricted(team: Team) -> Callable[[Registry, str], None]:
    """Make a package one for members only, as npm access does."""

    def make(registry: Registry, name: str) -> None:
        headers = {"HTTP_AUTHORIZATION": f"Bearer {team.tokens['alice']}"}
        path = f"/{team.slug}/r/{registry.slug}/-/package/{name}/access"
        answer = Client().post(path, {"access": "restricted"}, content_type="application/json", **headers)  # type: ignore[arg-type]
        assert answer.status_code == 200, answer.content

    return make
