"""`npm search` and `npm audit` with the clients that have them: what people see, and what arrived outside."""

import json
from collections.abc import Callable

import pytest

from tests.clients.ways import app, ways
from tests.parts.clients import Client
from tests.parts.gate import Place
from tests.parts.pack import pack
from tests.parts.recorder import Recorder

pytestmark = [pytest.mark.npm, pytest.mark.parametrize("gate", ["sqlite"], indirect=True)]
Clients = Callable[..., Client]
OFF = "auditing is off in this registry"


def switch(place: Place, **switches: bool) -> None:
    assert place.api().patch(place.rest, switches).status == 200


@pytest.fixture
def market(place: Place, recorder: Recorder) -> Place:
    """A registry that searches and audits with the recorder too; @acme is claimed, @acme/app published."""
    place.upstream(recorder)
    place.claim("@acme/*")
    switch(place, search_upstream=True, audit_upstream=True)
    place.publish(pack("@acme/app", "2.0.0", dependencies={"unsound": "^1.0.0"}, keywords=["graph"]))
    place.publish(pack("graph-of-ours", keywords=["drawing"]))
    recorder.add("unsound", "1.0.0", "1.5.0")
    recorder.add("graphics")
    recorder.warn_of("unsound", "<1.5.1")
    return place


@pytest.mark.parametrize("tool", ["npm-6", "npm-12", "pnpm-12"])
def test_searches(market: Place, client: Clients, recorder: Recorder, tool: str) -> None:
    rita = client(tool, market, "rita")
    said = rita.run("search", "drawing").said
    assert "graph-of-ours" in said
    assert "bob" in said
    if tool.startswith("npm"):
        found = json.loads(rita.run("search", "--json", "drawing").out)
        assert [(one["name"], one["maintainers"][0]["username"]) for one in found] == [("graph-of-ours", "bob")]
    rita.run("search", "graphics")
    assert any("text=graphics" in one.path for one in recorder.seen if one.is_search)
    rita.run("search", "acme")
    rita.run("search", "@acme/app")
    assert not recorder.mentions("acme")


@pytest.mark.parametrize("tool", ["npm-6", "npm-10", "pnpm-10", "yarn-4"])
def test_audits_without_a_word_of_what_is_internal(market: Place, client: Clients, recorder: Recorder, tool: str) -> None:
    rita = app(client(tool, market, "rita"))
    rita.run(*ways(rita).add, "@acme/app")
    deep = ("--recursive",) if tool == "yarn-4" else ()
    done = rita.refused(*ways(rita).audit, *deep)
    assert "unsound" in done.said
    assert recorder.audited() == {"unsound": ["1.5.0"]}
    for word in ("acme", "an-app", market.slug, market.tokens["rita"]):
        assert not [one for one in recorder.mentions(word) if one.is_audit], word


def test_npm_audit_in_json_and_when_it_is_off(market: Place, client: Clients, recorder: Recorder) -> None:
    rita = app(client("npm-11", market, "rita"))
    rita.run("install", "@acme/app")
    told = json.loads(rita.refused("audit", "--json").out)["vulnerabilities"]
    assert (told["unsound"]["severity"], told["unsound"]["via"][0]["title"]) == ("high", "unsound is unsafe")
    assert told["unsound"]["effects"] == ["@acme/app"]
    switch(market, audit_upstream=False)
    recorder.forget()
    done = rita.run("audit")
    assert OFF in done.err
    assert "found 0 vulnerabilities" in done.out
    assert not [one for one in recorder.seen if one.is_audit]
