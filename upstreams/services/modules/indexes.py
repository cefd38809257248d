"""The copies of upstreams' indexes on this machine: one folder for each upstream, brought up to date by one at a time."""

import json
import shutil
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from packages.formats.moonbit.addresses import index_url
from packages.formats.moonbit.names import Name
from registries.models import Registry
from upstreams.clients.http import Target
from upstreams.clients.local_git import GitFailed
from upstreams.clients.module_index import ModuleIndex
from upstreams.errors import UpstreamBadAnswer
from upstreams.flight import release_connection, single_flight
from upstreams.models import Upstream

PATIENCE = 330.0  # seconds to wait for somebody else who brings the same index


def bring_index(upstream: Upstream, target: Target, since: datetime) -> ModuleIndex:
    """The upstream's index as it stood at `since` or later. Raises UpstreamError subclasses, GitMissing."""
    folder, address = _folder(upstream.pk), index_url(upstream.url, upstream.index_url, upstream.index_type)
    copy = ModuleIndex(folder / "index.git")
    if _is_good(folder, address, since):
        return copy
    release_connection()
    with single_flight("index", str(upstream.pk), patience=PATIENCE):
        if not _is_good(folder, address, since):
            now = timezone.now()
            if _state(folder).get("address") != address:
                shutil.rmtree(folder, ignore_errors=True)
            copy.bring(target, address)
            _write(folder, address, now)
    return copy


def names_in(upstream: Upstream, index: ModuleIndex) -> list[Name]:
    """Every module of an index. Raises UpstreamBadAnswer."""
    try:
        return index.names()
    except GitFailed:
        raise _unreadable(upstream) from None


def lines_in(upstream: Upstream, index: ModuleIndex, name: Name) -> bytes | None:
    """A module's lines; None when it has none. Raises UpstreamBadAnswer."""
    try:
        return index.read(name)
    except GitFailed:
        raise _unreadable(upstream) from None


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


def _is_good(folder: Path, address: str, since: datetime) -> bool:
    known = _state(folder)
    return known.get("address") == address and datetime.fromisoformat(known["at"]) >= since


def _state(folder: Path) -> dict[str, str]:
    try:
        known: dict[str, str] = json.loads((folder / "state.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known


def _write(folder: Path, address: str, at: datetime) -> None:
    beside = folder / "state.new"
    beside.write_text(json.dumps({"address": address, "at": at.isoformat()}), encoding="utf-8")
    beside.replace(folder / "state.json")


def _unreadable(upstream: Upstream) -> UpstreamBadAnswer:
    return UpstreamBadAnswer(f"The index of upstream {upstream.name} cannot be read.", upstream=upstream.name)
