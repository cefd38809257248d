"""How every page begins: the method, who is asking, and the error table around it all."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from tokens.services.authenticate import actor_of_user
from web.errors import refuse, status_page
from workspaces.access import Actor
from workspaces.errors import Conflict, GatehouseError, Unauthenticated
from workspaces.models import User

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, Actor, P], HttpResponse]
Page = Callable[Concatenate[HttpRequest, P], HttpResponse]


def door(*methods: str) -> Callable[[View[P]], Page[P]]:
    """A page that answers `methods`: called with the actor of the session, its errors told by the one table."""
    allowed = {*methods, "HEAD"} if "GET" in methods else set(methods)

    def wrap(view: View[P]) -> Page[P]:
        @wraps(view)
        def inner(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if request.method not in allowed:
                answer = status_page(request, 405, _("This address does not answer that method."), "method_not_allowed")
                answer.headers["Allow"] = ", ".join(sorted(allowed))
                return answer
            try:
                answer = view(request, actor_of(request), *args, **kwargs)
            except GatehouseError as error:
                answer = refuse(request, error)
            except IntegrityError:
                answer = refuse(request, Conflict(_("Somebody else changed this at the same moment; look again and retry.")))
            answer.headers.setdefault("Cache-Control", "private, no-store")
            return answer

        return cast("Page[P]", inner)  # `wraps` names the first argument, a Callable does not

    return wrap


def sent(request: HttpRequest, field: str) -> str:
    """A field of the posted form, without the NUL that PostgreSQL refuses and without white space around it."""
    return request.POST.get(field, "").replace("\x00", "").strip()


def asked(request: HttpRequest, field: str) -> str:
    """The same of the address's query."""
    return request.GET.get(field, "").replace("\x00", "").strip()


def actor_of(request: HttpRequest) -> Actor:
    """The person of the session, with the roles of this moment; nobody without one."""
    ip = str(request.META.get("REMOTE_ADDR", ""))
    found = actor_of_user(request.user, ip=ip) if isinstance(request.user, User) else Actor(ip=ip)
    request.META["gatehouse.actor"] = found  # for the request log
    return found


def person(actor: Actor) -> Actor:
    """The actor, who must be signed in. Raises Unauthenticated."""
    if actor.user_id is None:
        raise Unauthenticated(_("Please sign in to see this page."))
    return actor
