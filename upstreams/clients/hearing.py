"""An answer of an upstream while it is received on the event loop (llhttp through httptools; RFC 9112)."""

import queue
from collections.abc import Callable

import httptools

HEAD = 32 * 1024  # bytes of a status line and headers
FINAL = 200  # the first status that is no word on the way
AHEAD = 1024 * 1024  # bytes of a long body that wait for their reader before the line is told to wait


class Broken(Exception):
    """The line ended before the answer did."""


class Hearing:
    """The answer to one question. A body of more than `limit` bytes flows: it goes to whoever reads `pieces`, in another thread.

    `pause`: called with whether the line is to wait.
    """

    def __init__(self, limit: int, pause: Callable[[bool], object]) -> None:
        self._parser, self._limit, self._pause = httptools.HttpResponseParser(self), limit, pause
        self.status, self.size = 0, 0  # bytes of all that came
        self.headers: dict[str, str] = {}
        self.body: list[bytes] = []
        self.pieces: queue.SimpleQueue[bytes | Broken | None] = queue.SimpleQueue()  # None: the end
        self.keeps = self.flows = self.is_complete = False
        self._taken = self._begun = self._head = 0
        self.waiting = 0  # bytes of the pieces that nobody has read
        self._is_headed = self._is_odd = self._is_paused = False

    def take(self, data: bytes) -> bool:
        """The next bytes; False when the answer cannot be used."""
        self.size += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            return False
        return not self._is_odd and (self._is_headed or self.size <= HEAD)

    def read(self, size: int) -> None:
        """So many bytes of the pieces have been read."""
        self.waiting -= size
        self._set_paused(self.waiting > AHEAD)

    def on_message_begin(self) -> None:
        """The first is the answer; there is to be no second."""
        self._begun += 1
        self._is_odd = self._is_odd or self._begun > 1

    def on_header(self, name: bytes, value: bytes) -> None:
        """Repeated ones are joined."""
        self._head += len(name) + len(value)
        self._is_odd = self._is_odd or self._head > HEAD
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self.headers[key] = f"{self.headers[key]}, {text}" if key in self.headers else text

    def on_headers_complete(self) -> None:
        """What it says of its own length is believed when that is much."""
        self.status, self._is_headed = self._parser.get_status_code(), True
        self._is_odd = self._is_odd or self.status < FINAL
        length = self.headers.get("content-length", "")
        if length.isdigit() and int(length) > self._limit:
            self._flow()

    def on_body(self, body: bytes) -> None:
        """A part of it."""
        self._taken += len(body)
        if not self.flows:
            self.body.append(body)
            if self._taken > self._limit:
                self._flow()
            return
        self._put(body)

    def on_message_complete(self) -> None:
        """All of it."""
        self.is_complete, self.keeps = True, self._parser.should_keep_alive()
        self.pieces.put(None)

    def _flow(self) -> None:
        self.flows = True
        for body in self.body:
            self._put(body)
        self.body.clear()

    def _put(self, body: bytes) -> None:
        self.pieces.put(body)
        self.waiting += len(body)
        self._set_paused(self.waiting > AHEAD)

    def _set_paused(self, is_paused: bool) -> None:  # noqa: FBT001 - a state, not a switch
        if is_paused is not self._is_paused:
            self._is_paused = is_paused
            self._pause(is_paused)
