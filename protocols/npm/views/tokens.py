"""`npm token list`, `create` and `revoke`: the caller's own tokens, in npm's words."""

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from packages.formats.errors import NotSupported
from packages.formats.npm.names import parse_known
from protocols.npm.door import Visit, read_object, visit
from protocols.npm.errors import WrongPassword, json_response
from protocols.npm.render import token_json, token_key
from tokens.errors import CredentialsInvalid, TokenInvalid, TokenNotFound
from tokens.models import Token
from tokens.secrets import digest, is_secret
from tokens.services.authenticate import verified_user
from tokens.services.issue import Wish, create_token, revoke_token
from workspaces.errors import Denied, Invalid, Unauthenticated

LIST_LIMIT = 100  # packages or scopes of one token
DAYS_LIMIT = 36_500
# npm's words for what a granular token may do with its packages and scopes, and ours.
PERMISSIONS = {"read-only": "read", "read-write": "write"}


def read_tokens(request: HttpRequest, ws: str, reg: str) -> HttpResponse:
    """All tokens of the caller. `urls` must be there, or npm fails."""
    here = _person(request, ws, reg)
    objects = [token_json(token) for token in _own(here)]
    return json_response({"objects": objects, "total": len(objects), "urls": {}})


def add_token(request: HttpRequest, ws: str, reg: str) -> HttpResponse:
    """A new token; npm asks for the password again."""
    here = _person(request, ws, reg)
    body = read_object(request)
    password = body.get("password")
    if not isinstance(password, str) or not password:
        raise Invalid("Creating a token needs the `password`.", fields={"password": "missing"})
    try:
        verified_user(here.actor.name, password, here.actor.ip)
    except CredentialsInvalid:
        raise WrongPassword("The password is wrong.") from None
    issued = create_token(actor=here.actor, wish=wish_of(body))
    return json_response({**token_json(issued.token), "token": issued.secret}, 201)


def remove_token(request: HttpRequest, ws: str, reg: str, key: str) -> HttpResponse:
    """End a token, named by its key or by the secret itself."""
    here = _person(request, ws, reg)
    wanted = digest(key) if is_secret(key) else None
    for token in _own(here):
        if token.secret_hash == wanted or token_key(token) == key:
            revoke_token(actor=here.actor, token_id=token.pk)
            return HttpResponse(status=204)
    raise TokenNotFound("There is no such token of yours.")


def wish_of(body: dict[str, object]) -> Wish:
    """The fields npm sends, of versions up to 10 and the granular ones of 11 and 12, as our own. Raises TokenInvalid."""
    name, description = _text(body, "name"), _text(body, "description")
    days = body.get("expires")
    if days is not None and (type(days) is not int or not 1 <= days <= DAYS_LIMIT):
        raise TokenInvalid("`expires` is a number of days.", fields={"expires": "not days"})
    return Wish(
        name=(": ".join(part for part in (name, description) if part) or "npm token")[:128],
        read_only=body.get("readonly") is True,
        expires_at=timezone.now() + timedelta(days=days) if type(days) is int else None,
        scopes=_scopes(body),
        cidrs=_texts(body, "cidr_whitelist"),
    )


def _scopes(body: dict[str, object]) -> list[str] | None:
    """None when nothing narrows the token; else one of our scopes per package and npm scope."""
    packages, scopes = _texts(body, "packages"), _texts(body, "scopes")
    everything, permission = body.get("packages_all") is True, _text(body, "packages_and_scopes_permission")
    if not (packages or scopes or everything or permission):
        return None
    if permission == "no-access":
        return []
    if permission and permission not in PERMISSIONS:
        raise NotSupported(f"Tokens with the permission {permission[:40]!r} are not supported here yet.")
    action = PERMISSIONS.get(permission, "read")
    names = [parse_known(package).full for package in packages] + [f"{_npm_scope(scope)}/*" for scope in scopes]
    if everything or not names:
        names = ["*"]
    return [f"npm:package:{name}:{action}" for name in names]


def _npm_scope(scope: str) -> str:
    """`@acme`, as npm takes it with and without the sign."""
    named = parse_known(f"@{scope.removeprefix('@')}/x")
    return f"@{named.scope}"


def _text(body: dict[str, object], field: str) -> str:
    value = body.get(field)
    if value is None:
        return ""
    if not isinstance(value, str) or not value.isprintable():
        raise TokenInvalid(f"`{field}` is not a text.", fields={field: "not a text"})
    return value.strip()


def _texts(body: dict[str, object], field: str) -> list[str]:
    value = body.get(field)
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > LIST_LIMIT or not all(isinstance(item, str) for item in value):
        raise TokenInvalid(f"`{field}` is not a list of texts.", fields={field: "not a list"})
    return value


def _person(request: HttpRequest, ws: str, reg: str) -> Visit:
    """A person with a credential that manages. Raises Unauthenticated, Denied."""
    here = visit(request, ws, reg)
    if here.actor.is_anonymous:
        raise Unauthenticated("You are not logged in. Run npm login, or send a token.")
    if here.actor.user_id is None or (here.actor.grant is not None and not here.actor.grant.manages):
        raise Denied("A service, scoped or read-only token manages no tokens.")
    return here


def _own(here: Visit) -> list[Token]:
    return list(Token.objects.filter(owner_id=here.actor.user_id))
