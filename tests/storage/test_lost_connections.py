"""Connections that PostgreSQL closed while they rested (a restart, an operator, a firewall) fail nobody's request."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.parts.gate import Gate, Place
from tests.parts.pack import pack

END_ALL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@pytest.mark.parametrize("gate", ["postgresql"], indirect=True)
def test_a_connection_that_was_closed_is_not_used(place: Place, gate: Gate) -> None:
    api = place.api()
    for number in range(3):
        with ThreadPoolExecutor(16) as pool:  # every process has as many connections as it may have
            assert {answer.status for answer in pool.map(lambda _: api.get(place.rest), range(64))} == {200}
        ended = gate.execute(END_ALL)
        assert len(ended) > 2
        time.sleep(0.2)
        published = place.publish(pack("lasting", f"1.0.{number}"), expect=None)
        answers = [api.get(place.rest) for _ in range(16)]
        assert [str(answer) for answer in (published, *answers) if answer.status >= 500] == []
