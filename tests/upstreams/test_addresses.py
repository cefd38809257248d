"""Where a conversation may lead: redirects, rebinding, mixed names, proxies, and lines with something left on them.

Rows U2 to U6, U14 and U20 of the threats.
"""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from upstreams.clients.guard import parse_network
from upstreams.clients.http import Target, get
from upstreams.errors import UpstreamBadAnswer, UpstreamError, UpstreamForbiddenAddress, UpstreamUnreachable

LOOPBACK = (parse_network("127.0.0.0/8"),)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Listener:
    """Answers each request by its path; remembers how many lines were opened and what was asked on them."""

    def __init__(self, answer: Callable[[str], bytes]) -> None:
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self.lines = 0
        self.asked: list[bytes] = []
        threading.Thread(target=self._run, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def target(self, url: str = "", **more: object) -> Target:
        return Target(name="odd", url=url or self.url, total_timeout=5.0, read_timeout=2.0, **{"allowed": LOOPBACK, **more})  # type: ignore[arg-type]

    def close(self) -> None:
        self._socket.close()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                line = self._socket.accept()[0]
                self.lines += 1
                threading.Thread(target=self._talk, args=(line,), daemon=True).start()

    def _talk(self, line: socket.socket) -> None:
        with contextlib.suppress(OSError), line:
            while request := line.recv(65536):
                self.asked.append(request)
                line.sendall(self._answer(request.split(b" ")[1].decode()))


@pytest.fixture
def listen() -> Iterator[Callable[[Callable[[str], bytes]], Listener]]:
    made: list[Listener] = []

    def listening(answer: Callable[[str], bytes]) -> Listener:
        made.append(Listener(answer))
        return made[-1]

    yield listening
    for one in made:
        one.close()


def to(location: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


def read(target: Target, url: str = "") -> bytes:
    with contextlib.closing(get(target, url or target.url, {})) as answer:
        return b"".join(answer.pieces(1000))


Listen = Callable[[Callable[[str], bytes]], Listener]


@pytest.mark.parametrize("hops", [1, 5])
def test_five_redirects_are_followed(listen: Listen, hops: int) -> None:
    upstream = listen(lambda path: OK if path == f"/{hops}" else to(f"/{int(path.strip('/') or 0) + 1}"))
    assert read(upstream.target()) == b"ok"


def test_a_sixth_is_not(listen: Listen) -> None:
    upstream = listen(lambda path: to(f"/{int(path.strip('/') or 0) + 1}"))
    with pytest.raises(UpstreamBadAnswer, match="circles"):
        read(upstream.target())
    assert len(upstream.asked) == 6


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "gopher://127.0.0.1:70/_x", "ftp://registry.example.org/x", "data:text/plain,x", "javascript:1",
     "http://user:pw@registry.example.org/", "http://[::1", "", "http://10.0.0.1/", "http://169.254.169.254/latest/meta-data/",
     "http://[fd00::1]/", "http://[::ffff:10.0.0.1]/", "http://0.0.0.0/", "http://100.64.0.1/", "http://192.168.0.1:8080/"],
)  # fmt: skip
def test_a_redirect_elsewhere_opens_no_line(listen: Listen, location: str) -> None:
    upstream = listen(lambda _: to(location))
    with pytest.raises((UpstreamForbiddenAddress, UpstreamBadAnswer)):
        read(upstream.target())
    assert len(upstream.asked) == 1


def test_https_is_never_left_for_http() -> None:
    from upstreams.clients import http

    target = Target(name="odd", url="https://registry.example.org")
    with pytest.raises(UpstreamForbiddenAddress):
        http._next(target, "https://registry.example.org/a", "http://registry.example.org/a")
    assert http._next(target, "https://registry.example.org/a", "/b") == "https://registry.example.org/b"


