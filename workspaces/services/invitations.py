"""Invitations: a link that makes whoever opens it a member of the workspace, once, within five days.

An e-mail address is a note about whom it is meant for: nobody has proved theirs here, so whoever has the link may use it.
"""

import hashlib
import secrets
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from workspaces.access import NEEDED, Action, Actor, Role
from workspaces.errors import Conflict, Denied, Gone, Invalid, NotFound
from workspaces.models import Invitation, Membership, Workspace
from workspaces.services.audit import record
from workspaces.services.people import lock_people

LIFE = timedelta(days=5)
MOST = 100  # open ones of a workspace
LONGEST = 254  # characters of an e-mail address


class InvitationNotFound(NotFound):
    """No such invitation."""

    code = "invitation_not_found"


class InvitationOver(Gone):
    """The link was used, withdrawn, has expired, or whoever gave it may not invite any more."""

    code = "invitation_over"


class TooManyInvitations(Conflict):
    """As many are open as a workspace may have."""

    code = "too_many_invitations"


class MemberAlready(Conflict):
    """Whoever accepts belongs to the workspace already."""

    code = "member_exists"


@transaction.atomic
def invite(*, actor: Actor, workspace: Workspace, role: Role, email: str = "") -> tuple[Invitation, str]:
    """An invitation and its secret, which is shown this once. Raises Denied, Invalid, TooManyInvitations."""
    if not actor.may_in(workspace.pk, Action.OWN if role is Role.OWNER else Action.MANAGE):
        raise Denied("Only an owner invites an owner." if role is Role.OWNER else "Only admins and owners of the workspace invite people.")
    email = _checked(email)
    lock_people(workspace)
    if open_invitations(workspace).count() >= MOST:
        raise TooManyInvitations(f"{MOST} invitations are open; withdraw some, or wait until they are used.")
    secret = secrets.token_urlsafe(32)
    made = Invitation.objects.create(
        workspace=workspace,
        digest=_digest(secret),
        email=email,
        role=role,
        inviter_id=actor.user_id,
        invited_by=actor.name[:128],
        expires_at=timezone.now() + LIFE,
    )
    record(actor, "invitation.created", email or f"link {made.pk}", workspace=workspace, new={"role": role.word})
    return made, secret


@transaction.atomic
def withdraw_invitation(*, actor: Actor, workspace: Workspace, invitation_id: int) -> None:
    """Its link ends at once. Raises Denied, InvitationNotFound."""
    if not actor.may_in(workspace.pk, Action.MANAGE):
        raise Denied("Only admins and owners of the workspace withdraw invitations.")
    lock_people(workspace)
    found = open_invitation(workspace, invitation_id)
    _end(found)
    record(actor, "invitation.withdrawn", _named(found), workspace=workspace, old={"role": Role(found.role).word})


@transaction.atomic
def accept_invitation(*, actor: Actor, secret: str) -> Workspace:
    """The caller becomes a member. Raises Denied, InvitationNotFound, InvitationOver, MemberAlready."""
    if actor.user_id is None or (actor.grant is not None and not actor.grant.reaches_all):
        raise Denied("A person accepts an invitation, signed in or with a token that manages.")
    lock_people(invitation_of(secret).workspace)
    found = invitation_of(secret)  # again: of two who come with one link, one is too late
    if Membership.objects.filter(workspace=found.workspace, user_id=actor.user_id).exists():
        raise MemberAlready("You belong to this workspace already; the invitation is still good for somebody else.")
    role = Role(found.role)
    Membership.objects.create(workspace=found.workspace, user_id=actor.user_id, role=role)
    _end(found)
    told = {"role": role.word, "invited_by": found.invited_by}
    record(actor, "invitation.accepted", _named(found), workspace=found.workspace, new=told)
    record(actor, "member.set", actor.name, workspace=found.workspace, new={"role": role.word})
    return found.workspace


def invitation_of(secret: str) -> Invitation:
    """The invitation behind a link, if it is still good. Raises InvitationNotFound, InvitationOver."""
    found = Invitation.objects.select_related("workspace", "inviter").filter(digest=_digest(secret)).first()
    if found is None:
        raise InvitationNotFound("There is no such invitation. Was the whole link copied?")
    if found.ended_at is not None:
        raise InvitationOver("This invitation was used already, or withdrawn. Ask whoever sent it for another.")
    if found.expires_at <= timezone.now():
        raise InvitationOver("This invitation has expired: a link is good for five days. Ask whoever sent it for another.")
    if not _may_still_invite(found):
        raise InvitationOver("Whoever sent this invitation may not invite people here any more. Ask an admin of the team for another.")
    return found


def open_invitations(workspace: Workspace) -> QuerySet[Invitation]:
    """Those that nobody has used yet, the newest first."""
    return Invitation.objects.filter(workspace=workspace, ended_at=None, expires_at__gt=timezone.now())


def open_invitation(workspace: Workspace, invitation_id: int) -> Invitation:
    """One of them. Raises InvitationNotFound."""
    found = open_invitations(workspace).filter(pk=invitation_id).first()
    if found is None:
        raise InvitationNotFound("There is no such open invitation in this workspace.")
    return found


def _may_still_invite(found: Invitation) -> bool:
    """A person's word holds as long as they might give it again."""
    if found.inviter is None or found.inviter.is_superuser:
        return found.inviter is None or found.inviter.is_active
    needed = NEEDED[Action.OWN if found.role == Role.OWNER else Action.MANAGE]
    standing = Membership.objects.filter(workspace=found.workspace_id, user=found.inviter, is_active=True, role__gte=needed)
    return found.inviter.is_active and standing.exists()


def _end(found: Invitation) -> None:
    found.ended_at = timezone.now()
    found.save(update_fields=["ended_at"])


def _named(found: Invitation) -> str:
    return found.email or f"link {found.pk}"


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _checked(email: str) -> str:
    """The address, or ''. Raises Invalid."""
    email = email.strip()
    try:
        if email:
            validate_email(email)
    except ValidationError:
        raise Invalid("That is not an e-mail address.", fields={"email": "not an address"}) from None
    if len(email) > LONGEST:
        raise Invalid(f"An e-mail address has {LONGEST} characters at most.", fields={"email": "too long"})
    return email
