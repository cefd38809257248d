"""CONTRACT.md section 1: one command up, one signal down, no process left, whatever is killed."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import urllib3

from tests.parts import ROOT
from tests.parts.process import HOST, free_port

MARK = "gatehouse-lifecycle-test"  # in the environment of everything a serve of ours starts: how its processes are found


class Served:
    """`manage.py serve` on a folder of its own; `extra` for its environment."""

    def __init__(self, folder: Path, **extra: str) -> None:
        self.folder, self.log = folder, folder / "serve.log"
        self.port = int(extra.pop("PORT", 0)) or free_port()
        self.mark = f"{MARK}={folder}"
        self.env = {
            "PATH": os.environ["PATH"],
            "DATA_DIR": str(folder / "data"),
            "PORT": str(self.port),
            "NPM_UPSTREAM_URL": "https://registry.example.org",
            "GATEHOUSE_ENV": "testing",
            MARK: str(folder),
            **extra,
        }

    def start(self) -> None:
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve"], cwd=ROOT, env=self.env, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait_ready(self) -> None:
        until(lambda: "Ready at" in self.said() or self.process.poll() is not None, 90)
        assert "Ready at" in self.said(), self.said()

    def answers(self) -> bool:
        with contextlib.suppress(urllib3.exceptions.HTTPError):
            return urllib3.request("GET", f"http://{HOST}:{self.port}/healthz", timeout=5, retries=False).status < 500
        return False

    def processes(self) -> dict[int, str]:
        """Every living process that a serve on this folder started, itself included, with its command line."""
        found = {}
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                if self.mark.encode() in (entry / "environ").read_bytes().split(b"\0"):
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        return found

    def end(self) -> None:
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()


def until(done: Callable[[], object], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not done() and time.monotonic() < deadline:
        time.sleep(0.05)


pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc"),
    pytest.mark.timeout(240),
]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    one = Served(tmp_path)
    one.start()
    try:
        one.wait_ready()
        yield one
    finally:
        one.end()


def has_worker(served: Served) -> bool:
    return any("celeryd" in line for line in served.processes().values())


def has_clock(served: Served, *, since: float) -> bool:
    """Whether the worker is at work: then its clock has begun."""
    return any(path.stat().st_mtime >= since for path in (served.folder / "data").glob("beat-schedule*"))


def test_first_run_then_kill_then_again_then_a_clean_end(served: Served) -> None:
    first = served.said()
    assert re.search(r"^Sign in +admin +password [A-Za-z0-9]{20} ", first, re.MULTILINE)
    assert f"registry=http://localhost:{served.port}/team/r/main/\n//localhost:{served.port}/team/r/main/:_authToken=gth_" in first
    assert served.answers()
    until(lambda: has_worker(served), 30)
    assert has_worker(served)

    os.kill(served.process.pid, signal.SIGKILL)  # as a power cut would: nothing outlives it
    served.process.wait()
    until(lambda: not served.processes(), 5)
    assert served.processes() == {}

    begun = time.time()
    served.start()
    served.wait_ready()
    again = served.said()
    assert "with your password" in again
    assert "_authToken" not in again
    assert served.answers()

    until(lambda: has_worker(served), 30)
    until(lambda: has_clock(served, since=begun), 30)
    assert urllib3.request("GET", f"http://{HOST}:{served.port}/no/such").status == 404
    before = served.said()
    served.process.send_signal(signal.SIGINT)
    assert served.process.wait(20) == 0
    until(lambda: not served.processes(), 2)
    assert served.processes() == {}
    assert "Traceback" not in first + again + served.said()
    assert served.said() == before, "ending when told to is no news, nor is a page that is not there"
    assert "Not Found" not in before


@pytest.mark.parametrize("victim", ["gatehouse: web", "celeryd"])
def test_what_dies_is_started_again(served: Served, victim: str) -> None:
    until(lambda: has_worker(served), 30)
    own = {pid for pid, line in served.processes().items() if victim in line}
    first = min(own)
    os.kill(first, signal.SIGKILL)
    until(lambda: {pid for pid, line in served.processes().items() if victim in line} - own, 20)
    until(lambda: not own & served.processes().keys(), 5)
    assert not own & served.processes().keys(), "what the dead one had started is gone too"
    until(served.answers, 30)
    assert served.answers()
    assert "starting it again" in served.said()


def test_all_are_forks_of_one_image_and_only_the_supervisor_holds_the_lock(served: Served) -> None:
    until(lambda: has_worker(served), 30)
    holders, exclusive = [], {}
    assert len(list(Path(f"/proc/{served.process.pid}/task").iterdir())) == 1, "a thread would not be there in the forks"
    assert not [entry for entry in Path(f"/proc/{served.process.pid}/fd").iterdir() if "socket" in str(entry.readlink())]
    for pid, line in served.processes().items():
        if any(os.path.realpath(entry).endswith("serve.lock") for entry in Path(f"/proc/{pid}/fd").iterdir()):
            holders.append(line.strip())
        sizes = dict(re.findall(r"^(\w+): +(\d+) kB$", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE))
        exclusive[line] = int(sizes["Pss"]) / int(sizes["Rss"])
    assert holders == ["gatehouse: supervisor"]
    assert len(exclusive) >= 4
    assert max(exclusive.values()) < 0.75, "a process of its own image would have nearly all of its memory for itself"


def test_a_second_one_on_the_same_data_is_refused(served: Served) -> None:
    second = Served(served.folder)
    second.log = served.folder / "second.log"
    second.start()
    assert second.process.wait(60) == 1
    assert f"(process {served.process.pid})" in second.said()
    assert len(second.said().splitlines()) == 1
    assert served.answers()


def test_a_port_in_use_is_one_clear_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        one = Served(tmp_path, PORT=str(taken.getsockname()[1]))
        one.start()
        try:
            assert one.process.wait(60) == 1
            assert one.said().startswith(f"gatehouse: Port {one.port} on {HOST} is already in use.")
            assert len(one.said().splitlines()) == 1
        finally:
            one.end()


SUPERVISED = """
import os, signal, subprocess, sys
from config.supervisor import Child, Supervisor

