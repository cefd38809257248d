"""A server with little patience, and the team of the npm door's tests."""

from collections.abc import Iterator

import pytest

from tests.npm.conftest import team
from tests.parts.gate import Gate
from tests.parts.gatehouse import Gatehouse
from tests.parts.recorder import Recorder

__all__ = ["team"]


@pytest.fixture(scope="session")
def curt_gate(tmp_path_factory: pytest.TempPathFactory, public: Recorder) -> Iterator[Gate]:
    """A live Gatehouse on SQLite that waits one second for heads and for pieces of bodies."""
    env = {"DJANGO_SETTINGS_MODULE": "tests.parts.curt_limits"}
    server = Gatehouse(tmp_path_factory.mktemp("gatehouse-curt"), "", public.url, env=env, workers=1, head_limit=1000)
    try:
        server.start()
        yield Gate(server)
    finally:
        server.stop()
