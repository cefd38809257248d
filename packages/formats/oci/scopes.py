"""What a client asks a token for: `type:name:actions` (distribution's token scope documentation, docker 28, containerd 2). Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

KIND = re.compile(r"(?P<kind>[a-z0-9]+)(?:\([a-z0-9]+\))?")  # a class, as in `repository(plugin)`, is not told apart
MOST = 100  # resources of one token
LONGEST = 400  # characters of one scope


@dataclass(frozen=True, slots=True)
class Wanted:
    """A resource and the actions asked for on it: `repository` with pull, push, delete or *; `registry` with *."""

    kind: str
    name: str
    actions: frozenset[str]

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}:{','.join(sorted(self.actions))}"


def parse_scopes(texts: Iterable[str]) -> list[Wanted]:
    """Every resource that is asked for once, with all actions, in the order they come first.

    A text may hold several with spaces between. A name may hold colons (host:port). What is no scope asks for nothing: a
    client that is granted less than it wanted is told so where it needs it.
    """
    found: dict[tuple[str, str], frozenset[str]] = {}
    for word in (word for text in texts for word in text.split(" ")):
        kind, name, actions = _parts(word)
        if kind and name and (len(found) < MOST or (kind, name) in found):
            found[kind, name] = found.get((kind, name), frozenset()) | actions
    return [Wanted(kind, name, actions) for (kind, name), actions in found.items()]


def _parts(word: str) -> tuple[str, str, frozenset[str]]:
    head, colon, actions = word[: LONGEST + 1].rpartition(":")
    said, other, name = head.partition(":")
    kind = KIND.fullmatch(said)
    if len(word) > LONGEST or not (colon and other and kind):
        return "", "", frozenset()
    return kind["kind"], name, frozenset(action for action in actions.split(",") if action)
