"""The Celery application: `celery -A config.celery worker`."""

import os
from pathlib import Path

from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
app = Celery("gatehouse")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
for folder in ("in", "control"):
    Path(settings.DATA_DIR, "queue", folder).mkdir(parents=True, exist_ok=True)
