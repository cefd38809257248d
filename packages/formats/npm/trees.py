"""YAML as lock files use it: mappings, lists and texts. Pure.

Read by libyaml's events, so nothing of the file makes an object of its own choosing; anchors are refused, depth and number
of nodes are bounded, and every scalar is a text (`1.10` stays `1.10`).
"""

from collections.abc import Iterator
from typing import Any

import yaml

from packages.formats.errors import LockInvalid

DEPTH = 16
NODES = 1_000_000

Tree = Any  # str | list[Tree] | dict[str, Tree]
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_trees(text: str) -> Iterator[Tree]:
    """The documents of a file. Raises LockInvalid."""
    reader = _Reader(iter(yaml.parse(text, Loader=_Loader)))
    try:
        yield from reader.documents()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark is not None else ""
        raise LockInvalid(f"The lock file is not YAML{where}.", fields={"lock": "grammar"}) from None


class _Reader:
    """Builds trees from events."""

    def __init__(self, events: Iterator[Any]) -> None:
        self._events, self._nodes = events, 0

    def documents(self) -> Iterator[Tree]:
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                yield self._node(next(self._events), 0)

    def _node(self, event: Any, depth: int) -> Tree:
        self._nodes += 1
        if isinstance(event, yaml.AliasEvent) or depth > DEPTH or self._nodes > NODES:
            raise LockInvalid("The lock file has anchors, nests too deeply or has too many pieces.", fields={"lock": "grammar"})
        if isinstance(event, yaml.ScalarEvent):
            return event.value
        if isinstance(event, yaml.SequenceStartEvent):
            return [self._node(one, depth + 1) for one in self._until(yaml.SequenceEndEvent)]
        found: dict[str, Tree] = {}
        for key in self._until(yaml.MappingEndEvent):
            known = self._node(key, depth + 1)
            value = self._node(next(self._events), depth + 1)
            if isinstance(known, str):
                found[known] = value
        return found

    def _until(self, end: type) -> Iterator[Any]:
        while not isinstance(event := next(self._events), end):
            yield event
