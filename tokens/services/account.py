"""A person's own password (threats.md A13): the old one is checked under the throttle, the new one by the rules."""

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import CommonPasswordValidator, UserAttributeSimilarityValidator
from django.core.exceptions import ValidationError
from django.db import transaction

from tokens.errors import CredentialsInvalid
from tokens.models import LoginSession, Token
from tokens.services.authenticate import verified_user
from tokens.services.issue import drop
from workspaces.access import Actor
from workspaces.errors import Conflict, Invalid
from workspaces.models import User
from workspaces.services.audit import record
from workspaces.services.profile import person_of

SHORTEST, LONGEST = 8, 1024  # characters: NIST SP 800-63B's minimum; a cap bounds hashing
ALIKE = UserAttributeSimilarityValidator(user_attributes=("username", "email", "first_name", "last_name"))


class PasswordChanged(Conflict):
    """Somebody changed the password between our look and our write."""

    code = "password_changed"


def change_password(*, actor: Actor, old: str, new: str, revoke_tokens: bool = False) -> User:
    """Replace the caller's own password.

    From then on every browser session of theirs is over (Django binds a session to the hash; the page that asked
    renews its own), and so are logins approved but not collected, and remembered Basic credentials. Tokens stay,
    since builds hang on them, unless `revoke_tokens`. Raises Denied, Invalid, CredentialsInvalid, LoginThrottled.
    """
    person = person_of(actor)
    try:
        person = verified_user(person.username, old, actor.ip)
    except CredentialsInvalid:
        raise CredentialsInvalid("The current password is wrong.", fields={"old": "wrong"}) from None
    check_new(person, old, new)
    hashed = make_password(new)  # argon2 takes its time: never inside a transaction, which is SQLite's one writer
    with transaction.atomic():
        if not User.objects.filter(pk=person.pk, password=person.password, is_active=True).update(password=hashed):
            raise PasswordChanged("The password was changed by somebody else in the meantime; nothing was done.")
        LoginSession.objects.filter(user=person).delete()
        ended = _revoke_all(actor, person) if revoke_tokens else 0
        record(actor, "password.changed", person.username, workspace=None, new={"tokens_revoked": ended})
    person.password = hashed
    return person


def set_first_password(*, actor: Actor, new: str) -> User:
    """Give the caller, who has none (they came by GitHub), a password. The door has seen to it that it is they.

    Raises Denied, Invalid, PasswordChanged when there is one by now.
    """
    person = person_of(actor)
    check_new(person, "", new)
    hashed = make_password(new)
    with transaction.atomic():
        lacks = not person.has_usable_password()
        if not lacks or not User.objects.filter(pk=person.pk, password=person.password, is_active=True).update(password=hashed):
            raise PasswordChanged("This account has a password already; nothing was done.")
        record(actor, "password.set", person.username, workspace=None)
    person.password = hashed
    return person


def check_new(person: User, old: str, new: str) -> None:
    """Of a new password: length, difference, and neither common nor like the person's own name. Raises Invalid."""
    if not SHORTEST <= len(new) <= LONGEST:
        raise Invalid(f"A password has {SHORTEST} to {LONGEST} characters.", fields={"new": "length"})
    if new == old:
        raise Invalid("The new password is the old one.", fields={"new": "same"})
    try:
        ALIKE.validate(new, person)
        CommonPasswordValidator().validate(new, person)
    except ValidationError as error:
        raise Invalid(str(error.messages[0]), fields={"new": "weak"}) from None


def _revoke_all(actor: Actor, person: User) -> int:
    tokens = list(Token.objects.filter(owner=person))
    for token in tokens:
        drop(actor, token)
    return len(tokens)
