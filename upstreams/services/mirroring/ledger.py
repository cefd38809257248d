"""The items of a job and its numbers: read in slices, written many at a time, both in one transaction.

The numbers are of files: a question counts as one until it is answered, then the files it brought count instead of it.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from packages.models import NAME_LENGTH
from upstreams.models import Mirror, MirrorItem
from upstreams.services.mirroring.drivers import PATTERN, Wanted
from upstreams.services.mirroring.hold import beat
from workspaces.services.audit import SYSTEM, record

AT_ONCE = 500  # rows in one statement
VERSION_LENGTH = 256
State = MirrorItem.State


class HoldLost(Exception):
    """Somebody else works on the job by now, or it is gone; nothing was written."""


@dataclass(frozen=True)
class Item:
    """A row that waits: its number, and what is wanted."""

    pk: int
    wanted: Wanted


@dataclass(frozen=True)
class Outcome:
    """What became of an item: done, with what else is wanted because of it, or failed, and why, or left out, and why."""

    item: Item
    more: Sequence[Wanted] = ()
    trouble: str = ""
    is_left_out: bool = False

    @property
    def has_failed(self) -> bool:
        """Neither done nor left out."""
        return bool(self.trouble) and not self.is_left_out

    @property
    def sentence(self) -> str:
        """Why, without the item's own name, which is told before it: so the same trouble of many items is one."""
        own = rf"( of | for ){re.escape(self.item.wanted.name)}(?:@[\w.+-]*\w)?(?![\w@/-]|\.\w)"
        return re.sub(own, r"\1it", self.trouble)


class Ledger:
    """The items of one job, in the hands of its worker."""

    def __init__(self, mirror_id: int, worker: str) -> None:
        self._mirror_id, self._worker = mirror_id, worker

    def waiting(self, *, without: Collection[int], limit: int) -> list[Item]:
        """The next items that wait, the oldest first."""
        rows = self._items().filter(state=State.WAITING).exclude(pk__in=list(without)).order_by("pk")[:limit]
        return [Item(pk, Wanted(name, version)) for pk, name, version in rows.values_list("pk", "name", "version")]

    @transaction.atomic
    def write(self, outcomes: Sequence[Outcome]) -> tuple[bool, list[Item]]:
        """Write what happened, with a sign of life: whether the job shall be cancelled, and the items that are new.

        Raises HoldLost.
        """
        asked = beat(self._mirror_id, self._worker)  # first: the row's lock makes this worker the only writer
        if asked is None:
            raise HoldLost
        done = [one for one in outcomes if not one.trouble]
        fresh = self._add(wanted for one in done for wanted in one.more)
        self._mark(outcomes)
        self._count(done, outcomes, len(fresh))
        return asked, fresh

    def _add(self, wanted: Iterable[Wanted]) -> list[Item]:
        """The rows of what is wanted, as far as they are new."""
        sought = sorted({one for one in wanted if len(one.name) <= NAME_LENGTH and len(one.version) <= VERSION_LENGTH})
        names, there = sorted({one.name for one in sought}), set[Wanted]()
        for start in range(0, len(names), AT_ONCE):
            rows = self._items().filter(name__in=names[start : start + AT_ONCE]).values_list("name", "version")
            there |= {Wanted(*row) for row in rows}
        new = [MirrorItem(mirror_id=self._mirror_id, name=one.name, version=one.version) for one in sought if one not in there]
        made = MirrorItem.objects.bulk_create(new, batch_size=AT_ONCE)
        return [Item(row.pk, Wanted(row.name, row.version)) for row in made]

    def _mark(self, outcomes: Sequence[Outcome]) -> None:
        alike: dict[tuple[str, str], list[int]] = defaultdict(list)
        for one in outcomes:
            state = State.FAILED if one.has_failed else State.LEFT_OUT if one.is_left_out else State.DONE
            alike[state, one.sentence].append(one.item.pk)
        for (word, sentence), numbers in alike.items():
            self._set(numbers, word, sentence)

    def _set(self, numbers: Sequence[int], state: str, trouble: str = "") -> None:
        for start in range(0, len(numbers), AT_ONCE):
            self._items().filter(pk__in=numbers[start : start + AT_ONCE]).update(state=state, trouble=trouble)

    def _count(self, done: Sequence[Outcome], outcomes: Sequence[Outcome], fresh: int) -> None:
        """A question that is answered, or left out, is no file and counts no more."""
        files = sum(1 for one in done if one.item.wanted.is_file)
        names = sum(1 for one in done if not one.item.wanted.is_file and one.item.wanted.version != PATTERN)
        failed = sum(one.has_failed for one in outcomes)
        Mirror.objects.filter(pk=self._mirror_id).update(
            total=F("total") + fresh - (len(outcomes) - failed - files),
            done=F("done") + files,
            failed=F("failed") + failed,
            left_out=F("left_out") + len(outcomes) - failed - len(done),
            names=F("names") + names,
        )

    @transaction.atomic
    def end(self, state: str, trouble: str = "") -> bool:
        """The job is over; whether it was this worker's to end. What failed, waits or was left out stays: for a retry, to be told."""
        mine = Mirror.objects.filter(pk=self._mirror_id, worker=self._worker, state=Mirror.State.RUNNING)
        if not mine.update(state=state, trouble=trouble, worker="", beat_at=None, ended_at=timezone.now()):
            return False
        self._items().filter(state=State.DONE).delete()
        _tell_of_end(Mirror.objects.select_related("registry__workspace", "upstream").get(pk=self._mirror_id))
        return True

    def _items(self) -> QuerySet[MirrorItem]:
        return MirrorItem.objects.filter(mirror=self._mirror_id)


def _tell_of_end(mirror: Mirror) -> None:
    if mirror.state == Mirror.State.CANCELLED:  # told when it was asked for
        return
    new = {"state": mirror.state, "total": mirror.total, "done": mirror.done, "failed": mirror.failed}
    new |= {"left_out": mirror.left_out} if mirror.left_out else {}
    new |= {"trouble": mirror.trouble} if mirror.trouble else {}
    record(SYSTEM, "mirror.finished", subject_of(mirror), workspace=mirror.registry.workspace_id, new=new)


def subject_of(mirror: Mirror) -> str:
    """A job as the audit log names it."""
    return f"{mirror.registry} {mirror.upstream.name} mirror {mirror.pk}"
