"""Changing a workspace's secrets, where upstreams that name them have a say."""

from collections.abc import Iterable

from django.db import transaction

from upstreams.models import Upstream
from upstreams.seal import SealBroken, unseal
from upstreams.services.credentials import ask_anew
from upstreams.variables import BEGIN, names_in
from workspaces.access import Actor
from workspaces.errors import Conflict
from workspaces.models import Secret, Workspace
from workspaces.services import secrets
from workspaces.services.spaces import bump_rules


class SecretInUse(Conflict):
    """Upstreams name it; `fields` says which."""

    code = "secret_in_use"


def users_of(workspace: Workspace) -> dict[str, list[Upstream]]:
    """The upstreams of the workspace that name a secret, by its name, switched off ones too."""
    rows = Upstream.objects.filter(registry__workspace=workspace).exclude(auth_type=Upstream.AuthType.NONE)
    found: dict[str, list[Upstream]] = {}
    for upstream in rows.select_related("registry__workspace").order_by("registry__slug", "priority", "id"):
        for name in names_in(upstream.username, _secret(upstream)):
            found.setdefault(name, []).append(upstream)
    return found


def labels_of(users: Iterable[Upstream]) -> list[str]:
    """Upstreams as `registry upstream`."""
    return [f"{upstream.registry.slug} {upstream.name}" for upstream in users]


@transaction.atomic
def replace_secret(*, actor: Actor, secret: Secret, value: str) -> Secret:
    """Another value, which holds from the next request on; what was “not here” under the old one is asked for anew.

    Raises Denied, Invalid.
    """
    bump_rules(secret.workspace_id)
    changed = secrets.replace_secret(actor=actor, secret=secret, value=value)
    ask_anew(users_of(secret.workspace).get(secret.name, []))
    return changed


@transaction.atomic
def remove_secret(*, actor: Actor, secret: Secret) -> None:
    """Remove a secret that no upstream names: one that does would fail from the next request on. Raises Denied, SecretInUse."""
    secrets.may_change(actor, secret.workspace)
    bump_rules(secret.workspace_id)  # a lock too: nobody names it meanwhile
    users = labels_of(users_of(secret.workspace).get(secret.name, []))
    if users:
        sentence = f"{secret.name} is in use by {', '.join(users)}: give these other credentials first, or replace the secret's value."
        raise SecretInUse(sentence, fields={"name": ", ".join(users)})
    secrets.remove_secret(actor=actor, secret=secret)


def _secret(upstream: Upstream) -> str:
    """What is stored, variables unexpanded."""
    if upstream.secret_shown:
        return upstream.secret_shown
    try:
        text = unseal(bytes(upstream.secret_sealed)) if upstream.secret_sealed else ""
    except SealBroken:
        return ""
    return text if BEGIN in text else ""
