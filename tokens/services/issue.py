"""Creating and revoking tokens."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import transaction
from django.utils import timezone

from registries.models import Registry
from tokens.errors import CredentialsInvalid, TokenInvalid, TokenNotFound, TokenTooWide
from tokens.models import Token
from tokens.secrets import digest, new_secret
from workspaces.access import Action, Actor, Role, parse_scope
from workspaces.errors import Denied
from workspaces.models import Workspace
from workspaces.services.audit import record

NAME_LIMIT = 128  # characters, the column
MOST = 100  # registries, scopes or networks of one token: every request looks through them
NO_TIME = datetime(9990, 1, 1, tzinfo=UTC)  # past it, clocks and databases have no dates


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a new token shall be. `registries` are ids; None is all, empty nothing; likewise scopes."""

    name: str
    read_only: bool = False
    expires_at: datetime | None = None
    registries: Sequence[int] | None = None
    scopes: Sequence[str] | None = None
    cidrs: Sequence[str] = ()


@dataclass(frozen=True)
class Issued:
    """A new token and its secret, which exists nowhere else from now on."""

    token: Token
    secret: str


@transaction.atomic
def create_token(*, actor: Actor, wish: Wish) -> Issued:
    """A personal token, never wider than the credential that asks. Raises TokenTooWide, TokenInvalid, Denied."""
    if actor.user_id is None:
        raise Denied("Only a person creates personal tokens.")
    wish = _narrowed(actor, _checked(wish))
    issued = _store(wish, owner_id=actor.user_id)
    record(actor, "token.created", issued.token.name, workspace=None, new=describe(issued.token))
    return issued


@transaction.atomic
def create_service_token(*, actor: Actor, workspace: Workspace, role: Role, wish: Wish) -> Issued:
    """A token of the workspace itself, for automation; its role is at most the creator's own."""
    own = actor.role_in(workspace.pk)
    if not actor.may_in(workspace.pk, Action.MANAGE) or own is None or role > own:
        raise Denied("Only admins and owners create service tokens, and none above their own role.")
    wish = _narrowed(actor, _checked(wish))
    if wish.registries is not None:
        inside = set(Registry.objects.filter(workspace=workspace, pk__in=wish.registries).values_list("pk", flat=True))
        if inside != set(wish.registries):
            raise TokenInvalid("A service token reaches registries of its own workspace only.", fields={"registries": "foreign"})
    issued = _store(wish, workspace_id=workspace.pk, role=role)
    record(actor, "token.created", issued.token.name, workspace=workspace, new=describe(issued.token))
    return issued


@transaction.atomic
def revoke_token(*, actor: Actor, token_id: int) -> None:
    """End a token of the caller's own, or of a workspace the caller manages. Raises TokenNotFound, Denied."""
    token = Token.objects.filter(pk=token_id).first()
    mine = token is not None and token.owner_id is not None and token.owner_id == actor.user_id
    managed = token is not None and token.workspace_id is not None and actor.may_in(token.workspace_id, Action.MANAGE)
    if token is None or not (mine or managed):
        raise TokenNotFound("There is no such token of yours.")
    own = actor.grant is not None and actor.grant.token_id == token.pk
    if actor.grant is not None and not actor.grant.manages and not own:
        raise Denied("A scoped or read-only token revokes no other token.")
    drop(actor, token)


def drop(actor: Actor, token: Token) -> None:
    """Delete the row, which is what makes the secret worthless on the very next request."""
    before = describe(token)
    token.delete()
    record(actor, "token.revoked", token.name, workspace=token.workspace_id, old=before)


def describe(token: Token) -> dict[str, object]:
    """A token in the words of the contract, without its secret."""
    return {
        "name": token.name,
        "prefix": token.prefix,
        "read_only": token.read_only,
        "registries": token.registries,
        "scopes": token.scopes,
        "cidrs": token.cidrs,
        "expires_at": token.expires_at.isoformat() if token.expires_at else None,
    }


def _store(wish: Wish, *, owner_id: int | None = None, workspace_id: int | None = None, role: Role | None = None) -> Issued:
    secret = new_secret()
    token = Token.objects.create(
        secret_hash=digest(secret),
        prefix=secret[:8],
        name=wish.name,
        owner_id=owner_id,
        workspace_id=workspace_id,
        role=role,
        read_only=wish.read_only,
        registries=None if wish.registries is None else sorted(set(wish.registries)),
        scopes=None if wish.scopes is None else list(wish.scopes),
        cidrs=list(wish.cidrs),
        expires_at=wish.expires_at,
    )
    return Issued(token, secret)


def _checked(wish: Wish) -> Wish:
    name = wish.name.strip() or "unnamed"
    if len(name) > NAME_LIMIT or not name.isprintable():
        raise TokenInvalid(f"A token's name has at most {NAME_LIMIT} printable characters.", fields={"name": "length"})
    if wish.expires_at is not None and not timezone.now() < wish.expires_at < NO_TIME:
        raise TokenInvalid("The expiry lies in the past, or beyond all calendars.", fields={"expires_at": "past"})
    for field, entries in (("registries", wish.registries), ("scopes", wish.scopes), ("cidrs", wish.cidrs)):
        if entries is not None and len(entries) > MOST:
            raise TokenInvalid(f"A token has at most {MOST} {field}.", fields={field: "too many"})
    scopes = None if wish.scopes is None else [str(parse_scope(scope)) for scope in wish.scopes]
    return Wish(
        name=name,
        read_only=wish.read_only,
        expires_at=wish.expires_at,
        registries=wish.registries,
        scopes=scopes,
        cidrs=[str(_network(cidr)) for cidr in wish.cidrs],
    )


def _network(cidr: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(cidr, strict=False)
    except ValueError:
        raise TokenInvalid(f"{cidr[:60]!r} is not a network in CIDR form.", fields={"cidrs": cidr[:60]}) from None


def _narrowed(actor: Actor, wish: Wish) -> Wish:
    """The wish within the limits of the token that asks; what it leaves open is inherited."""
    if actor.grant is None:
        return wish
    if not actor.grant.manages:
        raise TokenTooWide("A scoped or read-only token creates no token.")
    parent = Token.objects.filter(pk=actor.grant.token_id).first()
    if parent is None:  # revoked since the request began
        raise CredentialsInvalid("This token is not valid. Run npm login, or create a new token.")
    ends_at = wish.expires_at or parent.expires_at
    if parent.expires_at is not None and ends_at is not None and ends_at > parent.expires_at:
        raise TokenTooWide("A token creates only tokens that end no later than itself.")
    registries = wish.registries if wish.registries is not None else parent.registries
    if parent.registries is not None and not set(registries or ()) <= set(parent.registries):
        raise TokenTooWide("A token creates only tokens that reach no further registries than itself.")
    cidrs = list(wish.cidrs) or parent.cidrs
    if parent.cidrs and not all(_inside(cidr, parent.cidrs) for cidr in cidrs):
        raise TokenTooWide("A token creates only tokens for addresses it may be used from itself.")
    return Wish(name=wish.name, read_only=wish.read_only, expires_at=ends_at, registries=registries, scopes=wish.scopes, cidrs=cidrs)


def _inside(cidr: str, outer: Sequence[str]) -> bool:
    network = _network(cidr)
    return any(network.version == _network(one).version and network.subnet_of(_network(one)) for one in outer)  # type: ignore[arg-type]
