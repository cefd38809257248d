"""`npm access`: who may write a package, who may see it. Answered from home alone."""

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse

from packages.formats.errors import DocumentInvalid
from packages.formats.npm.names import parse_known
from packages.selectors import collaborators_of, package_of, rights_of_group, rights_of_member
from packages.services.maintainers import grant, revoke, set_restricted
from protocols.npm.door import Visit, read_object, visit_package
from protocols.npm.errors import json_response
from protocols.npm.members import visit_members, visit_package_members, word
from registries.models import PackageRight
from registries.selectors import is_restricted
from workspaces.access import Target
from workspaces.errors import Invalid, NotFound
from workspaces.selectors import check_organisation, group_of, membership_of

PERMISSIONS: Mapping[str, str] = {"read-only": PackageRight.Permission.READ, "read-write": PackageRight.Permission.WRITE}
NO_FACTOR = (
    "A second factor for publishing is not asked per package here: mfa=none is how it is, and the others are not supported yet."
    " Narrow the tokens that publish instead (npm token create)."
)


class FactorUnsupported(Invalid):
    """npm asked for a second factor on publishing."""

    code = "not_supported"


def read_status(request: HttpRequest, ws: str, reg: str, pkg: str) -> HttpResponse:
    """`npm access get status`, and what `npm publish --provenance` asks first. pnpm asks for both fields."""
    here = visit_package(request, ws, reg, pkg)
    package_of(here.registry, "npm", here.name.full)
    public = here.registry.is_public and not is_restricted(here.registry, Target("npm", here.name.full))
    return json_response({"public": public, "access": "public" if public else "restricted"})


def write_status(request: HttpRequest, ws: str, reg: str, pkg: str) -> HttpResponse:
    """`npm access set status` and `set mfa`, told apart by the body."""
    here, body = visit_package_members(request, ws, reg, pkg), read_object(request)
    package_of(here.registry, "npm", here.name.full)
    status = body.get("access")
    if status is None and "publish_requires_tfa" in body:
        if body["publish_requires_tfa"] is not False:
            raise FactorUnsupported(NO_FACTOR, fields={"publish_requires_tfa": "not supported"})
        return json_response({"ok": True})
    if status not in ("public", "restricted", "private"):  # a tuple: the client may send a list, which no set can look for
        raise DocumentInvalid("`access` is public or restricted.", fields={"access": "unknown"})
    set_restricted(actor=here.actor, registry=here.registry, format="npm", name=here.name.full, restricted=status != "public")
    return json_response({"ok": True})


def read_collaborators(request: HttpRequest, ws: str, reg: str, pkg: str) -> HttpResponse:
    """`npm access list collaborators`: member -> read or write; pnpm 12 reads a list. npm 6 names one user in the address."""
    here = visit_package_members(request, ws, reg, pkg)
    found = collaborators_of(package_of(here.registry, "npm", here.name.full))
    user = request.GET.get("user")
    asked = {name: may for name, may in found.items() if user in {None, "", name}}
    if request.headers.get("User-Agent", "").startswith("pnpm/"):
        return json_response([{"user": name, "permissions": may} for name, may in asked.items()])
    return json_response(asked)


def read_packages_of_team(request: HttpRequest, ws: str, reg: str, org: str, team: str) -> HttpResponse:
    """`npm access list packages acme:devs`: what the team was granted, in this registry."""
    here = _visit(request, ws, reg, org)
    return json_response(rights_of_group(here.actor, here.registry, group_of(here.registry.workspace, team)))


def read_packages_of_org(request: HttpRequest, ws: str, reg: str, org: str) -> HttpResponse:
    """`npm access list packages acme`: the registry's own packages, with what the caller may do. 404: npm asks for a user."""
    here = _visit(request, ws, reg, org)
    return json_response(rights_of_member(here.actor, here.registry, membership_of(here.registry.workspace, here.actor.name)))


def read_packages_of_user(request: HttpRequest, ws: str, reg: str, username: str) -> HttpResponse:
    """`npm access list packages alice`: what a member may do with the registry's own packages."""
    here = visit_members(request, ws, reg)
    member = membership_of(here.registry.workspace, username)
    if member is None and username != here.actor.name:
        raise NotFound("There is no such user or organisation, or it is not yours to see.")
    return json_response(rights_of_member(here.actor, here.registry, member))


def read_packages_of_caller(request: HttpRequest, ws: str, reg: str) -> HttpResponse:
    """`pnpm access list packages` (12), which asks for a user named `-`: what the caller may do."""
    here = visit_members(request, ws, reg)
    return json_response(rights_of_member(here.actor, here.registry, membership_of(here.registry.workspace, here.actor.name)))


def write_grant(request: HttpRequest, ws: str, reg: str, org: str, team: str) -> HttpResponse:
    """`npm access grant read-only|read-write acme:devs pkg`."""
    here, body = _visit(request, ws, reg, org), read_object(request)
    name, wanted = _package(request, here, body), word(body, "permissions")
    if wanted not in PERMISSIONS:
        raise DocumentInvalid("`permissions` is read-only or read-write.", fields={"permissions": "unknown"})
    grant(actor=here.actor, registry=here.registry, format="npm", name=name, group=team, permission=PERMISSIONS[wanted])
    return json_response({"ok": True})


def delete_grant(request: HttpRequest, ws: str, reg: str, org: str, team: str) -> HttpResponse:
    """`npm access revoke acme:devs pkg`."""
    here, body = _visit(request, ws, reg, org), read_object(request)
    revoke(actor=here.actor, registry=here.registry, format="npm", name=_package(request, here, body), group=team)
    return json_response({"ok": True})


def _package(request: HttpRequest, here: Visit, body: dict[str, object]) -> str:
    """The name in the body, through the gate like one in the address: a narrow token hears of no name it may not read."""
    name = parse_known(body.get("package")).full
    return visit_package(request, here.registry.workspace.slug, here.registry.slug, name).name.full


def _visit(request: HttpRequest, ws: str, reg: str, org: str) -> Visit:
    here = visit_members(request, ws, reg)
    check_organisation(here.registry.workspace, org)
    return here
