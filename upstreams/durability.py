"""Writes that may be lost with the power: what is only remembered of sources can be asked again, and what was pulled be pulled.

A commit of these does not wait for the disk. Acknowledged writes (a team's own versions, tags, tokens, settings) never
come this way; their next commit makes these durable too. A pulled version's bytes are durable before its row, as all are.
"""

import contextlib
from collections.abc import Iterator

from django.db import connection, transaction

from packages.services.turns import turn
from workspaces.prepared import Statement
from workspaces.statements import at_once, is_outermost, is_postgresql, run

LIGHT: Statement = ("SET LOCAL synchronous_commit TO off", [])


@contextlib.contextmanager
def remembered(*, is_told: bool = True) -> Iterator[None]:
    """A transaction whose commit survives the death of every process, but not necessarily a power cut.

    Inside another transaction it is an ordinary one: that one's durability is not touched. Without `is_told` the caller
    sends `lightly` with its first statements, which spares a journey.
    """
    if connection.in_atomic_block:
        with transaction.atomic():
            yield
        return
    with turn(before=at_once):
        _sqlite("PRAGMA synchronous=NORMAL")
        try:
            with transaction.atomic():
                for text, values in lightly() if is_told else ():
                    run(text, values)
                yield
        finally:
            _sqlite("PRAGMA synchronous=FULL")


def lightly() -> list[Statement]:
    """What PostgreSQL is to be told first in a transaction that `remembered` began; nothing inside another one."""
    return [LIGHT] if is_postgresql() and is_outermost() else []


def _sqlite(statement: str) -> None:
    if not is_postgresql():
        run(statement, [])
