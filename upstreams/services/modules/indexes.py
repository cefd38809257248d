"""The copies of upstreams' indexes on this machine: one folder for each upstream, brought up to date by one at a time."""

import json
import shutil
import threading
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import orjson
from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from packages.formats.moonbit.addresses import index_url
from packages.formats.moonbit.names import Name
from registries.models import Registry
from upstreams.clients.echo import refuse_echo
from upstreams.clients.http import Target
from upstreams.clients.local_git import GitFailed
from upstreams.clients.module_index import ModuleIndex
from upstreams.errors import UpstreamBadAnswer
from upstreams.flight import single_flight
from upstreams.models import Upstream
from workspaces.room import release_connection

COPY = "index.git"
PATIENCE = 330.0  # seconds to wait for somebody else who brings the same index
SMALL, MOST = 16 * 1024, 2000  # bytes of a module's lines, and modules, that are kept at hand

_at_hand: dict[tuple[str, str, str], bytes | None] = {}  # folder, commit and name -> lines; each is taken once
_lock = threading.Lock()


def bring_index(upstream: Upstream, target: Target, since: datetime) -> ModuleIndex:
    """The upstream's index as it stood at `since` or later. Raises UpstreamError subclasses, GitMissing."""
    folder, address = _folder(upstream.pk), index_url(upstream.url, upstream.index_url, upstream.index_type)
    if (good := _good(folder, address, since)) is not None:
        return good
    release_connection()
    with single_flight("index", str(upstream.pk), patience=PATIENCE):
        return _good(folder, address, since) or _brought(folder, target, address)


def names_in(upstream: Upstream, target: Target, index: ModuleIndex) -> list[Name]:
    """Every module of an index. Raises UpstreamBadAnswer."""
    try:
        found = index.names()
    except GitFailed:
        raise _unreadable(upstream, index) from None
    refuse_echo(target, orjson.dumps([name.full for name in found]))
    return found


def lines_in(upstream: Upstream, index: ModuleIndex, name: Name) -> bytes | None:
    """A module's lines; None when it has none. Raises UpstreamBadAnswer."""
    key = (str(index.folder), index.commit, name.full)
    with _lock:
        if index.commit and key in _at_hand:
            return _at_hand.pop(key)
    try:
        found = index.read([name])
    except GitFailed:
        raise _unreadable(upstream, index) from None
    if name not in found:
        raise UpstreamBadAnswer(f"The index of upstream {upstream.name} has more of {name.full} than is read.", upstream=upstream.name)
    return found[name]


def have_at_hand(upstream: Upstream, index: ModuleIndex, names: Sequence[Name]) -> None:
    """Read the lines of many modules at once, for questions that follow: a process of git for each would cost more than all else.

    Raises UpstreamBadAnswer.
    """
    try:
        found = index.read(names, most=SMALL)
    except GitFailed:
        raise _unreadable(upstream, index) from None
    with _lock:
        if len(_at_hand) > MOST:
            _at_hand.clear()
        _at_hand.update({(str(index.folder), index.commit, name.full): lines for name, lines in found.items()})


def forget_indexes() -> int:
    """Delete the copies of upstreams, and the repositories of registries, that are no more; returns how many."""
    return _forget("indexes", Upstream.objects.all()) + _forget("served", Registry.objects.all())


def _forget(kind: str, rows: QuerySet[Upstream] | QuerySet[Registry]) -> int:
    there = {int(path.name): path for path in (Path(settings.DATA_DIR) / kind).glob("*") if path.name.isdigit()}
    gone = set(there) - set(rows.filter(pk__in=list(there)).values_list("pk", flat=True))
    for pk in gone:
        shutil.rmtree(there[pk], ignore_errors=True)
    return len(gone)


def _folder(upstream_id: int) -> Path:
    return Path(settings.DATA_DIR) / "indexes" / str(upstream_id)


def _good(folder: Path, address: str, since: datetime) -> ModuleIndex | None:
    """The copy, if it is one of that address and not too old."""
    known, copy = _state(folder), folder / COPY
    if known.get("address") != address or not (copy / "HEAD").is_file():
        return None
    at = datetime.fromisoformat(known["at"])
    return ModuleIndex(copy, known["commit"], at) if at >= since else None


def _brought(folder: Path, target: Target, address: str) -> ModuleIndex:
    """The copy as the upstream has it now. Raises UpstreamError subclasses, GitMissing."""
    now, copy = timezone.now(), ModuleIndex(folder / COPY)
    is_known = _state(folder).get("address") == address
    if not is_known:
        _disown(folder)  # what was said of another repository must not vouch for this one
    copy.bring(target, address, anew=not is_known)
    brought = ModuleIndex(copy.folder, copy.head(), now)
    _write(folder, address, now, brought.commit)
    return brought


def _state(folder: Path) -> dict[str, str]:
    try:
        known: dict[str, str] = json.loads((folder / "state.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known


def _disown(folder: Path) -> None:
    """Whoever asks next has the index fetched as a whole."""
    (folder / "state.json").unlink(missing_ok=True)


def _write(folder: Path, address: str, at: datetime, commit: str) -> None:
    beside = folder / "state.new"
    beside.write_text(json.dumps({"address": address, "at": at.isoformat(), "commit": commit}), encoding="utf-8")
    beside.replace(folder / "state.json")


def _unreadable(upstream: Upstream, index: ModuleIndex) -> UpstreamBadAnswer:
    """A copy that cannot be read is none."""
    folder = _folder(upstream.pk)
    if index.at is not None and _state(folder).get("at") == index.at.isoformat():  # nobody has brought another meanwhile
        _disown(folder)
    return UpstreamBadAnswer(f"The index of upstream {upstream.name} cannot be read.", upstream=upstream.name)
