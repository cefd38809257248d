"""What a person sees when the registry says no: our own sentence, as far as each client lets it through (reference/npm.md 1.3).

pnpm and yarn 4 show of a refused GET only its status, bun too when it installs; yarn 4 has words of its own for every 401.
"""

import re
from collections.abc import Callable

import pytest

from tests.clients.ways import EVERY, app, publish_with, ways
from tests.parts.clients import Client, Done
from tests.parts.gate import Gate, Place
from tests.parts.pack import pack

pytestmark = [pytest.mark.npm, pytest.mark.parametrize("gate", ["sqlite"], indirect=True)]
Clients = Callable[..., Client]
NPM = {tool for tool in EVERY if tool.startswith("npm")}
FORBIDDEN = "rita may not publish here: the role or the token does not allow it."
TAKEN = "You cannot publish over the existing version 1.0.0 of"
STALE = "This token is not valid. Run npm login, or create a new token."
ANONYMOUS = "This registry needs a login. Run npm login, or send a token."


def shows(done: Done, sentence: str) -> bool:
    """Whether the sentence is there, however the client breaks its lines and draws boxes around them."""
    return bare(sentence) in bare(done.said)


def bare(text: str) -> str:
    return re.sub(r"[\s│]", "", text)


@pytest.mark.parametrize("tool", EVERY)
def test_refused_publishes(gate: Gate, town: Place, client: Clients, tool: str) -> None:
    taken = f"taken-{tool}"
    town.publish(pack(taken))
    force = ("--force",) if tool in NPM else ()  # else npm looks first and does not ask at all
    wrong = Client(tool, client(tool, town).home / "stale", town.url, "gth_" + "0" * 46)
    with gate.unchanged():
        forbidden = publish_with(client(tool, town, "rita"), "not-for-rita", ok=False)
        conflict = publish_with(client(tool, town, "bob"), taken, "1.0.0", *force, ok=False)
        stale = publish_with(wrong, "never-arrives", ok=False)

    assert shows(forbidden, FORBIDDEN), str(forbidden)
    own_words = {
        **dict.fromkeys(("npm-6", "npm-9"), "Cannot publish over existing version"),
        "pnpm-10": "cannot publish over the previously published versions",
    }
    assert shows(conflict, own_words.get(tool, f"{TAKEN} {taken}; choose a new number.")), str(conflict)
    assert shows(stale, "Invalid authentication" if tool == "yarn-4" else STALE), str(stale)


@pytest.mark.parametrize("tool", EVERY)
def test_refused_reads(gate: Gate, town: Place, client: Clients, tool: str) -> None:
    rita, nobody = app(client(tool, town, "rita")), app(client(tool, town))
    with gate.unchanged():
        absent = rita.refused(*ways(rita).add, "no-such-package")
        anonymous = nobody.refused(*ways(nobody).add, "no-such-package")

    if tool in NPM | {"yarn-1"}:
        assert shows(absent, f"There is no package no-such-package in {town.slug}/main."), str(absent)
        assert shows(anonymous, ANONYMOUS), str(anonymous)
    else:
        assert "404" in absent.said, str(absent)
        assert ("Invalid authentication (as an anonymous user)" if tool == "yarn-4" else "401") in anonymous.said, str(anonymous)


def test_bun_shows_the_sentence_when_it_is_asked_for_information(town: Place, client: Clients) -> None:
    assert shows(done := client("bun", town).refused("info", "no-such-package"), ANONYMOUS), str(done)


@pytest.mark.parametrize("tool", ["npm-11", "yarn-1"])
def test_a_stranger_learns_only_that_there_is_no_such_registry(town: Place, client: Clients, tool: str) -> None:
    town.publish(pack(f"hidden-from-{tool}"))
    stranger = app(client(tool, town, "mallory"))
    done = stranger.refused(*ways(stranger).add, f"hidden-from-{tool}")

    assert shows(done, f"There is no registry “{town.slug}/main”."), str(done)
