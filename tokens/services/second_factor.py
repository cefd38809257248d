"""The second factor: codes of an authenticator (TOTP, RFC 6238) and codes for the day it is lost.

The key is sealed at rest; of recovery codes only digests are kept. A code is good once: the time step of the last one is
remembered (RFC 6238 section 5.2), a recovery code is deleted.
"""

import hashlib
import logging
import secrets
import time

import pyotp
from django.db import transaction

from tokens import throttle
from tokens.errors import CodeInvalid, FactorExists, FactorMissing
from tokens.models import RecoveryCode, SecondFactor
from workspaces.access import Actor
from workspaces.errors import Denied
from workspaces.models import User
from workspaces.seal import SealBroken, seal, unseal
from workspaces.services.audit import record
from workspaces.services.profile import person_of

logger = logging.getLogger("gatehouse.tokens")

PURPOSE = "gatehouse second factor"
ISSUER = "Gatehouse"
STEP, DRIFT = 30, 1  # seconds; steps that a clock may be off, each way
CODES, ALPHABET = 10, "abcdefghjkmnpqrstuvwxyz23456789"  # no letters that are taken for others


def new_key() -> str:
    """A key for an authenticator: 160 random bits in base 32."""
    return pyotp.random_base32()


def address_of(key: str, username: str) -> str:
    """The `otpauth://` address that an authenticator reads from a QR code."""
    return pyotp.TOTP(key).provisioning_uri(name=username, issuer_name=ISSUER)


def has_second_factor(user_id: int | None) -> bool:
    """Whether the person signs in with a code too."""
    return user_id is not None and SecondFactor.objects.filter(user_id=user_id).exists()


def codes_left(user_id: int) -> int:
    """How many recovery codes the person has not used yet."""
    return RecoveryCode.objects.filter(user_id=user_id).count()


@transaction.atomic
def turn_on(*, actor: Actor, key: str, code: str) -> list[str]:
    """Keep the key from now on, once its first code proves that an authenticator has it; answers the recovery codes.

    Raises Denied, FactorExists, CodeInvalid.
    """
    person = person_of(actor)
    if SecondFactor.objects.select_for_update().filter(user=person).exists():
        raise FactorExists("Your account has a second factor already.")
    step = _step_of(key, code)
    if step is None:
        raise CodeInvalid("This is not the code that the authenticator shows now; are both clocks right?", fields={"code": "wrong"})
    SecondFactor.objects.create(user=person, key_sealed=seal(key, PURPOSE), last_step=step)
    record(actor, "second_factor.on", person.username, workspace=None)
    return _new_codes(person)


def check_code(*, user: User, code: str, ip: str) -> bool:
    """Whether a code is good now, and use it up; True when it was a recovery code. Throttled as passwords are.

    Raises CodeInvalid, FactorMissing, LoginThrottled.
    """
    counted = f"{user.username} code"
    throttle.check(counted, ip)
    with transaction.atomic():
        factor = SecondFactor.objects.select_for_update().filter(user=user).first()
        if factor is None:
            raise FactorMissing("This account has no second factor.")
        step = _step_of(_opened(factor), code)
        if step is not None and step > factor.last_step:
            SecondFactor.objects.filter(pk=factor.pk).update(last_step=step)
            return False
        if RecoveryCode.objects.filter(user=user, digest=_digest(code)).delete()[0]:
            record(Actor(user.pk, user.username, ip=ip), "second_factor.recovery_used", user.username, workspace=None)
            return True
    throttle.failed(counted, ip)
    raise CodeInvalid("This code is wrong, was used, or is over.", fields={"code": "wrong"})


@transaction.atomic
def renew_codes(*, actor: Actor) -> list[str]:
    """Ten recovery codes in place of those that are left. Raises Denied, FactorMissing."""
    person = person_of(actor)
    if not SecondFactor.objects.filter(user=person).exists():
        raise FactorMissing("Your account has no second factor.")
    record(actor, "second_factor.codes_renewed", person.username, workspace=None)
    return _new_codes(person)


@transaction.atomic
def turn_off(*, actor: Actor) -> None:
    """The password, or GitHub, is enough again. The door has seen to it that it is they. Raises Denied, FactorMissing."""
    person = person_of(actor)
    if not SecondFactor.objects.filter(user=person).delete()[0]:
        raise FactorMissing("Your account has no second factor.")
    RecoveryCode.objects.filter(user=person).delete()
    record(actor, "second_factor.off", person.username, workspace=None)


@transaction.atomic
def turn_off_for(*, actor: Actor, user: User) -> bool:
    """An operator helps a person who lost authenticator and recovery codes; False where there was nothing to turn off.

    Raises Denied.
    """
    if not actor.is_operator or (actor.grant and not actor.grant.reaches_all):
        raise Denied("Only an operator of this installation does this.")
    RecoveryCode.objects.filter(user=user).delete()
    if not SecondFactor.objects.filter(user=user).delete()[0]:
        return False
    record(actor, "second_factor.off", user.username, workspace=None)
    return True


def _opened(factor: SecondFactor) -> str | None:
    """The key; None when it was sealed under another OAUTH_PASSWORD: recovery codes work still."""
    try:
        return unseal(bytes(factor.key_sealed), PURPOSE)
    except SealBroken:
        logger.warning("The second factor of user %d cannot be read with the present OAUTH_PASSWORD.", factor.user_id)
        return None


def _step_of(key: str | None, code: str) -> int | None:
    """The time step whose code this is, of those that may be now."""
    digits = code.replace(" ", "")
    if key is None or len(digits) != 6 or not (digits.isascii() and digits.isdigit()):  # noqa: PLR2004 - RFC 6238's usual length
        return None
    now, totp = int(time.time()) // STEP, pyotp.TOTP(key)
    near = range(now - DRIFT, now + DRIFT + 1)
    return next((step for step in near if secrets.compare_digest(totp.generate_otp(step), digits)), None)


def _new_codes(person: User) -> list[str]:
    RecoveryCode.objects.filter(user=person).delete()
    words = ["".join(secrets.choice(ALPHABET) for _ in range(10)) for _ in range(CODES)]
    codes = [f"{word[:5]}-{word[5:]}" for word in words]
    RecoveryCode.objects.bulk_create([RecoveryCode(user=person, digest=_digest(code)) for code in codes])
    return codes


def _digest(code: str) -> str:
    """50 random bits need no slow hash."""
    return hashlib.sha256(code.strip().lower().replace("-", "").replace(" ", "").encode("utf-8", "surrogatepass")).hexdigest()