def answers_with(monkeypatch: pytest.MonkeyPatch, *rounds: list[str]) -> list[str]:
    """Let names resolve to these addresses, a list for each question; returns the names asked for."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        addresses = rounds[min(len(asked), len(rounds)) - 1]
        kinds = [(socket.AF_INET6 if ":" in one else socket.AF_INET, one) for one in addresses]
        return [(kind, socket.SOCK_STREAM, 6, "", (one, port, 0, 0) if ":" in one else (one, port)) for kind, one in kinds]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def test_a_name_is_resolved_once_and_the_line_goes_to_what_was_judged(listen: Listen, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rebinding: a second look at the name would find the other address."""
    upstream, other = listen(lambda _: OK), listen(lambda _: OK)
    asked = answers_with(monkeypatch, ["127.0.0.1"], ["127.0.0.2"])
    target = upstream.target(f"http://x.rebind.example.org:{upstream.port}", allowed=(parse_network("127.0.0.1/32"),))
    assert read(target) == b"ok"
    assert asked == ["x.rebind.example.org"]
    with pytest.raises(UpstreamForbiddenAddress):  # the next line looks again, and is judged again
        read(upstream.target(f"http://x.rebind.example.org:{other.port}", allowed=(parse_network("127.0.0.1/32"),)))
    assert other.lines == 0


@pytest.mark.parametrize(
    "second", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "fe80::1", "2002:7f00:1::1"]
)
def test_a_name_with_a_public_and_a_private_address_is_refused(listen: Listen, monkeypatch: pytest.MonkeyPatch, second: str) -> None:
    sink = listen(lambda _: OK)
    for both in (["93.184.215.14", second], [second, "93.184.215.14"]):
        answers_with(monkeypatch, both)
        with pytest.raises(UpstreamForbiddenAddress, match="not public"):
            read(sink.target(f"http://multi.example.org:{sink.port}", allowed=()))
    assert sink.lines == 0


def test_proxies_of_the_environment_are_not_used(listen: Listen, monkeypatch: pytest.MonkeyPatch) -> None:
    sink, upstream = listen(lambda _: OK), listen(lambda _: OK)
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, sink.url)
    assert read(upstream.target()) == b"ok"
    assert (sink.lines, upstream.lines) == (0, 1)


def test_a_challenge_makes_nobody_go_elsewhere_with_our_credentials(listen: Listen) -> None:
    sink = listen(lambda _: OK)
    challenge = f'HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer realm="{sink.url}/token"\r\nContent-Length: 0\r\n\r\n'.encode()
    upstream = listen(lambda _: challenge)
    answer = get(upstream.target(authorization="Bearer ours"), upstream.url, {})
    answer.close()
    assert answer.status == 401
    assert sink.lines == 0


def test_a_line_with_surplus_bytes_is_not_used_again(listen: Listen) -> None:
    """An answer that was smuggled in behind another would be taken for the next question's."""
    smuggled = OK + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
    upstream = listen(lambda path: smuggled if path == "/first" else OK)
    target = upstream.target()
    assert read(target, f"{target.url}/first") == b"ok"
    assert read(target, f"{target.url}/second") == b"ok"
    assert upstream.lines == 2


@pytest.mark.parametrize(
    "head",
    [b"Content-Length: 2\r\nContent-Length: 3\r\n", b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", b"Content-Length: -1\r\n"],
    ids=["two lengths", "length and chunked", "negative length"],
)
def test_an_answer_of_two_minds_poisons_no_other(listen: Listen, head: bytes) -> None:
    upstream = listen(lambda path: b"HTTP/1.1 200 OK\r\n" + head + b"\r\nok" if path == "/odd" else OK)
    target = upstream.target()
    with contextlib.suppress(UpstreamError):
        assert read(target, f"{target.url}/odd") in {b"ok", b""}
    assert read(target, f"{target.url}/plain") == b"ok"
    assert upstream.lines == 2, "the odd line was given up"


def test_nobody_there_is_said_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(UpstreamUnreachable, match="refused"):
        read(Target(name="gone", url=f"http://127.0.0.1:{port}", allowed=LOOPBACK))
