"""Git tags that were moved, of versions that are not held: those whose new commit an admin may still accept."""

from collections.abc import Mapping
from dataclasses import dataclass

from packages.models import Version
from registries.models import Registry
from upstreams.memory import parsed
from upstreams.models import Pin
from upstreams.sentences import alert_sentence, subject_of
from workspaces.models import Event, Workspace
from workspaces.selectors import alerts

MOVED, ACCEPTED = "alert.tag_moved", "version.bytes_accepted"


@dataclass(frozen=True, kw_only=True)
class Move:
    """One of them: the version, and what happened in a sentence."""

    version: str
    sentence: str


def moves_of(registry: Registry, format: str, name: str) -> list[Move]:  # noqa: A002 - the field's own word
    """Those of one package of a registry, the newest first."""
    told = alerts(registry.workspace).filter(action=MOVED, object__startswith=f"{registry} {format} {name}@").order_by("pk")
    events = {event.object: event for event in told}  # the last one of each version counts
    still = open_moves(registry.workspace, {about: event.pk for about, event in events.items()})
    return [_move(event) for event in sorted(events.values(), key=lambda event: -event.pk) if event.object in still]


def open_moves(workspace: Workspace, told: Mapping[str, int]) -> set[str]:
    """Which of these may still be accepted: what the alerts are about -> the id of the last one about it."""
    if not told:
        return set()
    accepted = Event.objects.filter(workspace=workspace, action=ACCEPTED, object__in=told).values_list("object", "pk")
    done = {about for about, pk in accepted if pk > told[about]}
    return (set(told) & _promised(workspace, told)) - done - _held(workspace, told)


def _move(event: Event) -> Move:
    subject = subject_of(event.object)
    return Move(version=subject.version, sentence=alert_sentence(MOVED, subject, event.old, event.new))


def _promised(workspace: Workspace, told: Mapping[str, int]) -> set[str]:
    """The versions of these names that something was promised of, as events speak of them."""
    names = {subject_of(about).name for about in told}
    found = Pin.objects.filter(registry__workspace=workspace, name__in=names)
    rows = found.values_list("registry__slug", "format", "name", "integrities")
    return {
        f"{workspace.slug}/{registry} {format_word} {name}@{version}"
        for registry, format_word, name, pinned in rows
        for version in parsed(bytes(pinned))
    }


def _held(workspace: Workspace, told: Mapping[str, int]) -> set[str]:
    """Those that are held, by the same words."""
    subjects = [subject_of(about) for about in told]
    found = Version.objects.filter(
        package__registry__workspace=workspace,
        package__name__in={one.name for one in subjects},
        version__in={one.version for one in subjects},
    )
    rows = found.values_list("package__registry__slug", "package__format", "package__name", "version")
    return {f"{workspace.slug}/{registry} {format_word} {name}@{version}" for registry, format_word, name, version in rows}
