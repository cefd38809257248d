"""Ways in beside the password: who an account at a provider belongs to, linking and unlinking (threats.md A6).

The provider's own id decides, and nothing else: names and e-mail addresses there change hands, and are often unproved.
"""

from dataclasses import dataclass, field

from django.db import IntegrityError, transaction
from django.utils import timezone

from tokens.errors import IdentityTaken, LastWayIn
from tokens.models import Identity
from workspaces.access import Actor
from workspaces.errors import NotFound
from workspaces.models import User
from workspaces.seal import seal
from workspaces.services.audit import record
from workspaces.services.profile import person_of

PURPOSE = "gatehouse oauth tokens"
TITLES = {"github": "GitHub"}


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Somebody whom a provider has just vouched for. `email` is '' unless it is proved there."""

    provider: str
    uid: str
    login: str
    name: str = ""
    email: str = ""
    token: str = field(default="", repr=False)

    @property
    def title(self) -> str:
        """The provider's name as people write it."""
        return TITLES[self.provider]


class IdentityUnknown(NotFound):
    """The person has no such link."""

    code = "identity_unknown"


def identity_of(user: User, provider: str) -> Identity | None:
    """The person's account at that provider."""
    return Identity.objects.filter(user=user, provider=provider).first()


@transaction.atomic
def recognised(visitor: Visitor) -> User | None:
    """Whom this account belongs to here; what the provider says of it now is kept."""
    identity = Identity.objects.select_related("user").filter(provider=visitor.provider, uid=visitor.uid).first()
    if identity is None:
        return None
    Identity.objects.filter(pk=identity.pk).update(**_of_now(visitor))
    return identity.user


@transaction.atomic
def link(*, actor: Actor, visitor: Visitor) -> bool:
    """Make the account a way in for the caller, who is signed in. False: it was already. Raises Denied, IdentityTaken."""
    person = person_of(actor)
    there = Identity.objects.filter(provider=visitor.provider, uid=visitor.uid).first()
    if there is not None and there.user_id == person.pk:
        Identity.objects.filter(pk=there.pk).update(**_of_now(visitor))
        return False
    if there is not None:
        sentence = f"The {visitor.title} account “{visitor.login}” is linked to another account here; it can be linked to one only."
        raise IdentityTaken(sentence)
    if identity_of(person, visitor.provider) is not None:
        raise IdentityTaken(f"Your account is linked to another {visitor.title} account already; unlink that one first.")
    add(actor=actor, person=person, visitor=visitor)
    return True


def add(*, actor: Actor, person: User, visitor: Visitor) -> Identity:
    """The row and its event, in the caller's transaction. Raises IdentityTaken when somebody was quicker."""
    try:
        with transaction.atomic():
            made = Identity.objects.create(user=person, provider=visitor.provider, uid=visitor.uid, **_of_now(visitor))
    except IntegrityError:
        raise IdentityTaken(f"The {visitor.title} account “{visitor.login}” was linked in the meantime.") from None
    record(actor, f"{visitor.provider}.linked", person.username, workspace=None, new={"login": visitor.login, "id": visitor.uid})
    return made


@transaction.atomic
def unlink(*, actor: Actor, provider: str) -> None:
    """Take the way in away, with the token that was kept for it. Raises Denied, IdentityUnknown, LastWayIn."""
    person = person_of(actor)
    User.objects.select_for_update().get(pk=person.pk)
    identity = identity_of(person, provider)
    if identity is None:
        raise IdentityUnknown(f"Your account is not linked to {TITLES[provider]}.")
    if not person.has_usable_password():
        sentence = f"{TITLES[provider]} is your only way in. Set a password on the account page first; then it can be unlinked."
        raise LastWayIn(sentence)
    identity.delete()
    old = {"login": identity.login, "id": identity.uid}
    record(actor, f"{provider}.unlinked", person.username, workspace=None, old=old)


def _of_now(visitor: Visitor) -> dict[str, object]:
    return {"login": visitor.login[:100], "token_sealed": seal(visitor.token, PURPOSE), "last_used_at": timezone.now()}
