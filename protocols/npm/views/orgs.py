"""`npm org` and `npm team`: the workspace's members and groups, in npm's words.

npm knows developer, admin and owner. developer is our publisher; a reader, which npm has no word for, is shown as what
they are, and npm prints that. The organisation is the workspace of the registry, by its slug or a scope it claims.
"""

from django.http import HttpRequest, HttpResponse

from protocols.npm.door import Visit, read_object
from protocols.npm.errors import json_response
from protocols.npm.members import visit_members, word
from workspaces.access import Role
from workspaces.selectors import check_organisation, group_of, groups_of, members_of
from workspaces.services import groups
from workspaces.services.people import parse_role, remove_member, set_member

OURS = {"developer": Role.PUBLISHER.word}
NPMS = {ours: npms for npms, ours in OURS.items()}


def read_members(request: HttpRequest, ws: str, reg: str, org: str) -> HttpResponse:
    """`npm org ls`: member -> role."""
    here = _visit(request, ws, reg, org)
    roles = {member.user.username: Role(member.role).word for member in members_of(here.registry.workspace)}
    return json_response({name: NPMS.get(role, role) for name, role in roles.items()})


def write_member(request: HttpRequest, ws: str, reg: str, org: str) -> HttpResponse:
    """`npm org set`: add a person, or change their role."""
    here, body = _visit(request, ws, reg, org), read_object(request)
    user, role = word(body, "user").removeprefix("@"), word(body, "role", default="developer")
    workspace = here.registry.workspace
    set_member(actor=here.actor, workspace=workspace, username=user, role=parse_role(OURS.get(role, role)))
    size = members_of(workspace).count()
    return json_response({"org": {"name": org, "size": size}, "user": user, "role": role})


def delete_member(request: HttpRequest, ws: str, reg: str, org: str) -> HttpResponse:
    """`npm org rm`."""
    here, body = _visit(request, ws, reg, org), read_object(request)
    remove_member(actor=here.actor, workspace=here.registry.workspace, username=word(body, "user").removeprefix("@"))
    return json_response({"ok": True})


def read_teams(request: HttpRequest, ws: str, reg: str, org: str) -> HttpResponse:
    """`npm team ls acme`; pnpm 12 does not say `format=cli` and reads objects."""
    here = _visit(request, ws, reg, org)
    slugs = [group.slug for group in groups_of(here.registry.workspace)]
    if request.GET.get("format") == "cli":
        return json_response([f"{org.removeprefix('@')}:{slug}" for slug in slugs])
    return json_response([{"name": slug} for slug in slugs])


def add_team(request: HttpRequest, ws: str, reg: str, org: str) -> HttpResponse:
    """`npm team create acme:devs`."""
    here, body = _visit(request, ws, reg, org), read_object(request)
    name, description = word(body, "name"), word(body, "description", default="")
    group = groups.create_group(actor=here.actor, workspace=here.registry.workspace, slug=name, description=description)
    return json_response({"name": group.slug, "description": group.description}, 201)


def delete_team(request: HttpRequest, ws: str, reg: str, org: str, team: str) -> HttpResponse:
    """`npm team destroy acme:devs`."""
    here = _visit(request, ws, reg, org)
    groups.destroy_group(actor=here.actor, workspace=here.registry.workspace, slug=team)
    return json_response({"ok": True})


def read_team(request: HttpRequest, ws: str, reg: str, org: str, team: str) -> HttpResponse:
    """`npm team ls acme:devs`; pnpm 12 does not say `format=cli` and reads objects."""
    here = _visit(request, ws, reg, org)
    members = group_of(here.registry.workspace, team).members.filter(member__user__is_active=True)
    names = sorted(members.values_list("member__user__username", flat=True))
    return json_response(names if request.GET.get("format") == "cli" else [{"name": name} for name in names])


def add_to_team(request: HttpRequest, ws: str, reg: str, org: str, team: str) -> HttpResponse:
    """`npm team add acme:devs alice`."""
    here, user = _visit(request, ws, reg, org), word(read_object(request), "user").removeprefix("@")
    added = groups.add_to_group(actor=here.actor, workspace=here.registry.workspace, slug=team, username=user)
    return json_response({"user": user, "team": team}, 201 if added else 200)


def remove_from_team(request: HttpRequest, ws: str, reg: str, org: str, team: str) -> HttpResponse:
    """`npm team rm acme:devs alice`."""
    here, user = _visit(request, ws, reg, org), word(read_object(request), "user").removeprefix("@")
    groups.remove_from_group(actor=here.actor, workspace=here.registry.workspace, slug=team, username=user)
    return json_response({"ok": True})


def _visit(request: HttpRequest, ws: str, reg: str, org: str) -> Visit:
    here = visit_members(request, ws, reg)
    check_organisation(here.registry.workspace, org)
    return here
