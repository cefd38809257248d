"""The rule over modules of registries in a row: what is hidden, refused, and asked of nobody."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from packages.models import Tombstone, Version
from packages.services.versions import set_internal, unpublish_version
from registries.models import RestrictedName
from registries.services import Changes
from tests.moonbit.terrace import Terrace, key
from tests.parts.moonbit import MoonRegistry, zipped
from upstreams.models import Upstream, UpstreamDocument
from upstreams.services.settings import change_registry
from upstreams.services.sources import change_upstream
from workspaces.models import Event
from workspaces.services.spaces import add_claim


def test_an_internal_name_comes_from_no_public_source_further_down(row: Terrace, moons: Callable[[], MoonRegistry]) -> None:
    """shared mirrors from outside, dev holds its own: what shared pulled is hidden in dev, and nobody is asked."""
    outside, partner = moons(), moons()
    public = row.source(outside, "public", at="shared", index_type="http")
    outside.add("acme/core", "9.9.9")
    outside.add("plain/one", "1.0.0")
    assert row.mirror(public, "acme/core", "plain/one", at="shared").fetched
    assert row.index() == {"acme/core": ["9.9.9"], "plain/one": ["1.0.0"]}
    before = row.head()
    row.make("acme/core", "0.1.0")
    outside.seen.clear()
    assert row.index() == {"acme/core": ["0.1.0"], "plain/one": ["1.0.0"]}
    assert row.head() != before
    assert row.zip("acme/core", "9.9.9").status_code == 404
    assert row.zip("acme/core", "8.8.8", slash="%2F").status_code == 404
    assert row.read_lines("acme/core").content.count(b"\n") == 1
    assert outside.asked("core") == [], "nobody was asked"
    assert row.index("shared")["plain/one"] == ["1.0.0"]
    add_claim(actor=row.team.actor("alice"), workspace=row.team.space, pattern="plain/*")
    assert set(row.index()) == {"acme/core"}
    assert row.zip("plain/one", "1.0.0").status_code == 404
    assert partner.seen == []
    assert outside.seen == []


def test_what_the_team_made_before_its_registry_was_internal_comes_too(row: Terrace) -> None:
    """Its own and not internal: shared shows it, so dev does; kept in dev it is hidden there, and served out of shared."""
    change_registry(actor=row.team.actor("alice"), registry=row.now("shared"), changes=Changes(internal=False))
    content = row.make("acme/core", at="shared")
    change_registry(actor=row.team.actor("alice"), registry=row.now("shared"), changes=Changes(internal=True))
    row.make("acme/core", "0.2.0", at="shared")
    for _ in range(2):
        assert row.index() == row.index("shared") == {"acme/core": ["0.1.0", "0.2.0"]}
        assert row.fetch("acme/core") == row.fetch("acme/core", at="shared") == content
    assert not Version.objects.get(package__registry=row.registries["main"]).is_internal


def test_a_tombstone_behind_hides_too(row: Terrace, moon: MoonRegistry) -> None:
    moon.add("acme/core", "9.9.9")
    assert row.mirror(row.source(moon), "acme/core").fetched
    assert row.index() == {"acme/core": ["9.9.9"]}
    row.make("acme/core", at="shared")
    unpublish_version(**key(row, "acme/core", "0.1.0"))
    assert row.index() == {}
    assert row.zip("acme/core", "9.9.9").status_code == 404
    set_internal(**key(row, "acme/core", "9.9.9", at="main"), internal=True)
    assert row.index() == {"acme/core": ["9.9.9"]}


def test_a_shadowed_number_is_lifted_by_the_same_bytes(row: Terrace, moon: MoonRegistry) -> None:
    """dev pulled it from outside; shared has it as the team's own."""
    moon.add("acme/core", "0.1.0", content=zipped("acme/core", "0.1.0", ours="yes"))
    row.mirror(row.source(moon), "acme/core")
    row.make("acme/core", at="shared")
    assert row.index() == {"acme/core": ["0.1.0"]}
    assert row.fetch("acme/core") == zipped("acme/core", "0.1.0", ours="yes")
    assert Version.objects.get(package__registry=row.registries["main"]).is_internal


def test_a_shadowed_number_is_not_lifted_by_other_bytes(row: Terrace, moon: MoonRegistry) -> None:
    moon.add("acme/core", "0.1.0", content=zipped("acme/core", "0.1.0", ours="no"))
    row.mirror(row.source(moon), "acme/core")
    ours = row.make("acme/core", at="shared")
    before = Version.objects.values_list("integrity", "is_internal").get(package__registry=row.registries["main"])
    answer = row.zip("acme/core")
    assert (answer.status_code, b"is shadowed; delete it first" in answer.content) == (502, True)
    assert Version.objects.values_list("integrity", "is_internal").get(package__registry=row.registries["main"]) == before
    assert not Event.objects.filter(action="version.internal").exists()
    unpublish_version(**key(row, "acme/core", "0.1.0", at="main"))
    assert row.fetch("acme/core") == ours


