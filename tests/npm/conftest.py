"""Fixtures of the npm door's tests."""

import pytest

from tests.npm.team import Team


@pytest.fixture(autouse=True)
def _still(monkeypatch: pytest.MonkeyPatch) -> None:
    """No thread of its own writes last-used times while the test database comes and goes."""
    monkeypatch.setattr("tokens.usage.touch", lambda _: None)


@pytest.fixture
def team(transactional_db: None) -> Team:
    return Team()
