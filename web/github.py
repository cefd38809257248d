"""The conversation with GitHub (or GitHub Enterprise) in which somebody proves who they are there (docs/adr/0014).

social-auth-core leads it: what is asked, the `state` that binds the answer to this browser, the errors. Its requests go
through our own guarded client, and what follows from the answer is the services' (tokens/services/identities.py).
Imported when somebody asks for it: the library takes 5 MB and a third of a second.
"""

import re
import time
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import orjson
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from social_core.backends.github import GithubOAuth2
from social_core.exceptions import AuthInputError, AuthProviderError, AuthResponseError, SocialAuthBaseException
from social_core.storage import BaseStorage, NonceMixin
from social_django.strategy import DjangoStrategy

from tokens.services.identities import Visitor
from upstreams.clients.http import Target, get, post, refuse_status
from upstreams.errors import UpstreamError
from workspaces.errors import Invalid
from workspaces.room import release_connection
from workspaces.services.profile import NAME_LIMIT, check_profile

NAME = "github"
LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
LARGEST = 256 * 1024  # bytes of an answer
SECONDS = 15.0  # for the whole conversation: somebody waits, and so does a thread
TOKEN = re.compile(r"[!-~]{1,512}")  # what a header can carry
CODE_LENGTH = 512
OK, TOO_MANY, FAILING = 200, 429, 500


@dataclass(frozen=True)
class Errand:
    """What a person set out to GitHub for: to come back to `after`, or to link the account to `link_to`, who was signed in."""

    after: str
    link_to: int | None = None


class Claims(NonceMixin):
    """That a `state` counts once, whatever else the session says; shared by the processes."""

    @classmethod
    def use(cls, server_url: str, timestamp: int, salt: str) -> bool:  # noqa: ARG003 - the library's signature
        """Note it. False: it is there already."""
        return cache.add(f"{server_url}:{salt}", 1, timeout=settings.SOCIAL_AUTH_GITHUB_STATE_LIFETIME)

    @classmethod
    def consume(cls, server_url: str, timestamp: int, salt: str) -> bool:  # noqa: ARG003
        """Strike it out. False: somebody was quicker, or it is too old."""
        return cache.delete(f"{server_url}:{salt}")


class Storage(BaseStorage):
    """The library's tables are not ours: only its nonces are kept."""

    nonce = Claims


