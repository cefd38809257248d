"""The background worker: a program of the supervisor (config.attend). Its options are Celery's, in `sys.argv`."""

from functools import partial
from importlib import import_module
from typing import Any


def main() -> None:
    """Work until told to stop."""
    from celery.bin.celery import main as celery

    # That it ends when it is told to is no news: Celery would write so past every log, onto the terminal of whoever pressed Ctrl-C.
    worker: Any = import_module("celery.apps.worker")
    worker.install_worker_term_handler = partial(worker.install_worker_term_handler, verbose=False)
    celery()
