"""What a server costs: processor time of its whole process tree, read from /proc."""

import os
import time
from collections.abc import Iterable
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
# Places in /proc/N/stat after the name in brackets; the last four: its own time, and that of its children that ended
# (a database's backends come and go).
PARENT, TIMES = 1, slice(11, 15)


def cpu_seconds(roots: Iterable[int]) -> float:
    """User and system time so far of these processes and everything below them."""
    return sum(fields[1] for pid in _tree(roots) if (fields := _fields(Path(f"/proc/{pid}")))) / TICK


def memory(roots: Iterable[int]) -> list[tuple[str, int]]:
    """What each process of the tree is called, and its proportional memory in bytes (what the machine would get back)."""
    found = []
    for pid in _tree(roots):
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
            words = Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace").split("\0")
        except OSError:  # gone meanwhile
            continue
        found.append((_called(words), sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024))
    return found


def _tree(roots: Iterable[int]) -> list[int]:
    """These processes and everything below them."""
    parents = {int(entry.name): fields[0] for entry in Path("/proc").iterdir() if entry.name.isdigit() and (fields := _fields(entry))}
    wanted = set(roots)
    while grown := {pid for pid, parent in parents.items() if parent in wanted} - wanted:
        wanted |= grown
    return sorted(wanted)


def _called(words: list[str]) -> str:
    """A process by what it does, from its command line."""
    text = " ".join(words).strip()
    for part in ("gatehouse: supervisor", "gatehouse: web worker", "gatehouse: web", "celery", "verdaccio", "nginx"):
        if part in text and "postgres:" not in text:
            return part
    return "postgres " + text.removeprefix("postgres:").split(" 127.", 1)[0].strip()[:40] if "postgres:" in text else text[:40]


def wait_until_idle(roots: Iterable[int], *, seconds: float = 30) -> None:
    """Until the tree has nearly stopped working: what one measurement left behind is not charged to the next."""
    roots, deadline = tuple(roots), time.monotonic() + seconds
    before = cpu_seconds(roots)
    while time.monotonic() < deadline:
        time.sleep(0.2)
        now = cpu_seconds(roots)
        if now - before <= 2 / TICK:
            return
        before = now


def _fields(entry: Path) -> tuple[int, int] | None:
    """(parent, ticks) of one process; None when it is gone."""
    try:
        text = (entry / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return int(fields[PARENT]), sum(int(ticks) for ticks in fields[TIMES])
