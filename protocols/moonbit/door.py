"""What every view of the MoonBit door begins with: methods, errors, the gate."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, UnreadablePostError

from packages.formats.errors import NameInvalid
from packages.formats.moonbit.names import Name, parse_name
from protocols import wire
from protocols.moonbit.errors import LOG, answer, sentence, unexpected
from registries.gate import RegistryMoved, registry_for
from registries.models import Registry
from upstreams.selectors.chain import is_restricted_behind
from workspaces.access import ALL, Action, Actor, Target
from workspaces.errors import Denied, GatehouseError, NotFound, Unavailable

View = Callable[..., HttpResponseBase]
FORMAT = "moonbit"
SLUG = re.compile(r"[a-z0-9-]{1,40}")


@dataclass(frozen=True)
class Visit:
    """A caller who passed the gate of a registry."""

    actor: Actor
    registry: Registry


class Door:
    """A view that answers some methods (HEAD as GET), every other with 405, and every error in a line of text."""

    csrf_exempt = True  # package clients carry no cookies

    def __init__(self, methods: Mapping[str, View]) -> None:
        self.methods = dict(methods)
        if "GET" in self.methods:
            self.methods["HEAD"] = self.methods["GET"]

    def __call__(self, request: HttpRequest, **parts: str) -> HttpResponseBase:
        """Answer one request."""
        handler = self.methods.get(request.method or "")
        if handler is None:
            response = sentence(405, f"{request.method} is not done here.")
            response.headers["Allow"] = ", ".join(self.methods)
            return response
        answered = guarded(handler, request, **parts)
        if request.method == "HEAD" and isinstance(answered, HttpResponse):
            answered.headers["Content-Length"] = str(len(answered.content))
            answered.content = b""
        return answered


def door(**methods: View) -> Door:
    """A door by its methods: `door(GET=read)`."""
    return Door(methods)


def guarded(handler: View, request: HttpRequest, **parts: str) -> HttpResponseBase:
    """Call the handler; whatever it raises becomes an answer without a traceback."""
    try:
        return handler(request, **parts)
    except GatehouseError as error:
        return _moved(request, error) if isinstance(error, RegistryMoved) else answer(error)
    except (SuspiciousOperation, UnreadablePostError) as error:
        return _bad_request(error)
    except IntegrityError:  # what it hangs on was deleted while this was written: the next try hears so
        return answer(Unavailable("This changed at the same moment; try again.", retry_after=1))
    except (OperationalError, InterfaceError):
        LOG.exception("the database refused %s %s", request.method, wire.shown_path(request.path))
        return answer(Unavailable("The database is busy; try again.", retry_after=2))
    except Exception as error:  # noqa: BLE001 - the outermost wall of the door: logged, and never shown
        return unexpected(request, error)


def _bad_request(error: Exception) -> HttpResponse:
    """What Django itself refuses, and a caller who went away."""
    if isinstance(error, RequestDataTooBig):
        return sentence(413, "The body is too large.")
    if isinstance(error, UnreadablePostError):
        return sentence(400, "The body ended before its time.")
    return sentence(400, "The request names a host that is not served here.")


def visit(request: HttpRequest, ws: str, reg: str, target: Target = ALL) -> Visit:
    """Through the gate. Raises what `wire.actor` and `registry_for` raise."""
    actor = wire.actor(request)
    return Visit(actor, registry_for(actor, _slug(ws), _slug(reg), Action.READ, target))


def visit_index(request: HttpRequest, ws: str, reg: str) -> Visit:
    """Through the gate to the index, which names every module: a token that may read only some may not. Raises Denied."""
    here = visit(request, ws, reg)
    patterns = here.actor.grant.readable(FORMAT) if here.actor.grant is not None else None
    if patterns is not None and "*" not in patterns:
        raise Denied("The index names every module of the registry; it needs a token with the scope moonbit:module:*:read.")
    return here


def visit_module(request: HttpRequest, ws: str, reg: str, mod: str) -> tuple[Visit, Name]:
    """Through the gate with a module's name; who may not look hears that before anything about the name. Raises NotFound."""
    try:
        name = parse_name(mod)
    except NameInvalid as error:
        visit(request, ws, reg)
        raise NotFound(error.message) from None
    here = visit(request, ws, reg, Target(FORMAT, name.full))
    is_member = here.actor.role_in(here.registry.workspace_id) is not None
    if here.registry.is_public and not is_member and is_restricted_behind(here.registry, FORMAT, name.full):
        here = visit(request, ws, reg, Target(FORMAT, name.full, is_restricted=True))
    return here, name


def _slug(text: str) -> str:
    """The slug itself, or one that no workspace has: odd ones look exactly like unknown ones."""
    return text if SLUG.fullmatch(text) else "-"


def _moved(request: HttpRequest, error: RegistryMoved) -> HttpResponse:
    """308 to the same address below the registry's present slug."""
    workspace = error.registry.workspace.slug
    response = answer(error)
    rest = request.get_full_path().removeprefix(f"/{workspace}/m/{error.former}")
    response.headers["Location"] = f"/{workspace}/m/{error.registry.slug}{rest}"
    return response
