"""Where a person is signed in with a browser, and signing out elsewhere: the session that a visit names is deleted."""

from datetime import timedelta
from importlib import import_module

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from tokens.errors import VisitUnknown
from tokens.models import LoginPassword, Visit
from workspaces.access import Actor
from workspaces.seal import SealBroken, seal, unseal
from workspaces.services.audit import record
from workspaces.services.profile import person_of

PURPOSE = "gatehouse sessions"
MOST = 100  # browsers of one person; the one that was quiet longest makes room


def note(*, visit_id: object, user_id: int, agent: str, ip: str, session_key: str) -> int:
    """The person is signed in with this browser: a visit goes on (under another key, maybe), or begins; answers its number."""
    now = {"ip": ip[:45], "seen_at": timezone.now(), "session_sealed": seal(session_key, PURPOSE)}
    if isinstance(visit_id, int) and Visit.objects.filter(pk=visit_id, user_id=user_id).update(**now):
        return visit_id
    made = Visit.objects.create(user_id=user_id, agent=agent[:300], **now)
    for quiet in Visit.objects.filter(user_id=user_id).order_by("-seen_at", "-pk")[MOST:]:
        _end(quiet)
    return made.pk


def visits_of(actor: Actor) -> QuerySet[Visit]:
    """Where the caller is signed in, the latest first. Raises Denied for a credential that does not act for the account."""
    return Visit.objects.filter(user=person_of(actor)).order_by("-seen_at", "-pk")


@transaction.atomic
def end_visit(*, actor: Actor, visit_id: int) -> None:
    """Sign one browser of the caller's out. Raises Denied, VisitUnknown."""
    person = person_of(actor)
    visit = Visit.objects.filter(pk=visit_id, user=person).first()
    if visit is None:
        raise VisitUnknown("You are not signed in there.")
    _end(visit)
    record(actor, "session.ended", person.username, workspace=None, old={"agent": visit.agent, "ip": visit.ip})


@transaction.atomic
def end_other_visits(*, actor: Actor, but: object) -> int:
    """Sign the caller out of every browser but the one whose visit is `but`; answers of how many. Raises Denied."""
    person = person_of(actor)
    others = Visit.objects.filter(user=person)
    ended = list(others.exclude(pk=but) if isinstance(but, int) else others)
    for visit in ended:
        _end(visit)
    if ended:
        record(actor, "session.others_ended", person.username, workspace=None, new={"ended": len(ended)})
    return len(ended)


def leave(*, visit_id: object, user_id: int | None) -> None:
    """The person signs out here."""
    if isinstance(visit_id, int) and user_id is not None:
        Visit.objects.filter(pk=visit_id, user_id=user_id).delete()


def sweep_visits() -> None:
    """Forget browsers whose session is over by its age, and login passwords that nobody used."""
    over = timezone.now() - timedelta(seconds=settings.SESSION_COOKIE_AGE)
    Visit.objects.filter(seen_at__lt=over).delete()
    LoginPassword.objects.filter(expires_at__lte=timezone.now()).delete()


def _end(visit: Visit) -> None:
    """The session is over at its next request, and so is the row."""
    try:
        key = unseal(bytes(visit.session_sealed), PURPOSE)
    except SealBroken:  # sealed under another OAUTH_PASSWORD
        key = ""
    if key:
        import_module(settings.SESSION_ENGINE).SessionStore(key).delete()
    visit.delete()
