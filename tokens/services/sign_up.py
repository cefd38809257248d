"""Somebody makes an account of their own: whether SIGNUP lets them, and the account with its way in."""

import re

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction

from tokens import throttle
from tokens.errors import SignUpClosed
from tokens.services.account import check_new
from tokens.services.identities import Visitor, add
from workspaces.access import Actor
from workspaces.models import User
from workspaces.services.people import enrol
from workspaces.slugs import RESERVED, SLUG

OPEN, INVITED = "open", "invited"
SUGGESTIONS = 100  # of one name
SHORT = 36  # characters of a suggestion, which leave room for a number


def takes_newcomers(*, is_invited: bool) -> bool:
    """Whether SIGNUP lets this person make an account."""
    return settings.SIGNUP == OPEN or (settings.SIGNUP == INVITED and is_invited)


def check_sign_up(*, is_invited: bool) -> None:
    """Nothing, where this installation takes new people. Raises SignUpClosed with what the person can do."""
    if takes_newcomers(is_invited=is_invited):
        return
    if settings.SIGNUP == INVITED:
        raise SignUpClosed("New accounts are by invitation here. Ask an admin of your team for an invitation link, and open that first.")
    raise SignUpClosed("This installation takes no new accounts from here. Ask its operator for one.")


def suggested_name(login: str) -> str:
    """A free user name like that one, as a person would choose it; '' where none comes to mind."""
    base = re.sub(r"[^a-z0-9]+", "-", login.lower()).strip("-")[:SHORT].strip("-")
    names = [base, *(f"{base}-{number}" for number in range(2, SUGGESTIONS))]
    taken = set(User.objects.filter(username__in=names).values_list("username", flat=True)) | RESERVED
    return next((name for name in names if SLUG.fullmatch(name) and name not in taken), "")


def sign_up_with_password(*, username: str, email: str, password: str, ip: str, is_invited: bool) -> User:
    """An account with a password. Raises SignUpClosed, LoginThrottled, Invalid, UserExists."""
    check_sign_up(is_invited=is_invited)
    check_new(User(username=username, email=email), "", password)
    throttle.count_sign_up(ip)
    hashed = make_password(password)  # argon2 takes its time: never inside a transaction, which is SQLite's one writer
    return enrol(username=username, email=email, full_name="", by="password", ip=ip, hashed=hashed)


@transaction.atomic
def sign_up(*, visitor: Visitor, username: str, email: str, ip: str, is_invited: bool) -> User:
    """An account for somebody a provider vouches for; it has no password. Raises SignUpClosed, Invalid, UserExists, IdentityTaken."""
    check_sign_up(is_invited=is_invited)
    person = enrol(username=username, email=email, full_name=visitor.name, by=visitor.provider, ip=ip)
    add(actor=Actor(person.pk, person.username, ip=ip), person=person, visitor=visitor)
    return person
