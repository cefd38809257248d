"""A person at the approval page, without a browser: cookies, the form's hidden fields, a POST."""

import re
from http.cookies import SimpleCookie
from typing import Self
from urllib.parse import urlencode, urlsplit

import urllib3

from tests.parts.gatehouse import PASSWORD

HIDDEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
PAGE = re.compile(r"https?://\S+/login/cli/[0-9a-f]+")


def approve(page: str, server: str, who: str, *, answer: str = "approve") -> None:
    """Sign in at the page's address and press the button. `server` is where the installation listens."""
    path = urlsplit(page).path
    person = Person(server).sign_in(who)
    shown = person.send(path)
    assert who in shown, shown
    person.send(path, {"answer": answer})


class Person:
    """Somebody with cookies."""

    def __init__(self, server: str) -> None:
        self.server = server
        self.cookies: dict[str, str] = {}

    def sign_in(self, who: str) -> Self:
        """With the password."""
        self.send("/login", {"username": who, "password": PASSWORD, "next": "/"}, expect=302)
        return self

    def send(self, path: str, form: dict[str, str] | None = None, *, at: str = "", expect: int = 200) -> str:
        """GET, or POST with the token of the form that is on the page, or on that `at`; the page's HTML."""
        if form is None:
            return self._ask("GET", path, None, expect)
        hidden = HIDDEN.search(self._ask("GET", at or path, None, 200))
        assert hidden, f"{at or path} has no form"
        return self._ask("POST", path, urlencode({**form, "csrfmiddlewaretoken": hidden[1]}), expect)

    def _ask(self, method: str, path: str, body: str | None, expect: int) -> str:
        headers = {"Cookie": "; ".join(f"{key}={value}" for key, value in self.cookies.items()), "Accept": "text/html"}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        reply = urllib3.request(method, self.server + path, body=body, headers=headers, redirect=False, timeout=30)
        for line in reply.headers.getlist("set-cookie"):
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        text = reply.data.decode()
        assert reply.status == expect, f"{method} {path}: {reply.status} {text[:500]}"
        return text
