"""Lines of the audit log in words: what happened, to what, and only what changed by it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from upstreams.sentences import alert_sentence, subject_of
from web.alerts import address_of
from workspaces.models import Event, Workspace
from workspaces.selectors import ALERT

LONGEST = 120  # characters of one value
FIELDS = {
    "url": gettext_lazy("address"),
    "index_url": gettext_lazy("index"),
    "index_type": gettext_lazy("the index is read by"),
    "package_url_pattern": gettext_lazy("where packages are"),
    "patterns": gettext_lazy("name patterns"),
    "auth_type": gettext_lazy("signs in with"),
    "username": gettext_lazy("user name"),
    "has_secret": gettext_lazy("secret stored"),
    "secret_shown": gettext_lazy("secret"),
    "negative_ttl": gettext_lazy("“not here” counts for (seconds)"),
    "connect_timeout": gettext_lazy("time to connect (seconds)"),
    "read_timeout": gettext_lazy("time to read (seconds)"),
    "total_timeout": gettext_lazy("time in all (seconds)"),
    "default": gettext_lazy("default registry"),
    "search_upstream": gettext_lazy("searches upstreams"),
    "audit_upstream": gettext_lazy("audits with upstreams"),
    "is_yanked": gettext_lazy("withdrawn"),
    "yanked": gettext_lazy("withdrawn"),
    "read_only": gettext_lazy("read-only"),
    "expires_at": gettext_lazy("expires"),
}
OF_MODULES = frozenset({"index_url", "index_type", "package_url_pattern"})  # say something of MoonBit registries alone


@dataclass(frozen=True)
class Change:
    """One field: what it was (None: nothing is told of before) and what it is (None: of after)."""

    field: str
    old: str | None
    new: str | None


@dataclass(frozen=True)
class Line:
    """An event as it is shown."""

    event: Event
    address: str
    sentence: str
    changes: list[Change]


def lines(workspace: Workspace, events: Iterable[Event]) -> list[Line]:
    """The events with a link to what they are about."""
    return [_line(workspace, event) for event in events]


def _line(workspace: Workspace, event: Event) -> Line:
    subject = subject_of(event.object)
    address = address_of(workspace, subject)
    if event.action.startswith(ALERT):
        return Line(event, address, alert_sentence(event.action, subject, event.old, event.new), [])
    old, new = event.old, event.new
    sentence = new.get("sentence") if isinstance(new, dict) else None
    if isinstance(new, dict) and isinstance(sentence, str):
        new = {field: value for field, value in new.items() if field != "sentence"}
    return Line(event, address, sentence if isinstance(sentence, str) else "", list(changes(old, new)))


def changes(old: object, new: object) -> Iterable[Change]:
    """What differs between the two; all that says something, when there is only one of them."""
    before, after = _table(old), _table(new)
    if before is None or after is None:
        told = before if after is None else after
        for field, value in (told or {}).items():
            if value not in (None, "", [], {}):
                yield Change(_label(field), _said(value) if after is None else None, None if after is None else _said(value))
        return
    for field in dict.fromkeys([*before, *after]):
        if field in before and field in after and before[field] != after[field]:
            yield Change(_label(field), _said(before[field]), _said(after[field]))
        elif field not in before and after[field] not in (None, "", [], {}):
            yield Change(_label(field), None, _said(after[field]))
        elif field not in after and before[field] not in (None, "", [], {}):
            yield Change(_label(field), _said(before[field]), None)


def _table(value: object) -> Mapping[str, object] | None:
    """The fields that mean something of what they are about; a value of its own stands under no name."""
    if isinstance(value, dict):
        return value if value.get("format", "moonbit") == "moonbit" else {key: one for key, one in value.items() if key not in OF_MODULES}
    return None if value in (None, "") else {"": value}


def _label(field: str) -> str:
    return str(FIELDS.get(field, field.replace("_", " ")))


def _said(value: object) -> str:
    """A value as people write it."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if value in (None, "", [], {}):
        return _("none")
    if isinstance(value, list) and all(isinstance(one, str | int) for one in value):
        text = ", ".join(str(one) for one in value)
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"{text[:LONGEST]}…" if len(text) > LONGEST + 1 else text
