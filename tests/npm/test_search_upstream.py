"""Search with public upstreams: what is merged, what may leave, and that trouble is no error."""

from collections.abc import Callable

import pytest

from packages.models import Package, Tombstone, Version
from registries.models import Registry
from tests.npm.outside import connect, names, switch
from tests.npm.rights import make_public
from tests.npm.team import Team
from tests.npm.test_search import search
from tests.parts.recorder import Recorder
from tokens.services.issue import Wish, create_token
from upstreams.clients import questions
from upstreams.models import Upstream
from upstreams.services.sources import change_upstream
from workspaces.services.spaces import add_claim


def test_off_by_default_nothing_leaves(team: Team, recorder: Recorder) -> None:
    recorder.add("chart-outside")
    connect(team, recorder)
    answer = search(team, "chart")
    assert (names(answer), recorder.seen) == ([], [])
    assert "npm-notice" not in answer.headers


def test_own_results_stand_before_what_upstreams_find(open_team: Team, recorder: Recorder) -> None:
    recorder.add("graphics")
    open_team.publish("zz", description="a graph")
    answer = search(open_team, "graph")
    assert (names(answer), answer.json()["total"]) == (["zz", "graphics"], 2)
    assert [one.path for one in recorder.seen] == ["/-/v1/search?text=graph&size=19&from=0"]
    assert not recorder.mentions("bearer")
    assert not recorder.mentions(open_team.tokens["rita"])


def test_what_is_found_outside_has_the_form_npm_reads(open_team: Team, recorder: Recorder) -> None:
    recorder.add("graphics")
    package = search(open_team, "graph").json()["objects"][0]["package"]
    assert (package["name"], package["maintainers"][0]["username"], package["publisher"]["username"]) == (
        "graphics",
        "outsider",
        "outsider",
    )
    assert package["keywords"] == ["outside"]


def test_pages_go_on_into_upstreams(open_team: Team, other_recorder: Recorder, recorder: Recorder) -> None:
    connect(open_team, other_recorder, "second", priority=200)
    for number in range(3):
        recorder.add(f"graph-{number}")
        other_recorder.add(f"graph-{number + 2}")
    found = [one for start in range(0, 8, 2) for one in names(search(open_team, "graph", size=2, start=start))]
    # graph-2 belongs to the first upstream that has it, as far as is known: the second one's is left out.
    assert found[:3] == ["graph-0", "graph-1", "graph-2"]


def claim(team: Team, pattern: str) -> None:
    add_claim(actor=team.actor("alice"), workspace=team.space, pattern=pattern)


def bury(team: Team, name: str) -> None:
    Tombstone.objects.create(workspace=team.space, format="npm", name=name, reason="published once")


# How a name becomes internal, and texts that meet it.
INTERNAL: dict[str, tuple[Callable[[Team], object], list[str]]] = {
    "a claim": (lambda team: claim(team, "@acme/*"), ["acme", "@acme/x", "ac", "acme-x", "xacmey", "@acme/"]),
    "a claim with a prefix": (lambda team: claim(team, "corp-*"), ["corp", "corp-x", "or", "CORP"]),
    "a name": (
        lambda team: team.publish("secretlib"),
        ["secretlib", "secret", "ecretli", "secretlib plugin", "xsecretlibx", "scope:secretlib"],
    ),
    "a scoped name": (lambda team: team.publish("@hidden/tool-box"), ["hidden", "tool", "box", "@hidden/tool-box", "how tool-box"]),
    "a tombstone": (lambda team: bury(team, "buried"), ["buried", "buri"]),
    "a name in another registry": (lambda team: elsewhere(team, "faraway"), ["faraway", "far"]),
}


def elsewhere(team: Team, name: str) -> None:
    other = Registry.objects.create(workspace=team.space, slug="other")
    package = Package.objects.create(registry=other, format="npm", name=name, folded=name)
    Version.objects.create(package=package, version="1.0.0", manifest=b"{}", is_internal=True, origin="published", integrity="x")


@pytest.mark.parametrize("case", INTERNAL)
def test_a_text_that_meets_something_internal_never_leaves(open_team: Team, recorder: Recorder, case: str) -> None:
    make, texts = INTERNAL[case]
    make(open_team)
    for text in texts:
        answer = search(open_team, text.replace(" ", "%20"))
        assert answer.status_code == 200
        assert recorder.seen == [], text
        assert answer.headers["npm-notice"].startswith("Only this registry was searched: ")
    assert search(open_team, "plainly").status_code == 200
    assert len(recorder.seen) == 1, "the recorder would have noticed"


def test_an_internal_upstream_that_takes_any_name_keeps_every_text_here(
    open_team: Team, recorder: Recorder, other_recorder: Recorder
) -> None:
    partner = connect(open_team, other_recorder, "partner", is_internal=True)
    assert "any name" in search(open_team, "plainly").headers["npm-notice"]
    assert (recorder.seen, other_recorder.seen) == ([], [])
    for every in ("@*/*", "@*", "?*", "*"):
        change_upstream(actor=open_team.actor("alice"), upstream=partner, changes={"patterns": (every,)})
        assert "npm-notice" in search(open_team, "plainly").headers, every
        assert (recorder.seen, other_recorder.seen) == ([], []), every
    change_upstream(actor=open_team.actor("alice"), upstream=partner, changes={"patterns": ("@partner/*",)})
    assert search(open_team, "plainly").status_code == 200
    assert "npm-notice" in search(open_team, "partner").headers
    assert (len(recorder.seen), other_recorder.seen) == (1, [])


def test_a_pasted_text_stays_here(open_team: Team, recorder: Recorder) -> None:
    assert search(open_team, "%20".join("abcdefghijkl")).status_code == 200
    assert recorder.seen == []


