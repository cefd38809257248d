"""What every view of the npm door begins with: methods, errors, the gate, bodies within limits."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote

import orjson
from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, UnreadablePostError

from packages.errors import BodyTooLarge
from packages.formats.errors import DocumentInvalid, EncodingUnknown, NameInvalid
from packages.formats.npm.names import Name, parse_known
from packages.formats.npm.scan import BodyCut
from protocols import wire
from protocols.npm.errors import LOG, answer, sentence, unexpected
from registries.gate import RegistryMoved, registry_for
from registries.models import Registry
from upstreams.errors import SourceAbsent
from upstreams.selectors.chain import is_restricted_behind
from workspaces.access import ALL, Action, Actor, Target
from workspaces.errors import GatehouseError, Invalid, Unavailable

View = Callable[..., HttpResponseBase]
MEMBER = "gatehouse.is_member"  # of the registry's workspace: noted when the gate is passed
PLAIN = frozenset({"", "identity"})  # encodings of a body that is not compressed
NOTICE = "gatehouse.npm_notice"  # a sentence that npm shows to whoever runs it
CLIENTS = re.compile(r"(?:npm|pnpm|yarn|bun)/", re.IGNORECASE)  # their User-Agent's beginning
FILES = re.compile(r"/[^/]+/r/[^/]+/(?!-/).+/-/[^/]+")  # a tarball's address
SLUG = re.compile(r"[a-z0-9-]{1,40}")
CHARSET = re.compile(r"charset\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE)


@dataclass(frozen=True)
class Visit:
    """A caller who passed the gate of a registry."""

    actor: Actor
    registry: Registry
    base_url: str


@dataclass(frozen=True)
class PackageVisit(Visit):
    """The same, about one package."""

    name: Name


class Door:
    """A view that answers some methods (HEAD as GET), every other with 405, and every error as JSON."""

    csrf_exempt = True  # package clients carry no cookies

    def __init__(self, methods: Mapping[str, View]) -> None:
        self.methods = dict(methods)
        if "GET" in self.methods:
            self.methods["HEAD"] = self.methods["GET"]

    def __call__(self, request: HttpRequest, **parts: str) -> HttpResponseBase:
        """Answer one request."""
        handler = self.methods.get(request.method or "")
        if handler is None:
            response: HttpResponseBase = self.refuse(request.method or "")
        else:
            response = guarded(handler, request, **parts)
        if NOTICE in request.META:
            said = response.headers.get("npm-notice")
            response.headers["npm-notice"] = f"{said} {request.META[NOTICE]}" if said else request.META[NOTICE]
        return _bare(response) if request.method == "HEAD" else response

    def refuse(self, method: str) -> HttpResponse:
        """The answer to a method that is not among ours."""
        response = sentence(405, f"{method} is not done here.", "method_not_allowed")
        response.headers["Allow"] = ", ".join(self.methods)
        return response


def door(**methods: View) -> Door:
    """A door by its methods: `door(GET=read, PUT=write)`."""
    return Door(methods)


def guarded(handler: View, request: HttpRequest, **parts: str) -> HttpResponseBase:
    """Call the handler; whatever it raises becomes an answer without a traceback."""
    try:
        return handler(request, **parts)
    except GatehouseError as error:
        return _expected(request, error)
    except (SuspiciousOperation, UnreadablePostError) as error:
        return _bad_request(error)
    except IntegrityError:  # what it hangs on was deleted while this was written: the next try hears so
        return answer(Unavailable("This changed at the same moment; try again.", retry_after=1))
    except (OperationalError, InterfaceError):
        LOG.exception("the database refused %s %s", request.method, wire.shown_path(request.path))
        return answer(Unavailable("The database is busy; try again.", retry_after=2))
    except Exception as error:  # noqa: BLE001 - the outermost wall of the door: logged, and never shown
        return unexpected(request, error)


def _expected(request: HttpRequest, error: GatehouseError) -> HttpResponse:
    """The answer to an error with a name."""
    if isinstance(error, SourceAbsent):
        return _absent(request, error)
    if isinstance(error, RegistryMoved):
        return _moved(request, error)
    return answer(error)


def _moved(request: HttpRequest, error: RegistryMoved) -> HttpResponse:
    """308 to the same address below the registry's present slug: method and body are to be kept (RFC 9110, section 15.4.9)."""
    response = answer(error)
    response.headers["Location"] = wire.moved_to(request, error)
    return response


