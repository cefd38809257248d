"""Every value of every JSON body, made wrong: a clear refusal in the one error form that changes nothing, or a value that was well."""

import json
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings

from tests.api.cast import Cast, census
from tests.permissions.test_matrix_api import MATRIX, filled

MEGABYTE = "x" * 1_000_000
ODD: tuple[Any, ...] = (
    MEGABYTE,
    "a\x00b",
    "\ud800",
    "<script>alert(1)</script>",
    "",
    None,
    True,
    -1,
    10**30,
    1e308,
    [],
    [MEGABYTE],
    [[["a"]]],
    {"a": {"b": []}},
)
BODIES = sorted(row for row, (_, body) in MATRIX.items() if isinstance(body, dict))
MOST = 20_000  # bytes of a refusal: it may name what was sent, and never sends a megabyte back


def who_may(row: tuple[str, str]) -> str:
    """Somebody this would work for."""
    codes, _ = MATRIX[row]
    return "alice" if codes[6] < 300 else "root"


@pytest.mark.parametrize(("method", "address"), BODIES)
def test_each_value_made_wrong(cast: Cast, method: str, address: str) -> None:
    _, body = MATRIX[method, address]
    path, who = filled(cast, address), who_may((method, address))
    before = census()
    for name in body:
        for odd in ODD:
            sent = {**body, name: odd}
            with transaction.atomic():
                answer = cast.call(who, method, path, sent)
                about = f"{name}={json.dumps(odd)[:40]}: {answer.status_code} {answer.content[:200]!r}"
                assert answer.status_code < 500, about
                if answer.status_code >= 400:
                    assert set(answer.json()) >= {"error", "code"}, about
                    assert len(answer.content) < MOST, about
                    assert census() == before, about
                transaction.set_rollback(True)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'"x"', b"null", b"1", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 50_000, b'{"\\ud800": 1}']
)
@override_settings(DEBUG=False)
def test_bodies_that_are_no_object(cast: Cast, content: bytes) -> None:
    before = census()
    for method, address in BODIES:
        with transaction.atomic():
            answer = cast.call(who_may((method, address)), method, filled(cast, address), content)
            assert answer.status_code < 500, (method, address, answer.content[:200])
            if answer.status_code >= 400:
                assert set(answer.json()) >= {"error", "code"}, (method, address)
                assert census() == before, (method, address)
            transaction.set_rollback(True)
