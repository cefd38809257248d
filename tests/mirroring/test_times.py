"""When a schedule is due."""

from datetime import UTC, datetime

import pytest

from upstreams.services.mirroring.globs import meet
from upstreams.services.mirroring.times import TimeInvalid, parse_every

NOW = datetime(2024, 2, 28, 22, 30, 15, tzinfo=UTC)  # a Wednesday in a leap year
AFTER = {
    "30m": (2024, 2, 28, 23, 0, 15),
    "1h": (2024, 2, 28, 23, 30, 15),
    " 1D ": (2024, 2, 29, 22, 30, 15),
    "* * * * *": (2024, 2, 28, 22, 31),
    "*/20 * * * *": (2024, 2, 28, 22, 40),
    "5/20 * * * *": (2024, 2, 28, 22, 45),
    "30 22 * * *": (2024, 2, 29, 22, 30),
    "0 0 * * *": (2024, 2, 29, 0, 0),
    "15 3 * * mon-fri": (2024, 2, 29, 3, 15),
    "15 3 * * 7": (2024, 3, 3, 3, 15),
    "0 12 1 * *": (2024, 3, 1, 12, 0),
    "0 12 29 2 *": (2024, 2, 29, 12, 0),
    "0 0 1 jan,jul *": (2024, 7, 1, 0, 0),
    "0 0 15 * mon": (2024, 3, 4, 0, 0),  # either day will do
    "0-10/5,50 22 * * *": (2024, 2, 28, 22, 50),
}


@pytest.mark.parametrize("every", AFTER)
def test_the_next_time(every: str) -> None:
    assert parse_every(every).after(NOW).timetuple()[:6] == (*AFTER[every], 0)[:6]


def test_a_leap_day_is_waited_for() -> None:
    later = datetime(2024, 3, 1, tzinfo=UTC)
    assert parse_every("0 12 29 2 *").after(later) == datetime(2028, 2, 29, 12, tzinfo=UTC)


def test_what_was_missed_is_not_made_up_for() -> None:
    last = datetime(2024, 2, 1, 0, 10, tzinfo=UTC)
    assert parse_every("1h").after(NOW, last) == datetime(2024, 2, 28, 23, 10, tzinfo=UTC)
    assert parse_every("* * * * *").after(NOW, last) == datetime(2024, 2, 28, 22, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    "every",
    [
        *("", "1", "h", "0h", "4m", "400d", "-1h", "1h 30m", "9" * 300),
        *("* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 13 *", "* * * * 8"),
        *("5-1 * * * *", "*/0 * * * *", "*-5 * * * *", "a * * * *", "* * * foo *", "0 0 31 2 *", "1,,2 * * * *"),
    ],
)
def test_no_time_at_all(every: str) -> None:
    with pytest.raises(TimeInvalid) as refused:
        parse_every(every)
    assert "every" in refused.value.fields


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("*", "@acme/*", True),
        ("@acme/*", "@acme/http", True),
        ("@ACME/*", "@acme/http", True),
        ("@a/*", "@b/*", False),
        ("a?c", "a*d", False),
        ("a?c", "abc", True),
        ("a*c", "*b*", True),
        ("*-plugin", "@acme/*", True),
        ("lodash*", "@acme/*", False),
        ("x", "x", True),
        ("x", "xy", False),
        ("", "*", True),
        ("?", "", False),
        ("a**", "a", True),
    ],
)
def test_patterns_that_can_mean_the_same(one: str, other: str, *, expected: bool) -> None:
    assert meet(one, other) == meet(other, one) == expected
