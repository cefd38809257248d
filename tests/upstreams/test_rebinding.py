"""Names that change between check and use, in a network of their own with a real name server (rows U2, U4 and U5 of the threats).

An upstream lives at a public address; behind the private ones sinks count who comes. One resolution per connection is
judged and used, so no turn of the name server leads there: sink hits = 0.
"""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.parts.namespace import is_possible, run_inside

FINE, STALE = [200, ""], [200, "stale"]
REFUSED = ["upstream_forbidden_address", ""]
ALERT = ["alert.upstream_trouble"]
ANSWERS: Mapping[str, list[object]] = {
    "steady": [*FINE, *FINE, []],
    "turning": [*FINE, *STALE, ALERT],
    "turning-back": [*REFUSED, *FINE, ALERT],
    "cloud": [*FINE, *STALE, ALERT],
    "both": [*REFUSED, *REFUSED, ALERT],
    "inside": [*REFUSED, *REFUSED, ALERT],
    "to 169.254.169.254": [*REFUSED, *REFUSED, ALERT],
    "to inside.example.org": [*REFUSED, *REFUSED, ALERT],
    "to both.example.org": [*REFUSED, *REFUSED, ALERT],
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What came of every question."""
    if not is_possible():
        pytest.skip("unshare cannot be had: this machine gives nobody a network of their own")
    done = run_inside("tests.upstreams.rebinding", str(tmp_path_factory.mktemp("namespace")))
    assert done.returncode == 0, done.stderr[-3000:]
    answers: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answers


@pytest.mark.parametrize("case", ANSWERS)
def test_an_upstream_of_this_name(found: dict[str, Any], case: str) -> None:
    assert found[case] == ANSWERS[case]


def test_no_connection_was_made_to_a_private_address(found: dict[str, Any]) -> None:
    assert found["sinks"] == [0, 0, 0]
    assert found["resolved"].count("turning.example.org") == 2, "once for each connection"
