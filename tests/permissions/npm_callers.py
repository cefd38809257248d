"""Every kind of caller of a registry, for the matrix of npm's addresses."""

from datetime import timedelta

from django.test import Client
from django.utils import timezone

from registries.services import create_registry
from tests.api.cast import Cast
from tokens.models import Token
from tokens.services.authenticate import actor_of_user
from tokens.services.issue import Wish, create_service_token, create_token
from workspaces.access import Role
from workspaces.models import Membership, User

# Credentials that are not (or no longer) good: 401 wherever credentials are looked at.
INVALID = ("garbage", "expired", "revoked", "disabled", "elsewhere")
# Good ones, for whom this registry does not exist: 404 everywhere.
STRANGERS = ("mallory", "held", "foreign service", "removed")
# Those who may know of it, each with less or more: the columns of the matrix.
KNOWN = ("rita", "bob", "adam", "alice", "root", "readonly", "scoped", "narrow", "empty", "service")


def secrets_of(cast: Cast) -> dict[str, str]:
    """The secret of each caller; `nobody` has none."""
    alice, second = cast.actor("alice"), create_registry(actor=cast.actor("alice"), workspace=cast.acme, slug="second")
    wishes = {
        "expired": Wish(name="expired", expires_at=timezone.now() + timedelta(hours=1)),
        "revoked": Wish(name="revoked"),
        "elsewhere": Wish(name="elsewhere", cidrs=["10.0.0.0/8"]),
        "held": Wish(name="held", registries=[second.pk]),
        "narrow": Wish(name="narrow", scopes=["npm:package:@acme/*:read"], registries=[cast.main.pk]),
        "empty": Wish(name="empty", scopes=[]),
    }
    found = {who: create_token(actor=alice, wish=wish).secret for who, wish in wishes.items()}
    found |= {who: cast.tokens[who].secret for who in ("mallory", "rita", "bob", "adam", "alice", "root", "readonly", "scoped")}
    found["garbage"] = "gth_notavalidtoken"
    found["service"] = cast.service.secret
    found["foreign service"] = create_service_token(
        actor=cast.actor("mallory"), workspace=cast.globex, role=Role.OWNER, wish=Wish(name="theirs")
    ).secret
    found |= _gone(cast)
    Token.objects.filter(name="expired").update(expires_at=timezone.now())
    Token.objects.filter(name="revoked").delete()
    return found


def _gone(cast: Cast) -> dict[str, str]:
    """An owner whose account was disabled, and one who was taken out of the workspace."""
    made = {}
    for who in ("disabled", "removed"):
        person = User.objects.create_user(who, f"{who}@example.org", "correct horse")
        member = Membership.objects.create(workspace=cast.acme, user=person, role=Role.OWNER)
        made[who] = create_token(actor=actor_of_user(person), wish=Wish(name=who)).secret
        member.delete() if who == "removed" else User.objects.filter(pk=person.pk).update(is_active=False)
    return made


def client_of(secret: str) -> Client:
    """A package client with that Bearer token, or without any."""
    return Client(headers={"Authorization": f"Bearer {secret}"} if secret else None)
