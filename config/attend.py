"""The supervisor as a program of its own: `manage.py serve` becomes it (exec) once everything is prepared.

It imports the application once and forks the programs of the plan from it. The exec leaves behind what preparing took,
and tells the C library its limits; lock, process number and the tie to the parent survive it. Called as
`python -m config.attend`, with the plan in its environment.
"""

import http.client
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import NoReturn

from setproctitle import setproctitle

from config.forked import Forked
from config.image import load
from config.supervisor import Child, Supervisor

ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not listened on
# The C library keeps an arena per thread; two are enough for threads that take turns. And it takes every large piece that is
# freed for a reason to keep more from then on, unless it is told limits: 30 MB a process after large documents. Below half a MB
# lies most metadata: to map each piece anew, and to touch its pages, was a twentieth of what an installation into an empty registry took.
LIMITS = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "524288", "MALLOC_TRIM_THRESHOLD_": "524288"}
TITLE = {"SPT_NOENV": "1"}  # a process's title must not take the room of its environment in /proc


@dataclass(frozen=True)
class Program:
    """A child as it is written into the plan. `words` are its `sys.argv`, the first of them names the module with its `main`."""

    name: str
    words: Sequence[str]
    grace: float
    is_patient: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """What to keep running, where it answers when it is up, and what to say then. `lock`: an open file to keep."""

    programs: Sequence[Program]
    host: str
    port: int
    ready: str
    lock: int

    def become(self, *, shows_warnings: bool) -> NoReturn:
        """Replace this process by the supervisor. Warnings of libraries (root user, missing folders) are for developers only."""
        os.set_inheritable(self.lock, True)
        words = [sys.executable, *([] if shows_warnings else ["-W", "ignore"]), "-m", "config.attend"]
        os.execve(sys.executable, words, {**os.environ, **LIMITS, **TITLE, PLAN: json.dumps(asdict(self))})  # noqa: S606 - our own interpreter

    def is_up(self) -> bool:
        """Whether the web server answers anything at all."""
        asked = http.client.HTTPConnection(ANYWHERE.get(self.host, self.host), self.port, timeout=1)
        try:
            asked.request("GET", "/healthz")
            asked.getresponse().read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            asked.close()
        return True


PLAN = "GATEHOUSE_PLAN"


def read_plan(text: str) -> Plan:
    """The plan that `become` wrote."""
    told = json.loads(text)
    return Plan(**{**told, "programs": [Program(**one) for one in told["programs"]]})


def child_of(program: Program, lock: int) -> Child:
    """The program as a fork of this process, without the lock."""
    begin = partial(Forked, program.name, program.words, program.environment, closed=lock)
    return Child(program.name, begin, program.grace, program.is_patient)


def main() -> None:
    """Run until told to stop."""
    plan = read_plan(os.environ.pop(PLAN))  # the children need not have it

    def say(line: str) -> None:
        sys.stderr.write(f"gatehouse: {line}\n")
        sys.stderr.flush()

    def ready() -> None:
        sys.stdout.write(f"{plan.ready}\n")
        sys.stdout.flush()

    setproctitle("gatehouse: supervisor")
    children = [child_of(program, plan.lock) for program in plan.programs]
    Supervisor(children, say=say, prepare=load, is_up=plan.is_up, when_up=ready).run()


if __name__ == "__main__":
    main()
