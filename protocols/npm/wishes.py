"""The tokens npm asks for, in our words (reference/npm.md, section 1.2).

Two shapes: `{password, readonly, cidr_whitelist}` of npm up to 10 and pnpm, and the granular ones of npm 11 and 12.
Nothing that would narrow a token is ever ignored: what cannot be given, or is not known, is refused by name.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.utils import timezone

from packages.formats.errors import NameInvalid, NotSupported
from packages.formats.npm.names import parse_known
from tokens.errors import TokenInvalid
from tokens.services.issue import MOST, NAME_LIMIT, Wish

DAYS_LIMIT = 36_500
# npm's words for what a granular token may do with its packages and scopes, and ours.
PERMISSIONS: Mapping[str, str] = {"read-only": "read", "read-write": "write"}
NO_ACCESS, STAGE_ONLY = "no-access", "read-write-stage-only"
NARROWING = ("packages", "scopes", "packages_all", "packages_and_scopes_permission")
FIELDS = frozenset({
    *NARROWING, "password", "readonly", "cidr_whitelist", "name", "description", "expires", "orgs", "orgs_permission", "bypass_2fa",
})  # fmt: skip
Body = Mapping[str, object]


def wish_of(body: Body, registry_id: int) -> Wish:
    """The token this body asks for; one with packages or scopes is held to the registry it was asked at.

    Raises TokenInvalid (400) naming the field, NotSupported (501) for what is not here yet.
    """
    for key in body:
        if key not in FIELDS:
            raise _wrong(key[:40], f"A token here has no {key[:40]!r}; nothing was created that would ignore it.", "unknown")
    _check_orgs(body)
    _flag(body, "bypass_2fa")  # no token here is ever asked for a second factor, so there is nothing to give
    scopes = _scopes(body)
    return Wish(
        name=_name(body),
        read_only=_flag(body, "readonly"),
        expires_at=_expiry(body),
        registries=None if scopes is None else [registry_id],
        scopes=scopes,
        cidrs=_texts(body, "cidr_whitelist"),
    )


def is_unbounded(body: Body) -> bool:
    """Whether a granular client asked for a token that nothing narrows: npm 11 drops `--read-only` in silence."""
    return "readonly" not in body and not any(body.get(field) for field in NARROWING)


def _scopes(body: Body) -> list[str] | None:
    """None when nothing narrows the token; else one of our scopes per package and npm scope."""
    packages = [_package(text) for text in _texts(body, "packages")]
    spaces = [_space(text) for text in _texts(body, "scopes")]
    everything, permission = _flag(body, "packages_all"), _text(body, "packages_and_scopes_permission")
    if permission == STAGE_ONLY:
        raise NotSupported("Staged publishing is not here yet, and a token that may publish is not created in its stead.")
    if permission not in {"", NO_ACCESS, *PERMISSIONS}:
        words = ", ".join((*PERMISSIONS, NO_ACCESS))
        raise _wrong("packages_and_scopes_permission", f"The permission {permission[:40]!r} is none of {words}.", "unknown")
    if permission == NO_ACCESS:
        return []
    names = ["*"] if everything else packages + spaces
    if permission and not names:
        raise _wrong("packages", f"Name `packages` or `scopes` for {permission}, or `packages_all`.", "missing")
    action = PERMISSIONS.get(permission, "read")
    return [f"npm:package:{name}:{action}" for name in names] or None


def _check_orgs(body: Body) -> None:
    """A token with scopes manages no people, so a word about organisations can only be no."""
    orgs, permission = _texts(body, "orgs"), _text(body, "orgs_permission")
    if permission not in {"", NO_ACCESS, *PERMISSIONS}:
        raise _wrong("orgs_permission", f"The permission {permission[:40]!r} is not known.", "unknown")
    if permission != NO_ACCESS and (orgs or permission):
        field = "orgs_permission" if permission else "orgs"
        text = "A token for organisations cannot be had: people are managed by tokens without limits, or in the browser."
        raise _wrong(field, text, "not given")


def _name(body: Body) -> str:
    name, description = _text(body, "name"), _text(body, "description")
    whole = ": ".join(part for part in (name, description) if part) or "npm token"
    if len(whole) > NAME_LIMIT:
        field = "name" if len(name) > NAME_LIMIT else "description"
        raise _wrong(field, f"Name and description of a token have at most {NAME_LIMIT} characters together.", "length")
    return whole


def _expiry(body: Body) -> datetime | None:
    days = body.get("expires")
    if days is None:
        return None
    if type(days) is not int or not 1 <= days <= DAYS_LIMIT:
        raise _wrong("expires", f"`expires` is a number of days, 1 to {DAYS_LIMIT:,}.", "not days")
    return timezone.now() + timedelta(days=days)


def _package(text: str) -> str:
    """A package's name. A star would be a pattern in our scopes, and names of old packages may hold one."""
    try:
        if "*" not in text:
            return parse_known(text).full
    except NameInvalid:
        pass
    raise _wrong("packages", f"{text[:80]!r} is not a package name.", "grammar")


def _space(text: str) -> str:
    """`@acme/*` for `@acme`, which npm takes with and without the sign."""
    try:
        if "*" not in text:
            return f"@{parse_known('@' + text.removeprefix('@') + '/x').scope}/*"
    except NameInvalid:
        pass
    raise _wrong("scopes", f"{text[:80]!r} is not a scope like @acme.", "grammar")


def _flag(body: Body, field: str) -> bool:
    value = body.get(field)
    if value is not None and not isinstance(value, bool):
        raise _wrong(field, f"`{field}` is true or false.", "not a flag")
    return value is True


def _text(body: Body, field: str) -> str:
    value = body.get(field)
    if value is None:
        return ""
    if not isinstance(value, str) or not value.isprintable():
        raise _wrong(field, f"`{field}` is not a text.", "not a text")
    return value.strip()


def _texts(body: Body, field: str) -> list[str]:
    value = body.get(field)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _wrong(field, f"`{field}` is not a list of texts.", "not a list")
    if len(value) > MOST:
        raise _wrong(field, f"`{field}` may have at most {MOST} entries.", "too many")
    return value


def _wrong(field: str, text: str, why: str) -> TokenInvalid:
    return TokenInvalid(text, fields={field: why})
