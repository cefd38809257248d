"""Fixtures of the npm door's tests."""

from typing import Any

import pytest
from django.core.cache import cache

from tests.npm.outside import connect, switch
from tests.npm.team import Team
from tests.parts.recorder import Recorder
from upstreams.clients.breaker import BREAKERS
from upstreams.clients.guard import parse_network
from upstreams.services import last_trouble, troubles


@pytest.fixture
def team(transactional_db: None) -> Team:
    return Team()


@pytest.fixture
def loopback(settings: Any) -> None:
    """Recorders may be reached, and what failed in another test is asked again."""
    settings.ALLOWED_PRIVATE_NETWORKS = (parse_network("127.0.0.0/8"),)
    settings.UPSTREAM_READ_TIMEOUT = 2.0
    BREAKERS._counts.clear()
    troubles._told.clear()
    last_trouble._written.clear()
    cache.clear()


@pytest.fixture
def open_team(team: Team, recorder: Recorder, loopback: None) -> Team:
    """A team whose registry has a public upstream and may search and audit with it."""
    connect(team, recorder)
    switch(team, search_upstream=True, audit_upstream=True)
    return team
