"""A pytest plugin: the report of a test that failed ends with what the parts beside it logged meanwhile."""

import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

LINES = 60  # of each log, the last ones
PIECE = 64 * 1024  # bytes of each that are looked at
_begins: dict[Path, int] = {}  # logs of the parts of this run, and how long each was when the present test began


def listen(log: Path) -> None:
    """A part begins to write into this file, or goes on to."""
    _begins.setdefault(log, _size(log))


def told() -> list[tuple[str, str]]:
    """Since the test began: titles and the ends of those logs that grew."""
    ends = [(log, _end(log, begin)) for log, begin in _begins.items()]
    return [(f"{log.parent.name}/{log.name} since the test began", end) for log, end in ends if end]


def pytest_report_header() -> str:
    """How much the disk still takes: a run needs some 2 GB, and on a full one hundreds of tests fail for no other reason."""
    folder = tempfile.gettempdir()
    return f"disk: {shutil.disk_usage(folder).free / 1e9:.1f} GB are free in {folder}"


def pytest_runtest_logstart() -> None:
    """A test begins."""
    for log in _begins:
        _begins[log] = _size(log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Of what failed, be it before, in or after the test."""
    report = yield
    if report.failed:
        report.sections += told()
    return report


def _size(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0


def _end(log: Path, begin: int) -> str:
    size = _size(log)
    if size <= begin:
        return ""
    with log.open("rb") as file:
        file.seek(max(begin, size - PIECE))
        lines = file.read().decode("utf-8", "replace").splitlines()
    left_out = max(begin, size - PIECE) > begin or len(lines) > LINES
    return "\n".join([*(["…"] if left_out else []), *lines[-LINES:]])
