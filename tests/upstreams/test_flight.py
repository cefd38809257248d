"""Locks by key: between threads, between processes, given back by the dead, and no file for each."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from upstreams.errors import UpstreamTimeout
from upstreams.flight import is_busy, single_flight, try_lock

HOLDER = """
import sys
from pathlib import Path
from django.conf import settings
settings.configure(DATA_DIR=Path(sys.argv[1]))
from upstreams.flight import try_lock
handle = try_lock("test", sys.argv[2])
print("held" if handle is not None else "busy", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


def holder(folder: Path, key: str) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", HOLDER, str(folder), key], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_one_at_a_time_for_a_key_and_nobody_waits_for_another(tmp_path: Path) -> None:
    with single_flight("test", "a", patience=1):
        assert try_lock("test", "a") is None
        assert is_busy("test", "a")
        assert not is_busy("test", "b")
        assert not is_busy("other", "a")
        with pytest.raises(UpstreamTimeout), single_flight("test", "a", patience=0.05):
            pass
        for number in range(200):
            with single_flight("test", str(number), patience=0):
                pass
    assert not is_busy("test", "a")
    assert sorted(path.name for path in (tmp_path / "locks").iterdir()) == ["other", "test"]


def test_threads_exclude_each_other() -> None:
    inside, most, lock = [0], [0], threading.Lock()

    def work() -> None:
        for _ in range(20):
            with single_flight("test", "k", patience=30):
                with lock:
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                with lock:
                    inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]


def test_a_process_that_is_killed_gives_its_lock_back(tmp_path: Path) -> None:
    one = holder(tmp_path, "k")
    assert one.stdout is not None
    assert one.stdout.readline() == "held\n"
    assert is_busy("test", "k")
    os.kill(one.pid, signal.SIGKILL)
    one.wait()
    assert not is_busy("test", "k")


def test_a_system_without_locks_of_ranges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("upstreams.flight._has_ranges", lambda: False)
    with single_flight("test", "a", patience=1):
        assert is_busy("test", "a")
        assert not is_busy("test", "b")
    assert not is_busy("test", "a")
    assert all(path.name.startswith("test-") for path in (tmp_path / "locks").iterdir())