def _absent(request: HttpRequest, error: SourceAbsent) -> HttpResponse:
    """404; a member also reads by what the name is internal, since that is why nobody else was asked."""
    if not error.why or not request.META.get(MEMBER):
        return answer(error)
    clause = error.why.removeprefix("internal: ")
    said = f"{error.message} The name is internal here ({clause}); no public source is asked."
    return sentence(404, f"{said} {_who_changes_that(request)}".strip(), error.code)


def _who_changes_that(request: HttpRequest) -> str:
    """Who can have it otherwise, and on which page; '' where the address names no package."""
    parts = request.resolver_match.kwargs if request.resolver_match else {}
    if not {"ws", "reg", "pkg"} <= parts.keys():
        return "Admins and owners of the workspace can change that."
    page = f"{settings.EXTERNAL_HOST.rstrip('/')}/{parts['ws']}/registries/{parts['reg']}/npm/{quote(unquote(parts['pkg']), safe='@/')}/"
    return f"Admins and owners of the workspace can change that: {page}"


def _bad_request(error: Exception) -> HttpResponse:
    """What Django itself refuses, and a caller who went away."""
    if isinstance(error, RequestDataTooBig):
        return sentence(413, "The body is too large.", "body_too_large")
    if isinstance(error, UnreadablePostError):
        return sentence(400, "The body ended before its time; nothing was stored.", "body_cut")
    return sentence(400, "The request names a host that is not served here.", "bad_request")


def visit(request: HttpRequest, ws: str, reg: str, action: Action = Action.READ, target: Target = ALL) -> Visit:
    """Through the gate. Raises what `wire.actor` and `registry_for` raise."""
    actor = wire.actor(request)
    try:
        registry = registry_for(actor, slug(ws), slug(reg), action, target)
    except RegistryMoved as error:
        registry = _served_in_place(request, error)
    request.META[MEMBER] = actor.role_in(registry.workspace_id) is not None
    return Visit(actor, registry, wire.registry_url(request, ws, reg))


def visit_package(request: HttpRequest, ws: str, reg: str, pkg: str, action: Action = Action.READ) -> PackageVisit:
    """Through the gate with a package's name; who may not look hears that before anything about the name."""
    try:
        name = parse_known(pkg)
    except NameInvalid:
        visit(request, ws, reg)
        raise
    here = visit(request, ws, reg, action, Target("npm", name.full))
    if here.registry.is_public and not request.META[MEMBER] and is_restricted_behind(here.registry, "npm", name.full):
        here = visit(request, ws, reg, action, Target("npm", name.full, is_restricted=True))
    return PackageVisit(here.actor, here.registry, here.base_url, name)


def _served_in_place(request: HttpRequest, error: RegistryMoved) -> Registry:
    """The renamed registry, for clients that would not get through by a redirect; they are told by npm-notice.

    Measured: after a 308 of metadata its tarballs lie below the new slug, for which pnpm 10 and 12 and yarn 1 have
    no token, and which npm 12 takes for a foreign host (EALLOWREMOTE); yarn 1 follows no 308 of a PUT. What is a
    file is followed by every one of them, with the token. Raises RegistryMoved for everybody else.
    """
    if not CLIENTS.match(request.headers.get("User-Agent", "")) or FILES.fullmatch(request.path):
        raise error
    address = wire.registry_url(request, error.registry.workspace.slug, error.registry.slug)
    request.META[NOTICE] = f"The registry {error.former} is called {error.registry.slug} now: set registry={address}/"
    return error.registry


