"""Mirroring from a MoonBit registry (reference/moonbit.md, checks 3, 4 and 8 to 13)."""

from collections.abc import Callable
from typing import Any

import pytest

from packages.models import Tombstone, Version
from tests.moonbit.modules import held, mirror, publish_module, source
from tests.npm.team import Team
from tests.parts.moonbit import MoonRegistry, zipped
from upstreams.models import Upstream
from upstreams.sentences import alert_sentence, subject_of
from upstreams.services.mirroring.drivers import PatternsRefused
from upstreams.services.sources import change_upstream
from workspaces.models import Event
from workspaces.services.spaces import add_claim

SECRET = "s3cret-s3cret-s3cret"
INDEXES = pytest.mark.parametrize("index_type", ["git", "http"])


@INDEXES
@pytest.mark.parametrize(("auth", "username"), [("bearer", ""), ("basic", "ci")])
def test_credentials_go_with_the_index_and_the_zips(team: Team, moon: MoonRegistry, index_type: str, auth: str, username: str) -> None:
    moon.add("acme/core", "0.1.0", "0.2.0")
    moon.add("acme/core", "0.3.0", yanked=True)
    moon.demand(auth, username, secret=SECRET)
    upstream = source(team, moon, auth_type=auth, username=username, secret=SECRET, index_type=index_type)
    found = mirror(team, upstream, "acme/core")
    assert found.troubles == {}
    assert held(team.registry) == {"acme/core": ["0.1.0", "0.2.0"]}
    assert moon.asked("zip")
    assert moon.asked("index")
    assert all(one.headers["authorization"] == moon.wanted_authorization for one in moon.seen)
    assert SECRET not in str(list(Event.objects.values_list("old", "new", "object")))
    assert mirror(team, upstream, "acme/core", versions="yanked").fetched == ["acme/core@0.3.0"]
    assert Version.objects.get(version="0.3.0").is_yanked


def test_credentials_stay_away_from_other_hosts(team: Team, moons: Callable[[], MoonRegistry]) -> None:
    own, other = moons(), moons()
    own.demand("bearer", secret=SECRET)
    own.add("acme/core")
    other.add("acme/core")
    pattern = other.url + "/user/${username}/${name}/${version}.zip"
    found = mirror(team, source(team, own, auth_type="bearer", secret=SECRET, package_url_pattern=pattern), "acme/core")
    assert found.fetched == ["acme/core@0.1.0"]
    assert own.zips() == []
    assert other.zips() == ["acme/core/0.1.0"]
    assert all("authorization" not in one.headers for one in other.seen)


def test_patterns(team: Team, moon: MoonRegistry) -> None:
    for name in ("acme/core", "acme/code", "acme/web", "other/dep"):
        moon.add(name)
    upstream = source(team, moon)
    assert mirror(team, upstream, "acme/co?e").fetched == ["acme/code@0.1.0", "acme/core@0.1.0"]
    assert mirror(team, upstream, "acme/*").fetched == ["acme/web@0.1.0"], "what is held is not fetched again"
    assert mirror(team, upstream, "other/dep").fetched == ["other/dep@0.1.0"]
    assert mirror(team, upstream, "*").fetched == []
    missing = mirror(team, upstream, "acme/none")
    assert missing.codes == {"acme/none": "package_not_found"}


def test_an_index_over_http_cannot_be_listed_and_says_so(team: Team, moon: MoonRegistry) -> None:
    moon.add("acme/core")
    upstream = source(team, moon, index_type="http")
    found = mirror(team, upstream, "acme/*")
    refused = found.troubles["*"]
    assert isinstance(refused, PatternsRefused)
    assert "name modules" in refused.why["acme/*"]
    assert moon.seen == []
    assert mirror(team, upstream, "acme/core").fetched == ["acme/core@0.1.0"]


