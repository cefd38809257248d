"""Globs at an npm upstream: its own list, its search, and what is never asked of it."""

import pytest

from tests.mirroring.jobs import Jobs, troubles
from tests.npm.outside import connect
from tests.parts.recorder import Recorder
from upstreams.models import Upstream
from upstreams.services.sources import create_upstream
from upstreams.services.wishes import UpstreamWish
from workspaces.services.spaces import add_claim, bump_rules

ROWS = {
    "total_rows": 4,
    "offset": 0,
    "rows": [{"id": name, "key": name, "value": {"rev": "1-0"}} for name in ("@a/one", "@a/two", "@b/three")],
}


def offer(recorder: Recorder, *names: str) -> None:
    for name in names:
        recorder.add(name)


@pytest.mark.parametrize(
    ("address", "answer"),
    [
        ("/_all_docs", ROWS),
        ("/-/all", {"_updated": 99999, "@a/one": {"name": "@a/one"}, "@a/two": {}, "@b/three": {}, "bad name": {}}),
        ("/-/all", [{"name": "@a/one"}, {"name": "@a/two"}, {"name": 7}, "x"]),
    ],
)
def test_a_registry_that_lists_its_names(jobs: Jobs, recorder: Recorder, address: str, answer: object) -> None:
    offer(recorder, "@a/one", "@a/two", "@b/three")
    recorder.answers[address] = answer
    mirror = jobs.run("@a/*")
    assert (mirror.state, mirror.done, mirror.names) == ("done", 2, 2), troubles(mirror)
    assert jobs.held() == ["@a/one@1.0.0", "@a/two@1.0.0"]
    assert not [one for one in recorder.seen if one.is_search]


def test_a_registry_that_has_a_search_only(jobs: Jobs, recorder: Recorder) -> None:
    offer(recorder, *(f"@a/pkg-{number:03}" for number in range(300)), "@ab/other")
    mirror = jobs.order("@a/pkg-00?")
    mirror = jobs.finish(mirror)
    assert (mirror.state, mirror.done) == ("done", 10), troubles(mirror)
    searches = [one.path for one in recorder.seen if one.is_search]
    assert len(searches) == 1, "the literal letters narrow it"
    assert "text=%40a%2Fpkg-00" in searches[0]
    recorder.forget()
    jobs.run("@a/*9")
    assert len([one for one in recorder.seen if one.is_search]) == 2, "page by page"


def test_a_search_that_finds_ever_more_is_left_in_time(jobs: Jobs, recorder: Recorder) -> None:
    """Public registries find by likeness: thousands, of which the first few are meant."""
    offer(recorder, "@a/one", *(f"x@a-{number:04}" for number in range(40)))
    recorder.offers |= {f"z-@a-{number:05}": recorder.offers["@a/one"] for number in range(3000)}
    mirror = jobs.run("@a/*")
    assert (mirror.state, mirror.done) == ("done", 1), troubles(mirror)
    assert len([one for one in recorder.seen if one.is_search]) == 5


def test_an_answer_without_rows_is_no_list(jobs: Jobs, recorder: Recorder) -> None:
    offer(recorder, "@a/one")
    recorder.answers["/_all_docs"] = {"error": "not here", "rows": []}
    recorder.answers["/-/all"] = "nothing"
    assert jobs.run("@a/*").done == 1
    assert [one for one in recorder.seen if one.is_search]


def test_neither_list_nor_search(jobs: Jobs, recorder: Recorder) -> None:
    offer(recorder, "one")
    recorder.searches = False
    mirror = jobs.run("on*", "one")
    assert (mirror.state, mirror.done) == ("failed", 1)
    assert "no search either" in troubles(mirror)["on*"]


def test_a_pattern_that_meets_a_claim_is_never_searched_for(jobs: Jobs, recorder: Recorder) -> None:
    offer(recorder, "@acme/http", "@acme-like/x", "left-pad")
    add_claim(actor=jobs.team.actor("alice"), workspace=jobs.team.space, pattern="@acme/*")
    mirror = jobs.run("@acme/*", "*", "@ac*", "@*/http", "left-*")
    assert (mirror.state, mirror.done) == ("failed", 1)
    assert set(troubles(mirror)) == {"@acme/*", "*", "@ac*", "@*/http"}
    assert all("meets the claim @acme/*" in sentence for sentence in troubles(mirror).values()), troubles(mirror)
    assert not recorder.mentions("acme")
    assert jobs.held() == ["left-pad@1.0.0"]


