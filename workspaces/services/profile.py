"""What a person says of themselves: e-mail address and full name (npm's `profile`, reference/npm.md section 1.2)."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from workspaces.access import Actor
from workspaces.errors import Denied, Invalid
from workspaces.models import Event, User
from workspaces.services.audit import record

NAME_LIMIT = 150  # characters, the column
EMAIL_LIMIT = 254  # characters, the column
CHANGES = ("profile.changed", "password.changed", "password.set")


def person_of(actor: Actor) -> User:
    """The person behind `actor`, if the credential may act for the account itself.

    Raises Denied for nobody, services, and tokens that are scoped, read-only or held to some registries.
    """
    acts = actor.user_id is not None and (actor.grant is None or actor.grant.reaches_all)
    person = User.objects.filter(pk=actor.user_id or 0, is_active=True).first() if acts else None
    if person is None:
        raise Denied("A service, scoped or read-only token, or one held to some registries, changes no account.")
    return person


@transaction.atomic
def change_profile(*, actor: Actor, email: str | None = None, full_name: str | None = None) -> User:
    """Set what is given (None: leave, "": clear), with one event if anything differs. Raises Denied, Invalid."""
    check_profile(email=email, full_name=full_name)
    person = person_of(actor)
    before = _described(person)
    if email is not None:
        person.email = email.strip()
    if full_name is not None:
        person.first_name, person.last_name = full_name.strip(), ""
    after = _described(person)
    if after != before:
        person.save(update_fields=["email", "first_name", "last_name"])
        record(actor, "profile.changed", person.username, workspace=None, old=before, new=after)
    return person


def check_profile(*, email: str | None, full_name: str | None) -> None:
    """Raise Invalid for what cannot be kept, before anything else of the same request is done."""
    address, name = (email or "").strip(), (full_name or "").strip()
    if len(address) > EMAIL_LIMIT:
        raise Invalid(f"An e-mail address has at most {EMAIL_LIMIT} characters.", fields={"email": "length"})
    try:
        if address:
            validate_email(address)
    except ValidationError:
        raise Invalid("That is not an e-mail address.", fields={"email": "not an address"}) from None
    if len(name) > NAME_LIMIT or not name.isprintable():
        raise Invalid(f"A full name has at most {NAME_LIMIT} printable characters.", fields={"fullname": "length"})


def profile_changed_at(person: User) -> str:
    """When the account was changed last, in ISO form: by its newest event, else when it was made."""
    changes = Event.objects.filter(workspace=None, action__in=CHANGES, object=person.username)
    newest = changes.values_list("at", flat=True).first()
    return (newest or person.date_joined).isoformat()


def _described(person: User) -> dict[str, str]:
    return {"email": person.email, "full_name": person.get_full_name()}
