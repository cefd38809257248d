"""`npm profile get`, `set` and what npm asks about a second factor (npm-profile of npm 6 to 12).

`profile set` reads the profile and sends every writable key back, an empty one as null. So null is "empty" and no
wish, and only `email` and `fullname` are kept: the other keys are refused by name when they hold anything.
"""

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse

from packages.formats.errors import NotSupported
from protocols.npm.door import read_object, visit
from protocols.npm.errors import WrongPassword, json_response
from tokens.errors import CredentialsInvalid
from tokens.services.account import change_password
from workspaces.access import Actor
from workspaces.errors import Invalid, Unauthenticated
from workspaces.models import User
from workspaces.services.profile import change_profile, check_profile, profile_changed_at

KEPT = frozenset({"email", "fullname"})
EMPTY = (None, "")
NO_SECOND_FACTOR = "A second factor cannot be set up here yet; nothing was changed."


def read_profile(request: HttpRequest, ws: str, reg: str) -> HttpResponse:
    """The caller's account. Any credential of a person's may look; a service has none."""
    actor = visit(request, ws, reg).actor
    if actor.user_id is None:
        raise Unauthenticated("You are not logged in as a person. Run npm login.")
    return json_response(profile_json(User.objects.get(pk=actor.user_id)))


def write_profile(request: HttpRequest, ws: str, reg: str) -> HttpResponse:
    """E-mail address and full name, or the password, or (refused) a second factor; answers the profile.

    All is checked before anything is changed. Raises Denied, Invalid, WrongPassword, LoginThrottled, NotSupported.
    """
    actor = visit(request, ws, reg).actor
    if actor.is_anonymous:
        raise Unauthenticated("You are not logged in. Run npm login, or send a token.")
    body = read_object(request)
    _check_keys(body)
    email, full_name = _text(body, "email"), _text(body, "fullname")
    check_profile(email=email, full_name=full_name)
    if body.get("password") is not None:
        _change_password(actor, body["password"])
    return json_response(profile_json(change_profile(actor=actor, email=email, full_name=full_name)))


def profile_json(person: User) -> dict[str, object]:
    """The account as npm prints it. Nobody checks e-mail addresses here, so none is called verified."""
    return {
        "name": person.username,
        "email": person.email,
        "email_verified": False,
        "fullname": person.get_full_name(),
        "created": person.date_joined.isoformat(),
        "updated": profile_changed_at(person),
        "tfa": None,
        "cidr_whitelist": None,
    }


def _check_keys(body: Mapping[str, object]) -> None:
    """Raise Invalid for what is not kept; for a second factor NotSupported, unless it is to be off, as it is."""
    tfa = body.get("tfa")
    if tfa is not None and not (isinstance(tfa, dict) and tfa.get("mode") == "disable"):
        raise NotSupported(NO_SECOND_FACTOR, fields={"tfa": "not supported"})
    for key in body:
        if key not in {*KEPT, "password", "tfa"} and body[key] not in EMPTY:
            raise Invalid(f"A profile here holds e-mail and fullname; {key[:40]!r} is not kept.", fields={key[:40]: "not kept"})
    password = body.get("password")
    if password is not None and not (isinstance(password, dict) and all(isinstance(password.get(key), str) for key in ("old", "new"))):
        raise Invalid("A new password is sent as {old, new}.", fields={"password": "not {old, new}"})


def _text(body: Mapping[str, object], key: str) -> str | None:
    if key not in body:
        return None
    value = body[key]
    if not isinstance(value, str | None):
        raise Invalid(f"`{key}` is not a text.", fields={key: "not a text"})
    return value or ""


def _change_password(actor: Actor, password: object) -> None:
    assert isinstance(password, dict)  # noqa: S101 - checked with the other keys
    try:
        change_password(actor=actor, old=password["old"], new=password["new"])
    except CredentialsInvalid as error:
        raise WrongPassword(error.message) from None
