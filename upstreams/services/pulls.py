"""Pulling one version: download to the side, verify, store, then one short transaction."""

import base64
import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol
from urllib.parse import unquote, urlsplit

import orjson
from django.conf import settings

from packages import blobs
from packages.formats.errors import ContentInvalid
from packages.formats.npm.differences import Difference
from packages.formats.npm.names import Name
from packages.formats.npm.packument import Manifest, promise
from packages.formats.npm.pulled import truth_of
from packages.formats.npm.versions import is_same, is_version
from packages.formats.publication import Publication, StagedFile
from upstreams.clients.http import Answer
from upstreams.clients.npm import fetch_tarball
from upstreams.errors import RuleChanged, UpstreamBadAnswer, UpstreamIntegrityMismatch
from upstreams.models import Upstream, UpstreamDocument
from upstreams.progress import Progress
from upstreams.selectors.facts import current_epochs
from upstreams.services.alerts import checksum_wrong, integrity_changed
from upstreams.services.entry import FirstWord, Newcomer, adopt, enter
from upstreams.services.git.sending import Packed, open_packed, promise_of
from upstreams.services.pinning import pins_of
from upstreams.services.renderings import HeldFile
from upstreams.services.resolve import Resolution
from upstreams.services.troubles import telling
from upstreams.targets import target_of
from workspaces.room import release_connection

ALGORITHMS = ("sha512", "sha384", "sha256", "sha1")  # strongest first (W3C SRI, section 3.2)


@dataclass(frozen=True)
class Offer:
    """A version an upstream's document lists: its manifest, where its tarball is, what is promised of the bytes.

    `pinned`: what the registry holds the bytes to, where that was read together with the document.
    """

    version: str
    manifest: Manifest
    tarball: str
    promised: str
    pinned: str = ""

    @property
    def basename(self) -> str:
        """The file name in the upstream's own address; old packages have odd ones."""
        return unquote(urlsplit(self.tarball).path.rpartition("/")[2])


class Bytes(Protocol):
    """A tarball's bytes, about to flow or here; `url` is where they come from."""

    @property
    def url(self) -> str:
        """Without credentials."""

    @property
    def length(self) -> int | None:
        """How many, if that is told beforehand."""

    def pieces(self, limit: int) -> Iterator[bytes]:
        """They themselves. Raises UpstreamError subclasses."""


class Openable(Bytes, Protocol):
    """The same, to be closed."""

    def close(self) -> None:
        """Nothing more is wanted of it."""


@dataclass(frozen=True)
class Truth:
    """The manifest a tarball turned out to have, and where its document said otherwise."""

    manifest: Manifest
    differences: list[Difference]


@dataclass(frozen=True)
class Pull:
    """One download, decided by `resolution`. `begin` is the spool's work.

    `links`: the `registry` upstreams it is asked through, the one next to `upstream` first; each registry keeps the version.
    `is_asked`: somebody waits for it in the registry the resolution is of, which lists it. `first`: as of `Newcomer`.
    """

    resolution: Resolution
    upstream: Upstream
    offer: Offer
    links: tuple[Upstream, ...] = ()
    is_asked: bool = False
    first: FirstWord | None = None

    def begin(self) -> "Incoming":
        """Open it. Raises UpstreamError subclasses."""
        with self._telling():
            promised = self.promised()
            return Incoming(self, promised, self._opened(promised))

    def take(self, promised: str, answer: "Bytes", progress: Progress) -> HeldFile | None:
        """Download, verify, store, record; the file, if it is listed. Raises UpstreamError subclasses; nothing unverified is kept."""
        return self.record(self.receive(promised, answer, progress))

    def receive(self, promised: str, answer: "Bytes", progress: Progress) -> Newcomer:
        """Download, verify, store: what is to be recorded. Raises UpstreamError subclasses; nothing unverified is kept."""
        is_short = answer.length is not None and answer.length <= blobs.IN_MEMORY
        with self._telling(), blobs.Staging(limit=settings.FILE_LIMIT, memory=blobs.IN_MEMORY if is_short else 0) as staging:
            progress.begin(staging.path, answer.length)
            for piece in answer.pieces(settings.FILE_LIMIT):
                staging.write(piece)
            staged = staging.finish()
            self._verify(staged, promised)
            truth = self._truth(staged)
            blobs.store(staged)
            return self._newcomer(staged, answer.url, truth)

    def _telling(self) -> contextlib.AbstractContextManager[None]:
        return telling(self.upstream, f"{self.resolution.name.full}@{self.offer.version}")

    def _opened(self, promised: str) -> Answer | Packed:
        """The bytes, about to flow."""
        if self.upstream.kind == Upstream.Kind.GIT:
            return open_packed(self.upstream, self.offer.version, self.offer.tarball, promised, before_send=self._before_send)
        target = target_of(self.upstream)
        release_connection()  # a slow upstream holds no database connection
        return fetch_tarball(target, self.offer.tarball, before_send=self._before_send)

    def promised(self) -> str:
        """What the bytes must be: as first seen here, else as promised now."""
        registry, name = self.resolution.registry, self.resolution.name
        promised = self.offer.pinned or pins_of(registry.pk, name).get(self.offer.version) or self.offer.promised
        if not promised and self.upstream.kind == Upstream.Kind.GIT:
            return promise_of(self.upstream, name, self.offer.version, self.offer.tarball, before_send=self._before_send)
        if not promised:
            raise UpstreamBadAnswer(
                f"Upstream {self.upstream.name} promises no integrity for {name.full}@{self.offer.version}.",
                upstream=self.upstream.name,
            )
        return promised

    def _before_send(self) -> None:
        self._still_holds()
        release_connection()

    def _still_holds(self) -> None:
        registry, name = self.resolution.registry, self.resolution.name
        if current_epochs(registry, "npm", name.folded) != self.resolution.epochs:
            raise RuleChanged("The rules for this package changed just now; try again.", retry_after=1)

    def _verify(self, staged: StagedFile, promised: str) -> None:
        if matches_promise(staged, promised):
            return
        name, version = self.resolution.name.full, self.offer.version
        if promised == self.offer.promised:
            checksum_wrong(self.upstream, f"{name}@{version}", promised, staged.integrity)
        else:
            integrity_changed(self.upstream, name, {version: promised}, {version: staged.integrity})
        raise UpstreamIntegrityMismatch(
            f"Upstream {self.upstream.name} sent bytes for {name}@{version} that do not match their integrity; nothing was kept.",
            upstream=self.upstream.name,
        )

    def _truth(self, staged: StagedFile) -> Truth:
        """What the tarball itself says, read before anybody takes it for the version. Raises UpstreamBadAnswer."""
        try:
            return Truth(*truth_of(self.resolution.name, self.offer.version, self.offer.manifest, staged))
        except ContentInvalid as error:
            raise UpstreamBadAnswer(
                f"Upstream {self.upstream.name} sent another package than it lists, and nothing was kept: {error.message}",
                upstream=self.upstream.name,
            ) from None

    def _newcomer(self, staged: StagedFile, address: str, truth: Truth) -> Newcomer:
        name, version = self.resolution.name, self.offer.version
        publication = Publication(
            format="npm",
            name=name.full,
            version=version,
            manifest=orjson.dumps(truth.manifest),
            tags=(),
            filename=name.tarball(version),
            file=staged,
            differences=tuple(truth.differences),
        )
        return Newcomer(
            upstream=self.upstream,
            name=name,
            publication=publication,
            is_internal=self.upstream.is_internal,
            address=_shown(address),
            decided=self.resolution if self.is_asked else None,
            first=self.first,
        )

    def record(self, newcomer: Newcomer) -> HeldFile | None:
        """The version in the registry whose upstream this is, then in those that asked through it.

        The file, if it is listed. Raises RuleChanged, UpstreamIntegrityMismatch.
        """
        listed = enter(newcomer, self.resolution.epochs)
        with contextlib.suppress(RuleChanged):  # also by what just came in: whoever asks next takes it over, by the rule of then
            for link in self.links:
                adopt(link, newcomer.name, newcomer.publication.filename, self.resolution.epochs)
        return listed


