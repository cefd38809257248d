"""What an answer of the slow path came to, heard while it is sent: for the request log and the metrics."""

from collections.abc import Awaitable, Callable, MutableMapping
from time import perf_counter
from typing import Any

from protocols.journal import Answered
from protocols.observation import noted, number, observe

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
ENVIRON = "gatehouse.environ"  # in the scope: the environ Django was given, where the doors note who asked


class Told:
    """`send`, with the request's number on every answer, and what was sent remembered. True once an answer was begun."""

    def __init__(self, send: Send, begun: float) -> None:
        self._send, self._begun = send, begun
        self._status, self._size, self._announced = 0, 0, 0
        self.number = number()

    async def __call__(self, message: Message) -> None:
        """Pass it on."""
        if message["type"] == "http.response.start":
            self._start(message)
        elif message["type"] == "http.response.pathsend":
            self._size = self._announced
        else:
            self._size += len(message.get("body", b""))
        await self._send(message)

    def observe(self, scope: Message, ip: str, agent: str) -> None:
        """Note the answer; without one the status is 0."""
        actor, download = noted(scope.get(ENVIRON, {}))
        path = str(scope["path"])
        observe(
            Answered(self.number, self._begun, perf_counter(), scope["method"], path, self._status, self._size, ip, agent, actor, download)
        )

    def _start(self, message: Message) -> None:
        headers = list(message.get("headers", ()))
        named = dict(headers)
        self._status, self._announced = message["status"], _length(named.get(b"content-length", b""))
        if b"x-request-id" not in named:
            message["headers"] = [*headers, (b"x-request-id", self.number.encode())]

    def __bool__(self) -> bool:
        return bool(self._status)


def _length(text: bytes) -> int:
    return int(text) if text.isdigit() else 0
