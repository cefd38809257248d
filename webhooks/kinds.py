"""What a webhook may be told of, and which events of the audit log that is. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from upstreams.sentences import alert_sentence, subject_of
from workspaces.selectors import ALERT

# Word of the contract -> how the actions of events read; a whole word stands for itself, one that ends in a dot for all that begin so.
KINDS: Mapping[str, tuple[str, ...]] = {
    "publish": ("version.published", "version.uploaded", "version.pushed"),
    "pull": ("version.pulled", "package.pulled"),
    "delete": ("version.deleted", "package.deleted"),
    "flag": (
        "version.internal",
        "version.deprecated",
        "version.undeprecated",
        "version.yanked",
        "version.unyanked",
        "registry.changed",
        "upstream.changed",
    ),
    "alert": (ALERT,),
    "job": ("mirror.finished", "mirror.cancelled"),
}
TEST = "test"  # what “send test” sends; no webhook asks for it
SETTINGS = frozenset({"registry.changed", "upstream.changed"})  # a flag changed only where their `internal` did


def actions_of(kinds: Iterable[str]) -> tuple[list[str], bool]:
    """The actions that these are, and whether alerts are among them."""
    words = [action for kind in kinds for action in KINDS.get(kind, ()) if action != ALERT]
    return words, "alert" in kinds


def kind_of(action: str) -> str:
    """The word for an action; '' for one that nobody is told of."""
    if action.startswith(ALERT):
        return "alert"
    return next((kind for kind, actions in KINDS.items() if action in actions), "")


def is_told(action: str, old: object, new: object) -> bool:
    """Whether the event is one of its kind: other settings may have changed than the flag."""
    return action not in SETTINGS or _internal(old) != _internal(new)


def data_of(action: str, about: str, old: object, new: object) -> dict[str, Any]:
    """What an event says: in parts, and what was and is."""
    subject = subject_of(about)
    told: dict[str, Any] = {"action": action, "object": about, "registry": subject.registry}
    if subject.name:
        told |= {"format": subject.format, "name": subject.name, "version": subject.version}
    if subject.upstream:
        told["upstream"] = subject.upstream
    if action in SETTINGS:  # an upstream's address and user name are nobody's business here
        old, new = {"internal": _internal(old)}, {"internal": _internal(new)}
        told["registry"] = subject.registry or about.partition("/")[2]
    if action.startswith(ALERT):
        told["sentence"] = alert_sentence(action, subject, old, new)
    return {**told, "old": old, "new": new}


def _internal(value: object) -> object:
    return value.get("internal") if isinstance(value, Mapping) else None
