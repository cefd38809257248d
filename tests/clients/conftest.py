"""One workspace for a whole module of stories: each uses names of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import client_factory
from tests.parts.clients import Client
from tests.parts.gate import Gate, Place
from tests.parts.recorder import Recorder


@pytest.fixture(scope="module")
def outer() -> Iterator[Recorder]:
    """The upstream of the module's workspace."""
    with Recorder() as recorder:
        recorder.add("from-outside", "3.0.0", dependencies={"@pub/deeper": "^1.0.0"})
        recorder.add("@pub/deeper", "1.0.0")
        yield recorder


@pytest.fixture(scope="module")
def town(gate: Gate, outer: Recorder) -> Place:
    """A workspace with a registry in front of `outer`."""
    place = gate.workspace()
    place.upstream(outer)
    return place


@pytest.fixture
def client(tmp_path: Path) -> Callable[..., Client]:
    """Make any client of `tests.parts.clients.TOOLS` with a home of its own: `client("npm-12", place, "bob")`."""

    def make(tool: str, *words: Any, **wishes: Any) -> Client:
        return client_factory(tool, tmp_path)(*words, **wishes)

    return make
