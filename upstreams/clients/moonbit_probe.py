"""Whether an address is a MoonBit registry's index, and whether it knows us, asked without naming a module."""

from dataclasses import replace

from upstreams.clients.http import Answer, Target, get, origin_of
from upstreams.clients.packs import ADVERTISED, SERVICE
from upstreams.clients.probe import Finding
from upstreams.clients.tally import origin
from upstreams.errors import UpstreamError

OK, UNAUTHORIZED, FORBIDDEN, TOO_MANY, FAILING = 200, 401, 403, 429, 500
TROUBLES = {UNAUTHORIZED: "upstream_unauthorized", FORBIDDEN: "upstream_forbidden", TOO_MANY: "upstream_busy"}
AN_INDEX = "It answers as a MoonBit registry does: its index can be read."
NO_INDEX = "The index is a Git repository, mostly at /git/index below the registry; one that is read over HTTP has index_type http."


def probe_moonbit(target: Target, index: str, index_type: str, seconds: float) -> Finding:
    """One question: where the index stands, or (over HTTP, where nothing can be asked without a name) its folder. Never raises."""
    address = index + (SERVICE if index_type == "git" else "/user/")
    limits = {name: min(getattr(target, name), seconds) for name in ("connect_timeout", "read_timeout", "total_timeout")}
    try:
        answer = get(replace(target, is_probe=True, **limits), address, {"accept": "*/*", "accept-encoding": "identity"})
    except UpstreamError as error:
        return Finding(code=error.code, address=address, detail=error.cause)
    try:
        return _judge(target, answer, address, is_git=index_type == "git")
    finally:
        answer.close()


def _judge(target: Target, answer: Answer, address: str, *, is_git: bool) -> Finding:
    moved = origin(answer.url) if origin_of(answer.url) != origin_of(address) else ""
    found = Finding(status=answer.status, address=address, moved=moved)
    if moved and target.authorization:
        return replace(found, code="upstream_redirects")
    if answer.status in TROUBLES:
        return replace(found, code=TROUBLES[answer.status])
    if answer.status >= FAILING:
        return replace(found, code="upstream_failing")
    if not is_git:
        return replace(found, code="upstream_unproven", hint="An index over HTTP shows what it is with the first module: mirror one.")
    is_index = answer.status == OK and answer.headers.get("content-type", "").partition(";")[0].strip() == ADVERTISED
    return replace(found, sentence=AN_INDEX) if is_index else replace(found, code="not_a_registry", hint=NO_INDEX)
