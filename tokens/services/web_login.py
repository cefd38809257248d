"""The web login of npm, pnpm and yarn: start, approve at the page, collect once by polling."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from tokens import throttle
from tokens.errors import LoginOver, LoginRefused, LoginUnknown
from tokens.models import LoginSession
from tokens.services.authenticate import actor_of_user
from tokens.services.issue import Issued, Wish, create_token
from workspaces.access import Actor
from workspaces.errors import Denied
from workspaces.services.audit import record

LIFE = timedelta(minutes=10)


@dataclass(frozen=True)
class Started:
    """The two ids of a login: one for the page a person opens, one for the client to poll."""

    page_id: str
    poll_id: str


def start_login(*, registry_path: str, client: str, ip: str) -> Started:
    """Begin a login. Anybody may; nothing is given away before a person approves. Raises LoginThrottled."""
    throttle.count_login(ip)
    started = Started(secrets.token_hex(16), secrets.token_hex(16))
    LoginSession.objects.create(
        page_id=started.page_id,
        poll_hash=_digest(started.poll_id),
        registry_path=registry_path[:100],
        client=(client or "unknown client")[:200],
        ip=ip[:45],
        expires_at=timezone.now() + LIFE,
    )
    return started


def pending_login(page_id: str) -> LoginSession:
    """The login waiting at the page. Raises LoginOver."""
    login = LoginSession.objects.filter(page_id=page_id, state=LoginSession.State.PENDING, expires_at__gt=timezone.now()).first()
    if login is None:
        raise LoginOver("This login link was used or is over. Run the login command again.")
    return login


@transaction.atomic
def answer_login(*, actor: Actor, page_id: str, approve: bool) -> LoginSession:
    """A signed-in person approves or refuses. Raises LoginOver, Denied."""
    if actor.user_id is None or actor.grant is not None:
        raise Denied("Only a person signed in at this page answers a login.")
    login = pending_login(page_id)
    state = LoginSession.State.APPROVED if approve else LoginSession.State.DENIED
    changed = LoginSession.objects.filter(pk=login.pk, state=LoginSession.State.PENDING).update(state=state, user_id=actor.user_id)
    if not changed:
        raise LoginOver("This login link was used or is over. Run the login command again.")
    login.refresh_from_db()
    record(actor, f"login.{state}", login.client, workspace=None, new={"registry": login.registry_path, "ip": login.ip})
    return login


@transaction.atomic
def collect_login(*, poll_id: str) -> Issued | None:
    """The client's poll: None while pending, the token once, then LoginUnknown. Denied when the person refused."""
    login = (
        LoginSession.objects.select_for_update(of=("self",))  # the person may be null, and PostgreSQL locks no outer join
        .select_related("user")
        .filter(poll_hash=_digest(poll_id), expires_at__gt=timezone.now())
        .first()
    )
    if login is None:
        raise LoginUnknown("This login is not known, was used already, or is over.")
    if login.state == LoginSession.State.PENDING:
        return None
    if login.state == LoginSession.State.DENIED or login.user is None or not login.user.is_active:
        raise LoginRefused("The login was refused at the page.")  # stays until it is over, so that every poll hears it
    login.delete()
    return create_token(actor=actor_of_user(login.user, ip=login.ip), wish=Wish(name=f"login from {login.client}"[:128]))


def sweep_logins() -> int:
    """Delete logins that are over; returns how many."""
    return LoginSession.objects.filter(expires_at__lte=timezone.now()).delete()[0]


def _digest(poll_id: str) -> str:
    return hashlib.sha256(poll_id.encode("utf-8", "surrogatepass")).hexdigest()
