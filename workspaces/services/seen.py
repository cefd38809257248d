"""Two people who edit one thing: the later one is told, and nothing is overwritten.

A form carries the digest of what its editor saw; what is written is written only while that is still so.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import TypeVar

import orjson
from django.db import transaction

from workspaces.errors import Conflict
from workspaces.services.spaces import lock_rules

T = TypeVar("T")
Values = Mapping[str, object]


class ChangedMeanwhile(Conflict):
    """Somebody else changed it since the form was opened; `present` is what it is now."""

    code = "changed_meanwhile"

    def __init__(self, message: str, *, present: Values | None = None, fields: dict[str, str] | None = None) -> None:
        super().__init__(message, fields=fields)
        self.present: Values = present or {}


def digest_of(values: Values) -> str:
    """What stands for these values in a form: SHA-256 in hexadecimal, shortened."""
    return hashlib.sha256(orjson.dumps(values, option=orjson.OPT_SORT_KEYS, default=str)).hexdigest()[:32]


def unless_changed(workspace_id: int, seen: str, present: Callable[[], Values], act: Callable[[], T]) -> T:
    """`act`, in a transaction in which nobody else changes rules and settings of the workspace, if `present` is what was seen.

    A form without a digest (`seen` is '') saw nothing. Raises ChangedMeanwhile, and what `act` raises.
    """
    with transaction.atomic():
        lock_rules(workspace_id)
        now = present()
        if seen and seen != digest_of(now):
            raise ChangedMeanwhile("Somebody else changed this meanwhile; nothing of yours was saved.", present=now)
        return act()
