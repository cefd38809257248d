"""`users/`: people, for operators of the installation."""

from rest_framework.request import Request
from rest_framework.response import Response

from api import reads
from api.base import Door, ListDoor
from api.schema import described
from api.serializers.people import UserChange, UserNew, UserShown
from workspaces.access import Action, Actor
from workspaces.errors import Denied, Unauthenticated
from workspaces.services.people import create_user, set_user_active


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


class UserView(Door):
    """One person."""

    @described("users_read", returns=UserShown)
    def get(self, request: Request, username: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Who they are."""
        _operators_only(self.actor, Action.READ)
        return Response(UserShown(reads.user_of(username)).data)

    @described("users_change", body=UserChange, returns=UserShown)
    def patch(self, request: Request, username: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Shut them out (`active` false: sessions and tokens end at once), or let them in again."""
        _operators_only(self.actor, Action.MANAGE)
        user, values = reads.user_of(username), self.read(UserChange)
        if "active" in values:
            user = set_user_active(actor=self.actor, username=username, active=values["active"])
        return Response(UserShown(user).data)


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
