"""One conversation with an upstream, against a server that speaks raw bytes: its time and its number are bounded.

Row U23 of the threats.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from upstreams.clients import watchdog
from upstreams.clients.breaker import BREAKERS
from upstreams.clients.guard import parse_network
from upstreams.clients.http import Target, get, refuse_status
from upstreams.errors import UpstreamTimeout, UpstreamUnreachable

LOOPBACK = (parse_network("127.0.0.0/8"),)
Speech = Callable[[socket.socket], None]


class Speaker:
    """Accepts connections and says the same on each."""

    def __init__(self, speech: Speech) -> None:
        self._speech = speech
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.stopped = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def target(self, **limits: float) -> Target:
        url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        return Target(name="odd", url=url, allowed=LOOPBACK, **{"total_timeout": 1.0, "read_timeout": 5.0, **limits})  # type: ignore[arg-type]

    def stop(self) -> None:
        self.stopped.set()
        self._listener.close()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._talk, args=(self._listener.accept()[0],), daemon=True).start()

    def _talk(self, line: socket.socket) -> None:
        with contextlib.suppress(OSError), line:
            while line.recv(65536):
                self._speech(line)


@pytest.fixture
def speaker() -> Iterator[Callable[[Speech], Speaker]]:
    made: list[Speaker] = []

    def speaking(speech: Speech) -> Speaker:
        made.append(Speaker(speech))
        return made[-1]

    yield speaking
    for one in made:
        one.stop()


def drip(*pieces: bytes) -> Speech:
    def speak(line: socket.socket) -> None:
        line.sendall(pieces[0])
        for _ in range(200):
            line.sendall(pieces[1])
            time.sleep(0.05)

    return speak


SLOW = {
    "status line": drip(b"HTTP/1.1 2", b"0"),
    "headers": drip(b"HTTP/1.1 200 OK\r\nX: ", b"a"),
    "continue": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body until the end": drip(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b"a"),
    "body of a length": drip(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"a"),
    "silent body": drip(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b""),
}


@pytest.mark.timeout(30)
@pytest.mark.parametrize("where", SLOW)
def test_a_drip_ends_at_the_total_limit(where: str, speaker: Callable[[Speech], Speaker]) -> None:
    target = speaker(SLOW[where]).target()
    begun = time.monotonic()
    with pytest.raises(UpstreamTimeout):  # noqa: PT012 - wherever it comes
        answer = get(target, target.url, {})
        with contextlib.closing(answer):
            b"".join(answer.pieces(10_000))
    assert 0.8 < time.monotonic() - begun < 4


@pytest.mark.timeout(30)
def test_a_short_one_ends_in_time_beside_a_long_one(speaker: Callable[[Speech], Speaker]) -> None:
    """The watchdog sleeps until the long one's end, and is woken for the short one."""
    patient, hurried = speaker(whole()), speaker(SLOW["status line"])
    with contextlib.closing(get(patient.target(total_timeout=600), patient.target().url, {})):
        time.sleep(0.1)  # it looks, and sleeps
        begun = time.monotonic()
        with pytest.raises(UpstreamTimeout):
            get(hurried.target(), hurried.target().url, {})
    assert 0.8 < time.monotonic() - begun < 4


def whole(head: bytes = b"") -> Speech:
    return lambda line: line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + head + b"\r\nok")


def test_an_ended_conversation_does_not_break_the_next_on_its_connection(speaker: Callable[[Speech], Speaker]) -> None:
    target = speaker(whole()).target(total_timeout=0.4)
    for _ in range(4):
        answer = get(target, target.url, {})
        assert b"".join(answer.pieces(10)) == b"ok"
        time.sleep(0.15)
        answer.close()
    assert not watchdog.WATCHDOG._live


def test_only_so_many_questions_are_open_at_once(speaker: Callable[[Speech], Speaker], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "AT_ONCE", 2)
    monkeypatch.setattr(watchdog, "WAIT", 0.1)
    target = speaker(whole()).target(total_timeout=30)
    held = [get(target, target.url, {"accept": "x"}) for _ in range(2)]
    with pytest.raises(UpstreamUnreachable) as refused:
        get(target, target.url, {"accept": "x"})
    assert (refused.value.retry_after, BREAKERS._count(target.url).failures) == (2, 0)
    get(target, target.url, {"accept": "another kind"}).close()
    held.pop().close()
    held[0].close()
    held[0].close()
    del held[:]
    get(target, target.url, {"accept": "x"})  # not closed: its place is free again when nobody holds it
    for _ in range(3):
        get(target, target.url, {"accept": "x"}).close()


def test_a_failed_question_frees_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "AT_ONCE", 1)
    monkeypatch.setattr(watchdog, "WAIT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    target = Target(name="gone", url=f"http://127.0.0.1:{port}", allowed=LOOPBACK)
    for _ in range(3):
        with pytest.raises(UpstreamUnreachable) as refused:
            get(target, target.url, {})
        assert "refused" in refused.value.message


@pytest.mark.parametrize("number", ["9" * 5000, "²", "-1", "1e3", "٣", "", " "])
def test_odd_numbers_are_no_numbers(number: str, speaker: Callable[[Speech], Speaker]) -> None:
    head = f"HTTP/1.1 503 Busy\r\nConnection: close\r\nRetry-After: {number}\r\nContent-Length: {number}\r\n\r\n".encode()

    def speak(line: socket.socket) -> None:
        line.sendall(head)
        line.shutdown(socket.SHUT_WR)

    target = speaker(speak).target()
    answer = get(target, target.url, {})
    with contextlib.closing(answer):
        assert getattr(refuse_status(answer), "retry_after", None) == 30
        assert answer.length is None