@INDEXES
def test_dependencies_on_request(team: Team, moon: MoonRegistry, index_type: str) -> None:
    moon.add("acme/web", deps={"acme/core": "0.1.0", "other/dep": "1.2.3"})
    moon.add("acme/core", "0.1.0", "0.2.0")
    moon.add("other/dep", "1.2.3", deps={"acme/web": "0.1.0"})
    upstream = source(team, moon, index_type=index_type)
    assert mirror(team, upstream, "acme/web").fetched == ["acme/web@0.1.0"]
    found = mirror(team, upstream, "acme/web", dependencies=True)
    assert found.troubles == {}
    assert held(team.registry) == {"acme/web": ["0.1.0"], "acme/core": ["0.1.0"], "other/dep": ["1.2.3"]}


@INDEXES
def test_the_second_run_fetches_only_what_is_new(team: Team, moon: MoonRegistry, index_type: str) -> None:
    moon.add("acme/core", "0.1.0", "0.2.0")
    upstream = source(team, moon, index_type=index_type)
    pattern = "acme/*" if index_type == "git" else "acme/core"
    assert len(mirror(team, upstream, pattern).fetched) == 2
    moon.seen.clear()
    assert mirror(team, upstream, pattern).fetched == []
    assert len(moon.seen) == 1, "one look at the index, and nothing had changed"
    moon.add("acme/core", "0.3.0")
    moon.yank("acme/core", "0.1.0")
    assert mirror(team, upstream, pattern).fetched == ["acme/core@0.3.0"]
    assert moon.zips() == ["acme/core/0.3.0"]
    assert Version.objects.get(version="0.1.0").is_yanked, "what was withdrawn there is marked here"


def test_many_commits_are_taken_over_one_by_one(team: Team, moon: MoonRegistry) -> None:
    """Packs of single commits on top of each other, put together from time to time."""
    upstream = source(team, moon)
    for number in range(36):
        moon.add("acme/core", f"0.{number}.0")
        assert mirror(team, upstream, "acme/*").fetched == [f"acme/core@0.{number}.0"]
    assert len(held(team.registry)["acme/core"]) == 36


def test_a_wrong_checksum_rejects_that_version_alone(team: Team, moon: MoonRegistry) -> None:
    moon.add("acme/bad", "0.1.0", "0.3.0")
    moon.add("acme/bad", "0.2.0", checksum="0" * 64)
    found = mirror(team, source(team, moon), "acme/bad")
    assert found.codes == {"acme/bad@0.2.0": "upstream_integrity_mismatch"}
    assert held(team.registry) == {"acme/bad": ["0.1.0", "0.3.0"]}
    (event,) = Event.objects.filter(action__startswith="alert.")
    assert (event.action, event.object.endswith("moonbit acme/bad@0.2.0")) == ("alert.checksum_wrong", True)
    told = alert_sentence(event.action, subject_of(event.object), event.old, event.new)
    assert "not what its own list promises: sha256-AAAAAAAAAAAA… promised" in told


def test_a_zip_of_another_module_is_refused(team: Team, moon: MoonRegistry) -> None:
    moon.add("acme/core", content=zipped("acme/evil", "0.1.0"))
    assert mirror(team, source(team, moon), "acme/core").codes == {"acme/core@0.1.0": "upstream_bad_answer"}
    assert held(team.registry) == {}


def test_first_bytes_win(team: Team, moon: MoonRegistry) -> None:
    moon.add("acme/core", "0.1.0")
    upstream = source(team, moon)
    mirror(team, upstream, "acme/core")
    before = Version.objects.get(version="0.1.0").integrity
    moon.add("acme/core", "0.1.0", content=zipped("acme/core", "0.1.0", other="bytes"))
    moon.add("acme/core", "0.2.0")
    assert mirror(team, upstream, "acme/*").fetched == ["acme/core@0.2.0"]
    assert Version.objects.get(version="0.1.0").integrity == before
    assert Event.objects.filter(action="alert.integrity_changed").count() == 1
    Version.objects.filter(version="0.1.0").delete()
    assert mirror(team, upstream, "acme/core").codes == {"acme/core@0.1.0": "upstream_integrity_mismatch"}


