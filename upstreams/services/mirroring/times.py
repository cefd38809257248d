"""When something that is done again and again is due: `30m`, `1h`, `1d`, or five cron fields in UTC. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from workspaces.errors import Invalid

INTERVAL = re.compile(r"([1-9][0-9]{0,4})([mhd])")
UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
SHORTEST, LONGEST = timedelta(minutes=5), timedelta(days=366)
FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))  # minute, hour, day of the month, month, day of the week (0 and 7: Sunday)
PART = re.compile(r"(\*|[0-9]{1,2}|[a-z]{3})(?:-([0-9]{1,2}|[a-z]{3}))?(?:/([0-9]{1,2}))?")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
WORDS = {3: {word: number for number, word in enumerate(MONTHS, 1)}, 4: {word: number for number, word in enumerate(DAYS)}}
HORIZON = 366 * 8  # days: the 29th of February comes within them


class TimeInvalid(Invalid):
    """Neither an interval nor five cron fields."""

    code = "time_invalid"


def _refusal(text: str, why: str) -> TimeInvalid:
    return TimeInvalid(f"{text[:80]!r} is no time to repeat something at: {why}.", fields={"every": why})


@dataclass(frozen=True)
class Interval:
    """So much later, and so on."""

    length: timedelta

    def after(self, moment: datetime, last: datetime | None = None) -> datetime:
        """The first time after `moment`, in steps from `last`: what was missed meanwhile is not made up for."""
        if last is None or last > moment:
            return moment + self.length
        return last + self.length * ((moment - last) // self.length + 1)


@dataclass(frozen=True)
class Cron:
    """Five sets of numbers; days as Vixie cron has them: where both kinds are limited, either will do."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    is_either_day: bool

    def after(self, moment: datetime, last: datetime | None = None) -> datetime:  # noqa: ARG002 - the interval's own
        """The first minute after `moment` that fits."""
        return self.find(moment) or moment + LONGEST

    def find(self, moment: datetime) -> datetime | None:
        """The same; None when there is none in eight years."""
        start = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
        for day in range(HORIZON):
            midnight = (start + timedelta(days=day)).replace(hour=0, minute=0)
            if not self._has_day(midnight):
                continue
            for hour in sorted(self.hours):
                for minute in sorted(self.minutes):
                    found = midnight.replace(hour=hour, minute=minute)
                    if found >= start:
                        return found
        return None

    def _has_day(self, day: datetime) -> bool:
        of_month, of_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return day.month in self.months and (of_month or of_week if self.is_either_day else of_month and of_week)


def parse_every(text: str) -> Interval | Cron:
    """`30m`, `6h`, `1d`, or `minute hour day month weekday`. Raises TimeInvalid."""
    words = text.strip().lower()
    found = INTERVAL.fullmatch(words)
    if found is not None:
        length = UNITS[found[2]] * int(found[1])
        if not SHORTEST <= length <= LONGEST:
            raise _refusal(text, "from 5m to 366d")
        return Interval(length)
    fields = words.split()
    if len(fields) != len(FIELDS):
        raise _refusal(text, "an interval like 30m, 1h or 1d, or five cron fields")
    minutes, hours, days, months, weekdays = (_numbers(text, field, place) for place, field in enumerate(fields))
    is_either = not fields[2].startswith("*") and not fields[4].startswith("*")
    cron = Cron(minutes, hours, days, months, frozenset(day % 7 for day in weekdays), is_either)
    if cron.find(datetime(2024, 1, 1)) is None:  # noqa: DTZ001 - any day to begin at
        raise _refusal(text, "there is no such day")
    return cron


def _numbers(text: str, field: str, place: int) -> frozenset[int]:
    numbers = set[int]()
    for part in field.split(","):
        found = PART.fullmatch(part)
        if found is None:
            raise _refusal(text, f"{field!r} is no cron field")
        numbers |= _range(text, place, *found.groups())
    return frozenset(numbers)


def _range(text: str, place: int, first: str, last: str | None, step: str | None) -> set[int]:
    lowest, highest = FIELDS[place]
    start = lowest if first == "*" else _number(text, place, first)
    end = highest if first == "*" or (step and not last) else start
    end = _number(text, place, last) if last else end
    if (first == "*" and last) or not lowest <= start <= end <= highest or step == "0":
        raise _refusal(text, f"numbers from {lowest} to {highest}, the smaller one first")
    return set(range(start, end + 1, int(step or 1)))


def _number(text: str, place: int, word: str) -> int:
    if word.isdigit():
        return int(word)
    if word not in WORDS.get(place, {}):
        raise _refusal(text, f"{word!r} is no number here")
    return WORDS[place][word]
