"""The background worker: a program of the supervisor (config.attend). Its options are Celery's, in `sys.argv`."""


def main() -> None:
    """Work until told to stop."""
    from celery.bin.celery import main as celery

    celery()