def test_other_bytes_than_were_seen_first_do_not_come_through(row: Terrace, moons: Callable[[], MoonRegistry]) -> None:
    first, other = moons(), moons()
    first.add("plain/one", content=zipped("plain/one", "0.1.0", ours="first"))
    other.add("plain/one", content=zipped("plain/one", "0.1.0", ours="other"))
    row.mirror(row.source(first), "plain/one")
    row.mirror(row.source(other, at="shared"), "plain/one", at="shared")
    unpublish_version(**key(row, "plain/one", "0.1.0", at="main"))
    change_upstream(actor=row.team.actor("alice"), upstream=row.registries["main"].upstreams.get(name="moon"), changes={"enabled": False})
    answer = row.zip("plain/one")
    assert (answer.status_code, b"has seen other bytes" in answer.content) == (502, True)
    alert = Event.objects.get(action="alert.integrity_changed")
    assert alert.object == f"{row.team.slug}/main moonbit plain/one@0.1.0"
    assert "main" not in row.held("plain/one")


def test_a_number_that_was_deleted_here_does_not_come_back(row: Terrace) -> None:
    row.make("acme/core")
    row.make("acme/core", "0.1.0", "0.2.0", at="shared")
    unpublish_version(**key(row, "acme/core", "0.1.0", at="main"))
    assert row.index() == {"acme/core": ["0.2.0"]}
    assert row.zip("acme/core").status_code == 404


def test_a_public_source_that_comes_before_a_link_keeps_its_place(row: Terrace, moons: Callable[[], MoonRegistry]) -> None:
    nearer, farther = moons(), moons()
    nearer.add("plain/one", "0.1.0")
    farther.add("plain/one", "0.1.0", "0.2.0")
    farther.add("plain/two", "0.1.0")
    row.mirror(row.source(farther, at="shared"), "plain/*", at="shared")
    upstream = row.source(nearer, priority=1)
    assert row.index() == {"plain/one": ["0.1.0", "0.2.0"], "plain/two": ["0.1.0"]}, "nothing is known of it yet"
    row.mirror(upstream, "plain/one")
    assert row.index() == {"plain/one": ["0.1.0"], "plain/two": ["0.1.0"]}, "sources are not mixed"
    assert row.zip("plain/one", "0.2.0").status_code == 404
    change_upstream(actor=row.team.actor("alice"), upstream=upstream, changes={"priority": 500})
    assert row.index()["plain/one"] == ["0.1.0", "0.2.0"]


@pytest.mark.parametrize("index_type", ["git", "http"])
def test_an_internal_source_that_may_have_any_name_is_asked_first(
    row: Terrace, moons: Callable[[], MoonRegistry], settings: Any, index_type: str
) -> None:
    outside, inside = moons(), moons()
    outside.add("plain/one", "1.0.0")
    outside.add("acme/core", "9.9.9")
    row.mirror(row.source(outside, "public", at="shared"), "*", at="shared")
    inside.add("acme/core", "0.1.0")
    upstream = row.source(inside, "partner", internal=True, index_type=index_type)
    outside.seen.clear()
    assert row.index() == {"plain/one": ["1.0.0"]}
    assert row.zip("acme/core", "9.9.9").status_code == 404
    assert Tombstone.objects.filter(name="acme/core", registry=row.registries["main"]).exists()
    assert outside.seen == []

    inside.status = 503
    Upstream.objects.filter(pk=upstream.pk).update(negative_ttl=0)
    settings.METADATA_FRESH = timedelta(0)
    UpstreamDocument.objects.update(fresh_until=timezone.now())
    answer = row.zip("plain/one", "1.0.0")
    assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "30")
    assert b"partner cannot answer" in answer.content
    assert row.read_lines("plain/one").status_code == 503
    row.make("own/one")
    assert row.index() == {"own/one": ["0.1.0"]}, "what is held here is served"
    assert row.index("shared")["plain/one"] == ["1.0.0"], "shared does not ask that one"
    assert outside.seen == []


def test_what_was_kept_is_withdrawn_as_it_is_behind(row: Terrace, moon: MoonRegistry) -> None:
    moon.add("plain/one", "0.1.0")
    upstream = row.source(moon, at="shared")
    row.mirror(upstream, "plain/one", at="shared")
    row.fetch("plain/one")
    moon.yank("plain/one", "0.1.0")
    row.mirror(upstream, "plain/one", at="shared")
    assert row.index() == row.index("shared") == {"plain/one": ["0.1.0!"]}
    assert row.fetch("plain/one"), "its zip stays"


def test_for_members_only_behind_is_for_members_only_here(row: Terrace) -> None:
    row.make("acme/core", at="shared")
    row.make("acme/secret", at="shared")
    for slug in ("shared", "main"):
        change_registry(actor=row.team.actor("alice"), registry=row.now(slug), changes=Changes(visibility="public"))
    assert set(row.index()) == {"acme/core", "acme/secret"}
    RestrictedName.objects.create(registry=row.registries["shared"], format="moonbit", name="acme/secret")
    assert set(row.index()) == {"acme/core"}
    assert row.zip("acme/core", who="").status_code == 200
    assert row.zip("acme/secret", who="").status_code == row.zip("acme/nobody", who="").status_code == 404
    assert row.zip("acme/secret", who="mallory").status_code == 404
    assert row.zip("acme/secret", who="rita").status_code == 200
