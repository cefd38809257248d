"""A name at first sight: the file of a package of which nothing is known, from the one upstream the rule names.

The same rule, checks and rows as `files` and `consult`, in steps that a door may take on the event loop: decide, read what the
upstream answered, take the file. Each step that is not plain gives None, and the door asks `files` instead.
"""

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from packages.formats.npm.names import Name
from upstreams.clients.heard import Flowing, Heard
from upstreams.clients.http import Target
from upstreams.clients.npm import Fetched
from upstreams.errors import RuleChanged, UpstreamError
from upstreams.flight import try_lock
from upstreams.models import Upstream
from upstreams.progress import Discreet
from upstreams.resolution import decide
from upstreams.selectors.facts import Epochs, NameRows, Replied, Situation, facts_of, replied
from upstreams.selectors.unknown import Place
from upstreams.services.consult import CONSULT, consult_key, document_of, keep_answer
from upstreams.services.entry import FirstWord
from upstreams.services.files import OpenedFile, download, spool_key, spool_of
from upstreams.services.pulls import Incoming, Pull, offered_version
from upstreams.services.renderings import HeldFile
from upstreams.services.resolve import Resolution, SameEpochs, Superseded
from upstreams.services.together import NotPlain, Plain, enter_together
from upstreams.spool import KIND, Tail
from upstreams.targets import target_of
from upstreams.terms import Outcome


@dataclass(frozen=True)
class Sighted:
    """A decision to ask one upstream of the registry itself, which asks for no credentials."""

    place: Place
    name: Name
    situation: Situation
    upstream: Upstream
    target: Target


def sighted(place: Place, name: Name, epochs: Epochs) -> Sighted | None:
    """Whom the rule has asked first about an unknown name; None unless it is one upstream, and a plain one."""
    situation = _situation(place, name, epochs, {})
    decision = decide(situation.facts)
    if decision.outcome is not Outcome.ASK or len(decision.ask) != 1 or len(decision.ask[0]) != 1:
        return None
    upstream = situation.upstreams[decision.ask[0][0]]
    is_plain = upstream.kind == Upstream.Kind.URL and upstream.auth_type == Upstream.AuthType.NONE and not upstream.is_internal
    if not is_plain or upstream.registry_id != place.registry.pk:
        return None
    upstream.registry = place.registry
    return Sighted(place, name, situation, upstream, target_of(upstream))


def offered(seen: Sighted, fetched: Fetched, version: str) -> Pull | None:
    """The version, if the upstream alone answers by the rule and lists it with a promise."""
    said = document_of(seen.upstream, seen.name, fetched)
    situation = _situation(seen.place, seen.name, seen.situation.epochs, {seen.upstream.pk: replied(said)})
    decision = decide(situation.facts)
    if said.sent is None or decision.outcome is not Outcome.ANSWER or decision.answering != ((seen.upstream.pk,),):
        return None
    offer = offered_version(said.sent.only(version), seen.name, version)
    if offer is None or not offer.promised:
        return None
    resolution = Resolution(seen.place.registry, seen.name, situation, decision)
    return Pull(resolution, seen.upstream, offer, is_asked=True, first=FirstWord(said, fetched.promises))


def keep(seen: Sighted, fetched: Fetched) -> None:
    """What the upstream said, for whoever asks next; nothing when the rule has changed since."""
    holds = SameEpochs(seen.place.registry, seen.name, seen.situation.epochs)
    with contextlib.suppress(RuleChanged, Superseded):
        keep_answer(seen.upstream, seen.name, fetched, holds)


@dataclass(frozen=True)
class Taking:
    """A file that is here, to be verified, stored and recorded with what was said."""

    seen: Sighted
    fetched: Fetched
    pull: Pull
    heard: Heard


Taken = HeldFile | UpstreamError | None  # None: the other way is to be gone


def take(takings: Sequence[Taking]) -> list[Taken]:
    """Take them, those of one upstream in one transaction; in a thread that may wait for disk and database.

    An UpstreamError is the answer for whoever asked. Raises Django's database errors.
    """
    taken: list[Taken] = [None] * len(takings)
    entering: dict[int, dict[int, Plain]] = {}  # by upstream, then place in the list
    for place, one in enumerate(takings):
        with _answering(one, taken, place):
            newcomer = one.pull.receive(one.pull.offer.promised, one.heard, Discreet(Path()))
            plain = Plain.of(newcomer)
            if plain is None:
                taken[place] = one.pull.record(newcomer)
            else:
                entering.setdefault(one.seen.upstream.pk, {})[place] = plain
    for group in entering.values():
        try:
            taken_together = enter_together(list(group.values()))
        except NotPlain:
            for place, plain in group.items():
                with _answering(takings[place], taken, place):
                    taken[place] = takings[place].pull.record(plain.newcomer)
        else:
            for place, file in zip(group, taken_together, strict=True):
                taken[place] = file
    return taken


@contextlib.contextmanager
def _answering(taking: Taking, taken: list[Taken], place: int) -> Iterator[None]:
    """What goes wrong with one of them is its own answer; what was said of it counts all the same."""
    try:
        yield
    except RuleChanged:  # or somebody else was first
        taken[place] = None
    except UpstreamError as error:
        keep(taking.seen, taking.fetched)
        taken[place] = error


def follow(seen: Sighted, fetched: Fetched, pull: Pull, flowing: Flowing, locks: "Locks") -> OpenedFile | Tail | None:
    """The same of a long file, which others may follow too while it flows; the download is its own from now on."""
    try:
        keep(seen, fetched)
        later = replace(pull, first=None)
        filename, incoming = seen.name.tarball(pull.offer.version), Incoming(later, later.promised(), flowing)
        return download(later, filename, lambda: incoming, lock=locks.give(KIND))
    except RuleChanged:
        return None


def _situation(place: Place, name: Name, epochs: Epochs, replies: dict[int, Replied]) -> Situation:
    """Nothing is held, buried or said but `replies`."""
    about = NameRows(replies=replies)
    return Situation(place.registry.pk, facts_of(place.registry, name.full, place.ground, about), epochs, place.ground, about, {})


class Locks:
    """The locks by which everybody else who asks about the name, or for the file, waits."""

    def __init__(self) -> None:
        self._handles: dict[str, int] = {}

    @classmethod
    def taken(cls, seen: Sighted, filename: str) -> "Locks | None":
        """Both, or None when somebody is at it already."""
        found = cls()
        for kind, key in ((CONSULT, consult_key(seen.upstream, seen.name)), (KIND, spool_key(seen.place.registry, seen.name, filename))):
            handle = try_lock(kind, key)
            if handle is None:
                found.release()
                return None
            found._handles[kind] = handle
        spool_of(seen.place.registry, seen.name, filename).forget()
        return found

    def give(self, kind: str) -> int:
        """That one, for whoever gives it back instead."""
        return self._handles.pop(kind)

    def release(self) -> None:
        """Give them back."""
        while self._handles:
            os.close(self._handles.popitem()[1])
