"""The same for mirror jobs, which a worker runs: every way of being internal, by name, by pattern and by lock file.

The control goes along in the same job: what is public comes in, what is internal is left out, and nothing of it is asked.
"""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.parts.gate import Gate
from tests.parts.worker import working
from tests.rule_live.cells import CONTROL, NAMES, WORD, Cells
from tests.rule_live.everywhere import VERSION, WAYS

pytestmark = pytest.mark.parametrize("gate", ["sqlite"], indirect=True)
OVER = ("done", "failed", "cancelled")


@pytest.fixture(scope="module")
def mirroring(gate: Gate) -> Iterator[Gate]:
    """The server with somebody who works off its jobs."""
    with working(gate.server):
        yield gate


@pytest.mark.parametrize("way", WAYS)
def test_a_name_that_is(mirroring: Gate, way: str) -> None:
    name, _ = NAMES
    with Cells(mirroring, name, WAYS[way]) as cells:
        for order in (by_name, by_pattern, by_lock_file):
            control = cells.control()
            cells.public.forget()
            job = finished(cells, order(name, control))

            seen = cells.public.mentions(WORD)
            assert not seen, (order.__name__, [(one.method, one.path) for one in seen], job)
            if order is not by_pattern or not cells.way.pattern_less:
                assert cells.public.mentions(CONTROL), (order.__name__, job)


def by_name(name: str, control: str) -> dict[str, Any]:
    return {"patterns": [name, f"{name}@^99", control], "dependencies": True}


def by_pattern(name: str, control: str) -> dict[str, Any]:
    """An upstream that does not list its names would be asked for the words of the pattern."""
    return {"patterns": [f"{name}*", f"{name[:-2]}*", f"{control}*"]}


def by_lock_file(name: str, control: str) -> dict[str, Any]:
    packages = {
        f"node_modules/{one}": {"version": VERSION, "resolved": f"https://registry.example.org/{one}/-/x.tgz"} for one in (name, control)
    }
    return {
        "lock_name": "package-lock.json",
        "lock": json.dumps({"name": "an-app", "lockfileVersion": 3, "packages": {"": {}, **packages}}),
    }


def finished(cells: Cells, order: dict[str, Any]) -> dict[str, Any]:
    """The job when it is over."""
    place = cells.place
    answer = place.api("bob").post(f"{place.rest}mirrors/", {"upstream": "public", **order})
    assert answer.status == 202, answer
    job: dict[str, Any] = answer.json()
    deadline = time.monotonic() + 60
    while job["state"] not in OVER:
        assert time.monotonic() < deadline, job
        time.sleep(0.05)
        job = place.api("bob").get(f"{place.rest}mirrors/{job['id']}/").json()
    return job
