"""The index a registry serves: a history in the database, of which each host makes its repository, commit for commit the same.

What is served is looked at when somebody asks. Has anything changed, one more commit is written down, never another one
in place of an old one: so `git pull` always gets on. A repository that is lost is made anew from the rows.
"""

import hashlib
import json
import shutil
import zlib
from collections.abc import Mapping
from pathlib import Path

import orjson
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from packages.models import Format
from registries.models import Registry
from upstreams.clients import local_git
from upstreams.clients.local_git import GitFailed
from upstreams.clients.module_index import REF
from upstreams.flight import single_flight
from upstreams.memory import parsed
from upstreams.models import IndexCommit
from upstreams.selectors.chain import behind_of
from upstreams.selectors.facts import Ground
from upstreams.services.modules.hearing import heard
from upstreams.services.modules.lines import files_of
from workspaces import statements
from workspaces.errors import Unavailable

PATIENCE = 60.0  # seconds to wait for somebody else who writes the same index
TRIES = 5
TOGETHER = 100  # commits, after which what they left is put together
# Everything that may change what is served: rules, names, versions, whether anybody may read, and the history itself.
MARKS = (
    "SELECT w.rule_epoch, r.visibility, r.is_internal,"
    " (SELECT COALESCE(SUM(e.epoch), 0) FROM packages_nameepoch e WHERE e.workspace_id = w.id AND e.format = 'moonbit'),"
    " (SELECT COALESCE(MAX(c.number), 0) FROM upstreams_indexcommit c WHERE c.registry_id = r.id)"
    " FROM registries_registry r JOIN workspaces_workspace w ON w.id = r.workspace_id WHERE r.id = %s"
)
# The same of the registry and of each that is behind it.
HOLDINGS = (
    "SELECT COUNT(*), COALESCE(MAX(v.id), 0) FROM packages_version v JOIN packages_package p ON p.id = v.package_id"
    " WHERE p.format = 'moonbit' AND p.registry_id IN ({places})"
)
RESTRICTED = (
    "SELECT COUNT(*), COALESCE(MAX(n.id), 0) FROM registries_restrictedname n WHERE n.format = 'moonbit' AND n.registry_id IN ({places})"
)
# What sources said; of interest where something is behind.
SAID = (
    "SELECT COUNT(*), MAX(d.fetched_at) FROM upstreams_upstreamdocument d JOIN upstreams_upstream u ON u.id = d.upstream_id"
    " WHERE u.format = 'moonbit' AND u.registry_id IN ({places})"
)
Files = Mapping[str, bytes]


class IndexBusy(Unavailable):
    """The index changes faster than it is written down."""

    code = "index_busy"


def served_index(registry: Registry) -> Path:
    """A bare repository with the index as it is now. Raises GitMissing, UpstreamTimeout, IndexBusy."""
    folder = Path(settings.DATA_DIR) / "served" / str(registry.pk)
    if _marks(registry) == _kept_marks(folder):
        return folder / "index.git"
    with single_flight("served", str(registry.pk), patience=PATIENCE):
        for _ in range(TRIES):
            marks = _marks(registry)
            if marks == _kept_marks(folder) or _brought(_as_it_is(registry), folder, marks):
                return folder / "index.git"
    raise IndexBusy("The index is changing all the time; try again.", retry_after=2)


def _as_it_is(registry: Registry) -> Registry:
    """Read anew, after the marks: it may have become public while the caller waited, and what only members see must go."""
    found = Registry.objects.filter(pk=registry.pk).first()
    if found is None:
        raise IndexBusy("The registry is gone.", retry_after=2)
    return found


def _brought(registry: Registry, folder: Path, marks: list[object]) -> bool:
    """Bring the repository to what is to be served; False when somebody else wrote meanwhile."""
    repository = folder / "index.git"
    try:
        head = _replayed(registry, repository)
        wanted = dict(files_of(registry))
        is_public = registry.is_public
        is_root = head is None or (is_public and not head.is_public)
        there = {} if is_root else _there(repository)
        changes = {path: text for path, text in wanted.items() if there.get(path) != _blob(text)}
        gone = sorted(set(there) - set(wanted))
        if changes or gone or is_root:
            _write_down(registry, head.number + 1 if head else 1, {**changes, **dict.fromkeys(gone)}, is_root=is_root, is_public=is_public)
            return False  # replayed on the next round, like everybody else's
    except GitFailed:
        shutil.rmtree(repository, ignore_errors=True)  # whatever it is, the rows have everything
        return False
    except IntegrityError:
        return False
    _keep_marks(folder, marks)
    return True


