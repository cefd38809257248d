"""Secrets of a workspace: values that its upstreams name as ${NAME}. Written, used, never shown.

Who names a secret is the upstreams' to know: `upstreams.services.secrets` asks before one is removed.
"""

import re

from django.db import transaction
from django.db.models import QuerySet

from workspaces.access import Action, Actor
from workspaces.errors import Conflict, Denied, Invalid, NotFound
from workspaces.models import Secret, Workspace
from workspaces.seal import seal, unseal
from workspaces.services.audit import record

PURPOSE = "gatehouse workspace secrets"
NAME = re.compile(r"[A-Z_][A-Z0-9_]{0,63}")
OPERATORS = "UPSTREAM_"  # names that begin so are the environment's, so that ${UPSTREAM_…} means one thing wherever it is read
LONGEST = 16_384  # characters of a value: a private key and the keys of hosts


class SecretExists(Conflict):
    """The name is taken in this workspace."""

    code = "secret_exists"


class SecretNotFound(NotFound):
    """No such secret in this workspace."""

    code = "secret_not_found"


@transaction.atomic
def add_secret(*, actor: Actor, workspace: Workspace, name: str, value: str) -> Secret:
    """Store a new secret. Raises Denied, Invalid, SecretExists."""
    may_change(actor, workspace)
    _check_name(name)
    sealed = seal(_checked(value), PURPOSE)
    secret, created = Secret.objects.get_or_create(workspace=workspace, name=name, defaults={"value_sealed": sealed})
    if not created:
        raise SecretExists(f"A secret {name} exists here already; replace its value instead.", fields={"name": "taken"})
    record(actor, "secret.added", name, workspace=workspace, new={"name": name})
    return secret


@transaction.atomic
def replace_secret(*, actor: Actor, secret: Secret, value: str) -> Secret:
    """Give a secret another value, which holds from the next request of an upstream on. Raises Denied, Invalid."""
    may_change(actor, secret.workspace)
    secret.value_sealed = seal(_checked(value), PURPOSE)
    secret.save(update_fields=["value_sealed", "updated_at"])
    record(actor, "secret.replaced", secret.name, workspace=secret.workspace_id, new={"name": secret.name})
    return secret


@transaction.atomic
def remove_secret(*, actor: Actor, secret: Secret) -> None:
    """Remove a secret, whoever names it. Raises Denied."""
    may_change(actor, secret.workspace)
    secret.delete()
    record(actor, "secret.removed", secret.name, workspace=secret.workspace_id, old={"name": secret.name})


def secret_of(workspace: Workspace, name: str) -> Secret:
    """That secret. Raises SecretNotFound."""
    found = Secret.objects.select_related("workspace").filter(workspace=workspace, name=name).first() if NAME.fullmatch(name) else None
    if found is None:
        raise SecretNotFound(f"There is no secret {name[:64]} in this workspace.")
    return found


def secrets_of(workspace: Workspace) -> QuerySet[Secret]:
    """Its secrets, by name."""
    return Secret.objects.filter(workspace=workspace)


def opened(secret: Secret) -> str:
    """Its value. Raises SealBroken."""
    return unseal(bytes(secret.value_sealed), PURPOSE)


def may_change(actor: Actor, workspace: Workspace) -> None:
    """Nothing, for whoever may change the secrets. Raises Denied."""
    if not actor.may_in(workspace.pk, Action.MANAGE):
        raise Denied("Only admins and owners of the workspace change its secrets.")


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        sentence = "A secret's name has up to 64 capital letters, digits and underscores, and does not begin with a digit."
        raise Invalid(sentence, fields={"name": "not a name"})
    if name.startswith(OPERATORS):
        sentence = f"Names that begin with {OPERATORS} are variables of the server's environment, which operators set."
        raise Invalid(sentence, fields={"name": "reserved"})


def _checked(value: str) -> str:
    """The value without the line breaks around it, which come with pasting. Raises Invalid."""
    value = value.replace("\r\n", "\n").strip("\n")
    if not 0 < len(value) <= LONGEST or not value.replace("\n", "").isprintable():
        sentence = f"A secret's value has 1 to {LONGEST:,} printable characters; only a private key has line breaks in it."
        raise Invalid(sentence, fields={"value": "cannot be used"})
    return value
