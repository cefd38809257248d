"""Which entries of yarn's lock files are optional: yarn marks who asks for what, not the entries themselves. Pure.

An entry is optional if everybody who asks for it does so optionally, or is optional. What nobody in the file asks for is what
the project itself wants (yarn 1 does not write the project down), and is needed.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

NPM = "npm:"


@dataclass(frozen=True)
class Entry:
    """What an entry answers to, what it needs and what it would take, each as `name@range`."""

    heads: Collection[str]
    needs: Collection[str] = ()
    spares: Collection[str] = ()


def descriptor(name: str, words: str) -> str:
    """A name with the range it is asked for in; later yarns write `npm:` before a range, or leave it out."""
    return f"{name}@{words.removeprefix(NPM)}"


def spared(entries: Sequence[Entry]) -> set[int]:
    """The places of those that are optional."""
    heads = {head: place for place, entry in enumerate(entries) for head in entry.heads}
    needed = _counted(one for entry in entries for one in set(entry.needs) - set(entry.spares))
    asked = {one for entry in entries for one in (*entry.needs, *entry.spares)}
    found, waiting = set[int](), list(range(len(entries)))
    while waiting:
        place = waiting.pop()
        entry = entries[place]
        if place in found or not entry.heads or any(head not in asked or needed[head] for head in entry.heads):
            continue
        found.add(place)
        for one in set(entry.needs) - set(entry.spares):  # whom an optional one needs
            needed[one] -= 1
            if not needed[one] and one in heads:
                waiting.append(heads[one])
    return found


def _counted(words: Iterable[str]) -> dict[str, int]:
    counted = defaultdict[str, int](int)
    for word in words:
        counted[word] += 1
    return counted
