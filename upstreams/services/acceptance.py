"""Accepting other bytes under a number: a person's word that what a source offers now is what is meant.

First bytes win (RULE.md, "What never changes"). Where the first ones are held they stay; where they were only promised, and
nobody can give them any more, the number would be lost for good.
"""

import orjson
from django.db import transaction
from django.utils import timezone

from packages.errors import VersionExists, VersionNotFound
from packages.models import Version
from packages.services.epochs import bump_name
from registries.models import Registry
from upstreams.memory import parsed
from upstreams.models import Pin, UpstreamDocument
from upstreams.selectors.moved import ACCEPTED, MOVED
from workspaces.access import Action, Actor
from workspaces.errors import Denied
from workspaces.models import Workspace
from workspaces.selectors import alerts
from workspaces.services.alerts import acknowledge
from workspaces.services.audit import record


@transaction.atomic
def accept_bytes(*, actor: Actor, registry: Registry, format: str, name: str, version: str) -> None:  # noqa: A002 - the field's own word
    """Let go of what was first promised of a version that is not held: what its source offers next counts.

    Raises Denied, VersionExists (it is held), VersionNotFound (nothing was ever promised).
    """
    if not actor.may(Action.MANAGE, registry):
        raise Denied("Only admins and owners accept other bytes under a number.")
    bump_name(registry.workspace_id, format, name.lower())
    if Version.objects.filter(package__registry=registry, package__format=format, package__name=name, version=version).exists():
        raise VersionExists(f"{registry} holds {name}@{version} with the bytes it saw first, and keeps to them.")
    pin = Pin.objects.select_for_update().filter(registry=registry, format=format, name=name).first()
    pinned: dict[str, str] = parsed(bytes(pin.integrities)) if pin is not None else {}
    if pin is None or version not in pinned:
        raise VersionNotFound(f"No source of {registry} has promised anything of {name}@{version[:80]}.")
    old = pinned.pop(version)
    pin.integrities = orjson.dumps(pinned)
    pin.save(update_fields=["integrities"])
    said = UpstreamDocument.objects.filter(upstream__registry=registry, upstream__format=format, name=name)
    said.update(etag="", last_modified="", fresh_until=timezone.now())  # each is asked for all of it anew
    subject = f"{registry} {format} {name}@{version}"
    record(actor, ACCEPTED, subject, workspace=registry.workspace_id, old={"promised": old[:200]})
    _acknowledge(actor, registry.workspace, subject)


def _acknowledge(actor: Actor, workspace: Workspace, subject: str) -> None:
    """Whoever accepts a moved tag has seen the alert of it. A token that reaches only some registries acknowledges nothing."""
    told = alerts(workspace).filter(action=MOVED, object=subject).order_by("-pk").first()
    if told is not None and actor.may_in(workspace.pk, Action.MANAGE):
        acknowledge(actor=actor, workspace=workspace, alerts_seen=[told.pk], note="The new commit was accepted.")
