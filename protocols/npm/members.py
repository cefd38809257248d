"""What the views about people and their rights begin with. They ask no upstream: all they tell is at home (RULE.md, step 2)."""

from django.http import HttpRequest

from packages.formats.errors import DocumentInvalid
from protocols.npm.door import PackageVisit, Visit, visit, visit_package
from workspaces.access import Action
from workspaces.errors import Denied, GatehouseError
from workspaces.selectors import workspace_for

WORD_LIMIT = 500  # characters


def visit_members(request: HttpRequest, ws: str, reg: str) -> Visit:
    """Through the gate and into the workspace: what tells of its people is for its members, also at a public registry."""
    here = visit(request, ws, reg)
    workspace_for(here.actor, here.registry.workspace.slug, Action.READ)
    return here


def visit_package_members(request: HttpRequest, ws: str, reg: str, pkg: str) -> PackageVisit:
    """The same, about one package the caller may read; who is no member hears one answer whatever the name."""
    visit_members(request, ws, reg)
    return visit_package(request, ws, reg, pkg)


def visit_writer(request: HttpRequest, ws: str, reg: str, pkg: str, action: Action) -> tuple[PackageVisit, Denied | None]:
    """Through the gate for `action`; or for a star, which every member may give, with the refusal of the rest at hand.

    npm puts both to one address, and only the body tells which it is.
    """
    try:
        return visit_package(request, ws, reg, pkg, action), None
    except Denied as refusal:
        try:
            return visit_package(request, ws, reg, pkg, Action.STAR), refusal
        except GatehouseError:
            raise refusal from None


def word(body: dict[str, object], field: str, *, default: str | None = None) -> str:
    """A short text of the body. Raises DocumentInvalid."""
    value = body.get(field, default)
    if value is None and default is not None:
        value = default
    if not isinstance(value, str) or not value.isprintable() or len(value) > WORD_LIMIT or (default is None and not value):
        raise DocumentInvalid(f"`{field}` is not a text of 1 to {WORD_LIMIT} characters.", fields={field: "not a text"})
    return value
