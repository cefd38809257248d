"""`sessions/`: the browsers that are signed in as the caller."""

from rest_framework.request import Request
from rest_framework.response import Response

from api.base import Door, ListDoor
from api.schema import described
from api.serializers.tokens import SessionShown
from tokens.services.visits import end_visit, visits_of
from workspaces.access import Actor
from workspaces.errors import Unauthenticated


class SessionsView(ListDoor):
    """Where the caller is signed in."""

    @described("sessions_list", returns=SessionShown, many=True, order={"seen_at": "seen_at", "created_at": "created_at"})
    def get(self, request: Request) -> Response:  # noqa: ARG002 - the framework's signature
        """Every browser, the latest first."""
        return self.page(visits_of(_somebody(self.actor)), SessionShown)


class SessionView(Door):
    """One of the caller's browsers."""

    @described("sessions_end", code=204)
    def delete(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002 - the address's own word
        """Sign it out: its next request is nobody's."""
        end_visit(actor=_somebody(self.actor), visit_id=int(id))
        return Response(status=204)


def _somebody(actor: Actor) -> Actor:
    """Raises Unauthenticated for nobody."""
    if actor.is_anonymous:
        raise Unauthenticated("Sign in, or send a token.")
    return actor
