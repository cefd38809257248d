"""Background work of webhooks: fetch ids, call one service, nothing else."""

import logging

from celery import shared_task
from django.utils import timezone
from kombu.exceptions import OperationalError

from webhooks.services import sending
from webhooks.services.deliveries import forget_deliveries
from webhooks.services.outbox import gather

log = logging.getLogger(__name__)


@shared_task
def attend() -> None:
    """Every few seconds: what happened since, and whose next try is due."""
    gather(timezone.now())
    for webhook_id in sending.due(timezone.now()):
        hasten(webhook_id)


@shared_task
def send(webhook_id: int) -> None:
    """A stay with one webhook."""
    sending.send(webhook_id)


@shared_task
def forget() -> None:
    """Hourly."""
    forget_deliveries()


def hasten(webhook_id: int) -> None:
    """Let a worker send what waits. A message that the queue does not take is made up for in seconds."""
    try:
        send.apply_async((webhook_id,), retry=False)
    except (OperationalError, OSError):
        log.warning("the queue does not take messages; webhook %s waits", webhook_id)
