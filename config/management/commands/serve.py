"""`manage.py serve`: everything in the foreground in one command (CONTRACT.md section 1)."""

import sys
from typing import NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connections

from config.attend import Plan, Program
from config.greeting import greeting
from config.instance import Occupied, sole_instance, wait_for_port
from config.lifeline import CLOCK
from config.preparation import prepare

WEB_GRACE = 35.0  # seconds: running downloads may end; granian itself ends its workers after 30
TASK_GRACE = 5.0  # tasks are made to be interrupted; idle Celery alone takes 3.5 s to say goodbye
# Django's checks import every page and the whole of REST, 30 MB that a worker never uses; the web server loads them anyway.
WORKER = {"CELERY_SKIP_CHECKS": "1"}


class Command(BaseCommand):
    """Lock, port, migrations, first run, then web server and background worker until a signal comes."""

    help = "Run Gatehouse: web server and background worker, in the foreground."
    requires_system_checks = ()

    def handle(self, *_args: object, **_options: object) -> None:
        """Run until SIGTERM or Ctrl-C. Exit 1 when lock or port are taken."""
        try:
            with sole_instance(settings.DATA_DIR) as lock:
                wait_for_port(settings.ENVIRONMENT.host, settings.ENVIRONMENT.port)
                self._run(lock)
        except Occupied as error:
            self._say(str(error))
            sys.exit(1)
        except KeyboardInterrupt:  # Ctrl-C while still preparing
            sys.exit(130)

    def _run(self, lock: int) -> NoReturn:
        text = greeting(address=settings.EXTERNAL_HOST, username=settings.ADMIN_USERNAME, made=prepare())
        connections.close_all()
        self.stdout.write(text)
        self.stdout.flush()
        environment, ready = settings.ENVIRONMENT, f"Ready at {settings.EXTERNAL_HOST}/ (Ctrl-C stops it)"
        Plan(_programs(), environment.host, environment.port, ready, lock).become(shows_warnings=settings.GATEHOUSE_ENV == "development")

    def _say(self, line: str) -> None:
        sys.stderr.write(f"gatehouse: {line}\n")
        sys.stderr.flush()


def _programs() -> list[Program]:
    numbers = range(1, settings.ENVIRONMENT.task_workers + 1)
    tasks = [Program("background worker", _celery(number), TASK_GRACE, is_patient=True, environment=_worker(number)) for number in numbers]
    return [Program("web server", _granian(), WEB_GRACE), *tasks]


def _granian() -> list[str]:
    environment = settings.ENVIRONMENT
    options = f"--workers {environment.web_workers} --host {environment.host} --port {environment.port}"
    fixed = "--interface asgi --http 1 --no-ws --no-access-log --log-level warning --respawn-failed-workers --workers-kill-timeout 30"
    patience = ["--http1-header-read-timeout", str(int(settings.HEAD_LIMIT * 1000))]
    title = ["--process-name", "gatehouse: web"]
    return ["config.web", *options.split(), *fixed.split(), *patience, *title, "config.asgi:application"]


def _celery(number: int) -> list[str]:
    fixed = "worker --without-mingle --without-gossip --loglevel WARNING"
    return ["config.tasks", "-A", "config.celery", "--quiet", *fixed.split(), "--hostname", f"tasks{number}@%h"]


def _worker(number: int) -> dict[str, str]:
    return {**WORKER, CLOCK: "1"} if number == 1 else WORKER
