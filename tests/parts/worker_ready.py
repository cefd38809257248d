"""Imported by workers under test: says in their log when they take messages."""

import os
import sys

from celery.signals import worker_ready


@worker_ready.connect
def _tell(**_: object) -> None:
    sys.stderr.write(os.environ["TEST_WORKER_READY"] + "\n")
    sys.stderr.flush()
