"""`tokens/`: the caller's own."""

from collections.abc import Sequence
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from api import reads
from api.base import Door, ListDoor
from api.schema import described
from api.serializers.tokens import TokenFilter, TokenIssued, TokenNew, TokenShown, shown
from registries.gate import RegistryMoved, registry_for
from tokens.services.issue import Wish, create_token, revoke_token
from workspaces.access import Action, Actor
from workspaces.errors import Denied, Invalid, NotFound


class TokensView(ListDoor):
    """The caller's own tokens."""

    @described(
        "tokens_list",
        returns=TokenShown,
        many=True,
        filters=TokenFilter,
        order={"name": "name", "created_at": "created_at", "expires_at": "expires_at", "last_used_at": "last_used_at"},
    )
    def get(self, request: Request) -> Response:  # noqa: ARG002 - the framework's signature
        """All of them, newest first."""
        tokens = reads.own_tokens(self.actor)
        return self.page(tokens, TokenShown, TokenFilter, registries=reads.registry_names(tokens))

    @described("tokens_create", body=TokenNew, returns=TokenIssued, code=201)
    def post(self, request: Request) -> Response:  # noqa: ARG002 - the framework's signature
        """A new token, never wider than the credentials that ask. The secret is in `token`, this once."""
        reads.own_tokens(self.actor)  # refuses nobody before the body is read
        wish = wish_from(self.actor, self.read(TokenNew))
        issued = create_token(actor=self.actor, wish=wish)
        names = reads.registry_names([issued.token])
        return Response(shown(issued.token, TokenIssued, names, secret=issued.secret), status=201)


class TokenView(Door):
    """One of the caller's own."""

    @described("tokens_read", returns=TokenShown)
    def get(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002 - the address's own word
        """The token without its secret."""
        token = reads.token_among(reads.own_tokens(self.actor), int(id))
        return Response(shown(token, TokenShown, reads.registry_names([token])))

    @described("tokens_revoke", code=204)
    def delete(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002 - the address's own word
        """Revoke it: refused from the very next request."""
        token = reads.token_among(reads.own_tokens(self.actor), int(id))
        revoke_token(actor=self.actor, token_id=token.pk)
        return Response(status=204)


def wish_from(actor: Actor, values: dict[str, Any], workspace: str = "") -> Wish:
    """The wish with its registries as ids. Raises Invalid for one that does not exist or the caller may not read."""
    names: Sequence[str] | None = values["registries"]
    ids = None if names is None else [_registry_id(actor, name, workspace) for name in names]
    return Wish(**{**values, "registries": ids})


def _registry_id(actor: Actor, name: str, workspace: str) -> int:
    space, slash, slug = name.partition("/")
    if not slash:
        space, slug = workspace, name
    try:
        return registry_for(actor, space, slug, Action.READ).pk
    except RegistryMoved as moved:  # named in the body, not in the address: there is nowhere to send the caller on to
        return moved.registry.pk
    except (NotFound, Denied):
        raise Invalid(f"There is no registry “{name}”; write workspace/registry.", fields={"registries": name}) from None
