"""GitHub as far as sign-in asks it, on loopback over real HTTP: the page a browser is sent to, the exchange of the code, the API.

Whoever sits at the browser is `person`, and says yes at once; `denies` makes it a no. `troubles` answers a path otherwise.
"""

import itertools
import json
import secrets
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

CLIENT, SECRET = "Iv1.0123456789abcdef", "github-client-secret"
AUTHORIZE, EXCHANGE = "/login/oauth/authorize", "/login/oauth/access_token"
USER, EMAILS = "/api/v3/user", "/api/v3/user/emails"
JSON = "application/json; charset=utf-8"
_numbers = itertools.count(583231)


@dataclass
class Person:
    """An account at GitHub."""

    login: str = "octocat"
    id: Any = field(default_factory=lambda: next(_numbers))
    name: Any = "Mona Lisa"
    emails: Any = field(default_factory=lambda: [{"email": "mona@example.org", "primary": True, "verified": True}])

    @property
    def described(self) -> dict[str, Any]:
        """What `/user` says."""
        return {"login": self.login, "id": self.id, "name": self.name, "email": None, "type": "User"}


@dataclass(frozen=True)
class Trouble:
    """Another answer than the right one; `after` so many seconds, in so many `drops` of which each takes as long again."""

    status: int = 200
    body: bytes = b""
    after: float = 0.0
    location: str = ""


class GitHub:
    """The server. `asked` is every request as `METHOD path`; codes count once and tokens are remembered."""

    def __init__(self) -> None:
        self.person, self.denies = Person(), False
        self.troubles: dict[str, Trouble] = {}
        self.asked: list[str] = []
        self.codes: dict[str, tuple[Person, str]] = {}
        self.tokens: dict[str, Person] = {}
        self.over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (_Handler,), {"hub": self}))
        self._server.daemon_threads, self._server.block_on_close = True, False
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that gave up is no news

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def settings(self) -> dict[str, str]:
        """What Django is told of it."""
        return {
            "SOCIAL_AUTH_GITHUB_KEY": CLIENT,
            "SOCIAL_AUTH_GITHUB_SECRET": SECRET,
            "SOCIAL_AUTH_GITHUB_URL": self.url,
            "SOCIAL_AUTH_GITHUB_API_URL": f"{self.url}/api/v3",
        }

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()

    def consent(self, query: dict[str, str]) -> str:
        """Where the browser goes on to, once the person answered."""
        back, state = query["redirect_uri"], query["state"]
        if query.get("client_id") != CLIENT:
            return f"{back}?{urlencode({'error': 'application_suspended', 'state': state})}"
        if self.denies:
            return f"{back}?{urlencode({'error': 'access_denied', 'error_description': '<script>x</script>', 'state': state})}"
        code = secrets.token_hex(10)
        self.codes[code] = (self.person, back)
        return f"{back}?{urlencode({'code': code, 'state': state})}"

    def exchange(self, form: dict[str, str]) -> dict[str, str]:
        """A token for a code, once; GitHub says what is wrong with status 200."""
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET):
            return {"error": "incorrect_client_credentials", "error_description": "The client_id and/or client_secret are incorrect."}
        person, back = self.codes.pop(form.get("code", ""), (None, ""))
        if person is None:
            return {"error": "bad_verification_code", "error_description": "The code passed is incorrect or expired."}
        if form.get("redirect_uri") != back:
            return {"error": "redirect_uri_mismatch"}
        token = f"gho_{secrets.token_hex(18)}"
        self.tokens[token] = person
        return {"access_token": token, "scope": "user:email", "token_type": "bearer"}


class _Handler(BaseHTTPRequestHandler):
    hub: GitHub

    def do_GET(self) -> None:
        """The consent page, which answers at once, and the API."""
        parts = urlsplit(self.path)
        if self._is_trouble(parts.path):
            return
        if parts.path == AUTHORIZE:
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            self._say(302, b"", location=self.hub.consent(query))
            return
        person = self.hub.tokens.get(self.headers.get("Authorization", "").removeprefix("token "))
        known: dict[str, Any] = {USER: person.described, EMAILS: person.emails} if person else {}
        if parts.path in known:
            self._say(200, json.dumps(known[parts.path]).encode())
        else:
            self._say(404 if person else 401, b'{"message": "no"}')

    def do_POST(self) -> None:
        """The exchange."""
        form = dict(parse_qsl(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()))
        if not self._is_trouble(self.path):
            self._say(200, json.dumps(self.hub.exchange(form)).encode())

    def _is_trouble(self, path: str) -> bool:
        self.hub.asked.append(f"{self.command} {path}")
        trouble = self.hub.troubles.get(path)
        if trouble is None:
            return False
        self.hub.over.wait(trouble.after)
        self._say(trouble.status, trouble.body, location=trouble.location)
        return True

    def _say(self, status: int, body: bytes, *, location: str = "") -> None:
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Type", JSON)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own word
        """Nothing on the terminal."""
