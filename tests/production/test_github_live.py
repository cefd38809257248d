"""GitHub sign-in at a live server of two processes: one begins, another may end it, and nothing secret is left in a log."""

import http.cookiejar
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts.gatehouse import Gatehouse
from tests.parts.github import CLIENT, SECRET, GitHub
from tests.parts.recorder import Recorder

FIELD = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class Browser:
    """A browser without script: cookies, redirects, forms. Each request is a connection of its own, so workers take turns."""

    def __init__(self, base: str) -> None:
        self.base, self.seen = base, [""]
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(jar)
        self._opener.addheaders = [("Accept", "text/html")]

    def get(self, path: str) -> str:
        """The page it ends at."""
        return self._open(urllib.request.Request(self.base + path))

    def post(self, path: str, **fields: str) -> str:
        """The form of the page that is shown, sent."""
        found = FIELD.search(self.seen[-1])
        assert found is not None
        body = urllib.parse.urlencode({"csrfmiddlewaretoken": found[1], **fields}).encode()
        return self._open(urllib.request.Request(self.base + path, data=body, headers={"Referer": self.base + "/"}))

    def _open(self, request: urllib.request.Request) -> str:
        with self._opener.open(request, timeout=30) as answer:
            self.seen.append(answer.read().decode())
        return self.seen[-1]


@pytest.fixture
def hub() -> Iterator[GitHub]:
    with GitHub() as hub:
        yield hub


@pytest.fixture
def server(tmp_path: Path, hub: GitHub, public: Recorder) -> Iterator[Gatehouse]:
    server = Gatehouse(tmp_path, "", public.url)
    server.env = {
        "EXTERNAL_HOST": server.url,
        "SIGNUP": "open",
        "ALLOWED_PRIVATE_NETWORKS": "",  # the operator's own word needs no permission
        "OAUTH_GITHUB_CLIENT": CLIENT,
        "OAUTH_GITHUB_SECRET": SECRET,
        "OAUTH_GITHUB_URL": hub.url,
    }
    try:
        server.start()
        yield server
    finally:
        server.stop()


def test_up_out_and_in_again(server: Gatehouse, hub: GitHub) -> None:
    for name in ("octocat", "hubot", "mona"):
        hub.person = type(hub.person)(login=name, emails=[{"email": f"{name}@example.org", "primary": True, "verified": True}])
        browser = Browser(server.url)
        browser.get("/login")
        page = browser.post("/www/login/providers/github", next="/account/")
        assert f'value="{name}"' in page
        page = browser.post("/www/signup", username=name, email="")
        assert "Welcome." in page
        assert f"<h1>{name}</h1>" in page
        browser.post("/logout")
        assert f"<h1>{name}</h1>" in browser.post("/www/login/providers/github", next="/account/")
    hub.denies = True
    browser.post("/logout")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        browser.post("/www/login/providers/github")
    server.stop()
    written = [path.read_bytes() for path in server.folder.rglob("*") if path.is_file() and "secrets" not in path.parts]
    known = [SECRET, *hub.tokens, "hubot@example.org"]
    assert len(hub.tokens) == 6
    assert not [secret for secret in known for content in written if secret.encode() in content]
    log = (server.data / "log" / "requests.jsonl").read_text()
    assert "/www/login/providers/github/callback" in log
    assert "code=" not in log + server.log()
