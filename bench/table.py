"""The figures as a table for people and as JSON for machines."""

from dataclasses import asdict
from typing import Any

from bench.measure import Figure

Results = dict[str, dict[str, Figure]]  # line -> peer -> figure
BASE, LIMIT = "Verdaccio", "nginx (limit)"
TIMES = "\N{MULTIPLICATION SIGN}"
FEW = 10  # below this a rate is worth a decimal


def markdown(results: Results, names: list[str]) -> str:
    """One line per case; ratios to the peer and, where nginx has the line, to the limit."""
    head = [f"| case | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    return "\n".join([*head, *(f"| {title} | {' | '.join(_cell(line, name) for name in names)} |" for title, line in results.items())])


def as_json(results: Results) -> dict[str, Any]:
    """The same as plain values."""
    return {title: {name: asdict(figure) for name, figure in line.items()} for title, line in results.items()}


def _cell(line: dict[str, Figure], name: str) -> str:
    own = line.get(name)
    if own is None:
        return "-"
    ratios = [f"**{_plain(own.rate / line[BASE].rate)}{TIMES}**"] if name not in {BASE, LIMIT} and BASE in line and line[BASE].rate else []
    if name not in {BASE, LIMIT} and LIMIT in line and line[LIMIT].rate:
        ratios.append(f"{own.rate / line[LIMIT].rate:.2f}")
    errors = [f"{own.errors} errors"] if own.errors else []
    notes = f" ({' · '.join([*ratios, *errors])})" if ratios or errors else ""
    return f"{_plain(own.rate)}{notes} {own.cpu:,.0f} µs"


def _plain(value: float) -> str:
    return f"{value:,.1f}" if value < FEW else f"{value:,.0f}"