def test_no_internal_name_is_among_the_results_of_an_upstream(open_team: Team, recorder: Recorder) -> None:
    """The upstream answers with names that are internal here, whatever it was asked."""
    Tombstone.objects.create(workspace=open_team.space, format="npm", name="zz-buried", reason="x")
    add_claim(actor=open_team.actor("alice"), workspace=open_team.space, pattern="@zz-claimed/*")
    elsewhere(open_team, "zz-elsewhere")
    for name in ("zz-buried", "@zz-claimed/graph", "zz-elsewhere", "graph", "Zz-Elsewhere"):
        recorder.add(name)
    recorder.misbehave("*", lambda handler, _: handler.send(200, everything(recorder)), where="search")
    answer = search(open_team, "graph")
    assert names(answer) == ["graph"]
    assert "zz-" not in answer.content.decode().lower()


def everything(recorder: Recorder) -> bytes:
    import json

    found = [{"package": {"name": name, "version": "1.0.0"}} for name in recorder.offers]
    odd: list[object] = [None, 1, {}, {"package": 1}, {"package": {"name": "../x", "version": "1.0.0"}}, {"package": {"name": "x"}}]
    return json.dumps({"objects": [*found, *odd], "total": len(found)}).encode()


@pytest.mark.parametrize("limit", ["scopes", "registries"])
def test_a_narrow_token_asks_no_upstream(open_team: Team, recorder: Recorder, limit: str) -> None:
    """What stays here would spell out to its holder the internal names it may not read."""
    recorder.add("graph")
    recorder.add("@open/graph")
    main = Registry.objects.get(workspace__slug=open_team.slug, slug="main")
    wish = Wish(name="narrow", registries=[main.pk]) if limit == "registries" else Wish(name="narrow", scopes=["npm:package:@open/*:read"])
    token = create_token(actor=open_team.actor("bob"), wish=wish).secret
    assert names(search(open_team, "graph", token)) == []
    assert not recorder.seen


TROUBLE = {
    "500": lambda handler, _: handler.send(500, b"{}"),
    "401": lambda handler, _: handler.send(401, b"{}"),
    "garbage": lambda handler, _: handler.send(200, b"<html>"),
    "a list": lambda handler, _: handler.send(200, b"[]"),
    "too many pieces": lambda handler, _: handler.send(200, b'{"objects":[' + b"{}," * 300_000 + b"{}]}"),
    "elsewhere": lambda handler, _: handler.send(302, b"", location="http://169.254.169.254/"),
}


@pytest.mark.parametrize("case", TROUBLE)
def test_trouble_of_an_upstream_is_a_notice(open_team: Team, recorder: Recorder, case: str) -> None:
    open_team.publish("zz", description="a graph")
    recorder.misbehave("*", TROUBLE[case], where="search")
    answer = search(open_team, "graph")
    assert names(answer) == ["zz"]
    assert answer.headers["npm-notice"].startswith("Not all was searched: Upstream public ")


def test_an_upstream_that_is_down_is_a_notice_and_one_without_search_none(open_team: Team, recorder: Recorder) -> None:
    recorder.searches = False
    assert "npm-notice" not in search(open_team, "graph").headers
    recorder.stop()
    assert "cannot be reached" in search(open_team, "graph").headers["npm-notice"]


def test_a_search_that_fails_leaves_installs_alone(open_team: Team, recorder: Recorder) -> None:
    recorder.add("graph")
    recorder.misbehave("*", lambda handler, _: handler.send(500, b"{}"), where="search")
    for _ in range(7):
        search(open_team, "graph")
    assert open_team.send("rita", "GET", "/graph").status_code == 200


@pytest.mark.parametrize("change", ["the switch", "a claim", "a name"])
def test_a_change_while_the_line_is_made_holds_already(
    open_team: Team, recorder: Recorder, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    real = questions.ask_search

    def late(*parts: object, **named: object) -> object:
        if change == "the switch":
            switch(open_team, search_upstream=False)
        elif change == "a claim":
            add_claim(actor=open_team.actor("alice"), workspace=open_team.space, pattern="graph-*")
        else:
            elsewhere(open_team, "graph-tools")
        return real(*parts, **named)  # type: ignore[arg-type]

    monkeypatch.setattr("upstreams.services.search.ask_search", late)
    answer = search(open_team, "graph")
    assert (answer.status_code, recorder.seen) == (200, [])
    assert "npm-notice" in answer.headers


@pytest.mark.parametrize("who", ["", "mallory"])
def test_visitors_of_a_public_registry_learn_no_private_name_by_what_is_not_asked(open_team: Team, recorder: Recorder, who: str) -> None:
    make_public(open_team)
    recorder.add("graph")
    elsewhere(open_team, "faraway")
    open_team.publish("zz", description="a graph of what is far")
    told = [
        (answer.json()["total"], names(answer), "npm-notice" in answer.headers)
        for answer in (search(open_team, t, who) for t in ("far", "graph"))
    ]
    assert told == [(1, ["zz"], False)] * 2
    assert recorder.seen == []
    assert names(search(open_team, "graph")) == ["zz", "graph"], "a member's search goes on"


def test_who_is_not_asked_for_a_text(open_team: Team, recorder: Recorder, other_recorder: Recorder) -> None:
    connect(open_team, other_recorder, "limited", patterns=["@some/*"])
    connect(open_team, other_recorder, "disabled", is_enabled=False)
    search(open_team, "graph")
    assert (len(recorder.seen), other_recorder.seen) == (1, [])
    assert Upstream.objects.filter(registry=open_team.registry).count() == 3
