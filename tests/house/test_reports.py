"""The report of a test that failed ends with what the servers beside it logged meanwhile, and only that."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.parts import ROOT
from tests.parts.reports import LINES

SUITE = """
import pytest
from pathlib import Path
from tests.parts.process import Process

LOG = Path(__file__).parent / "part" / "part.log"

def write(*lines):
    with LOG.open("a") as log:
        log.writelines(f"{line}\\n" for line in lines)

@pytest.fixture(scope="session")
def part():
    LOG.parent.mkdir()
    process = Process(["sleep", "60"], log=LOG)
    process.start(lambda: True)
    yield
    process.stop()

@pytest.fixture
def trouble(part):
    write("seen during set-up")
    raise LookupError

def test_well(part):
    write("before its time")

def test_quiet(part):
    assert not "nothing logged"

def test_loud(part):
    write(*(f"number {number}." for number in range(1000)))
    assert not "much logged"

def test_not_set_up(trouble):
    pass
"""


def test_what_failed_tells_what_the_servers_logged_since_it_began(tmp_path: Path) -> None:
    (tmp_path / "test_suite.py").write_text(SUITE)
    words = [sys.executable, "-m", "pytest", "-p", "tests.parts.reports", "-p", "no:django", "-p", "no:cacheprovider", "test_suite.py"]
    done = subprocess.run(words, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False)

    assert re.search("2 failed, 1 passed, 1 error", done.stdout), done.stdout + done.stderr
    errors, failures = done.stdout.partition("= FAILURES =")[::2]
    quiet, loud = failures.partition("_ test_loud _")[::2]
    assert "before its time" not in done.stdout
    assert "part/part.log since the test began" in errors
    assert "seen during set-up" in errors
    assert "since the test began" not in quiet
    assert [int(number) for number in re.findall(r"number (\d+)\.", loud)] == list(range(1000 - LINES, 1000))
