"""Bringing one version of a module in: download to the side, verify, store, then one short transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from packages import blobs
from packages.formats.errors import ContentInvalid
from packages.formats.moonbit.addresses import package_url
from packages.formats.moonbit.archive import check_archive
from packages.formats.moonbit.index import Entry, manifest_of
from packages.formats.publication import Publication, StagedFile
from packages.models import Version
from packages.services.epochs import bump_name
from packages.services.rows import MODULE_ID
from upstreams.clients.moonbit import fetch_zip
from upstreams.durability import remembered
from upstreams.errors import UpstreamBadAnswer, UpstreamIntegrityMismatch
from upstreams.models import Upstream
from upstreams.services.alerts import checksum_wrong
from upstreams.services.modules.entry import Newcomer, enter
from upstreams.services.modules.pins import FORMAT, pins_of, sri
from upstreams.services.modules.resolve import Resolution
from upstreams.services.troubles import telling
from upstreams.targets import target_of
from workspaces import statements
from workspaces.room import release_connection
from workspaces.services.audit import SYSTEM, record

HELD = (
    "SELECT v.id, v.version, v.is_internal, v.origin, v.is_yanked, b.sha256,"  # noqa: S608 - constants only
    " (SELECT o.upstream_id FROM upstreams_origin o WHERE o.version_id = v.id) FROM packages_version v"
    " LEFT JOIN packages_file f ON f.version_id = v.id"
    " LEFT JOIN packages_blob b ON b.id = f.blob_id"
    f" WHERE v.package_id = {MODULE_ID}"
)
RETIRED = "SELECT version FROM packages_retiredversion WHERE registry_id = %s AND format = 'moonbit' AND name = %s"


@dataclass(frozen=True)
class Pull:
    """One version that the rule lets come from `upstream`."""

    resolution: Resolution
    upstream: Upstream
    entry: Entry

    def run(self) -> None:
        """Download, verify, store, record. Raises UpstreamError subclasses; nothing unverified is kept."""
        with telling(self.upstream, f"{self.resolution.name.full}@{self.entry.version}"):
            self._run()

    def _run(self) -> None:
        name, version = self.resolution.name, self.entry.version
        promised = pins_of(self.resolution.registry.pk, name).get(version, self.entry.integrity)
        if promised != self.entry.integrity:
            raise self._mismatch(f"offers other bytes for {name.full}@{version} than were seen first; they are not fetched")
        target = target_of(self.upstream)
        address = package_url(self.upstream.package_url_pattern, self.upstream.url, name, version)
        release_connection()  # a slow upstream holds no database connection
        answer = fetch_zip(target, address, before_send=self._before_send)
        try:
            with blobs.Staging(limit=settings.FILE_LIMIT, memory=blobs.IN_MEMORY) as staging:
                for piece in answer.pieces(settings.FILE_LIMIT):
                    staging.write(piece)
                staged = staging.finish()
                self._verify(staged, promised)
                blobs.store(staged)
                self._enter(staged, answer.url.partition("?")[0][:1000])
        finally:
            answer.close()

    def _before_send(self) -> None:
        self.resolution.check_still_holds()
        release_connection()

    def _verify(self, staged: StagedFile, promised: str) -> None:
        name, version = self.resolution.name, self.entry.version
        found = sri(staged.sha256)
        if found != promised:
            checksum_wrong(self.upstream, f"{name.full}@{version}", promised, found)
            raise self._mismatch(f"sent bytes for {name.full}@{version} that are not what its index promises; nothing was kept")
        try:
            check_archive(staged, name, version)
        except ContentInvalid as error:
            sentence = f"Upstream {self.upstream.name} sent another module than it lists, and nothing was kept: {error.message}"
            raise UpstreamBadAnswer(sentence, upstream=self.upstream.name) from None

    def _mismatch(self, what: str) -> UpstreamIntegrityMismatch:
        return UpstreamIntegrityMismatch(f"Upstream {self.upstream.name} {what}.", upstream=self.upstream.name)

    @remembered()
    def _enter(self, staged: StagedFile, address: str) -> None:
        """Raises RuleChanged, UpstreamIntegrityMismatch."""
        name = self.resolution.name
        publication = Publication(
            format=FORMAT,
            name=name.full,
            version=self.entry.version,
            manifest=manifest_of(self.entry),
            tags=(),
            filename=name.archive(self.entry.version),
            file=staged,
        )
        enter(
            Newcomer(
                registry=self.resolution.registry,
                upstream=self.upstream,
                name=name,
                publication=publication,
                is_internal=self.upstream.is_internal,
                is_yanked=self.entry.is_yanked,
                address=address,
                epochs=self.resolution.situation.epochs,
            )
        )


@dataclass(frozen=True)
class HeldVersion:
    """A version of a module that a registry holds; `upstream_id`: where it came from, if it was pulled."""

    pk: int
    version: str
    is_internal: bool
    origin: str
    is_yanked: bool
    sha256: str
    upstream_id: int | None

    @property
    def is_shadowable(self) -> bool:
        """Pulled and not internal: an internal name hides it."""
        return not self.is_internal and self.origin == Version.Origin.PULLED


def held_of(resolution: Resolution) -> list[HeldVersion]:
    """The versions of the module that the registry holds."""
    found = statements.rows(HELD, [resolution.registry.pk, resolution.name.full])
    return [
        HeldVersion(pk, version, bool(internal), origin, bool(yanked), sha or "", source)
        for pk, version, internal, origin, yanked, sha, source in found
    ]


def keep_yanks(resolution: Resolution, upstream: Upstream, held: Sequence[HeldVersion], yanked: Mapping[str, bool]) -> int:
    """Take over what the upstream withdrew, or gave back, of the versions that came from it; returns how many changed."""
    ours = [one for one in held if one.upstream_id == upstream.pk and yanked.get(one.version, one.is_yanked) != one.is_yanked]
    if not ours:
        return 0
    registry, name = resolution.registry, resolution.name
    with transaction.atomic():
        bump_name(registry.workspace_id, FORMAT, name.folded)
        for one in ours:
            Version.objects.filter(pk=one.pk).update(is_yanked=not one.is_yanked)
            subject, word = f"{registry} moonbit {name.full}@{one.version}", "unyanked" if one.is_yanked else "yanked"
            new = {"yanked": not one.is_yanked, "upstream": upstream.name}
            record(SYSTEM, f"version.{word}", subject, workspace=registry.workspace_id, old={"yanked": one.is_yanked}, new=new)
    return len(ours)


def needless(resolution: Resolution, upstream: Upstream, held: Sequence[HeldVersion], *, look: bool) -> set[str]:
    """Numbers that need not be fetched from `upstream`: held for good, or deleted on purpose. With `look` the bytes count, not the row."""
    # The same bytes from an internal source lift a shadowed version into the light: those are fetched.
    kept = [one for one in held if not (upstream.is_internal and one.is_shadowable)]
    here = {one.version for one in kept if not look or (one.sha256 and blobs.exists(one.sha256))}
    return here | {version for (version,) in statements.rows(RETIRED, [resolution.registry.pk, resolution.name.full])}
