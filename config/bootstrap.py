"""The first run: administrator, workspace `team`, registry `main`, upstream `npm` (CONTRACT.md section 2).

Idempotent. What exists is left as it is, and what somebody removed since (the audit log knows) is not made again.
"""

import secrets
import string
from dataclasses import dataclass

from django.db import transaction

from registries.models import Registry
from registries.services import create_registry
from tokens.services.authenticate import actor_of_user
from tokens.services.issue import Wish, create_token
from upstreams.models import Upstream
from upstreams.services.sources import create_upstream
from upstreams.services.wishes import UpstreamWish
from workspaces.access import Actor
from workspaces.models import Event, User, Workspace
from workspaces.services.people import create_user
from workspaces.services.spaces import create_workspace

WORKSPACE, REGISTRY, UPSTREAM, PRIORITY = "team", "main", "npm", 100
INSTALLER = Actor(name="gatehouse", is_operator=True)
PASSWORD_LETTERS = string.ascii_letters + string.digits
PASSWORD_LENGTH = 20  # 119 bits


@dataclass(frozen=True)
class FirstRun:
    """What the bootstrap made that can be shown only once; None: it was there already, or is the operator's own word."""

    password: str | None = None
    token: str | None = None


@transaction.atomic
def bootstrap(*, username: str, password: str | None, npm_upstream_url: str | None) -> FirstRun:
    """Make whatever of the first run is missing. Raises Invalid for a user name, password or address that cannot be."""
    made = FirstRun()
    admin = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
    if admin is None:
        chosen = password or "".join(secrets.choice(PASSWORD_LETTERS) for _ in range(PASSWORD_LENGTH))
        admin = _operator(username, chosen)
        token = create_token(actor=actor_of_user(admin), wish=Wish(name="first run")).secret
        made = FirstRun(None if password else chosen, token)
    registry = _registry(_workspace(admin), admin)
    if registry is not None and npm_upstream_url:
        _upstream(registry, npm_upstream_url)
    return made


def _operator(username: str, password: str) -> User:
    user = create_user(actor=INSTALLER, username=username, password=password)
    user.is_superuser = user.is_staff = True
    user.save(update_fields=["is_superuser", "is_staff"])
    return user


def _workspace(admin: User) -> Workspace | None:
    found = Workspace.objects.filter(slug=WORKSPACE).first()
    if found is None and not _was_made("workspace.created", WORKSPACE):
        found = create_workspace(actor=actor_of_user(admin), slug=WORKSPACE, name="Team")
    return found


def _registry(workspace: Workspace | None, admin: User) -> Registry | None:
    if workspace is None:
        return None
    found = Registry.objects.filter(workspace=workspace, slug=REGISTRY).first()
    if found is None and not _was_made("registry.created", f"{WORKSPACE}/{REGISTRY}"):
        found = create_registry(actor=actor_of_user(admin), workspace=workspace, slug=REGISTRY)
    return found


def _upstream(registry: Registry, address: str) -> None:
    there = Upstream.objects.filter(registry=registry, name=UPSTREAM).exists()
    if not there and not _was_made("upstream.created", f"{registry} {UPSTREAM}"):
        create_upstream(actor=INSTALLER, registry=registry, wish=UpstreamWish(name=UPSTREAM, url=address, priority=PRIORITY))


def _was_made(action: str, subject: str) -> bool:
    return Event.objects.filter(action=action, object=subject).exists()
