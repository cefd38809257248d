"""Git is held to the address that was judged: names that change between check and use, with a real name server (U4, U5)."""

import json
from typing import Any

import pytest

from tests.parts.namespace import is_possible, run_inside

FINE: list[object] = [200, []]
REFUSED: list[object] = ["upstream_forbidden_address", ["alert.upstream_trouble"]]
ANSWERS = {"steady": FINE, "third": FINE, "second": REFUSED, "first": REFUSED, "cloud": REFUSED, "both": REFUSED, "ssh": REFUSED}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    if not is_possible():
        pytest.skip("unshare cannot be had: this machine gives nobody a network of their own")
    done = run_inside("tests.git.rebinding", str(tmp_path_factory.mktemp("namespace")))
    assert done.returncode == 0, done.stderr[-3000:]
    answers: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answers


@pytest.mark.parametrize("case", ANSWERS)
def test_a_repository_of_this_name(found: dict[str, Any], case: str) -> None:
    assert found[case] == ANSWERS[case]


def test_no_connection_was_made_to_a_private_address(found: dict[str, Any]) -> None:
    assert found["sinks"] == [0, 0, 0]
    assert found["resolved"].count("third.example.org") == 2, "once for our question, once for git's: git itself resolves nothing"
    assert found["seen"] > 4
