"""`users/`: people, for operators of the installation."""

from rest_framework.request import Request
from rest_framework.response import Response

from api import reads
from api.base import ListDoor
from api.schema import described
from api.serializers.people import UserNew, UserShown
from workspaces.access import Action, Actor
from workspaces.errors import Denied, Unauthenticated
from workspaces.services.people import create_user


class UsersView(ListDoor):
    """Everybody."""

    @described("users_list", returns=UserShown, many=True, order={"username": "username", "email": "email"})
    def get(self, request: Request) -> Response:  # noqa: ARG002 - the framework's signature
        """All users, by name."""
        _operators_only(self.actor, Action.READ)
        return self.page(reads.all_users(), UserShown)

    @described("users_create", body=UserNew, returns=UserShown, code=201)
    def post(self, request: Request) -> Response:  # noqa: ARG002 - the framework's signature
        """Create a user."""
        _operators_only(self.actor, Action.MANAGE)
        user = create_user(actor=self.actor, **self.read(UserNew))
        return Response(UserShown(user).data, status=201)


def _operators_only(actor: Actor, action: Action) -> None:
    """The gate of the installation: Unauthenticated for nobody, Denied for all but operators.

    A token with scopes, or held to some registries, does not act for the installation; a read-only one reads.
    """
    if actor.is_anonymous:
        raise Unauthenticated("Sign in, or send a token.")
    grant = actor.grant
    reads = grant is not None and action is Action.READ and grant.scopes is None and grant.registries is None
    if not actor.is_operator or not (grant is None or grant.reaches_all or reads):
        raise Denied("Only an operator of this installation may do this.")