def slug(text: str) -> str:
    """The slug itself, or one that no workspace has: odd ones look exactly like unknown ones."""
    return text if SLUG.fullmatch(text) else "-"


def is_home_question(request: HttpRequest) -> bool:
    """Whether a client asks this around a publish: by the command it names, or by asking for what it will write."""
    named = wire.is_home_question(request.headers.get("npm-command", ""), request.headers.get("Referer", ""))
    return named or request.GET.get("write") == "true"


def answers_from_home(here: PackageVisit) -> bool:
    """Whether the caller may publish this name, and so is answered from home around a publish."""
    return here.actor.may(Action.PUBLISH, here.registry, Target("npm", here.name.full))


class Body:
    """The request's body in pieces, within a limit, known to be whole at the end."""

    def __init__(self, request: HttpRequest, limit: int, *, encodings: frozenset[str] = PLAIN) -> None:
        check_head(request, limit, encodings)
        self._request, self._limit = request, limit
        self._length = content_length(request)
        self.received = 0

    def read(self, size: int) -> bytes:
        """The next bytes. Raises BodyTooLarge, BodyCut."""
        chunk = self._request.read(size)
        self.received += len(chunk)
        if self.received > self._limit:
            raise BodyTooLarge(f"The body may have at most {self._limit:,} bytes.")
        if not chunk and self._length is not None and self.received < self._length:
            raise BodyCut("The body ended before its time; nothing was stored.")
        return chunk


def check_head(request: HttpRequest, limit: int, encodings: frozenset[str] = PLAIN) -> None:
    """What the headers say of the body is acceptable, before any of it is read. Raises BodyTooLarge, EncodingUnknown, Invalid."""
    length = content_length(request)
    if length is not None and length > limit:
        raise BodyTooLarge(f"The body may have at most {limit:,} bytes.")
    encoding = encoding_of(request)
    if encoding not in PLAIN | encodings:
        raise EncodingUnknown(f"A body in the encoding {encoding[:40]!r} is not taken here.", fields={"Content-Encoding": "unknown"})
    charset = CHARSET.search(request.headers.get("Content-Type", ""))
    if charset is not None and charset[1].lower() not in {"utf-8", "utf8"}:
        raise Invalid("JSON is UTF-8; send no other charset.", fields={"Content-Type": "charset"})


def encoding_of(request: HttpRequest) -> str:
    """The body's Content-Encoding, in lower case."""
    return request.headers.get("Content-Encoding", "identity").strip().lower()


def content_length(request: HttpRequest) -> int | None:
    """The length the client stated, if any. Raises Invalid."""
    text = request.headers.get("Content-Length", "").strip()
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise Invalid("Content-Length is not a number.", fields={"Content-Length": "not a number"})
    return int(text)


def read_json(request: HttpRequest) -> object:
    """A small body as JSON; no body is None. Raises BodyTooLarge, BodyCut, DocumentInvalid."""
    body = Body(request, settings.SMALL_BODY_LIMIT)
    data = b"".join(iter(lambda: body.read(64 * 1024), b""))
    if not data.strip():
        return None
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise DocumentInvalid(f"The body is not JSON in UTF-8: {error.msg}.") from None


def read_object(request: HttpRequest) -> dict[str, object]:
    """A small body that is a JSON object. Raises also DocumentInvalid."""
    data = read_json(request)
    if not isinstance(data, dict):
        raise DocumentInvalid("The body is not a JSON object.")
    return data


def _bare(response: HttpResponseBase) -> HttpResponseBase:
    """The answer to HEAD: the headers of GET and no body."""
    if isinstance(response, HttpResponse):
        response.headers["Content-Length"] = str(len(response.content))
        response.content = b""
    return response
