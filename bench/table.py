"""The figures as tables for people and as JSON for machines."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from bench import targets
from bench.cold import DIRECT, Colds
from bench.crowd import Beside
from bench.installs import Install
from bench.measure import Figure
from bench.mirroring import Mirrored
from bench.pages import Paged
from bench.targets import BASE, COLD_LINE, LIMIT, MIRROR_LINE, OURS, TIMES, Verdict, plain

Results = dict[str, dict[str, Figure]]  # line -> server -> figure
NAMES = (BASE, *OURS, LIMIT)


@dataclass
class Outcome:
    """Everything a run found."""

    rates: Results = field(default_factory=dict)
    installs: dict[str, dict[str, Install]] = field(default_factory=dict)
    cold: Colds = field(default_factory=dict)
    mirrored: dict[str, Mirrored] = field(default_factory=dict)
    readers: dict[str, tuple[float, float]] = field(default_factory=dict)  # server -> rate beside slow readers, alone
    crowds: dict[str, Beside] = field(default_factory=dict)
    memory: dict[str, dict[str, Any]] = field(default_factory=dict)  # server -> "rest", "load" in MB, "processes"
    growth: Results = field(default_factory=dict)
    pages: Paged = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def verdicts(self) -> list[Verdict]:
        """What is asked, and whether it was met."""
        return [
            *targets.of_rates(self.rates),
            *targets.of_installs(self.installs),
            *targets.of_cold(self.cold),
            *targets.of_mirrors(self.mirrored),
            *targets.of_slow(self.readers, self.crowds),
            *targets.of_memory(self.memory),
            *targets.of_growth(self.growth),
            *targets.of_pages(self.pages),
        ]


def markdown(outcome: Outcome) -> str:
    """The tables, the notes, and what was missed."""
    verdicts = outcome.verdicts
    parts = [
        _rates(outcome.rates, verdicts),
        _installs(outcome.installs, verdicts),
        _cold(outcome.cold, verdicts),
        _mirrors(outcome.mirrored, verdicts),
        _slow(outcome, verdicts),
    ]
    parts += [_memory(outcome.memory, verdicts), _growth(outcome.growth, verdicts), _pages(outcome.pages, verdicts)]
    parts += ["\n".join(f"- {note}" for note in outcome.notes)]
    missed = [f"- {one.line}, {one.server}: {one.seen}, asked {one.asked}" for one in verdicts if not one.is_met]
    parts.append("Missed:\n\n" + "\n".join(missed) if missed else "Nothing that is asked was missed.")
    return "\n\n".join(part for part in parts if part) + "\n"


def as_json(outcome: Outcome) -> dict[str, Any]:
    """The same as plain values."""
    return {**asdict(outcome), "verdicts": [asdict(one) for one in outcome.verdicts]}


def _rates(results: Results, verdicts: list[Verdict]) -> str:
    rows = [[line, *(_rate(figures, name) for name in NAMES), *_judged(line, verdicts)] for line, figures in results.items()]
    return _table(["case", *NAMES, "asked", "met"], rows)


def _rate(line: dict[str, Figure], name: str) -> str:
    own = line.get(name)
    if own is None:
        return "-"
    notes = []
    if name in OURS and line.get(BASE) and line[BASE].rate:
        notes.append(f"**{plain(own.rate / line[BASE].rate)}{TIMES}**")
    if name in OURS and line.get(LIMIT) and line[LIMIT].rate:
        notes.append(f"{own.rate / line[LIMIT].rate:.2f}")
    notes += [f"{own.errors} errors"] if own.errors else []
    return f"{plain(own.rate)}{' (' + ' · '.join(notes) + ')' if notes else ''} {own.cpu:,.0f} µs"


def _installs(installs: dict[str, dict[str, Install]], verdicts: list[Verdict]) -> str:
    rows = [[line, *(_install(runs, name) for name in NAMES), *_judged(line, verdicts)] for line, runs in installs.items()]
    return _table(["install", *NAMES, "asked", "met"], rows)


def _install(runs: dict[str, Install], name: str) -> str:
    own, base = runs.get(name), runs.get(BASE)
    if own is None:
        return "-"
    client = f", client {own.client:.1f} s"
    if name == BASE or base is None:
        return f"{own.wall:.1f} s, CPU {own.cpu:.2f} s{client}"
    return f"{own.wall:.1f} s (**{own.wall / base.wall:.2f}{TIMES}**), CPU {own.cpu:.2f} s ({own.cpu / (base.cpu or 1):.2f}{TIMES}){client}"


def _cold(cold: Colds, verdicts: list[Verdict]) -> str:
    """Through an empty registry, against the upstream itself."""
    if not cold:
        return ""
    rows = [
        [line, *(_spoken(one, found[DIRECT]) for one in found.values()), *_judged(line, verdicts)]
        for line, found in ((f"{COLD_LINE}: {upstream}", found) for upstream, found in cold.items())
    ]
    return _table(["npm ci, full lock file", *next(iter(cold.values())), "asked", "met"], rows)


def _spoken(one: Install, base: Install) -> str:
    return f"{one.wall:.1f} s (**{one.wall / base.wall:.2f}{TIMES}**), CPU {one.cpu:.2f} s, client {one.client:.1f} s"


def _mirrors(mirrored: dict[str, Mirrored], verdicts: list[Verdict]) -> str:
    """A job of many small packages."""
    if not mirrored:
        return ""
    cells = [f"{one.rate:.0f}/s, CPU {one.cpu / one.count * 1000:.1f} ms each, {one.memory:.0f} MB" for one in mirrored.values()]
    count = next(iter(mirrored.values())).count
    return _table(["mirror", *mirrored, "asked", "met"], [[f"{count:,} packages of one version", *cells, *_judged(MIRROR_LINE, verdicts)]])


def _slow(outcome: Outcome, verdicts: list[Verdict]) -> str:
    rows = []
    if outcome.readers:
        line = "beside 40 slow readers"
        cells = [_share(*outcome.readers[name]) if name in outcome.readers else "-" for name in NAMES]
        rows.append([f"small metadata {line}, of the free rate", *cells, *_judged(line, verdicts)])
    if outcome.crowds:
        line = "p95 beside 200 slow clients"
        cells = [_beside(outcome.crowds[name]) if name in outcome.crowds else "-" for name in NAMES]
        rows.append([f"small metadata, {line}, and without", *cells, *_judged(line, verdicts)])
    return _table(["slow clients", *NAMES, "asked", "met"], rows)


def _share(beside: float, free: float) -> str:
    return f"{beside:,.0f} of {free:,.0f} (**{beside / (free or 1):.2f}**)"


def _beside(seen: Beside) -> str:
    times = seen.p95 / (seen.free_p95 or 1)
    return f"{seen.p95:.1f} ms, {seen.free_p95:.1f} ms (**{times:.2f}{TIMES}**); {seen.rate:,.0f} of {seen.free_rate:,.0f}/s"


def _memory(memory: dict[str, dict[str, Any]], verdicts: list[Verdict]) -> str:
    rows = []
    for when in ("rest", "load"):
        cells = [f"{memory[name][when]:,.0f} MB" if when in memory.get(name, {}) else "-" for name in NAMES]
        if set(cells) != {"-"}:
            rows.append(
                [{"rest": "at rest", "load": "the most seen between the lines"}[when], *cells, *_judged(f"memory, {when}", verdicts)]
            )
    return _table(["memory of all processes", *NAMES, "asked", "met"], rows)


def _growth(grown: Results, verdicts: list[Verdict]) -> str:
    names = list(next(iter(grown.values()), {}))
    rows = []
    for line, figures in grown.items():
        cells = [f"{plain(one.rate)}, {one.cpu:,.0f} µs{f' ({one.errors} errors)' if one.errors else ''}" for one in figures.values()]
        rows.append([line, *cells, *_judged(f"growth: {line}", verdicts)])
    return _table(["requests/s and CPU where there is", *names, "asked", "met"], rows)


def _pages(paged: Paged, verdicts: list[Verdict]) -> str:
    """One request at a time, in a large installation."""
    rows = [[f"`{one}`", *(f"{seen[name]:.0f} ms" for name in OURS), *_judged(f"page: {one}", verdicts)] for one, seen in paged.items()]
    return _table(["page or list, p50", *OURS, "asked", "met"], rows)


def _judged(line: str, verdicts: list[Verdict]) -> tuple[str, str]:
    """What is asked of a line (PostgreSQL, then SQLite where they differ), and whether it was met."""
    own = [one for one in verdicts if one.line == line]
    if not own:
        return "-", "-"
    asked = list(dict.fromkeys(one.asked for one in own if one.asked != "no error, none lost")) or ["no error, none lost"]
    missed = list(dict.fromkeys(one.server for one in own if not one.is_met))
    return "; ".join(asked), f"**no**: {'; '.join(missed)}" if missed else "yes"


def _table(head: Iterable[str], rows: list[list[str]]) -> str:
    if not rows:
        return ""
    lines = [list(head), ["---"] * len(rows[0]), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