@dataclass
class Incoming:
    """A download that is open; whoever has it receives it, which closes it. `listed`: the file, once it is here and listed."""

    pull: Pull
    promised: str
    answer: "Openable"
    listed: HeldFile | None = None

    @property
    def length(self) -> int | None:
        """In bytes, if it is told beforehand."""
        return self.answer.length

    def receive(self, progress: Progress) -> None:
        """What `Pull.take` does with it."""
        with contextlib.closing(self.answer):
            self.listed = self.pull.take(self.promised, self.answer, progress)


def offered_versions(document: Manifest, name: Name) -> Iterator[Offer]:
    """The well-formed versions of an upstream's packument."""
    versions = document.get("versions")
    for version in versions if isinstance(versions, dict) else ():
        offer = offered_version(document, name, version)
        if offer is not None:
            yield offer


def offered_version(document: Manifest, name: Name, version: str) -> Offer | None:
    """That version of an upstream's packument, if it is there and well-formed."""
    versions = document.get("versions")
    manifest = versions.get(version) if isinstance(versions, dict) else None
    dist = manifest.get("dist") if isinstance(manifest, dict) else None
    if not isinstance(manifest, dict) or not isinstance(dist, dict) or not isinstance(dist.get("tarball"), str) or not is_version(version):
        return None
    if manifest.get("name") != name.full or not is_same(manifest.get("version"), version):
        return None
    kept = {key: value for key, value in manifest.items() if key != "readme"}
    return Offer(version, {**kept, "version": version}, dist["tarball"], promise(dist))


def pinned_by(resolution: Resolution, document: UpstreamDocument, offer: Offer) -> Offer:
    """The offer with what the registry holds its bytes to, where the document's keeper read that for it."""
    if document.pins is None or document.upstream.registry_id != resolution.registry.pk:
        return offer
    return replace(offer, pinned=document.pins.get(offer.version, ""))


def matches_promise(staged: StagedFile, promised: str) -> bool:
    """Whether the bytes are what was promised, by the strongest hash the promise has (W3C SRI, section 3.3.4)."""
    if promised.startswith("sha1-hex:"):
        return staged.sha1 == promised.partition(":")[2]
    parts = [part.partition("?")[0] for part in promised.split()]
    for algorithm in ALGORITHMS:
        wanted = {part.partition("-")[2] for part in parts if part.startswith(f"{algorithm}-")}
        if wanted:
            return base64.b64encode(_digest(staged, algorithm)).decode("ascii") in wanted
    return False


def _digest(staged: StagedFile, algorithm: str) -> bytes:
    """As it was made while the bytes came, or made now."""
    known = {"sha512": staged.sha512, "sha256": staged.sha256, "sha1": staged.sha1}
    if algorithm in known:
        return bytes.fromhex(known[algorithm])
    digest = hashlib.new(algorithm, usedforsecurity=False)
    with staged.open() as file:
        while chunk := file.read(blobs.CHUNK):
            digest.update(chunk)
    return digest.digest()


def _shown(address: str) -> str:
    """An address without its query, which may carry a signature."""
    return address.partition("?")[0][:1000]
