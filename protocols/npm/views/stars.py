"""`npm star`, `unstar` and `stars`. Answered from home alone: what is not here cannot be starred here."""

import orjson
from django.http import HttpRequest, HttpResponse

from packages.formats.errors import DocumentInvalid
from packages.selectors import stars_of
from packages.services.stars import set_star
from protocols.npm.door import PackageVisit
from protocols.npm.errors import json_response
from protocols.npm.members import visit_members


def star(here: PackageVisit, document: dict[str, object]) -> HttpResponse:
    """Everybody's stars come back from npm; the caller's own is all it may change."""
    users = document.get("users")
    if not isinstance(users, dict):
        raise DocumentInvalid("`users` is not an object.", fields={"users": "not an object"})
    starred = users.get(here.actor.name) is True
    set_star(actor=here.actor, registry=here.registry, format="npm", name=here.name.full, starred=starred)
    return json_response({"ok": True, "id": here.name.full, "starred": starred})


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
