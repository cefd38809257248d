"""Testing an upstream because a person asks: is it there, is it a registry, does it take our credentials. No package is named.

Nothing is changed and nothing recorded. A kind of upstream is tested by what stands for it in PROBES.
"""

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial

from django.core.cache import cache

from packages.formats.moonbit.addresses import index_url
from registries.models import Registry
from upstreams.clients.git.probe import probe_git
from upstreams.clients.moonbit_probe import probe_moonbit
from upstreams.clients.probe import Finding, probe_npm
from upstreams.errors import UpstreamError
from upstreams.models import Upstream
from upstreams.services.git.targets import git_target_of
from upstreams.services.hints import told
from upstreams.targets import target_of
from upstreams.variables import reads_shell
from workspaces.access import Action, Actor
from workspaces.errors import Denied, TooManyRequests
from workspaces.room import release_connection

SECONDS = 14.0  # for all questions of a test; then it is over, wherever it hangs
PER_MINUTE = 30  # tests of one workspace
Conversation = Callable[[float], Finding]  # asks, in at most so many seconds; knows no tables and raises nothing


def _npm(upstream: Upstream) -> Conversation:
    return partial(probe_npm, target_of(upstream))


def _moonbit(upstream: Upstream) -> Conversation:
    return partial(
        probe_moonbit, target_of(upstream), index_url(upstream.url, upstream.index_url, upstream.index_type), upstream.index_type
    )


def _git(upstream: Upstream) -> Conversation:
    return partial(probe_git, git_target_of(upstream))


# By kind and format: what reads the row and answers with the conversation to have. It may raise UpstreamError.
PROBES: dict[tuple[str, str], Callable[[Upstream], Conversation]] = {
    ("url", "npm"): _npm,
    ("url", "moonbit"): _moonbit,
    ("git", "npm"): _git,
}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a test found. `status` is the HTTP status that decided, if one did; `hint` says what to do, '' for nothing."""

    ok: bool
    code: str
    status: int | None
    sentence: str
    hint: str
    millis: int

    def as_dict(self) -> dict[str, object]:
        """In the words of REST."""
        return asdict(self)


def probe_upstream(*, actor: Actor, upstream: Upstream) -> Verdict:
    """Test it now; takes 15 seconds at most. Raises Denied, TooManyRequests."""
    if not actor.may(Action.MANAGE, upstream.registry):
        raise Denied("Only admins and owners test a registry's upstreams.")
    _count(upstream.registry)
    begun = time.monotonic()
    finding = _find(actor, upstream)
    sentence, hint = told(upstream, finding)
    millis = round((time.monotonic() - begun) * 1000)
    return Verdict(ok=finding.is_ok, code=finding.code, status=finding.status, sentence=sentence, hint=hint, millis=millis)


def _find(actor: Actor, upstream: Upstream) -> Finding:
    if not upstream.is_enabled:
        return Finding(code="upstream_disabled")
    if upstream.source is not None:
        return Finding() if actor.may(Action.READ, upstream.source) else Finding(code="upstream_unreadable")
    prepare = PROBES.get((upstream.kind, upstream.format))
    if prepare is None:
        return Finding(code="not_testable")
    try:
        conversation = prepare(upstream)
    except UpstreamError as error:
        return Finding(code=error.code, sentence=error.message)
    release_connection()  # whoever waits for an upstream holds no database connection
    return _in_time(conversation)


def _in_time(conversation: Conversation) -> Finding:
    """In a thread of its own: no time-out reaches into the resolving of a name."""
    found: list[Finding] = []

    def converse() -> None:
        found.append(conversation(SECONDS))

    thread = threading.Thread(target=converse, name="upstream-test", daemon=True)
    thread.start()
    thread.join(SECONDS + 0.5)
    if thread.is_alive():
        return Finding(code="upstream_timeout", detail="dns")
    return found[0] if found else Finding(code="upstream_error")  # our own mistake; the log has it


def _count(registry: Registry) -> None:
    """A test is a question to somebody else's machine: so many a minute, but at a shell. Raises TooManyRequests."""
    if reads_shell():
        return
    now = int(time.time())
    key = f"probes:{registry.workspace_id}:{now // 60}"
    if cache.add(key, 1, timeout=120):
        return
    with contextlib.suppress(ValueError):  # it ran out between the two calls
        if cache.incr(key) > PER_MINUTE:
            raise TooManyRequests("That is many tests in a minute; wait for the next.", retry_after=60 - now % 60)
