"""Lines and sums of hot answers, many at once: this loop runs once per hot request, and each microsecond counts there."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from time import gmtime, strftime

import orjson

from protocols.tallies import BUCKETS
from workspaces.access import Actor

# begun, ended (perf_counter), method, path (decoded), status, bytes of the body, ip, user agent, who asked,
# and the registry's id when a file was handed out (0: metadata). A bare tuple: a class would cost half of it all.
Hot = tuple[float, float, str, str, int, int, str, str, Actor, int]
WORDS = 200  # characters of a client's name for itself that are written


@dataclass
class HotBatch:
    """What came of some hot answers."""

    lines: bytes = b""
    kinds: dict[tuple[str, int], int] = field(default_factory=dict)  # (method, status) -> times
    row: list[float] = field(default_factory=list)  # of the histogram of seconds, as Tallies has it
    size: int = 0  # bytes of all bodies
    files: dict[tuple[int, str], int] = field(default_factory=dict)  # (registry id, path) of files handed out whole -> times


def hot_batch(answers: Iterable[Hot], offset: float) -> HotBatch:
    """Lines and sums. `offset`: what makes seconds since 1970 of a perf_counter time.

    The path needs no escaping: the hot path answers only addresses of letters, digits and `@/.~_-`.
    """
    lines, times, batch, last, stamp = [], [], HotBatch(), -1, ""
    for begun, ended, method, path, status, size, ip, agent, actor, registry in answers:
        at = begun + offset
        second = int(at)
        if second != last:
            last, stamp = second, strftime("%Y-%m-%dT%H:%M:%S", gmtime(second))
        took, grant = ended - begun, actor.grant
        end = _end(actor.name, None if grant is None else grant.token_id, ip, agent)
        lines.append(
            f'{{"at":"{stamp}.{int((at - second) * 1000):03d}Z","us":{int(took * 1e6)},"status":{status},"bytes":{size},'
            f'"method":"{method}","path":"{path}{end}'
        )
        kind = (method, status)
        batch.kinds[kind] = batch.kinds.get(kind, 0) + 1
        times.append(took)
        batch.size += size
        if registry and status == 200 and method == "GET":  # noqa: PLR2004 - HTTP
            file = (registry, path)
            batch.files[file] = batch.files.get(file, 0) + 1
    batch.lines = "".join(lines).encode()
    batch.row = _row(sorted(times))
    return batch


@lru_cache(maxsize=4096)
def _end(name: str, token_id: int | None, ip: str, agent: str) -> str:
    """The part of a line that many share."""
    told = {"who": name, "token": token_id, "ip": ip, "agent": agent[:WORDS], "protocol": "npm", "via": "hot", "id": ""}
    return f'",{orjson.dumps(told).decode()[1:]}\n'


def _row(times: list[float]) -> list[float]:
    """The histogram of sorted seconds."""
    reached = [bisect_left(times, bound) for bound in BUCKETS]
    each = [upper - lower for lower, upper in zip([0, *reached], [*reached, len(times)], strict=True)]
    return [*map(float, each), sum(times)]
