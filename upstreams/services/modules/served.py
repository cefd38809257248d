"""The index a registry serves: a history in the database, of which each host makes its repository, commit for commit the same.

What is served is looked at when somebody asks. Has anything changed, one more commit is written down, never another one
in place of an old one: so `git pull` always gets on. A repository that is lost is made anew from the rows.
"""

import hashlib
import json
import shutil
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import orjson
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from packages.formats.errors import NameInvalid
from packages.formats.moonbit.index import Held, render_index
from packages.formats.moonbit.names import Name, parse_name
from packages.models import Format, Version
from registries.models import Registry, RestrictedName
from upstreams.clients import local_git
from upstreams.clients.local_git import GitFailed
from upstreams.clients.module_index import REF
from upstreams.flight import single_flight
from upstreams.memory import parsed
from upstreams.models import IndexCommit
from upstreams.services.modules.standing import internal_names, shown_versions
from workspaces import statements
from workspaces.errors import Unavailable

PATIENCE = 60.0  # seconds to wait for somebody else who writes the same index
TRIES = 5
TOGETHER = 100  # commits, after which what they left is put together
README = "README.md"
WELCOME = "MoonBit modules: a file for each, a line of JSON for each version.\n"
# Everything that may change what is served: rules, names, versions, whether anybody may read, and the history itself.
MARKS = (
    "SELECT w.rule_epoch, r.visibility, r.is_internal,"
    " (SELECT COALESCE(SUM(e.epoch), 0) FROM packages_nameepoch e WHERE e.workspace_id = w.id AND e.format = 'moonbit'),"
    " (SELECT COUNT(*) FROM packages_version v JOIN packages_package p ON p.id = v.package_id"
    "   WHERE p.registry_id = r.id AND p.format = 'moonbit'),"
    " (SELECT COALESCE(MAX(v.id), 0) FROM packages_version v JOIN packages_package p ON p.id = v.package_id"
    "   WHERE p.registry_id = r.id AND p.format = 'moonbit'),"
    " (SELECT COUNT(*) FROM registries_restrictedname n WHERE n.registry_id = r.id AND n.format = 'moonbit'),"
    " (SELECT COALESCE(MAX(c.number), 0) FROM upstreams_indexcommit c WHERE c.registry_id = r.id)"
    " FROM registries_registry r JOIN workspaces_workspace w ON w.id = r.workspace_id WHERE r.id = %s"
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


def module_lines(registry: Registry, name: Name) -> bytes | None:
    """A module's file, as the index has it; None when there is none."""
    rows = shown_versions(registry, name).values_list(*FIELDS)
    found = [held for _, held in map(_held, rows)]
    return render_index(name, found) if found else None


def _brought(registry: Registry, folder: Path, marks: list[object]) -> bool:
    """Bring the repository to what is to be served; False when somebody else wrote meanwhile."""
    repository = folder / "index.git"
    try:
        head = _replayed(registry, repository)
        wanted = dict(_files(registry))
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


FIELDS = ("package__name", "version", "manifest", "is_internal", "origin", "is_yanked", "created_at", "files__blob__sha256")


def _files(registry: Registry) -> Iterator[tuple[str, bytes]]:
    """Every file of the index as it is to be served now."""
    yield README, WELCOME.encode()
    rows = Version.objects.filter(package__registry=registry, package__format=Format.MOONBIT).values_list(*FIELDS)
    found: dict[str, list[tuple[bool, Held]]] = defaultdict(list)
    for row in rows.iterator(chunk_size=2000):
        if row[7] is not None:
            found[row[0]].append(_held(row))
    hidden = set(RestrictedName.objects.filter(registry=registry, format=Format.MOONBIT).values_list("name", flat=True))
    ours = internal_names(registry, found)
    for full, versions in found.items():
        name = _name(full)
        shown = [held for is_shadowable, held in versions if not (is_shadowable and full in ours)]
        if name is not None and shown and not (registry.is_public and full in hidden):
            yield name.index_path, render_index(name, shown)


def _held(row: tuple[object, ...]) -> tuple[bool, Held]:
    """A version, and whether it is shadowed when its name is internal."""
    _, version, manifest, is_internal, origin, is_yanked, created_at, sha256 = row
    moment = created_at.isoformat(timespec="seconds")  # type: ignore[attr-defined]
    held = Held(
        version=str(version),
        manifest=bytes(manifest),  # type: ignore[call-overload]
        checksum=str(sha256),
        is_yanked=bool(is_yanked),
        created_at=moment,
    )
    return not is_internal and origin == Version.Origin.PULLED, held


def _name(text: str) -> Name | None:
    try:
        return parse_name(text)
    except NameInvalid:
        return None


def _marks(registry: Registry) -> list[object]:
    row = statements.row(MARKS, [registry.pk])
    return [str(value) for value in row] if row is not None else []


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
