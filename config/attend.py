"""The supervisor as a program of its own: `manage.py serve` becomes it (exec) once everything is prepared.

It needs nothing of Django, which would stay in its memory for as long as Gatehouse runs (60 MB, measured). Lock,
process number and the tie to the parent survive an exec. Called as `python -m config.attend`, with the plan in its environment.
"""

import http.client
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import NoReturn

from config.supervisor import Child, Supervisor

ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not listened on


@dataclass(frozen=True)
class Plan:
    """What to keep running, where it answers when it is up, and what to say then."""

    children: Sequence[Child]
    host: str
    port: int
    ready: str

    def become(self, lock: int) -> NoReturn:
        """Replace this process by the supervisor, which keeps the open file `lock`."""
        os.set_inheritable(lock, True)
        children = [{key: value for key, value in asdict(child).items() if key in CHILD} for child in self.children]
        text = json.dumps({"children": children, "host": self.host, "port": self.port, "ready": self.ready})
        os.execve(sys.executable, [sys.executable, "-m", "config.attend"], {**os.environ, PLAN: text})  # noqa: S606 - our own interpreter

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
CHILD = frozenset({"name", "command", "grace", "is_patient", "environment"})


def read_plan(text: str) -> Plan:
    """The plan that `become` wrote."""
    told = json.loads(text)
    return Plan([Child(**child) for child in told["children"]], told["host"], told["port"], told["ready"])


def main() -> None:
    """Run until told to stop."""
    plan = read_plan(os.environ.pop(PLAN))  # the children need not have it

    def say(line: str) -> None:
        sys.stderr.write(f"gatehouse: {line}\n")
        sys.stderr.flush()

    def ready() -> None:
        sys.stdout.write(f"{plan.ready}\n")
        sys.stdout.flush()

    Supervisor(plan.children, say=say, is_up=plan.is_up, when_up=ready).run()


if __name__ == "__main__":
    main()
