"""What listens at a Git upstream's address and is no Git server: bounded time, and a clear answer."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.parts.gate import Place, made


@contextmanager
def listener(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that is no Git server."""
    over = threading.Event()
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.2)

    def serve() -> None:
        while not over.is_set():
            try:
                line, _ = server.accept()
            except TimeoutError:
                continue
            threading.Thread(target=_safely, args=(answer, line), daemon=True).start()

    def _safely(do: Callable[[socket.socket], None], line: socket.socket) -> None:
        try:
            with line:
                do(line)
        except OSError:
            pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/x.git"
    finally:
        over.set()
        thread.join()
        server.close()


def _hang(line: socket.socket) -> None:
    line.recv(4096)
    time.sleep(20)


def _endless(line: socket.socket) -> None:
    line.recv(4096)
    line.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n001e# service=git-upload-pack\n0000")
    ref = b"%040x refs/heads/b%012d\n"
    for number in range(10**9):
        text = ref % (number, number)
        line.sendall(b"%04x" % (len(text) + 4) + text)


def _page(line: socket.socket) -> None:
    line.recv(4096)
    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\nConnection: close\r\n\r\n<html></html>")


@pytest.mark.parametrize(("answer", "status"), [(_hang, 504), (_endless, 502), (_page, 502)])
def test_servers_that_are_none(place: Place, answer: Callable[[socket.socket], None], status: int) -> None:
    with listener(answer) as url:
        made(place.api().post(place.rest + "upstreams/", {"name": "modules", "kind": "git", "url": url}))
        said = place.as_("rita").get("/mod")

        assert said.status == status, said
        assert "modules" in said.json()["error"]
