"""What may leave with a question that is not about one package: names to be audited, texts to be searched for.

The rule is asked about every name (`decide`); a name it does not call public is not sent. Where it cannot tell
without asking internal upstreams first, they are asked, within a budget; what is unknown then stays here.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.utils import timezone

from packages.formats.npm.names import Name, parse_known
from registries.models import Registry
from upstreams.clients.http import Target
from upstreams.errors import RuleChanged, UpstreamError
from upstreams.models import Upstream
from upstreams.resolution import decide
from upstreams.selectors.facts import Ground
from upstreams.selectors.many import Moment, gather_many, moment_of
from upstreams.services.resolve import judge
from upstreams.targets import target_of
from upstreams.terms import Decision, Kind

QUESTIONS, SECONDS = 200, 10.0  # what may be asked of internal upstreams for one request of a client
CONNECT, READ = 5.0, 10.0  # seconds an upstream has


@dataclass(frozen=True)
class Survey:
    """The rule's decisions about many names at one moment."""

    registry: Registry
    ground: Ground
    moment: Moment
    decisions: Mapping[str, Decision]

    def asker(self, name: str) -> Upstream | None:
        """The public upstream that would be asked about the name, or has it; None for a name that must not leave."""
        decision = self.decisions.get(name)
        if decision is None or decision.is_internal is not False:
            return None
        upstreams = self.ground.by_id
        found = (upstreams[path[-1]] for path in decision.ask or decision.answering if path)
        return next((one for one in found if one.kind == Kind.URL and one.format == "npm" and not one.is_internal), None)

    def unknown(self) -> list[str]:
        """Names of which internal upstreams have to say first whether they are theirs."""
        return [name for name, decision in self.decisions.items() if decision.is_internal is None]

    def still_holds(self, names: Sequence[str]) -> Callable[[], None]:
        """A check that raises RuleChanged once what was decided about `names` is out of date."""
        then = Moment(self.moment.rule, {name.lower(): self.moment.names.get(name.lower(), 0) for name in names})

        def check() -> None:
            now = moment_of(self.registry, names)
            if now.rule != then.rule or any(now.names.get(name, 0) != epoch for name, epoch in then.names.items()):
                raise RuleChanged("The rules for these packages changed just now; try again.", retry_after=1)

        return check


def survey(registry: Registry, names: Sequence[str]) -> Survey:
    """What the rule says of `names` by what is known now; nobody is asked."""
    moment = moment_of(registry, names)
    ground = Ground.read(registry.workspace_id, "npm")
    decisions = {name: decide(facts) for name, facts in gather_many(registry, ground, list(names), timezone.now())}
    return Survey(registry, ground, moment, decisions)


def survey_asking(registry: Registry, names: Sequence[str]) -> Survey:
    """The same, after internal upstreams were asked about the names that may be theirs, as far as the budget reaches."""
    found = survey(registry, names)
    unknown = found.unknown()
    if not unknown:
        return found
    _settle(registry, unknown)
    return survey(registry, names)


def _settle(registry: Registry, unknown: Sequence[str]) -> None:
    """Ask about each name; an internal upstream that fails ends it, for it closes the gate for all the others as well."""
    deadline = time.monotonic() + SECONDS
    for name in unknown[:QUESTIONS]:
        if time.monotonic() > deadline or judge(registry, parse_known(name)).blocked_by:
            return


def switch_holds(registry: Registry, switch: str) -> bool:
    """Whether the registry's switch is on at this moment, read after the epochs of a survey: turning it off moves them on."""
    return bool(Registry.objects.filter(pk=registry.pk, **{switch: True}).exists())


def limited(upstream: Upstream, path: str) -> Target:
    """The upstream for a question by the way: short times, and a breaker of its own, so that no install suffers from it."""
    target = target_of(upstream)
    return replace(
        target,
        url=target.url + path,
        connect_timeout=min(target.connect_timeout, CONNECT),
        read_timeout=min(target.read_timeout, READ),
        total_timeout=min(target.total_timeout, 2 * READ),
    )


def parsed(name: object) -> Name | None:
    """A name as the rule compares it, or None for what is none."""
    from packages.formats.errors import NameInvalid

    try:
        return parse_known(name)
    except NameInvalid:
        return None


def trouble(error: UpstreamError) -> str:
    """What to tell the caller of an upstream's trouble, in one line."""
    return error.message.replace("\n", " ")