@INDEXES
@pytest.mark.parametrize(("status", "code"), [(401, "upstream_unauthorized"), (403, "upstream_"), (500, "upstream_unreachable"), (404, "")])
def test_trouble_has_its_cause(team: Team, moon: MoonRegistry, index_type: str, status: int, code: str) -> None:
    moon.add("acme/core")
    upstream = source(team, moon, index_type=index_type)
    mirror(team, upstream, "acme/core")
    moon.add("acme/core", "0.2.0")
    moon.status = status
    found = mirror(team, upstream, "acme/core")
    if status == 404 and index_type == "http":
        assert found.codes == {"acme/core": "other_source"}, "that is an answer: it is not there any more"
    else:
        assert list(found.troubles) == ["acme/core"]
        assert found.codes["acme/core"].startswith(code or "upstream_bad_answer")
        assert str(status) in found.troubles["acme/core"].message or status == 404
    assert held(team.registry) == {"acme/core": ["0.1.0"]}


def test_refused_connections(team: Team, moon: MoonRegistry) -> None:
    moon.stop()
    found = mirror(team, source(team, moon), "acme/*")
    assert found.codes == {"*": "upstream_unreachable"}
    assert "connection refused" in found.troubles["*"].message


def test_priority_decides_between_two_sources(team: Team, moons: Callable[[], MoonRegistry]) -> None:
    first, second = moons(), moons()
    for one in (first, second):
        one.add("acme/core", content=zipped("acme/core", "0.1.0", at=one.url))
    high, low = source(team, first, "high", priority=10), source(team, second, "low", priority=20)
    assert mirror(team, low, "acme/core").codes == {"acme/core": "other_source"}
    assert "rule 5" in mirror(team, low, "acme/core").troubles["acme/core"].message
    assert mirror(team, high, "acme/core").fetched == ["acme/core@0.1.0"]
    Version.objects.all().delete()
    change_upstream(actor=team.actor("alice"), upstream=high, changes={"enabled": False})
    found = mirror(team, low, "acme/core")
    assert found.codes == {"acme/core@0.1.0": "upstream_integrity_mismatch"}, "other bytes than were seen first"


def test_an_internal_module_is_never_asked_outside(team: Team, moon: MoonRegistry) -> None:
    moon.add("acme/core", "9.9.9")
    moon.add("plain/one")
    publish_module(team, "acme/core")
    add_claim(actor=team.actor("alice"), workspace=team.space, pattern="beta/*")
    moon.add("beta/secret")
    for index_type in ("git", "http"):
        upstream = source(team, moon, index_type, index_type=index_type)
        for name in ("acme/core", "acme/Core", "beta/secret", "beta/unknown"):
            found = mirror(team, upstream, name)
            assert found.fetched == []
            assert "internal" in next(iter(found.troubles.values())).message or found.codes == {name: "package_not_found"}
        assert mirror(team, upstream, "plain/one").troubles == {}, "the recorder would have noticed"
        if index_type == "git":
            assert mirror(team, upstream, "*").troubles == {}
        change_upstream(actor=team.actor("alice"), upstream=upstream, changes={"enabled": False})
    for word in ("acme", "beta", "core", "secret"):
        assert moon.asked(word) == []
    assert held(team.registry) == {"acme/core": ["0.1.0"], "plain/one": ["0.1.0"]}


