"""`npm token list`, `create` and `revoke`: the caller's own tokens, in npm's words."""

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from protocols.npm.door import Visit, read_object, visit
from protocols.npm.errors import WrongPassword, json_response
from protocols.npm.render import token_json, token_key
from protocols.npm.wishes import is_unbounded, wish_of
from tokens.errors import CredentialsInvalid, TokenNotFound
from tokens.models import Token
from tokens.secrets import digest, is_secret
from tokens.services.authenticate import verified_for_clients
from tokens.services.issue import create_token, revoke_token
from workspaces.errors import Conflict, Denied, Invalid, Unauthenticated

PAGE = 100
SHORT = 6  # characters of a key that npm shows and takes for the whole
NOTICE = (
    "This token may do everything you may. npm 11 and 12 do not send --read-only: for less, revoke it and create one with"
    " --packages-all or --packages and --packages-and-scopes-permission=read-only."
)


class TokenAmbiguous(Conflict):
    """A short form that several tokens share."""

    code = "token_ambiguous"


def read_tokens(request: HttpRequest, ws: str, reg: str) -> HttpResponse:
    """The caller's tokens, newest first, in pages that npm follows by `urls.next`. `urls` must be there, or npm fails."""
    here = _person(request, ws, reg)
    own, number = _own(here), _page(request)
    page = list(own[number * PAGE : (number + 1) * PAGE + 1])
    urls = {"next": f"{here.base_url}/-/npm/v1/tokens?page={number + 1}"} if len(page) > PAGE else {}
    return json_response({"objects": [token_json(token) for token in page[:PAGE]], "total": own.count(), "urls": urls})


def add_token(request: HttpRequest, ws: str, reg: str) -> HttpResponse:
    """A new token; npm asks for the password again. Raises TokenInvalid, TokenTooWide, WrongPassword, LoginThrottled."""
    here = _person(request, ws, reg)
    body = read_object(request)
    password = body.get("password")
    if not isinstance(password, str) or not password:
        raise Invalid("Creating a token needs the `password`.", fields={"password": "missing"})
    wish = wish_of(body, here.registry.pk)
    try:
        verified_for_clients(here.actor.name, password, here.actor.ip)
    except CredentialsInvalid:
        raise WrongPassword("The password is wrong.", fields={"password": "wrong"}) from None
    issued = create_token(actor=here.actor, wish=wish)
    response = json_response({**token_json(issued.token), "token": issued.secret}, 201)
    if is_unbounded(body):
        response.headers["npm-notice"] = NOTICE
    return response


def remove_token(request: HttpRequest, ws: str, reg: str, key: str) -> HttpResponse:
    """End a token, named by the secret itself, by its key, or by the beginning of either that npm lists.

    Raises TokenNotFound, TokenAmbiguous.
    """
    here = _person(request, ws, reg)
    revoke_token(actor=here.actor, token_id=_named(here, key.removesuffix("…")))
    return HttpResponse(status=204)


def _named(here: Visit, text: str) -> int:
    """The id of the one token of the caller's that `text` names."""
    if is_secret(text):
        found = list(_own(here).filter(secret_hash=digest(text)).values_list("pk", flat=True))
    elif text.startswith("gth_"):
        found = list(_own(here).filter(prefix=text).values_list("pk", flat=True))
    else:
        rows = _own(here).values_list("pk", "secret_hash") if len(text) >= SHORT else ()
        found = [pk for pk, secret_hash in rows if token_key(secret_hash).startswith(text)]
    if len(found) > 1:
        raise TokenAmbiguous("Several tokens of yours begin like this; name one by more of its key.")
    if not found:
        raise TokenNotFound("There is no such token of yours.")
    return int(found[0])


def _page(request: HttpRequest) -> int:
    text = request.GET.get("page", "0")
    if not (text.isascii() and text.isdigit() and len(text) < 9):  # noqa: PLR2004 - more pages than anybody has
        raise Invalid("`page` is a number, from 0.", fields={"page": "not a number"})
    return int(text)


def _person(request: HttpRequest, ws: str, reg: str) -> Visit:
    """A person with a credential that manages. Raises Unauthenticated, Denied."""
    here = visit(request, ws, reg)
    if here.actor.is_anonymous:
        raise Unauthenticated("You are not logged in. Run npm login, or send a token.")
    if here.actor.user_id is None or (here.actor.grant is not None and not here.actor.grant.manages):
        raise Denied("A service, scoped or read-only token manages no tokens.")
    return here


def _own(here: Visit) -> QuerySet[Token]:
    return Token.objects.filter(owner_id=here.actor.user_id)
