"""urllib3's connections behind the guard: judged addresses only, one resolution, a hook before anything is sent."""

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NameResolutionError, NewConnectionError

from upstreams.clients.guard import AddressForbidden, AllowedNetwork, resolve
from upstreams.clients.watchdog import Watch
from workspaces.room import release_connection

Origin = tuple[str, str, int]  # scheme, host, port
QUICK: int | None = getattr(socket, "TCP_QUICKACK", None)  # Linux


def no_check() -> None:
    """Nothing to check before sending."""


_hook = threading.local()


@contextlib.contextmanager
def sending(before_send: Callable[[], None], watch: Watch) -> Iterator[None]:
    """Let this thread's next request be watched, and run `before_send` between connect and send."""
    _hook.before_send, _hook.watch = before_send, watch
    try:
        yield
    finally:
        _hook.before_send, _hook.watch = no_check, None


def _watched(connection: Any, sock: socket.socket) -> None:
    """Tell the conversation of this thread which line it is on."""
    watch: Watch | None = getattr(_hook, "watch", None)
    if watch is not None:
        watch.attach(connection, sock)


class _Wary(http.client.HTTPResponse):
    """An answer after which nothing may be left on the line: it would be taken for the next question's answer."""

    def _close_conn(self) -> None:
        """The hook of http.client (3.11 to 3.14) for the end of the body: shut the line, and the pool drops it."""
        line = _line(self.fp)
        if line is not None and _has_more(self.fp, line):
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        super()._close_conn()  # type: ignore[misc]


def _line(stream: Any) -> socket.socket | None:
    """The socket under an answer's reader, unless it was closed; socket.SocketIO has no public way to it."""
    found: socket.socket | None = getattr(stream.raw, "_sock", None)
    return found


def _has_more(stream: Any, line: socket.socket) -> bool:
    """Whether bytes wait in the reader or on its socket; never waits for them."""
    patience = line.gettimeout()
    try:
        line.settimeout(0)
        return bool(stream.peek(1))
    except (OSError, ValueError):  # nothing there (or the line is gone: the pool will see)
        return False
    finally:
        with contextlib.suppress(OSError):
            line.settimeout(patience)


class _Guarded:
    """Mixin of urllib3's connections: connects to a judged address, asks the hook before it sends."""

    gate_trusted = False
    gate_allowed: tuple[AllowedNetwork, ...] = ()
    gate_watch: Watch | None = None

    def _new_conn(self: Any) -> socket.socket:
        release_connection()  # whoever waits for an upstream holds none of the database
        try:
            found = resolve(self._dns_host, self.port, self.gate_allowed, trusted=self.gate_trusted)
        except AddressForbidden:
            raise
        except (OSError, UnicodeError) as error:
            raise NameResolutionError(self.host, self, socket.gaierror(str(error))) from error
        return _connected(self, found)

    def request(self: Any, *args: Any, **kwargs: Any) -> None:
        if self.sock is None:
            self.connect()
        _watched(self, self.sock)
        getattr(_hook, "before_send", no_check)()
        super().request(*args, **kwargs)  # type: ignore[misc]
        acknowledge_at_once(self.sock)


class _GuardedHTTP(_Guarded, HTTPConnection):
    response_class = _Wary


class _GuardedHTTPS(_Guarded, HTTPSConnection):
    response_class = _Wary


def acknowledge_at_once(sock: socket.socket | None) -> None:
    """Acknowledge the head of the answer without delay; the option holds for what comes next only (tcp(7)).

    Servers that write head and body apart hold the body back until then (Nagle): 40 ms of each small answer.
    """
    if QUICK is not None and sock is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, QUICK, 1)


def _connected(connection: Any, found: list[tuple[int, tuple[object, ...]]]) -> socket.socket:
    """Connect to the first judged address that answers; no second look at the name."""
    last: OSError = OSError("no address")
    for family, address in found:
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            for option in connection.socket_options or ():
                sock.setsockopt(*option)
            sock.settimeout(connection.timeout if isinstance(connection.timeout, int | float) else None)
            sock.connect(address)
        except TimeoutError as error:
            sock.close()
            raise urllib3.exceptions.ConnectTimeoutError(connection, "connect timed out") from error
        except OSError as error:
            sock.close()
            last = error
        else:
            _watched(connection, sock)  # now, for the TLS handshake too may drip
            return sock
    raise NewConnectionError(connection, str(last)) from last


def dialled(host: str, port: int, allowed: tuple[AllowedNetwork, ...], *, trusted: bool, seconds: float) -> socket.socket:
    """A connected socket that does not block, to a judged address. Raises AddressForbidden, OSError."""
    last: OSError = OSError("no address")
    for family, address in resolve(host, port, allowed, trusted=trusted):
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(seconds)
            sock.connect(address)
            sock.setblocking(False)
        except OSError as error:
            sock.close()
            last = error
        else:
            return sock
    raise last


_pools: dict[tuple[Origin, bool, tuple[AllowedNetwork, ...]], HTTPConnectionPool] = {}
_pools_lock = threading.Lock()
POOLS = 64


def pool_for(origin: Origin, *, trusted: bool, allowed: tuple[AllowedNetwork, ...]) -> HTTPConnectionPool:
    """A connection pool per origin and judgement; bounded in number."""
    key = (origin, trusted, allowed)
    with _pools_lock:
        if key not in _pools:
            if len(_pools) >= POOLS:
                _pools.pop(next(iter(_pools))).close()
            _pools[key] = _new_pool(origin, trusted=trusted, allowed=allowed)
        return _pools[key]


def _new_pool(origin: Origin, *, trusted: bool, allowed: tuple[AllowedNetwork, ...]) -> HTTPConnectionPool:
    scheme, host, port = origin
    base: type = _GuardedHTTPS if scheme == "https" else _GuardedHTTP
    connection = type(base.__name__, (base,), {"gate_trusted": trusted, "gate_allowed": allowed})
    if scheme == "https":
        pool: HTTPConnectionPool = HTTPSConnectionPool(host, port, maxsize=16, ssl_context=ssl.create_default_context())
    else:
        pool = HTTPConnectionPool(host, port, maxsize=16)
    pool.ConnectionCls = connection
    return pool
