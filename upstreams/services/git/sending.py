"""A version's bytes from a repository, in the shape a download has."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from packages.formats.npm.commits import Place
from packages.formats.npm.names import Name
from upstreams.clients.git.objects import Objects
from upstreams.clients.git.remote import GitTarget
from upstreams.errors import UpstreamBadAnswer
from upstreams.models import GitListing, Upstream
from upstreams.services.git.answers import mirrored
from upstreams.services.git.describing import place_of
from upstreams.services.git.packing import measured, parcel, tarball
from upstreams.services.git.shelf import Shelf
from upstreams.services.git.targets import git_target_of
from upstreams.services.pinning import pin_one

PIECE = 256 * 1024


@dataclass
class Packed:
    """A tarball, packed before or while it is read. `url`: the repository, the commit and the folder."""

    url: str
    upstream: str
    _source: Iterator[bytes] = field(repr=False)
    _close: Callable[[], object] = field(repr=False)
    length: int | None = None
    _shelved: Path | None = None

    def pieces(self, limit: int) -> Iterator[bytes]:
        """The bytes; never more than `limit`."""
        total = 0
        for piece in self._source:
            total += len(piece)
            if total > limit:
                raise UpstreamBadAnswer(f"Upstream {self.upstream} has a package of more than {limit:,} bytes.", upstream=self.upstream)
            yield piece
        if self._shelved is not None:  # once stored it is needed no more; else it is packed again
            self._shelved.unlink(missing_ok=True)

    def close(self) -> None:
        """End whatever reads."""
        self._close()


def open_packed(upstream: Upstream, version: str, address: str, promised: str, *, before_send: Callable[[], None]) -> Packed:
    """Open a version for reading: as it was packed for its promise, or packed anew.

    Raises UpstreamError subclasses, and what `before_send` raises.
    """
    place = place_of(address)
    url = f"{upstream.url}#{place.commit}:{place.folder}"
    with contextlib.suppress(FileNotFoundError), contextlib.ExitStack() as undo:
        shelved = Shelf(git_target_of(upstream)).place(promised)
        file = undo.enter_context(shelved.open("rb"))
        before_send()
        closing = undo.pop_all()
        return Packed(url, upstream.name, iter(partial(file.read, PIECE), b""), closing.close, shelved.stat().st_size, shelved)
    target = _at_hand(upstream, place, before_send)
    with contextlib.ExitStack() as undo:
        objects = undo.enter_context(Objects(target.repository, target.name))
        found = parcel(objects, target.name, place, version)
        closing = undo.pop_all()
    return Packed(url, target.name, tarball(objects, target.name, found), closing.close)


def promise_of(upstream: Upstream, name: Name, version: str, address: str, *, before_send: Callable[[], None]) -> str:
    """The integrity of a version that was listed without one: pinned from now on. Raises what `open_packed` raises."""
    place = place_of(address)
    target = _at_hand(upstream, place, before_send)
    with Objects(target.repository, target.name) as objects:
        found = measured(objects, target.name, parcel(objects, target.name, place, version))
    if found is None:  # nobody set a time
        return ""
    pin_one(upstream.registry_id, name, version, found.integrity)
    return found.integrity


def _at_hand(upstream: Upstream, place: Place, before_send: Callable[[], None]) -> GitTarget:
    """The mirror on this machine, with that commit if it can be had."""
    target = git_target_of(upstream)
    if not _has(target, place.commit):
        digest = GitListing.objects.filter(upstream=upstream).values_list("refs_digest", flat=True).first()
        mirrored(upstream, target, digest or "", before_send)
    before_send()
    return target


def _has(target: GitTarget, commit: str) -> bool:
    if not (target.repository / "HEAD").exists():
        return False
    with Objects(target.repository, target.name) as objects:
        return objects.has(commit)
