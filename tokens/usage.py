"""Last use of tokens, when and from where: gathered in memory, written at most once a minute per token by one thread per process."""

import logging
import threading
import time
from datetime import datetime

from django.db import DatabaseError, connection
from django.utils import timezone

INTERVAL = 1.0  # seconds between looks
QUIET = 60.0  # seconds a token's row is left alone

log = logging.getLogger(__name__)


class Gathered:
    """Token ids used since the last write."""

    def __init__(self) -> None:
        self._used: dict[int, tuple[datetime, str]] = {}
        self._written: dict[int, float] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def touch(self, token_id: int, ip: str) -> None:
        """Note a use from that address; cheap enough for the hot path."""
        if time.monotonic() - self._written.get(token_id, -QUIET) < QUIET:
            return
        with self._lock:
            self._used[token_id] = timezone.now(), ip[:45]
            self._written[token_id] = time.monotonic()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="token-usage", daemon=True)
                self._thread.start()

    def flush(self) -> int:
        """Write what was gathered; returns how many tokens."""
        from tokens.models import Token

        with self._lock:
            used, self._used = self._used, {}
        for token_id, (at, ip) in used.items():
            Token.objects.filter(pk=token_id).update(last_used_at=at, last_used_ip=ip)
        return len(used)

    def _run(self) -> None:
        while True:
            time.sleep(INTERVAL)
            if not self._used:
                continue
            try:
                self.flush()
            except DatabaseError as error:  # a missed last-used time is not worth an alarm
                log.warning("last use of tokens not written: %r", error)
            finally:
                connection.close()


GATHERED = Gathered()
touch = GATHERED.touch
