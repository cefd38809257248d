"""A job of many packages holds a bounded part of memory, whatever their number; and it comes through."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import DATABASES
from tests.parts import ROOT
from tests.parts.gatehouse import Gatehouse
from tests.parts.recorder import Recorder

CEILING = 300  # MB, of a job of 10,000 packages


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize(
    ("number", "ceiling"), [(300, 200), pytest.param(10_000, CEILING, marks=(pytest.mark.soak, pytest.mark.timeout(1500)))]
)
def test_a_jobs_memory(
    database: str, number: int, ceiling: int, request: pytest.FixtureRequest, tmp_path: Path, recorder: Recorder
) -> None:
    names = [f"tiny-{one:05}" for one in range(number)]
    for name in names:
        recorder.add(name)
    recorder.answers["/_all_docs"] = {"rows": [{"id": name} for name in names]}
    url = request.getfixturevalue("postgres").database() if database == "postgresql" else ""
    server = Gatehouse(tmp_path / "g", url, recorder.url)
    server.manage("migrate", "--verbosity", "0")
    server.manage("bootstrap")
    words = [sys.executable, "manage.py", "mirror", "team/main", "-s", "npm", "tiny-*", "-q"]
    begun = time.monotonic()
    with subprocess.Popen(words, cwd=ROOT, env=server.environment(), stderr=subprocess.PIPE) as process:
        most = 0.0
        while process.poll() is None:
            most = max(most, _megabytes(process.pid))
            time.sleep(0.1)
        assert process.stderr is not None
        assert (process.returncode, process.stderr.read()) == (0, b"")
    sys.stderr.write(f"\n{database}: {number} packages, {number / (time.monotonic() - begun):.0f}/s with the start, {most:.0f} MB\n")
    assert 20 < most < ceiling
    assert len([one for one in recorder.seen if one.is_tarball]) == number


def _megabytes(pid: int) -> float:
    """The most a process has held so far (Linux)."""
    try:
        told = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    return next((int(line.split()[1]) / 1024 for line in told.splitlines() if line.startswith("VmHWM")), 0)