@INDEXES
def test_what_an_internal_source_has_is_internal_for_good(team: Team, moons: Callable[[], MoonRegistry], index_type: str) -> None:
    ours, public = moons(), moons()
    ours.add("acme/core")
    public.add("acme/core", "9.9.9")
    outside = source(team, public, "public", priority=1)
    assert mirror(team, outside, "acme/core").fetched == ["acme/core@9.9.9"], "nothing was known of it yet"
    inside = source(team, ours, "ours", internal=True, index_type=index_type)
    assert mirror(team, inside, "acme/core").fetched == ["acme/core@0.1.0"]
    assert Version.objects.get(version="0.1.0").is_internal
    assert Tombstone.objects.filter(format="moonbit", name="acme/core").exists()
    assert Event.objects.filter(action="alert.versions_shadowed").exists(), "what came from outside is hidden from now on"
    public.seen.clear()
    public.add("acme/core", "9.9.10")
    assert mirror(team, outside, "acme/core").codes == {"acme/core": "other_source"}
    change_upstream(actor=team.actor("alice"), upstream=inside, changes={"enabled": False})
    Version.objects.all().delete()
    assert mirror(team, outside, "acme/core").codes == {"acme/core": "package_not_found"}
    assert public.zips() == []


def test_an_internal_source_that_cannot_answer_closes_the_gate(team: Team, moons: Callable[[], MoonRegistry]) -> None:
    ours, public = moons(), moons()
    public.add("acme/core")
    source(team, ours, "ours", internal=True, index_type="http")
    ours.status = 503
    outside = source(team, public, "public", index_type="http")
    found = mirror(team, outside, "acme/core")
    assert found.codes == {"acme/core": "internal_upstream_unavailable"}
    assert "ours" in found.troubles["acme/core"].message
    assert public.seen == []


def test_the_same_bytes_from_an_internal_source_lift_what_was_shadowed(team: Team, moons: Callable[[], MoonRegistry]) -> None:
    ours, public = moons(), moons()
    for one in (ours, public):
        one.add("acme/core")
    mirror(team, source(team, public, "public"), "acme/core")
    mirror(team, source(team, ours, "ours", internal=True), "acme/core")
    assert Version.objects.get().is_internal


def test_an_upstream_that_moved_is_copied_anew(team: Team, moons: Callable[[], MoonRegistry], settings: Any) -> None:
    first, second = moons(), moons()
    first.add("acme/core")
    second.add("acme/web")
    upstream = source(team, first)
    assert mirror(team, upstream, "*").fetched == ["acme/core@0.1.0"]
    moved = change_upstream(actor=team.actor("alice"), upstream=Upstream.objects.get(), changes={"url": second.url})
    assert mirror(team, moved, "*").fetched == ["acme/web@0.1.0"]


@INDEXES
@pytest.mark.parametrize("options", [{}, {"dependencies": True}])
def test_what_an_internal_source_has_not_is_asked_nowhere_else(
    team: Team, moons: Callable[[], MoonRegistry], index_type: str, options: dict[str, bool]
) -> None:
    partner, public = moons(), moons()
    public.add("acme/secret")
    public.add("other/dep", "1.2.3")
    partner.add("acme/core", deps={"other/dep": "1.2.3"})
    source(team, public, "public", index_type="http")
    internal = source(team, partner, "partner", internal=True, index_type=index_type, priority=90)
    found = mirror(team, internal, "acme/secret", **options)
    assert found.codes == {"acme/secret": "package_not_found"}
    assert "nobody else was asked" in found.troubles["acme/secret"].message
    assert public.seen == []
    found = mirror(team, internal, "acme/core", **options)
    assert set(held(team.registry)) == ({"acme/core", "other/dep"} if options else {"acme/core"}), found


def test_a_source_that_moved_is_listed_where_it_is_now(team: Team, moons: Callable[[], MoonRegistry]) -> None:
    """The row at hand is of before the change."""
    former, latter = moons(), moons()
    former.add("acme/former")
    latter.add("acme/latter")
    stale = source(team, former)
    change_upstream(actor=team.actor("alice"), upstream=stale, changes={"url": latter.url})
    found = mirror(team, stale, "acme/*")
    assert found.fetched == ["acme/latter@0.1.0"], found
    assert former.seen == []
    change_upstream(actor=team.actor("alice"), upstream=stale, changes={"enabled": False})
    latter.seen.clear()
    assert "is disabled" in mirror(team, stale, "acme/*").troubles["*"].message
    assert latter.seen == []
