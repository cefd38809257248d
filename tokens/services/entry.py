"""Somebody signs in at the pages: who may, and the line in the audit log."""

from django.db import transaction

from tokens.errors import CredentialsInvalid
from workspaces.access import Actor
from workspaces.models import User
from workspaces.services.audit import record


@transaction.atomic
def note_entry(*, user: User, by: str, ip: str) -> None:
    """Record that a session is opened (`by`: password, github). Raises CredentialsInvalid for a deactivated person."""
    if not User.objects.filter(pk=user.pk, is_active=True).exists():
        raise CredentialsInvalid("This account is deactivated; ask an operator of this installation.")
    record(Actor(user.pk, user.username, ip=ip), "session.opened", user.username, workspace=None, new={"by": by})
