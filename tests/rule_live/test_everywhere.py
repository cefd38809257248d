"""An internal name reaches no public upstream: every way of being internal, by every path that could ask.

In each cell the same path is first gone with a public name, in the same registry at the same moment: had the internal name
been asked, it would have been seen there as well.
"""

from collections.abc import Iterator

import pytest

from tests.parts.gate import Gate
from tests.parts.recorder import Recorder
from tests.rule_live.everywhere import PATHS, WAYS, Way, World

# One database is enough for a thousand cells; test_internal_names.py goes the reading paths on both.
pytestmark = pytest.mark.parametrize("gate", ["sqlite"], indirect=True)
NAMES = ("@acme/secret-sauce", "secret-sauce")
WORD = "secret-s"  # a leak by any path holds it, also that of a part


class Cells:
    """One way of being internal, made once for a name; its paths share it."""

    def __init__(self, gate: Gate, name: str, way: Way) -> None:
        self.name, self.way = name, way
        self.public, self.partner = Recorder(), Recorder()
        self.place = gate.workspace()
        self._gate, self._numbers = gate, iter(range(1000))

    def open(self) -> None:
        """Let the public upstream have the name in a higher version, and make the name internal."""
        self.public.__enter__()
        self.partner.__enter__()
        self.place.upstream(self.public)
        world = World(self.place, self.public, self.partner)
        world.open(self.place)
        if WAYS["ticked by a person"] is not self.way:
            self.public.add(self.name, "1.0.0", "99.0.0")
        self.way.make(world, self.name)
        assert not self.public.mentions(WORD), "it was asked while the stage was set"
        self.public.add(self.name, "1.0.0", "99.0.0")

    def control(self) -> str:
        """A public name nobody has asked for."""
        name = f"plainly-public-{next(self._numbers)}"
        self.public.add(name, "1.0.0", "98.7.6")
        return name

    def close(self) -> None:
        """End both recorders."""
        self.public.stop()
        self.partner.stop()


@pytest.fixture(scope="module", params=[(name, way) for way in WAYS for name in NAMES], ids=lambda param: f"{param[0]} {param[1]}")
def cells(gate: Gate, request: pytest.FixtureRequest) -> Iterator[Cells]:
    name, way = request.param
    found = Cells(gate, name, WAYS[way])
    try:
        found.open()
        yield found
    finally:
        found.close()


@pytest.mark.parametrize("path", PATHS)
def test_a_name_that_is(cells: Cells, path: str) -> None:
    asking = PATHS[path]
    control = cells.control()
    cells.public.forget()
    asking.ask(cells.place, control)
    # Where an internal upstream takes any name, any word may be of a name of its: no text leaves at all.
    muted = asking.is_search and cells.way.pattern_less
    assert bool(cells.public.mentions("plainly-p")) == (asking.leaves and not muted), "the control"

    cells.public.forget()
    answer = asking.ask(cells.place, cells.name)

    assert answer.status in {200, 201, 400, 404, 503}, answer
    assert not cells.public.mentions(WORD), [(seen.method, seen.path) for seen in cells.public.mentions(WORD)]
    assert "99.0.0" not in answer.text
