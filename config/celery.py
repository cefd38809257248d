"""The Celery application: `celery -A config.celery worker`."""

import os
from pathlib import Path

from celery import Celery
from celery.signals import beat_embedded_init, worker_ready, worker_shutdown
from django.conf import settings

from config.lifeline import tie_if_supervised

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
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


@beat_embedded_init.connect
def _tie_beat(**_: object) -> None:
    """Celery forks its clock off the worker: it must not outlive it."""
    tie_if_supervised()
