"""`npm star`, `unstar` and `stars`. Answered from home alone: what is not here cannot be starred here."""

import orjson
from django.http import HttpRequest, HttpResponse

from packages.formats.errors import DocumentInvalid
from packages.selectors import stars_of
from packages.services.stars import set_star
from protocols.npm.door import PackageVisit, read_object, visit_package
from protocols.npm.errors import json_response
from protocols.npm.members import visit_members, visit_package_members, word
from workspaces.selectors import colleague


def star(here: PackageVisit, document: dict[str, object]) -> HttpResponse:
    """Everybody's stars come back from npm; the caller's own is all it may change."""
    users = document.get("users")
    if not isinstance(users, dict):
        raise DocumentInvalid("`users` is not an object.", fields={"users": "not an object"})
    starred = users.get(here.actor.name) is True
    set_star(actor=here.actor, registry=here.registry, format="npm", name=here.name.full, starred=starred)
    return json_response({"ok": True, "id": here.name.full, "starred": starred})


def star_named(request: HttpRequest, ws: str, reg: str) -> HttpResponse:
    """What pnpm 12 asks first: `PUT` and `DELETE /-/user/v1/star` with the name in the body."""
    visit_members(request, ws, reg)
    return _star(request, visit_package(request, ws, reg, word(read_object(request), "package")))


def star_addressed(request: HttpRequest, ws: str, reg: str, pkg: str) -> HttpResponse:
    """What pnpm 12 asks next: `/-/user/package/:pkg/star`."""
    return _star(request, visit_package_members(request, ws, reg, pkg))


def _star(request: HttpRequest, here: PackageVisit) -> HttpResponse:
    starred = request.method == "PUT"
    set_star(actor=here.actor, registry=here.registry, format="npm", name=here.name.full, starred=starred)
    return json_response({"ok": True, "id": here.name.full, "starred": starred})


def read_own_stars(request: HttpRequest, ws: str, reg: str) -> HttpResponse:
    """`pnpm stars` (12): names alone."""
    here = visit_members(request, ws, reg)
    return json_response(stars_of(here.actor, here.registry, here.actor.name))


def read_stars_of(request: HttpRequest, ws: str, reg: str, username: str) -> HttpResponse:
    """`pnpm stars alice` (12). 404 for who is no member."""
    here = visit_members(request, ws, reg)
    colleague(here.actor, here.registry.workspace, username)
    return json_response(stars_of(here.actor, here.registry, username))


def read_stars(request: HttpRequest, ws: str, reg: str) -> HttpResponse:
    """`npm stars [user]`: the packages a member starred here, as CouchDB would list them."""
    here = visit_members(request, ws, reg)
    try:
        user = orjson.loads(request.GET.get("key", "").encode("utf-8", "surrogatepass"))
    except orjson.JSONDecodeError:
        user = None
    if not isinstance(user, str):
        raise DocumentInvalid('`key` is a user\'s name in JSON: ?key="alice".', fields={"key": "not JSON"})
    names = stars_of(here.actor, here.registry, user) if user.isprintable() else []
    return json_response({"total_rows": len(names), "offset": 0, "rows": [{"id": name, "key": user, "value": name} for name in names]})
