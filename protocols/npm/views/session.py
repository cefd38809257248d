"""Ping, whoami, logging in and out.

The login routes look at no Authorization header: clients send the old, stale token along (reference/npm.md, rule 5).
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from protocols import wire
from protocols.npm.door import read_json, read_object, slug, visit
from protocols.npm.errors import WrongPassword, json_response
from tokens.errors import CredentialsInvalid, SecondFactorNeeded
from tokens.services.authenticate import actor_of_token, actor_of_user
from tokens.services.issue import Wish, create_token, revoke_token
from tokens.services.login_password import verified_for_login
from tokens.services.web_login import collect_login, start_login
from workspaces.errors import Denied, Invalid, Unauthenticated
from workspaces.models import User
from workspaces.selectors import colleague

POLL_SECONDS = "2"


def ping(request: HttpRequest, ws: str, reg: str) -> HttpResponse:
    """That the registry is there and the caller may use it."""
    visit(request, ws, reg)
    return json_response({})


def whoami(request: HttpRequest, ws: str, reg: str) -> HttpResponse:
    """The caller's name; a service token tells its own."""
    here = visit(request, ws, reg)
    if here.actor.is_anonymous:
        raise Unauthenticated("You are not logged in. Run npm login, or send a token.")
    return json_response({"username": here.actor.name})


def start(request: HttpRequest, ws: str, reg: str) -> HttpResponse:
    """Begin a web login: a page for the person, an address for the client to poll."""
    read_json(request)
    started = start_login(registry_path=f"{slug(ws)}/{slug(reg)}", client=client_of(request), ip=wire.client_ip(request))
    base_url = wire.registry_url(request, ws, reg)
    return json_response(
        {
            "loginUrl": f"{settings.EXTERNAL_HOST}/login/cli/{started.page_id}",
            "doneUrl": f"{base_url}/-/v1/login/poll/{started.poll_id}",
        }
    )


def poll(request: HttpRequest, ws: str, reg: str, poll_id: str) -> HttpResponse:  # noqa: ARG001 - the address
    """202 while the person has not answered, then the token, once."""
    issued = collect_login(poll_id=poll_id)
    if issued is None:
        waiting = json_response({}, 202)
        waiting.headers["Retry-After"] = POLL_SECONDS
        return waiting
    return json_response({"token": issued.secret})


def legacy_login(request: HttpRequest, ws: str, reg: str, username: str) -> HttpResponse:
    """Name and password for a token. Raises WrongPassword, LoginThrottled."""
    body = read_object(request)
    name, password = body.get("name"), body.get("password")
    if not isinstance(name, str) or not isinstance(password, str) or not name or not password:
        raise Invalid("A login needs `name` and `password`.", fields={"password": "missing"})
    if name != username:
        raise Invalid("The address and the body name different users.", fields={"name": "differs"})
    ip = wire.client_ip(request)
    user = _verified(name, password, ip, ws, reg)
    issued = create_token(actor=actor_of_user(user, ip=ip), wish=Wish(name=f"login from {client_of(request)}"[:128]))
    user_id = f"org.couchdb.user:{name}"
    return json_response({"ok": True, "id": user_id, "rev": f"1-{issued.token.pk}", "token": issued.secret}, 201)


def logout(request: HttpRequest, ws: str, reg: str, token: str) -> HttpResponse:  # noqa: ARG001 - the address
    """End the token in the address; one that is not known is as good as ended."""
    try:
        actor = actor_of_token(token, wire.client_ip(request))
    except CredentialsInvalid:
        return json_response({"ok": True})
    if actor.user_id is None or actor.grant is None:
        raise Denied("A service token is ended by the workspace's admins, not by npm logout.")
    revoke_token(actor=actor, token_id=actor.grant.token_id)
    return json_response({"ok": True})


def read_user(request: HttpRequest, ws: str, reg: str, username: str) -> HttpResponse:
    """The caller's own account or a colleague's, as npm's old login and `npm owner add` look at it; nobody else's."""
    here = visit(request, ws, reg)
    user = colleague(here.actor, here.registry.workspace, username)
    return json_response({"_id": f"org.couchdb.user:{username}", "name": user.username, "email": user.email})


def client_of(request: HttpRequest) -> str:
    """What the client calls itself, for people to recognise: printable, the first two words."""
    words = "".join(char if char.isprintable() else " " for char in request.headers.get("User-Agent", "")).split()
    return " ".join(words[:2])[:80] or "unknown client"


def _verified(name: str, password: str, ip: str, ws: str, reg: str) -> User:
    try:
        return verified_for_login(name, password, ip, workspace=slug(ws), registry=slug(reg))
    except (CredentialsInvalid, SecondFactorNeeded) as error:
        raise WrongPassword(error.message) from None
