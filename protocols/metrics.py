"""`/metrics`: the sums of all processes in the text format of Prometheus (exposition format 0.0.4)."""

import hmac
from collections.abc import Iterator, Mapping
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from protocols.npm.errors import sentence
from protocols.tallies import BUCKETS, Key, Tallies, everybody

TEXT = "text/plain; version=0.0.4; charset=utf-8"
# metric -> what it is, its labels
COUNTERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "requests": ("Answers by protocol, reading or writing, status and path through the house.", ("protocol", "kind", "status", "path")),
    "response_bytes": ("Bytes of bodies sent.", ("protocol", "path")),
    "publishes": ("Versions published.", ("format",)),
    "upstream_requests": ("Questions to upstreams by outcome.", ("upstream", "outcome")),
    "upstream_seconds": ("Seconds spent waiting for the heads of upstreams' answers.", ("upstream",)),
    "log_lines_lost": ("Answers that were not logged because the log could not keep up.", ()),
}
GAUGES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "upstream_breaker_open": ("Processes that leave the upstream alone because it does not answer.", ("upstream",)),
    "hot_share": ("Share of package clients' reads that the hot path answered.", ()),
}
HISTOGRAMS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "request_seconds": ("Seconds from a request to the end of its answer.", ("protocol", "path")),
}


@csrf_exempt
def metrics(request: HttpRequest) -> HttpResponse:
    """For whoever has METRICS_TOKEN as a Bearer token, and nobody else."""
    if request.method not in {"GET", "HEAD"}:
        refusal = sentence(405, f"{request.method} is not done here.", "method_not_allowed")
        refusal.headers["Allow"] = "GET, HEAD"
        return refusal
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    wanted = settings.METRICS_TOKEN
    is_known = bool(wanted) and hmac.compare_digest(secret.strip().encode("utf-8", "replace"), wanted.encode())
    if scheme.lower() != "bearer" or not is_known:
        refusal = sentence(401, "Metrics need METRICS_TOKEN as a Bearer token.", "unauthenticated")
        refusal.headers["WWW-Authenticate"] = 'Bearer realm="Gatehouse metrics"'
        return refusal
    text = exposition(everybody(Path(settings.DATA_DIR) / "metrics"))
    return HttpResponse(text, content_type=TEXT, headers={"Cache-Control": "no-store"})


def exposition(tallies: Tallies) -> str:
    """All metrics as text, each with its help, also those that are still at nothing."""
    gauges = {**tallies.gauges, ("hot_share",): hot_share(tallies)}
    lines = [
        *_plain("counter", COUNTERS, tallies.counters, suffix="_total"),
        *_plain("gauge", GAUGES, gauges, suffix=""),
        *_histograms(tallies.histograms),
    ]
    return "\n".join(lines) + "\n"


def hot_share(tallies: Tallies) -> float:
    """From 0 to 1; 0 where nothing was read yet."""
    reads = {key[4]: 0.0 for key in tallies.counters if key[0] == "requests"}
    for key, times in tallies.counters.items():
        if key[:3] == ("requests", "npm", "read"):
            reads[key[4]] += times
    total = sum(reads.values())
    return round(reads.get("hot", 0.0) / total, 6) if total else 0.0


def _plain(kind: str, known: Mapping[str, tuple[str, tuple[str, ...]]], values: Mapping[Key, float], *, suffix: str) -> Iterator[str]:
    for name, (words, labels) in known.items():
        full = f"gatehouse_{name}{suffix}"
        yield f"# HELP {full} {words}"
        yield f"# TYPE {full} {kind}"
        found = {key: value for key, value in values.items() if key[0] == name and len(key) == len(labels) + 1}
        if not labels:
            found = found or {(name,): 0.0}
        for key, value in sorted(found.items()):
            yield f"{full}{_labels(labels, key[1:])} {_figure(value)}"


def _histograms(values: Mapping[Key, list[float]]) -> Iterator[str]:
    for name, (words, labels) in HISTOGRAMS.items():
        full = f"gatehouse_{name}"
        yield f"# HELP {full} {words}"
        yield f"# TYPE {full} histogram"
        for key, row in sorted(values.items()):
            if key[0] != name:
                continue
            reached = 0.0
            for bound, times in zip([*(f"{bucket:g}" for bucket in BUCKETS), "+Inf"], row[:-1], strict=True):
                reached += times
                yield f"{full}_bucket{_labels((*labels, 'le'), (*key[1:], bound))} {_figure(reached)}"
            yield f"{full}_sum{_labels(labels, key[1:])} {_figure(row[-1])}"
            yield f"{full}_count{_labels(labels, key[1:])} {_figure(reached)}"


def _figure(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def _labels(names: tuple[str, ...], values: tuple[str, ...]) -> str:
    if not names:
        return ""
    pairs = (f'{name}="{_escaped(value)}"' for name, value in zip(names, values, strict=True))
    return "{" + ",".join(pairs) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
