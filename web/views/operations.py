"""For those who run the installation: is it alive, is it ready."""

import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from django.conf import settings
from django.core.files.storage import FileSystemStorage
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from packages import blobs

SECONDS = 2  # for the queue to answer

log = logging.getLogger(__name__)


def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """The process answers; nothing else is asked."""
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"})


def readyz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Whether database, storage and queue answer: 200, or 503 naming what is down."""
    checks = {name: _state(check) for name, check in CHECKS.items()}
    down = sorted(name for name, state in checks.items() if state != "ok")
    body = {"status": "down" if down else "ok", "down": down, "checks": checks}
    return JsonResponse(body, status=503 if down else 200, headers={"Cache-Control": "no-store"})


def _state(check: Callable[[], None]) -> str:
    """“ok”, or the kind of trouble; its text may hold addresses and stays in the log."""
    try:
        check()
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a part, it is down
        log.warning("a part is down: %r", error)
        return f"down ({type(error).__name__})"
    return "ok"


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _storage() -> None:
    storage = blobs.backend()
    if isinstance(storage, FileSystemStorage):
        _writable(Path(storage.location))
    else:
        storage.exists(blobs.key("0" * 64))


def _queue() -> None:
    if settings.REDIS_URL:
        import redis  # 6 MB that an installation without it need not hold
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        once = Retry(NoBackoff(), 0)
        with redis.from_url(settings.REDIS_URL, socket_connect_timeout=SECONDS, socket_timeout=SECONDS, retry=once) as queue:
            queue.ping()
    else:
        _writable(Path(settings.DATA_DIR) / "queue" / "in")


def _writable(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError


CHECKS: Mapping[str, Callable[[], None]] = {"database": _database, "storage": _storage, "queue": _queue}