def within(frame):
    while frame is not None and frame.f_code.co_name != "_on_signal":
        frame = frame.f_back
    return frame is not None

def again(frame, event, arg):
    if event == "call" and within(frame.f_back):
        os.kill(os.getpid(), signal.SIGTERM)

sys.setprofile(again)
words = [sys.executable, "-c", "import time; time.sleep(60)"]
idle = Child("idle", lambda: subprocess.Popen(words, start_new_session=True), 30.0)
Supervisor([idle], say=print, when_up=lambda: print("up", flush=True)).run()
"""


def test_a_signal_within_the_handling_of_another_ends_it_too() -> None:
    """`timeout make run` sends two at the same moment: a handler that takes a lock would wait for itself."""
    own = subprocess.Popen([sys.executable, "-c", SUPERVISED], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert own.stdout is not None
        assert own.stdout.readline() == "up\n"
        own.send_signal(signal.SIGTERM)
        assert own.wait(10) == 0
    finally:
        own.kill()
        own.communicate()


JUST_FORKED = """
import os, time
from config import forked
from config.supervisor import Child

lock = os.open(os.devnull, os.O_RDONLY)
forked.os.setsid = lambda: time.sleep(60)  # not yet the leader of a session
child = Child("idle", lambda: forked.Forked("idle", ["nowhere"], {}, closed=lock), 30.0)
child.start()
child.end()
print(child.process.returncode)
"""


def test_a_child_just_forked_is_ended_too() -> None:
    done = subprocess.run([sys.executable, "-c", JUST_FORKED], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == f"{-signal.SIGKILL}\n"
