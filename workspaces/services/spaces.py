"""Workspaces and their claims."""

import re

from django.db import IntegrityError, transaction
from django.db.models import F

from workspaces.access import Action, Actor, Role
from workspaces.errors import Conflict, Denied, Invalid, NotFound
from workspaces.models import Claim, Event, Membership, Workspace
from workspaces.services.audit import record
from workspaces.slugs import check_slug

DELETED = "workspace.deleted"  # the event that keeps the address from strangers
PATTERN = re.compile(r"[a-z0-9@*?/._~-]{1,214}")


class WorkspaceExists(Conflict):
    """The slug is taken."""

    code = "workspace_exists"


class ClaimExists(Conflict):
    """The pattern is claimed already."""

    code = "claim_exists"


def bump_rules(workspace_id: int) -> None:
    """Make every rendered document of the workspace old. Call inside the transaction that changes a rule."""
    Workspace.objects.filter(pk=workspace_id).update(rule_epoch=F("rule_epoch") + 1)


def lock_rules(workspace_id: int) -> None:
    """Be the only one who changes rules and settings of the workspace, until the end of the transaction.

    As `bump_rules` does it, and before any other row is locked: all who need more than one take this one first. Not the
    key's lock: whoever only refers to the workspace (a publish's event) does not wait.
    """
    Workspace.objects.select_for_update(no_key=True).filter(pk=workspace_id).exists()


@transaction.atomic
def create_workspace(*, actor: Actor, slug: str, name: str = "") -> Workspace:
    """A signed-in person creates a workspace and owns it; one that was deleted is an operator's to create.

    Raises SlugInvalid, WorkspaceExists, Denied.
    """
    if actor.user_id is None or (actor.grant and not actor.grant.reaches_all):
        raise Denied("Only a signed-in person creates a workspace; a token held to some registries, scoped or read-only does not.")
    check_slug(slug)
    if Workspace.objects.filter(slug=slug).exists():
        raise WorkspaceExists(f"A workspace “{slug}” exists already.", fields={"slug": "taken"})
    if not actor.is_operator and Event.objects.filter(workspace=None, action=DELETED, object=slug).exists():
        # Clients that still name it would install from a stranger.
        said = f"A workspace “{slug}” was deleted, and nobody else gets its address; an operator of this installation can create it again."
        raise WorkspaceExists(said, fields={"slug": "taken"})
    try:
        with transaction.atomic():
            workspace = Workspace.objects.create(slug=slug, name=name[:200])
    except IntegrityError:
        raise WorkspaceExists(f"A workspace “{slug}” exists already.", fields={"slug": "taken"}) from None
    Membership.objects.create(workspace=workspace, user_id=actor.user_id, role=Role.OWNER)
    record(actor, "workspace.created", slug, workspace=workspace, new={"slug": slug})
    return workspace


@transaction.atomic
def rename_workspace(*, actor: Actor, workspace: Workspace, name: str) -> Workspace:
    """Change the display name. Raises Denied."""
    if not actor.may_in(workspace.pk, Action.OWN):
        raise Denied("Only an owner changes the workspace.")
    old, workspace.name = workspace.name, name[:200]
    workspace.save(update_fields=["name"])
    record(actor, "workspace.renamed", workspace.slug, workspace=workspace, old={"name": old}, new={"name": workspace.name})
    return workspace


def check_pattern(pattern: str, field: str = "pattern") -> str:
    """A name pattern, lower-cased. Raises Invalid."""
    folded = pattern.strip().lower()
    scope, slash, rest = folded.partition("/")
    matches_nothing = folded.startswith("@") and "*" not in folded and (not slash or len(scope) < 2 or not rest)  # noqa: PLR2004
    if not PATTERN.fullmatch(folded) or matches_nothing or not folded.strip("./"):
        raise Invalid(
            "A pattern is a package name in which * stands for any characters and ? for one; a whole scope is @acme/*.",
            fields={field: "not a pattern"},
        )
    return folded


@transaction.atomic
def add_claim(*, actor: Actor, workspace: Workspace, pattern: str) -> Claim:
    """Claim a pattern: its names are internal everywhere here from now on. Raises Denied, Invalid, ClaimExists."""
    _may_claim(actor, workspace)
    pattern = check_pattern(pattern)
    if not pattern.strip("*?/@"):
        raise Invalid("That pattern would claim every name there is; name at least a scope or a prefix.", fields={"pattern": "too wide"})
    claim, created = Claim.objects.get_or_create(workspace=workspace, pattern=pattern)
    if not created:
        raise ClaimExists(f"{pattern} is claimed already.", fields={"pattern": "exists"})
    bump_rules(workspace.pk)
    record(actor, "claim.added", pattern, workspace=workspace, new={"pattern": pattern})
    return claim


@transaction.atomic
def remove_claim(*, actor: Actor, workspace: Workspace, claim_id: int) -> None:
    """Give a claim up. Raises Denied, NotFound."""
    _may_claim(actor, workspace)
    claim = Claim.objects.filter(workspace=workspace, pk=claim_id).first()
    if claim is None:
        raise NotFound("There is no such claim.")
    claim.delete()
    bump_rules(workspace.pk)
    record(actor, "claim.removed", claim.pattern, workspace=workspace, old={"pattern": claim.pattern})


def _may_claim(actor: Actor, workspace: Workspace) -> None:
    if not actor.may_in(workspace.pk, Action.MANAGE):
        raise Denied("Only admins and owners of the workspace change its claims.")
