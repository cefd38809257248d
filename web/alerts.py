"""Alerts on pages: each with links to what it is about."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from upstreams.models import Upstream
from upstreams.selectors.alerts import Alert
from upstreams.selectors.moved import MOVED, open_moves
from upstreams.sentences import Subject
from workspaces.models import Workspace

Link = tuple[str, str]  # what it says, where it leads


@dataclass(frozen=True)
class Card:
    """One alert as it is shown."""

    alert: Alert
    links: list[Link]
    accept: str = ""  # where the new commit of a moved tag is accepted, for those who may


def cards(workspace: Workspace, alerts: Sequence[Alert], *, may_manage: bool) -> list[Card]:
    """The alerts with their links; the form of an upstream is for those who may change it."""
    upstreams = _upstreams(workspace, alerts) if may_manage else {}
    moves = open_moves(workspace, {one.object: one.id for one in alerts if one.action == MOVED}) if may_manage else set()
    return [
        Card(one, list(_links(workspace, one, upstreams)), _acceptance(workspace, one) if one.object in moves else "") for one in alerts
    ]


def _acceptance(workspace: Workspace, alert: Alert) -> str:
    about = alert.subject
    return _address("version-accept", workspace.slug, about.registry, about.format, about.name, about.version)


def address_of(workspace: Workspace, subject: Subject) -> str:
    """The page of the package, or the upstreams of the registry; '' for what has none."""
    if subject.name:
        return _address("package", workspace.slug, subject.registry, subject.format, subject.name)
    return _address("upstreams", workspace.slug, subject.registry) if subject.registry else ""


def _links(workspace: Workspace, alert: Alert, upstreams: dict[tuple[str, str], int]) -> Iterable[Link]:
    subject = alert.subject
    if alert.action == "alert.webhook_disabled":
        yield _("The webhook"), _address("webhook", workspace.slug, alert.object.removeprefix("webhook "))
    if subject.name:
        yield subject.name, address_of(workspace, subject)
        yield _("Why this version?"), _address("resolution", workspace.slug, subject.registry, subject.format, subject.name)
    if not alert.upstream:
        return
    known = upstreams.get((subject.registry, alert.upstream))
    label = _("Upstream %(name)s") % {"name": alert.upstream}
    yield (
        label,
        _address("upstream", workspace.slug, subject.registry, known) if known else address_of(workspace, Subject(subject.registry)),
    )


def _upstreams(workspace: Workspace, alerts: Sequence[Alert]) -> dict[tuple[str, str], int]:
    """(registry, upstream) -> its id, for those that are still there."""
    names = {alert.upstream for alert in alerts if alert.upstream}
    found = Upstream.objects.filter(registry__workspace=workspace, name__in=names) if names else Upstream.objects.none()
    return {(registry, name): pk for registry, name, pk in found.values_list("registry__slug", "name", "pk")}


def _address(page: str, *parts: object) -> str:
    """Of a page; '' where an event's words are no address."""
    try:
        return reverse(f"web:{page}", args=parts)
    except NoReverseMatch:
        return ""
