"""The team of the npm door's tests, with an upstream to be mirrored."""

from typing import Any

import pytest

from tests.mirroring.jobs import Jobs
from tests.npm.conftest import loopback, team
from tests.npm.outside import connect
from tests.npm.team import Team
from tests.parts.recorder import Recorder

__all__ = ["loopback", "team"]


@pytest.fixture
def jobs(team: Team, recorder: Recorder, loopback: None, settings: Any) -> Jobs:
    """Jobs that lead from the recorder into the team's registry."""
    settings.MIRROR_PAUSE = 0.05
    return Jobs(team, connect(team, recorder))
