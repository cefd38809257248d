"""What alerts tell, in sentences for people. Pure: from an event's words and values; what has another shape is told as far as it goes."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

FEW = 4  # things named in one sentence
FORMATS = frozenset({"npm", "oci", "entropic", "moonbit"})
PACKAGE = 2  # words: format and name
LIMIT = 400  # characters of a value whose shape nobody knows
Told = Mapping[str, object]


@dataclass(frozen=True)
class Subject:
    """What an event is about: `workspace/registry format name@version`, or `workspace/registry upstream …`."""

    registry: str = ""
    format: str = ""
    name: str = ""
    version: str = ""
    upstream: str = ""

    @property
    def label(self) -> str:
        """The package or upstream itself, without its place."""
        return f"{self.name}@{self.version}" if self.version else self.name or self.upstream


def subject_of(text: str) -> Subject:
    """The parts of an event's object; nothing but empty parts for one that is no package and no upstream."""
    place, _, rest = text.partition(" ")
    _, slash, registry = place.partition("/")
    if not slash or not rest:
        return Subject()
    words = rest.split(" ")
    if len(words) != PACKAGE or words[0] not in FORMATS or not words[1]:
        return Subject(registry=registry, upstream=words[0])  # behind it may stand which of its jobs
    format_word, name = words
    bare, at, version = name[1:].partition("@")  # a scope's own @ is the first character
    return Subject(registry=registry, format=format_word, name=name[0] + bare, version=version if at else "")


def alert_sentence(action: str, subject: Subject, old: object, new: object) -> str:
    """What happened, and what it means for those who install."""
    before, after = _table(old), _table(new)
    tell = TELLERS.get(action)
    return tell(subject, before, after) if tell is not None else _plain(after)


def _integrity_changed(subject: Subject, old: Told, new: Told) -> str:
    offered = _table(new.get("offered"))
    held = "They were refused; what this registry holds stays as it is."
    if len(offered) == 1:
        version, value = next(iter(offered.items()))
        known = _short(old.get(version))
        return (
            f"{_source(new)} sent other bytes of {subject.name}@{version} than are on record: {known} before, {_short(value)} now. {held}"
        )
    return f"{_source(new)} offers other bytes than are on record for {len(offered)} versions of {subject.name}: {_few(offered)}. {held}"


def _manifest_differs(subject: Subject, _old: Told, new: Told) -> str:
    fields = [str(one.get("field", "")) for one in _list(new.get("differences")) if isinstance(one, Mapping)]
    said = f"The package.json inside {subject.label} is not what {_source(new)} said of it: {_few(fields)}." if fields else ""
    return f"{said} Installs go by what the file itself says.".strip()


def _removed_upstream(subject: Subject, _old: Told, new: Told) -> str:
    versions = [str(one) for one in _list(new.get("versions"))]
    number = new.get("number") if isinstance(new.get("number"), int) else len(versions)
    what, was = (f"{number} versions ({_few(versions)})", "were") if number != 1 else (_few(versions), "was")
    gone = f"no longer has {subject.name}, of which {what} {was} known" if new.get("whole") else f"no longer offers {subject.name} {what}"
    return f"{_source(new)} {gone}. What was pulled before stays here; what was not cannot be installed any more."


def _checksum_wrong(subject: Subject, old: Told, new: Told) -> str:
    return (
        f"{_source(new)} sent a file for {subject.label} that is not what its own list promises: {_short(old.get('promised'))} promised,"
        f" {_short(new.get('sent'))} sent. Nothing was kept. The file is damaged there, or listed with a wrong checksum."
    )


def _tag_moved(subject: Subject, old: Told, new: Told) -> str:
    commits = f"from commit {_commit(old)} to {_commit(new)}"
    if new.get("kept"):
        rest = f"The first one stays {subject.label} here."
    else:
        rest = (
            f"The first one can no longer be had, so {subject.label} is not offered, unless it is held here already."
            " Give the new commit a number of its own, or let an admin accept it."
        )
    return f"{_source(new)} moved its tag for {subject.label} {commits}. {rest}"


def _upstream_trouble(subject: Subject, _old: Told, new: Told) -> str:
    about = f" Met with {new['about']}." if new.get("about") else ""
    closed = (
        " It is internal, so while it cannot answer, names it might have are refused to everybody (503)." if new.get("internal") else ""
    )
    return f"{new.get('sentence') or f'{subject.upstream} cannot be used.'}{about}{closed}"


def _versions_shadowed(subject: Subject, _old: Told, new: Told) -> str:
    versions = [str(one) for one in _list(new.get("versions"))]
    what, were, them = ("A version", "was", "it") if len(versions) == 1 else (f"{len(versions)} versions", "were", "them")
    return (
        f"{what} of {subject.name} ({_few(versions)}), pulled from a source that is not internal, {were} hidden from clients"
        f" when the name became internal. Tick {them} “Internal” if you trust {them}, or delete {them}."
    )


def _webhook_disabled(_subject: Subject, _old: Told, new: Told) -> str:
    why = "it says that it is gone" if new.get("gone") else f"nothing arrived for days ({new.get('failures')} tries in a row failed)"
    return (
        f"The webhook to {new.get('host')} was switched off: {why}. The last word: {new.get('trouble')} What happens meanwhile is not sent"
        " later; switch it on again when its receiver is well."
    )


TELLERS: Mapping[str, Callable[[Subject, Told, Told], str]] = {
    "alert.checksum_wrong": _checksum_wrong,
    "alert.integrity_changed": _integrity_changed,
    "alert.manifest_differs": _manifest_differs,
    "alert.removed_upstream": _removed_upstream,
    "alert.tag_moved": _tag_moved,
    "alert.upstream_trouble": _upstream_trouble,
    "alert.versions_shadowed": _versions_shadowed,
    "alert.webhook_disabled": _webhook_disabled,
}


def _source(new: Told) -> str:
    return f"Upstream {new['upstream']}" if new.get("upstream") else "A source"


def _few(words: Iterable[str]) -> str:
    """The first of them, and how many more."""
    found = list(words)
    rest = f" and {len(found) - FEW} more" if len(found) > FEW else ""
    return ", ".join(found[:FEW]) + rest


def _short(value: object) -> str:
    text = value if isinstance(value, str) else "nothing"
    return f"{text[:19]}…" if len(text) > 20 else text  # noqa: PLR2004 - the cut itself


def _commit(told: Told) -> str:
    return str(told.get("commit", ""))[:12]


def _table(value: object) -> Told:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _plain(new: Told) -> str:
    return ", ".join(f"{key}: {value if isinstance(value, str) else json.dumps(value)}" for key, value in new.items())[:LIMIT]
