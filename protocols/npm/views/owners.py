"""`npm owner add` and `rm`: npm sends the whole list of maintainers back. The list itself stands in the packument."""

from django.http import HttpRequest, HttpResponse

from packages.errors import PackageChanged
from packages.formats.errors import DocumentInvalid
from packages.services.maintainers import add_maintainer, remove_maintainer, set_maintainers
from protocols.npm.door import PackageVisit, read_object, visit_package
from protocols.npm.errors import json_response
from protocols.npm.members import word

LIMIT = 1000  # maintainers of one package


def write_maintainers(here: PackageVisit, document: dict[str, object], rev: str) -> HttpResponse:
    """`{_id, _rev, maintainers: [{name, email}]}`; the revision must be the present one."""
    if document.get("_id", here.name.full) != here.name.full:
        raise DocumentInvalid(f"The address says {here.name.full}, but the document's _id is another.", fields={"_id": "differs"})
    names, revision = _names(document["maintainers"]), rev.partition("-")[0]
    if not revision.isdecimal():  # yarn 1 has read the short document, and would drop every owner it did not see there
        raise PackageChanged(
            f"“{rev[:40]}” is no revision of {here.name.full}: read the full packument and send its _rev, as npm owner does;"
            " yarn 1 does not."
        )
    kept = set_maintainers(actor=here.actor, registry=here.registry, format="npm", name=here.name.full, names=names, revision=revision)
    # yarn 1 looks for `success`
    return json_response({"ok": True, "success": True, "id": here.name.full, "maintainers": _people(kept)})


def add_owner(request: HttpRequest, ws: str, reg: str, pkg: str) -> HttpResponse:
    """`pnpm owner add` (12): one name."""
    here = visit_package(request, ws, reg, pkg)
    user = word(read_object(request), "user").removeprefix("@")
    kept = add_maintainer(actor=here.actor, registry=here.registry, format="npm", name=here.name.full, username=user)
    return json_response({"ok": True, "maintainers": _people(kept)})


def remove_owner(request: HttpRequest, ws: str, reg: str, pkg: str, username: str) -> HttpResponse:
    """`pnpm owner rm` (12): one name, in the address."""
    here = visit_package(request, ws, reg, pkg)
    kept = remove_maintainer(actor=here.actor, registry=here.registry, format="npm", name=here.name.full, username=username)
    return json_response({"ok": True, "maintainers": _people(kept)})


def _people(names: list[str]) -> list[dict[str, str]]:
    return [{"name": name, "email": ""} for name in names]


def _names(value: object) -> list[str]:
    if not isinstance(value, list) or len(value) > LIMIT:
        raise DocumentInvalid("`maintainers` is not a list.", fields={"maintainers": "not a list"})
    names = [one.get("name") if isinstance(one, dict) else None for one in value]
    found = [name for name in names if isinstance(name, str) and name.isprintable()]
    if len(found) != len(names):
        raise DocumentInvalid("Each of `maintainers` has a `name`.", fields={"maintainers": "no name"})
    return found
