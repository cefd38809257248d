"""Audits of many names, and bodies that are none: bounded in statements, bytes and memory (threats.md R3)."""

import gzip
import tracemalloc

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.npm.team import Team, facts
from tests.npm.test_audit import BULK, FULL, QUICK, bulk
from tests.parts.recorder import Recorder


def test_thousands_of_names_take_a_few_statements(open_team: Team, recorder: Recorder) -> None:
    def statements(count: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert bulk(open_team, {f"package-{number}": ["1.0.0"] for number in range(count)}).status_code == 200
        return len(captured)

    few, many = statements(10), statements(5000)
    assert len(recorder.audited()) == 5000
    assert many - few <= 6 * 10, f"{few} statements for 10 names, {many} for 5,000 in ten lists"


BOMB = gzip.compress(bytes(300 * 1024 * 1024), compresslevel=9)
DEEP = b'{"dependencies":{"a":' * 200 + b"{}" + b"}}" * 200
BAD: dict[str, tuple[bytes, dict[str, str], int]] = {
    "a bomb": (BOMB, {"content_encoding": "gzip"}, 413),
    "a bomb of objects": (gzip.compress(b'{"a":[' + b"[]," * 2_000_000 + b"[]]}"), {"content_encoding": "gzip"}, 400),
    "not gzip": (b"{}", {"content_encoding": "gzip"}, 400),
    "gzip cut short": (gzip.compress(b"{}")[:-9], {"content_encoding": "gzip"}, 400),
    "gzip and more": (gzip.compress(b"{}") + b"x" * 9, {"content_encoding": "gzip"}, 400),
    "brotli": (b"{}", {"content_encoding": "br"}, 415),
    "twice": (gzip.compress(gzip.compress(b"{}")), {"content_encoding": "gzip, gzip"}, 415),
    "too long": (b" " * (12 * 1024 * 1024 + 1), {}, 413),
    "no JSON": (b"{", {}, 400),
    "a list": (b"[]", {}, 400),
    "not UTF-8": (b'{"\xff":[]}', {}, 400),
    "too deep": (DEEP, {}, 400),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_bodies_are_refused(open_team: Team, recorder: Recorder, case: str) -> None:
    body, headers, expected = BAD[case]
    before = facts()
    for path in (BULK, QUICK, FULL):
        answer = open_team.send("rita", "POST", path, body, **headers)
        assert (answer.status_code, answer.json()["error"][-1]) == (expected, "."), path
    assert (facts(), recorder.seen) == (before, [])


def test_a_bomb_takes_little_memory(open_team: Team) -> None:
    bodies = [BAD["a bomb"], BAD["a bomb of objects"]]
    tracemalloc.start()
    for body, headers, expected in bodies:
        assert open_team.send("rita", "POST", BULK, body, **headers).status_code == expected
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 * 1024 * 1024


def test_too_many_names(open_team: Team) -> None:
    assert open_team.send("rita", "POST", BULK, {f"p{number}": [] for number in range(20_001)}).status_code == 400
    assert open_team.send("rita", "POST", BULK, {"p": "1.0.0"}).status_code == 400
    assert open_team.send("rita", "POST", QUICK, {"dependencies": ["x"]}).status_code == 200


def test_who_may_audit(open_team: Team, recorder: Recorder) -> None:
    for path in (BULK, QUICK, FULL):
        assert open_team.send("", "POST", path, {}).status_code == 401
        assert open_team.send("mallory", "POST", path, {}).status_code == 404
        assert open_team.send("rita", "GET", path).status_code == 405
        assert open_team.send("rita", "POST", path, {}).status_code == 200
    assert recorder.seen == []
