"""The Celery application: `celery -A config.celery worker`."""

import os
from pathlib import Path
from threading import Thread
from typing import cast

from celery import Celery
from celery.beat import EmbeddedService
from celery.signals import worker_ready, worker_shutdown, worker_shutting_down
from django.conf import settings

from config import embedded_queue
from config.lifeline import CLOCK

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
embedded_queue.use()
app = Celery("gatehouse")
app.set_default()
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
for folder in ("in", "control"):
    Path(settings.DATA_DIR, "queue", folder).mkdir(parents=True, exist_ok=True)


@worker_ready.connect
def _observe(**_: object) -> None:
    """What a worker asks upstreams and publishes is among the metrics too."""
    from protocols import observation

    observation.start()


@worker_shutdown.connect
def _stop_observing(**_: object) -> None:
    from protocols import observation

    observation.stop()


@worker_shutting_down.connect
def _give_jobs_back(**_: object) -> None:
    """A mirror job takes hours, an ending worker has seconds: another goes on with it, or this one after its restart."""
    from upstreams.services.mirroring.engine import STOP

    STOP.set()


@worker_ready.connect
def _start_clock(**_: object) -> None:
    """The clock (beat) as a thread of the first worker: Celery's own --beat is a process of 40 MB more."""
    if os.environ.get(CLOCK):
        clock = EmbeddedService(app, thread=True, schedule_filename=settings.CELERY_BEAT_SCHEDULE_FILENAME)
        cast(Thread, clock).start()
