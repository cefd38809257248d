"""Whether an address is an npm registry, and whether it knows us, asked without naming a package.

What registries answer (seen at npm's own, Verdaccio 6, Gatehouse, a caching proxy; GitLab's by its users' reports):

| question | registries | others |
|---|---|---|
| `-/ping` | 200 and `{}`, nothing, or a small object; GitLab's 404; older Nexus 400 | a web page, with 200 or 404 |
| `-/whoami` | 200 and `{"username"}`; without valid credentials 401, or 200 and `{}` (Verdaccio); GitLab's 404 | |
| the root | npm's and Gatehouse an object that says so; Verdaccio a web page; many 404 | a web page, any JSON |
"""

import time
from dataclasses import dataclass, replace

import orjson

from upstreams.clients.echo import secrets_of
from upstreams.clients.http import Answer, Target, get, origin_of
from upstreams.clients.tally import origin
from upstreams.errors import UpstreamError, UpstreamForbiddenAddress

PING, WHOAMI, ROOT = "/-/ping", "/-/whoami", "/"
LIMIT = 256 * 1024  # bytes of an answer; a web page may be large, and nobody reads it
NAME_LENGTH = 64
OK, UNAUTHORIZED, FORBIDDEN, TOO_MANY, FAILING = 200, 401, 403, 429, 500
PONGS = ("", "pong", "ok", None, True)
REGISTRY_WORDS = frozenset({"db_name", "registry", "doc_count", "instance_start_time"})  # of an object at the root


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What came of a probe. `address` is what was asked last, `detail` a word that tells cases of one code apart.

    `account`: for whose our credentials are taken. `moved`: scheme, host and port that the address leads to instead.
    `sentence` and `hint`: what to tell a person where the usual words of the code do not fit.
    """

    code: str = "ok"
    status: int | None = None
    address: str = ""
    detail: str = ""
    account: str = ""
    moved: str = ""
    sentence: str = ""
    hint: str = ""

    @property
    def is_ok(self) -> bool:
        """Nothing stands in the way."""
        return self.code == "ok"


@dataclass(frozen=True)
class Said:
    """An answer as far as it was read: `value` is its JSON, `is_json` whether it was any."""

    status: int
    url: str
    value: object = None
    is_json: bool = False
    is_page: bool = False

    @property
    def keys(self) -> frozenset[str]:
        """Of an object."""
        return frozenset(self.value) if isinstance(self.value, dict) else frozenset()


class Probe:
    """The questions to one npm registry, all together within so many seconds."""

    def __init__(self, target: Target, seconds: float) -> None:
        self.target = replace(target, is_probe=True)
        self.until = time.monotonic() + seconds
        self.address = ""

    def run(self) -> Finding:
        """What it is, and whether it takes our credentials."""
        try:
            return self._judge()
        except UpstreamError as error:
            return self._without_answer(error)

    def _without_answer(self, error: UpstreamError) -> Finding:
        """What came of a question that had no answer, there or where it was led to."""
        moved = origin(error.address) if error.address else ""
        if moved and self.target.authorization and not isinstance(error, UpstreamForbiddenAddress):
            return Finding(code="upstream_redirects", address=self.address, moved=moved)
        return Finding(code=error.code, address=error.address or self.address, detail=error.cause, moved=moved)

    def _judge(self) -> Finding:
        ping = self._ask(PING)
        if (trouble := self._trouble(ping)) is not None:
            return trouble
        whoami = self._ask(WHOAMI) if self.target.authorization or _is_odd(ping) else None
        if whoami is not None and self.target.authorization:
            known = self._known(whoami)
            if not known.is_ok or known.account:
                return known
        if ping.status == OK:
            return self._of_ping(ping, whoami)
        return self._of_root(self._ask(ROOT))

    def _of_ping(self, ping: Said, whoami: Said | None) -> Finding:
        """By a ping that was answered with 200; an object that is not empty must be borne out by `-/whoami`."""
        if ping.is_page or not (ping.is_json or ping.value in PONGS):
            return self._found("not_a_registry", ping, "page")
        same = _is_odd(ping) and whoami is not None and whoami.status == OK and bool(whoami.keys) and "username" not in whoami.keys
        if same or (not isinstance(ping.value, dict) and ping.value not in PONGS):
            return self._found("not_a_registry", ping, "json")
        return self._found("ok", ping)

    def _of_root(self, root: Said) -> Finding:
        """By the root, where there is no ping."""
        if (trouble := self._trouble(root)) is not None:
            return trouble
        if root.is_page:
            return self._found("not_a_registry", root, "page")
        if root.status != OK:
            return self._found("upstream_unproven", root)
        return (
            self._found("ok", root)
            if root.keys & REGISTRY_WORDS
            else self._found("not_a_registry", root, "json" if root.is_json else "page")
        )

    def _known(self, whoami: Said) -> Finding:
        """Whether our credentials are taken; an `account` says for whose, '' where the registry does not answer this question."""
        if (trouble := self._trouble(whoami)) is not None:
            return trouble
        if whoami.status != OK or not isinstance(whoami.value, dict):
            return self._found("ok", whoami)
        name = whoami.value.get("username")
        if not isinstance(name, str) or not name:
            return self._found("upstream_unauthorized", whoami)
        return replace(self._found("ok", whoami), account=name if self._may_be_shown(name) else "somebody")

    def _may_be_shown(self, name: str) -> bool:
        """A short name that repeats none of our credentials (threats.md U15)."""
        known = (*secrets_of(self.target.authorization), *self.target.secrets)
        ours = (part for secret in known for part in (secret in name, name in secret))
        return len(name) <= NAME_LENGTH and name.isprintable() and not any(ours)

    def _trouble(self, said: Said) -> Finding | None:
        """What an answer of any kind may say against the upstream."""
        elsewhere = origin_of(said.url) != origin_of(self.target.url)
        if elsewhere and self.target.authorization:
            return self._found("upstream_redirects", said)
        if said.status == UNAUTHORIZED:
            return self._found("upstream_unauthorized", said)
        if said.status == FORBIDDEN:
            return self._found("upstream_forbidden", said)
        if said.status == TOO_MANY:
            return self._found("upstream_busy", said)
        return self._found("upstream_failing", said) if said.status >= FAILING else None

    def _ask(self, path: str) -> Said:
        """One question, within the time that is left."""
        self.address = self.target.url + path
        left = max(self.until - time.monotonic(), 0.5)
        limits = {name: min(getattr(self.target, name), left) for name in ("connect_timeout", "read_timeout", "total_timeout")}
        answer = get(replace(self.target, **limits), self.address, {"accept": "application/json", "accept-encoding": "gzip"})
        try:
            return _read(answer)
        finally:
            answer.close()

    def _found(self, code: str, said: Said, detail: str = "") -> Finding:
        moved = origin(said.url) if origin_of(said.url) != origin_of(self.target.url) else ""
        return Finding(code=code, status=said.status, address=self.address, detail=detail, moved=moved)


def probe_npm(target: Target, seconds: float) -> Finding:
    """Ask an npm registry who it is. Never raises for what the upstream does."""
    return Probe(target, seconds).run()


def _is_odd(ping: Said) -> bool:
    """An object that says something: of a registry, or of anything that answers every address alike."""
    return ping.status == OK and bool(ping.keys)


def _read(answer: Answer) -> Said:
    """The answer, its body as far as it matters; what its headers call it is not believed."""
    if answer.status == TOO_MANY or answer.status >= FAILING:
        return Said(answer.status, answer.url)
    body = bytearray()
    for piece in answer.pieces(LIMIT * 64):
        body += piece
        if len(body) > LIMIT:
            break
    text = bytes(body).strip()
    try:
        return Said(answer.status, answer.url, orjson.loads(text), is_json=True)
    except orjson.JSONDecodeError:
        words = text.decode("ascii", "replace").lower() if len(text) < NAME_LENGTH else "…"
        return Said(answer.status, answer.url, words, is_page=text.startswith(b"<"))
