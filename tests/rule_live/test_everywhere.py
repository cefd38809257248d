"""An internal name reaches no public upstream: every way of being internal, by every path that could ask.

In each cell the same path is first gone with a public name, in the same registry at the same moment: had the internal name
been asked, it would have been seen there as well.
"""

from collections.abc import Iterator

import pytest

from tests.parts.gate import Gate
from tests.rule_live.cells import NAMES, WORD, Cells
from tests.rule_live.everywhere import PATHS, WAYS

# One database is enough for a thousand cells; test_internal_names.py goes the reading paths on both.
pytestmark = pytest.mark.parametrize("gate", ["sqlite"], indirect=True)


@pytest.fixture(scope="module", params=[(name, way) for way in WAYS for name in NAMES], ids=lambda param: f"{param[0]} {param[1]}")
def cells(gate: Gate, request: pytest.FixtureRequest) -> Iterator[Cells]:
    name, way = request.param
    with Cells(gate, name, WAYS[way]) as found:
        yield found


@pytest.mark.parametrize("path", PATHS)
def test_a_name_that_is(cells: Cells, path: str) -> None:
    asking = PATHS[path]
    control = cells.control()
    if asking.first is not None:
        asking.first(cells.place, control)
    cells.public.forget()
    asking.ask(cells.place, control)
    # Where an internal upstream takes any name, any word may be of a name of its: no text leaves at all.
    muted = asking.is_search and cells.way.pattern_less
    assert bool(cells.public.mentions("plainly-p")) == (asking.leaves and not muted), "the control"

    cells.public.forget()
    if asking.first is not None:
        asking.first(cells.place, cells.name)
    answer = asking.ask(cells.place, cells.name)

    assert answer.status in {200, 201, 400, 404, 409, 503}, answer
    assert not cells.public.mentions(WORD), [(seen.method, seen.path) for seen in cells.public.mentions(WORD)]
    assert "99.0.0" not in answer.text
