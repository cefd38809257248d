"""A password for one login: clients that know only user name and password (npm's `--auth-type=legacy`) send it once.

It is made at a registry's page, holds for ten minutes, for that registry and that person alone, and opens nothing but the
login itself, which answers a token. So it also serves people whose password works in the browser only.
"""

import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from registries.models import Registry
from tokens import throttle
from tokens.errors import CredentialsInvalid
from tokens.models import LoginPassword
from tokens.secrets import digest
from tokens.services.authenticate import verified_for_clients
from workspaces.access import Action, Actor
from workspaces.errors import Denied
from workspaces.models import User
from workspaces.services.audit import record
from workspaces.services.profile import person_of

LIFE = timedelta(minutes=10)
MARK = "gtl_"  # tells it from a password and from a token
MOST = 5  # that may wait at once


@transaction.atomic
def make_login_password(*, actor: Actor, registry: Registry) -> str:
    """The password, told this once. Raises Denied."""
    person = person_of(actor)
    if not actor.may(Action.READ, registry):
        raise Denied("You may not read this registry.")
    now = timezone.now()
    LoginPassword.objects.filter(expires_at__lte=now).delete()
    kept = LoginPassword.objects.filter(user=person).order_by("-pk").values_list("pk", flat=True)[: MOST - 1]
    LoginPassword.objects.filter(user=person).exclude(pk__in=list(kept)).delete()
    secret = MARK + secrets.token_urlsafe(24)
    LoginPassword.objects.create(user=person, registry=registry, digest=digest(secret), expires_at=now + LIFE)
    record(actor, "login_password.made", str(registry), workspace=registry.workspace_id)
    return secret


def verified_for_login(username: str, password: str, ip: str, *, workspace: str, registry: str) -> User:
    """Who logs in with that name at that registry: by a login password, used up now, or by their own.

    Raises CredentialsInvalid, SecondFactorNeeded, LoginThrottled.
    """
    if not password.startswith(MARK):
        return verified_for_clients(username, password, ip)
    throttle.check(username, ip)
    rows = LoginPassword.objects.filter(digest=digest(password), user__username=username[:64], user__is_active=True)
    here = rows.filter(registry__slug=registry, registry__workspace__slug=workspace, expires_at__gt=timezone.now())
    row = here.select_related("user").first()
    if row is None or not LoginPassword.objects.filter(pk=row.pk).delete()[0]:  # the second: somebody else was quicker
        throttle.failed(username, ip)
        raise CredentialsInvalid("This login password is wrong, was used, is over, or was made for another registry.")
    return row.user
