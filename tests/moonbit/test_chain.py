"""Modules through registries in a row: dev (`main`) -> shared. What each shows and keeps."""

import hashlib
import json
from collections.abc import Callable

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from packages.models import Blob, Version
from packages.services.versions import unpublish_version
from tests.moonbit.terrace import Terrace, change, key
from tests.parts.moonbit import MoonRegistry, zipped
from upstreams.models import IndexCommit, Origin
from upstreams.services.modules.served import served_index
from workspaces.models import Event


@pytest.mark.parametrize("slash", ["/", "%2F"])
def test_what_is_fetched_through_a_chain_is_kept_in_each_link(row: Terrace, slash: str) -> None:
    row.registry("far")
    row.link("shared", "far")
    content = row.make("acme/core", "0.1.0", "0.2.0", at="far")
    assert row.index() == row.index("far") == {"acme/core": ["0.1.0", "0.2.0"]}
    before, blobs = row.head(), Blob.objects.count()
    assert row.fetch("acme/core", "0.2.0", slash=slash) == content
    assert row.held("acme/core") == {"far": ["0.1.0", "0.2.0"], "main": ["0.2.0"], "shared": ["0.2.0"]}
    assert Blob.objects.count() == blobs, "rows, no bytes"
    kept = Version.objects.filter(origin="pulled", package__name="acme/core")
    assert [one.is_internal for one in kept] == [True, True], "the flag travels"
    origins = {one.version.package.registry.slug: one for one in Origin.objects.select_related("version__package__registry")}
    assert {slug: (one.upstream_name, one.address) for slug, one in origins.items()} == {
        "main": ("shared", f"registry:{row.team.slug}/shared"),
        "shared": ("far", f"registry:{row.team.slug}/far"),
    }
    told = [one.object for one in Event.objects.filter(action="version.pulled").order_by("pk")]
    assert told == [f"{row.team.slug}/{slug} moonbit acme/core@0.2.0" for slug in ("shared", "main")]
    assert row.head() == before, "what was kept is no change of the index"
    for slug in ("main", "shared", "far"):
        assert row.fetch("acme/core", "0.2.0", at=slug) == content
    (line,) = [json.loads(one) for one in row.read_lines("acme/core").content.splitlines() if b"0.2.0" in one]
    assert line["checksum"] == hashlib.sha256(content).hexdigest()


def test_what_is_published_behind_is_the_next_commit(row: Terrace) -> None:
    assert row.index() == {}
    heads = [row.head()]
    row.make("acme/core", at="shared")
    assert row.index() == {"acme/core": ["0.1.0"]}
    heads.append(row.head())
    row.make("acme/core", "0.2.0", at="shared")
    unpublish_version(**key(row, "acme/core", "0.1.0"))
    assert row.index() == {"acme/core": ["0.2.0"]}
    heads.append(row.head())
    change(row, enabled=False)
    assert row.index() == {}
    heads.append(row.head())
    numbers = IndexCommit.objects.filter(registry=row.registries["main"]).order_by("number")
    assert [one.is_root for one in numbers] == [True, False, False, False], "it only goes on"
    assert len(set(heads)) == 4


def test_the_nearer_registry_wins_on_the_same_number(row: Terrace) -> None:
    row.make("acme/core", "0.1.0", "0.2.0", at="shared")
    ours = row.make("acme/core", "0.1.0", content=zipped("acme/core", "0.1.0", ours="nearer"))
    assert row.index() == {"acme/core": ["0.1.0", "0.2.0"]}
    assert row.fetch("acme/core") == ours
    assert row.fetch("acme/core", "0.2.0") == row.fetch("acme/core", "0.2.0", at="shared")
    row.registry("nearer")
    row.link("main", "nearer", priority=1)
    first = row.make("acme/core", "0.3.0", at="nearer", content=zipped("acme/core", "0.3.0", ours="first"))
    row.make("acme/core", "0.3.0", at="shared")
    assert row.fetch("acme/core", "0.3.0") == first


