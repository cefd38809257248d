"""A workspace, people and a registry of their own, and MoonBit registries to ask."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.npm.conftest import _still, loopback, team
from tests.parts.moonbit import MoonRegistry

__all__ = ["_still", "loopback", "team"]


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
