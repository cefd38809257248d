"""Hearing internal sources about many modules at once: whether a name that is held behind a registry may be one of theirs.

Only those that may have any name are asked here; the patterns of the others are claims. The copy of a Git index answers for
all names in one look, an index over HTTP is asked name by name, and no further once it is in trouble.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from packages.formats.moonbit.names import parse_name
from registries.models import Registry
from upstreams.errors import UpstreamError
from upstreams.models import Upstream
from upstreams.selectors.chain import behind_of
from upstreams.selectors.facts import Ground, Replied
from upstreams.services.consult import RETRY_AFTER_FAILURE
from upstreams.services.modules.consult import believed
from upstreams.services.modules.indexes import bring_index, names_in
from upstreams.services.modules.resolve import judge
from upstreams.services.troubles import tell_of_trouble
from upstreams.targets import target_of
from upstreams.terms import Kind, Reply

WORDS = {True: Reply.HAS, False: Reply.ABSENT, None: Reply.FAILED}  # a decision about a name, as what was heard


class Hearing:
    """The internal sources behind and beside a registry, each asked as little as will do."""

    def __init__(self, registry: Registry, ground: Ground) -> None:
        self._registry, self._ground = registry, ground
        self._listed: dict[int, frozenset[str] | None] = {}  # what a Git index has; None when it cannot be had
        self._in_trouble: set[int] = set()

    def of(self, wanted: Mapping[str, Sequence[int]]) -> Iterator[tuple[str, dict[int, Replied]]]:
        """For each name what the upstreams (by number) it depends on say of it. Raises RuleChanged."""
        for name, upstreams in wanted.items():
            yield name, dict.fromkeys(upstreams, Replied(self._word(name, upstreams)))

    def _word(self, name: str, upstreams: Sequence[int]) -> Reply:
        if any(self._is_in_trouble(pk) for pk in upstreams):
            return Reply.FAILED
        if all(self._is_git(pk) and name not in (self._index(pk) or ()) for pk in upstreams):
            return Reply.ABSENT
        word = WORDS[judge(self._registry, parse_name(name)).is_internal]  # as everywhere: what is found is remembered
        if word is Reply.FAILED:
            self._in_trouble.update(upstreams)
        return word

    def _is_in_trouble(self, pk: int) -> bool:
        return pk in self._in_trouble or (self._is_git(pk) and self._index(pk) is None)

    def _is_git(self, pk: int) -> bool:
        return self._ground.by_id[pk].index_type == Upstream.IndexType.GIT

    def _index(self, pk: int) -> frozenset[str] | None:
        if pk not in self._listed and self._is_git(pk):
            self._listed[pk] = _names(self._ground.by_id[pk])
        return self._listed.get(pk)


def heard(registry: Registry, ground: Ground) -> list[str]:
    """By what the open internal sources of a registry and of those behind it can be told to have changed."""
    places = behind_of(registry, ground)
    rows = [row for pk in sorted(places) for row in ground.upstreams.get(pk, ()) if _takes_any_name(row)]
    return [_state(row) for row in rows] if len(places) > 1 else []


def _takes_any_name(row: Upstream) -> bool:
    return row.kind != Kind.REGISTRY and row.is_internal and row.is_enabled and (not row.patterns or "*" in row.patterns)


def _state(row: Upstream) -> str:
    """Where its index stands; a while, for one in trouble or one that cannot be looked at as a whole."""
    now = timezone.now()
    if row.index_type != Upstream.IndexType.GIT:
        return f"{row.pk}: {now.timestamp() // max(1.0, _counts(row).total_seconds())}"
    try:
        return f"{row.pk}: {bring_index(row, target_of(row), now - _counts(row)).commit}"
    except UpstreamError:
        return f"{row.pk}: in trouble {now.timestamp() // RETRY_AFTER_FAILURE.total_seconds()}"


def _names(row: Upstream) -> frozenset[str] | None:
    if not Upstream.objects.filter(pk=row.pk, is_enabled=True, is_internal=True).exists():  # changed since it was read
        return None
    try:
        target = target_of(row)
        return frozenset(name.full for name in names_in(row, target, bring_index(row, target, timezone.now() - _counts(row))))
    except UpstreamError as error:
        tell_of_trouble(row, error, "its index")
        return None


def _counts(row: Upstream) -> timedelta:
    """How long a copy of its index answers for it."""
    return min(believed(row), settings.METADATA_FRESH)