def test_patterns_and_the_switch_of_a_link_hold(row: Terrace) -> None:
    row.make("acme/core", at="shared")
    row.make("beta/web", at="shared")
    change(row, patterns=("acme/*",))
    assert set(row.index()) == {"acme/core"}
    assert row.zip("beta/web").status_code == 404
    change(row, enabled=False)
    assert row.index() == {}
    assert row.zip("acme/core").status_code == 404
    assert row.read_lines("acme/core").status_code == 404
    change(row, enabled=True, patterns=())
    assert set(row.index()) == {"acme/core", "beta/web"}
    assert row.fetch("beta/web")


def test_a_ring(row: Terrace) -> None:
    row.registry("far")
    row.link("shared", "far")
    row.link("far", "main")
    row.link("far", "shared", name="back")
    content = row.make("acme/core", at="far")
    row.make("acme/core", "0.2.0", at="main")
    assert row.index() == row.index("shared") == row.index("far") == {"acme/core": ["0.1.0", "0.2.0"]}
    assert row.fetch("acme/core") == content
    assert row.fetch("acme/core", "0.2.0", at="shared") == row.fetch("acme/core", "0.2.0")
    assert row.zip("acme/core", "9.9.9").status_code == 404


def test_a_link_for_modules_alone(row: Terrace) -> None:
    row.registry("mods")
    change(row, enabled=False)
    link = row.link("main", "mods", format="moonbit")
    row.make("acme/core", at="mods")
    row.publish("corp-x", at="mods")
    assert row.index() == {"acme/core": ["0.1.0"]}
    assert row.send("GET", "/corp-x").status_code == 404
    page = Client()
    page.force_login(row.team.people["alice"])
    address = f"/{row.team.slug}/registries/main/upstreams/"
    listed = page.get(address).content.decode()
    assert "chained registry (moonbit only)" in listed
    assert "index by Git" not in listed
    form = page.get(f"{address}{link.pk}/").content.decode()
    assert 'value="mods" selected' in form
    sent = {"kind": "registry", "registry": "mods", "name": "mods", "priority": "7", "patterns": "beta/*", "enabled": "on"}
    assert page.post(f"{address}{link.pk}/", sent).status_code == 302
    link.refresh_from_db()
    assert (link.priority, link.format, link.kind) == (7, "moonbit", "registry")
    assert row.index() == {}


def test_the_trace_tells_of_the_chain(row: Terrace, capsys: pytest.CaptureFixture[str]) -> None:
    row.make("acme/core", "0.1.0", "0.2.0", at="shared")
    row.make("acme/core", "0.3.0")
    call_command("explain", f"{row.team.slug}/main", "acme/core")
    said = capsys.readouterr().out
    assert f"0.1.0 from {row.team.slug}/shared" in said
    assert f"0.3.0 from {row.team.slug}/main" in said


def test_dependencies_of_a_job_come_through_the_chain(row: Terrace, moons: Callable[[], MoonRegistry]) -> None:
    outside, behind = moons(), moons()
    outside.add("plain/app", "1.0.0", deps={"acme/core": "0.1.0", "far/dep": "2.0.0"})
    row.make("acme/core", at="shared")
    behind.add("far/dep", "2.0.0")
    row.source(behind, "behind", at="shared")
    outside.add("far/dep", "2.0.0", content=zipped("far/dep", "2.0.0", ours="wrong"))
    upstream = row.source(outside, "public", priority=500)
    found = row.mirror(upstream, "plain/app", dependencies=True)
    assert found.troubles == {}
    assert row.held("acme/core") == {"main": ["0.1.0"], "shared": ["0.1.0"]}
    assert row.held("far/dep") == {"main": ["2.0.0"], "shared": ["2.0.0"]}
    assert row.fetch("far/dep", "2.0.0") == zipped("far/dep", "2.0.0"), "shared's source comes before"
    assert outside.asked("core") == []


def test_the_number_of_statements_does_not_grow_with_the_modules(row: Terrace) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as seen:
            served_index(row.now("main"))
        return len(seen)

    row.make("acme/m0", at="shared")
    cost()
    row.make("acme/m1", at="shared")
    few = cost()
    for number in range(2, 40):
        row.make(f"acme/m{number}", at="shared")
    assert cost() == few
    assert len(row.index()) == 40
    assert cost() <= 8, "nothing has changed"
