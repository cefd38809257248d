"""Who asks, for REST: a token, a password, or the browser's session (CONTRACT.md section 4).

The answer is an `Actor`, carried as `request.auth`; views read it through `Door.actor`. An
Authorization header decides alone: when it is not valid the answer is 401, whatever cookies came along.
"""

from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from tokens.services.authenticate import actor_for, actor_of_user
from workspaces.access import Actor
from workspaces.models import User

CHALLENGE = 'Bearer realm="Gatehouse", Basic realm="Gatehouse", charset="UTF-8"'


class GatehouseAuthentication(BaseAuthentication):
    """The Authorization header: Bearer, or Basic with a password or a token."""

    def authenticate(self, request: Request) -> tuple[Actor, Actor] | None:
        """The actor behind the header, None without one. Raises CredentialsInvalid, AddressNotAllowed, LoginThrottled."""
        header = request.headers.get("Authorization", "")
        if "Authorization" not in request.headers:
            return None
        actor = actor_for(header.strip() or "empty", client_ip(request))
        request.META["gatehouse.actor"] = actor  # for the request log
        return actor, actor

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - the framework's signature
        """What WWW-Authenticate says on a 401."""
        return CHALLENGE


class BrowserSession(SessionAuthentication):
    """The session of a signed-in person; the framework asks for the CSRF token on every unsafe method."""

    def authenticate(self, request: Request) -> tuple[Actor, Actor] | None:
        """The person of the session, None without one. Raises PermissionDenied when the CSRF token is missing."""
        found = super().authenticate(request)
        if found is None or not isinstance(found[0], User):
            return None
        actor = actor_of_user(found[0], ip=client_ip(request))
        request.META["gatehouse.actor"] = actor  # for the request log
        return actor, actor


def client_ip(request: Request) -> str:
    """The caller's address; the entry has applied TRUSTED_PROXIES already, so no header is believed here."""
    return str(request.META.get("REMOTE_ADDR", ""))