class GitHub(GithubOAuth2[HttpResponse]):
    """The library's backend at the addresses of the environment. Ends with `visitor`, and signs nobody in."""

    errand = Errand("")
    visitor: Visitor | None = None
    until = 0.0

    def authorization_url(self) -> str:
        """Where the browser is sent."""
        return f"{settings.SOCIAL_AUTH_GITHUB_URL}/login/oauth/authorize"

    def access_token_url(self) -> str:
        """Where the code is exchanged."""
        return f"{settings.SOCIAL_AUTH_GITHUB_URL}/login/oauth/access_token"

    def api_url(self) -> str:
        """Where the account is described."""
        return f"{settings.SOCIAL_AUTH_GITHUB_API_URL}/"

    def get_or_create_state(self) -> str | None:
        """The library's, with the errand beside it: two tabs have one each."""
        state = super().get_or_create_state()
        key = self.transaction_key(str(state))
        errand = {"after": self.errand.after, "link_to": self.errand.link_to}
        self.strategy.session_set(key, {**self.strategy.session_get(key), "errand": errand})
        return state

    def validate_state(self) -> str | None:
        """The library's, and the errand is known again."""
        transaction = self.strategy.session_get(self.transaction_key(str(self.get_request_state())))  # type: ignore[no-untyped-call]
        state = super().validate_state()
        self.errand = Errand(**transaction["errand"])
        return state

    def get_access_token(self, response: dict[str, Any]) -> str:
        """The library's, if a header can carry it."""
        token = super().get_access_token(response)
        if not TOKEN.fullmatch(token):
            raise AuthResponseError(self, code="malformed_response", stage="token_exchange")
        return token

    def do_auth(self, access_token: str, *args: object, **kwargs: object) -> None:  # noqa: ARG002 - the library's signature
        """Who it is, in GitHub's own words, checked. Raises AuthResponseError."""
        said = self._user_data(access_token)  # type: ignore[no-untyped-call]
        uid, login, name = (said.get(key) for key in ("id", "login", "name")) if isinstance(said, dict) else (None, None, None)
        if not isinstance(uid, int) or isinstance(uid, bool) or uid <= 0 or not isinstance(login, str) or not LOGIN.fullmatch(login):
            raise AuthResponseError(self, code="malformed_response", stage="user_info")
        called = name.strip() if isinstance(name, str) and name.isprintable() else ""
        self.visitor = Visitor(provider=NAME, uid=str(uid), login=login, name=called[:NAME_LIMIT], token=access_token)

    def proved_email(self, token: str) -> str:
        """The account's first address, if GitHub says that it was proved; '' also where it will not tell."""
        try:
            said: object = self._user_data(token, "/emails")  # type: ignore[no-untyped-call]
        except (SocialAuthBaseException, UpstreamError):
            return ""
        for one in said if isinstance(said, list) else []:
            if isinstance(one, dict) and one.get("primary") is True and one.get("verified") is True:
                return _usable(one.get("email"))
        return ""

    def request(self, url: str, **asked: Any) -> "Heard":  # type: ignore[override]  # the library wants `.json()` of it
        """One question, by our own client. Raises UpstreamError, SocialAuthBaseException."""
        given = {name.lower(): value for name, value in (asked.get("headers") or {}).items()}
        headers = {"accept": "application/json"} | {name: given[name] for name in ("content-type",) if name in given}
        target = _target(url, given.get("authorization", ""), self.until - time.monotonic())
        posted = asked.get("method") == "POST"
        answer = post(target, url, urlencode(asked.get("data") or {}).encode(), headers) if posted else get(target, url, headers)
        try:
            heard = Heard(answer.status, b"".join(answer.pieces(LARGEST)))
        finally:
            answer.close()
        if heard.status == TOO_MANY or heard.status >= FAILING:
            raise refuse_status(answer)
        if heard.status != OK:
            stage = asked.get("stage", "user_info")
            named = self.get_provider_error(heard.loosely(), stage=stage, status_code=heard.status)
            raise named or AuthProviderError(self, code="http_error", stage=stage, status_code=heard.status)
        return heard


@dataclass(frozen=True)
class Heard:
    """An answer, as much of it as the library reads."""

    status: int
    body: bytes

    def json(self) -> Any:
        """Its body. Raises ValueError."""
        return orjson.loads(self.body)

    def loosely(self) -> Any:
        """The same; None where it is none."""
        try:
            return self.json()
        except ValueError:
            return None


def begin(request: HttpRequest, errand: Errand) -> HttpResponse:
    """Send the browser to GitHub."""
    backend = _backend(request)
    backend.errand = errand
    return backend.start()


def complete(request: HttpRequest) -> tuple[Visitor, Errand, GitHub]:
    """Who came back, and what for. Raises SocialAuthBaseException, UpstreamError."""
    backend = _backend(request)
    if "error" not in request.GET and not 0 < len(request.GET.get("code", "")) <= CODE_LENGTH:
        raise AuthInputError(backend, parameter="code", code="missing_parameter", stage="callback")
    release_connection()
    backend.auth_complete()
    if backend.visitor is None:
        raise AuthResponseError(backend, code="malformed_response", stage="user_info")
    return backend.visitor, backend.errand, backend


def with_email(backend: GitHub, visitor: Visitor) -> Visitor:
    """The visitor with the address the sign-up form is filled in with: one question more, asked of newcomers alone."""
    release_connection()
    return replace(visitor, email=backend.proved_email(visitor.token))


def _backend(request: HttpRequest) -> GitHub:
    address = f"{settings.EXTERNAL_HOST}{reverse('web:github-callback')}"
    backend = GitHub(DjangoStrategy(Storage, request), address)
    backend.until = time.monotonic() + SECONDS
    return backend


def _target(url: str, authorization: str, seconds: float) -> Target:
    """An address of the environment is the operator's word: it is reached whatever it resolves to."""
    left = max(seconds, 0.1)
    return Target(
        name="GitHub",
        url=url,
        authorization=authorization,
        is_probe=True,
        is_trusted=True,
        connect_timeout=min(5.0, left),
        read_timeout=min(10.0, left),
        total_timeout=left,
    )


def _usable(email: object) -> str:
    try:
        check_profile(email=str(email), full_name="")
    except Invalid:
        return ""
    return str(email)