def test_a_name_of_ours_is_never_searched_for(jobs: Jobs, recorder: Recorder) -> None:
    assert jobs.team.publish("secret-sauce").status_code == 201
    offer(recorder, "secret-sauce", "secret-other")
    mirror = jobs.run("secret-*")
    assert "meets the name of an internal package" in troubles(mirror)["secret-*"]
    assert not recorder.mentions("secret")


def test_internal_names_in_an_upstreams_list_are_left_alone(jobs: Jobs, recorder: Recorder) -> None:
    """The attack: the public upstream offers our own names."""
    assert jobs.team.publish("secret-sauce").status_code == 201
    add_claim(actor=jobs.team.actor("alice"), workspace=jobs.team.space, pattern="@acme/*")
    offer(recorder, "@acme/http", "secret-sauce", "left-pad")
    recorder.answers["/_all_docs"] = {"rows": [{"id": name} for name in ("@acme/http", "Secret-Sauce", "secret-sauce", "left-pad")]}
    mirror = jobs.run("*")
    assert (mirror.state, mirror.done) == ("done", 1), troubles(mirror)
    assert not recorder.mentions("acme")
    assert not recorder.mentions("secret")


@pytest.mark.parametrize("name", ["@acme/http", "secret-sauce"])
def test_an_internal_name_is_not_asked_for_by_name_either(jobs: Jobs, recorder: Recorder, name: str) -> None:
    assert jobs.team.publish("secret-sauce").status_code == 201
    add_claim(actor=jobs.team.actor("alice"), workspace=jobs.team.space, pattern="@acme/*")
    offer(recorder, name)
    for pattern in (name, f"{name}@1.0.0", f"{name}@*"):
        mirror = jobs.run(pattern, dependencies=False)
        assert not recorder.seen, mirror
    offer(recorder, "app")
    recorder.offers["app"].versions.clear()
    recorder.add("app", "1.0.0", dependencies={name: "*"})
    recorder.forget()
    jobs.run("app", dependencies=True)
    assert not recorder.asked(name)


def test_an_internal_upstream_may_be_asked_for_its_own(jobs: Jobs, recorder: Recorder, other_recorder: Recorder) -> None:
    offer(other_recorder, "@partner/lib", "@partner/tool")
    partner = connect(jobs.team, other_recorder, "partner", is_internal=True, patterns=["@partner/*"])
    mirror = Jobs(jobs.team, partner).run("@partner/*", "other-*")
    assert mirror.done == 2
    assert set(troubles(mirror)) == {"other-*"}
    assert not recorder.mentions("partner")
    public = jobs.run("@partner/*")
    assert public.done == 0
    assert not recorder.mentions("partner")


def test_names_outside_the_upstreams_patterns_do_not_exist(jobs: Jobs, recorder: Recorder) -> None:
    offer(recorder, "@a/one", "left-pad")
    Upstream.objects.filter(pk=jobs.upstream.pk).update(patterns=["@a/*"])
    jobs.upstream.refresh_from_db()
    bump_rules(jobs.team.space.pk)
    recorder.answers["/_all_docs"] = {"rows": [{"id": "@a/one"}, {"id": "left-pad"}]}
    assert jobs.run("*").done == 1
    mirror = jobs.run("left-pad")
    assert mirror.state == "failed"
    assert not recorder.asked("left-pad")


def test_a_list_that_repeats_our_credentials_names_nothing(jobs: Jobs, recorder: Recorder) -> None:
    """Whole, or cut off where names end: what is listed is shown to every member."""
    secret = "npm-token-of-the-partner-1f6c0a9d3b7e42518c"
    wish = UpstreamWish(name="echo", url=recorder.url, auth_type="bearer", secret=secret, priority=1)
    echo = create_upstream(actor=jobs.team.actor("alice"), registry=jobs.team.registry, wish=wish)
    names = ["left-pad", f"@a/{secret}", f"who-{secret[:30]}", "npm-token-of-the"]
    offer(recorder, *names)
    recorder.answers["/_all_docs"] = {"rows": [{"id": name} for name in names]}
    mirror = Jobs(jobs.team, echo).run("*")
    assert not [name for name in troubles(mirror) if secret[:30] in name]
    assert jobs.held() == ["left-pad@1.0.0", "npm-token-of-the@1.0.0"]
