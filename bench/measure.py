"""One measurement: wrk with 16 connections, or, for a server too slow for that, a fixed number of requests."""

import concurrent.futures
import http.client
import re
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from bench.cpu import cpu_seconds, wait_until_idle

CONNECTIONS = 16
TOO_SLOW = 0.15  # seconds for one request alone: wrk would end before the first sixteen answers
FEW = 16  # requests to such a server, all at once


@dataclass(frozen=True)
class Figure:
    """Requests per second, server CPU per request in microseconds, answers that were none of the expected."""

    rate: float
    cpu: float
    errors: int = 0


@dataclass(frozen=True)
class Load:
    """What one server is asked: its address, the paths, the headers of every request, and its processes."""

    url: str
    paths: tuple[str, ...]
    headers: dict[str, str]
    processes: tuple[int, ...]
    folder: Path = field(repr=False)
    is_new: bool = False  # each request with a header of its own, so that no server can remember having answered it


def measure(load: Load, *, seconds: float) -> Figure:
    """Ask for so long, in the way that suits the server's speed."""
    begun = time.monotonic()
    fetch(load, load.paths[0])
    is_slow = time.monotonic() - begun > TOO_SLOW
    wait_until_idle(load.processes)
    before, begun = cpu_seconds(load.processes), time.monotonic()
    count, rate, errors = _few(load, begun) if is_slow else _wrk(load, seconds)
    used = cpu_seconds(load.processes) - before
    return Figure(rate, used / count * 1e6 if count else 0, errors)


def fetch(load: Load, path: str) -> tuple[int, http.client.HTTPMessage, bytes]:
    """One request by hand: status, headers, body."""
    connection = http.client.HTTPConnection(urlsplit(load.url).netloc, timeout=120)
    try:
        connection.request("GET", path, headers=load.headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def _few(load: Load, begun: float) -> tuple[int, float, int]:
    with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
        statuses = [status for status, _, _ in pool.map(lambda number: fetch(load, load.paths[number % len(load.paths)]), range(FEW))]
    return FEW, FEW / (time.monotonic() - begun), sum(status not in {200, 304} for status in statuses)


def _wrk(load: Load, seconds: float) -> tuple[int, float, int]:
    done = _run_wrk(load, seconds)
    count = int(_number(r"(\d+) requests in", done))
    errors = sum(int(part) for line in re.findall(r"Socket errors: (.*)", done) for part in re.findall(r"\d+", line))
    return count, _number(r"Requests/sec:\s+([\d.]+)", done), errors + int(_number(r"Non-2xx or 3xx responses: (\d+)", done))


def latency(load: Load, *, seconds: float) -> tuple[float, float]:
    """Requests per second at 16 connections, and the 95th percentile of the time to the answer in milliseconds."""
    done = _run_wrk(load, seconds)
    return _number(r"Requests/sec:\s+([\d.]+)", done), _number(r"p95 ([\d.]+)", done) / 1000


def _run_wrk(load: Load, seconds: float) -> str:
    words = [shutil.which("wrk") or "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds:.0f}s", "--timeout", "30s", "-s", str(_script(load))]
    for name, value in load.headers.items():
        words += ["-H", f"{name}: {value}"]
    return subprocess.run([*words, load.url + load.paths[0]], capture_output=True, text=True, timeout=seconds + 60, check=True).stdout


def _number(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    return float(found[1]) if found else 0.0


def _script(load: Load) -> Path:
    """A script for wrk: it asks the paths in turn; the requests are made once, so that the client costs what it always does."""
    lines = ["done = function(summary, latency) print('p95 ' .. latency:percentile(95)) end"]
    if len(load.paths) > 1:
        listed = ", ".join(f'"{path}"' for path in load.paths)
        lines += [
            f"local paths, ready, at = {{ {listed} }}, {{}}, 0",
            'init = function() for i, path in ipairs(paths) do ready[i] = wrk.format("GET", path) end end',
            "request = function() at = at % #ready + 1; return ready[at] end",
        ]
    if load.is_new:
        lines += [
            "local number = 0",
            'request = function() number = number + 1; wrk.headers["Referer"] = "r" .. number; return wrk.format("GET") end',
        ]
    script = load.folder / "wrk.lua"
    script.write_text("\n".join(lines), encoding="utf-8")
    return script
