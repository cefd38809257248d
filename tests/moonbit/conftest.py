"""A workspace, people and a registry of their own, and MoonBit registries to ask."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.moonbit.terrace import Terrace
from tests.npm.conftest import loopback, team
from tests.npm.team import Team
from tests.parts.moonbit import MoonRegistry

__all__ = ["loopback", "team"]


@pytest.fixture
def moons(tmp_path: Path, loopback: None) -> Iterator[Callable[[], MoonRegistry]]:
    """As many upstreams as the test needs."""
    with ExitStack() as stack:
        made: list[MoonRegistry] = []

        def make() -> MoonRegistry:
            made.append(stack.enter_context(MoonRegistry(tmp_path / f"moon-{len(made)}")))
            return made[-1]

        yield make


@pytest.fixture
def moon(moons: Callable[[], MoonRegistry]) -> MoonRegistry:
    """An upstream."""
    return moons()


@pytest.fixture
def here(tmp_path: Path, settings: Any) -> Path:
    """A DATA_DIR of the test's own: copies of indexes and repositories lie there."""
    settings.DATA_DIR = tmp_path / "here"
    settings.DATA_DIR.mkdir()
    return tmp_path / "here"


@pytest.fixture
def row(team: Team, here: Path, loopback: None) -> Terrace:
    """dev (`main`) -> shared."""
    made = Terrace(team)
    made.registry("shared")
    made.link("main", "shared")
    return made