def _write_down(registry: Registry, number: int, changes: Mapping[str, bytes | None], *, is_root: bool, is_public: bool) -> None:
    """One more commit. Raises IntegrityError when somebody else was first."""
    told = orjson.dumps({path: None if text is None else text.decode("utf-8") for path, text in changes.items()})
    packed = zlib.compress(told, level=6, wbits=31)
    with transaction.atomic():
        made = IndexCommit(registry=registry, number=number, is_root=is_root, is_public=is_public, changes=packed)
        made.created_at = timezone.now().replace(microsecond=0)
        made.save(force_insert=True)
        if is_root:
            IndexCommit.objects.filter(registry=registry, number__lt=number).delete()


def _replayed(registry: Registry, repository: Path) -> IndexCommit | None:
    """Make the commits that the repository has not got; the newest row, None when there is none yet."""
    number = _number(repository)
    rows = list(IndexCommit.objects.filter(registry=registry, number__gt=number).order_by("number"))
    newest = rows[-1] if rows else IndexCommit.objects.filter(registry=registry).defer("changes").order_by("-number").first()
    if newest is None or newest.number < number or (not number and rows and not rows[0].is_root):
        shutil.rmtree(repository, ignore_errors=True)
        if newest is not None:
            raise GitFailed("the history begins anew")
        return None
    for row in rows:
        if row.is_root:
            shutil.rmtree(repository, ignore_errors=True)
            local_git.new_repository(repository)
            local_git.run(repository, "symbolic-ref", "HEAD", REF)
        local_git.run(repository, "fast-import", "--quiet", "--done", send=_stream(row))
    if rows and newest.number // TOGETHER > number // TOGETHER:
        local_git.run(repository, "repack", "-a", "-d", "-q")
    return newest


def _stream(row: IndexCommit) -> bytes:
    """A commit in git-fast-import(1)'s words; the same bytes on every host."""
    message = f"Index {row.number}\n".encode()
    lines = [f"commit {REF}", f"committer gatehouse <gatehouse@localhost> {int(row.created_at.timestamp())} +0000"]
    head = "\n".join([*lines, f"data {len(message)}"]).encode() + b"\n" + message
    parts = [head, b"" if row.is_root else f"from {REF}^0\n".encode()]
    changes: dict[str, str | None] = parsed(zlib.decompress(bytes(row.changes), wbits=31))
    for path, text in sorted(changes.items()):
        data = (text or "").encode()
        parts.append(f"D {path}\n".encode() if text is None else f"M 100644 inline {path}\ndata {len(data)}\n".encode() + data + b"\n")
    return b"".join([*parts, b"\ndone\n"])


def _number(repository: Path) -> int:
    """Which commit it has: told by the commit itself, so that it cannot be another after a crash."""
    if not repository.is_dir():
        return 0
    try:
        return int(local_git.run(repository, "log", "-1", "--format=%s", REF).decode().removeprefix("Index "))
    except (GitFailed, ValueError):
        return 0


def _there(repository: Path) -> dict[str, str]:
    """The files of the newest commit, with the names of their blobs. Raises GitFailed."""
    found = {}
    for line in local_git.run(repository, "ls-tree", "-r", "-z", "--full-tree", REF).split(b"\x00"):
        about, _, path = line.decode("utf-8").partition("\t")
        if path:
            found[path] = about.rpartition(" ")[2]
    return found


def _blob(text: bytes) -> str:
    """What git calls these bytes."""
    return hashlib.sha1(b"blob %d\x00" % len(text) + text, usedforsecurity=False).hexdigest()


def _marks(registry: Registry) -> list[object]:
    """Equal as long as nothing has changed. Raises GitMissing."""
    ground = Ground.read(registry.workspace_id, Format.MOONBIT)
    places = sorted(behind_of(registry, ground))
    asking = [HOLDINGS, RESTRICTED, *([SAID] if len(places) > 1 else [])]
    marks = ", ".join(["%s"] * len(places))
    found = statements.several([(MARKS, [registry.pk]), *((one.format(places=marks), places) for one in asking)])
    return [*(str(value) for rows in found for row in rows for value in row), *heard(registry, ground)]


def _kept_marks(folder: Path) -> list[object] | None:
    try:
        kept: list[object] = json.loads((folder / "marks.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return kept


def _keep_marks(folder: Path, marks: list[object]) -> None:
    beside = folder / "marks.new"
    beside.write_text(json.dumps(marks), encoding="utf-8")
    beside.replace(folder / "marks.json")
