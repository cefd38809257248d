"""Bringing one version of a module in: download to the side, verify, store, then one short transaction."""

from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from packages import blobs
from packages.formats.errors import ContentInvalid
from packages.formats.moonbit.addresses import package_url
from packages.formats.moonbit.archive import check_archive
from packages.formats.moonbit.index import Entry, manifest_of
from packages.formats.publication import Publication, StagedFile
from packages.models import File, Format, NameEpoch, Package, RetiredVersion, Version
from packages.services.epochs import bump_name
from packages.services.publish import Standing, add_version
from upstreams.clients.moonbit import fetch_zip
from upstreams.errors import UpstreamBadAnswer, UpstreamIntegrityMismatch
from upstreams.flight import release_connection
from upstreams.models import Origin, Upstream
from upstreams.services.alerts import integrity_changed
from upstreams.services.modules.pins import pins_of, sri
from upstreams.services.modules.resolve import Resolution
from upstreams.services.troubles import telling
from upstreams.targets import target_of
from workspaces.services.audit import SYSTEM, record


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
            integrity_changed(self.upstream, name.full, {version: promised}, {version: found})
            raise self._mismatch(f"sent bytes for {name.full}@{version} that do not match their checksum; nothing was kept")
        try:
            check_archive(staged, name, version)
        except ContentInvalid as error:
            sentence = f"Upstream {self.upstream.name} sent another module than it lists, and nothing was kept: {error.message}"
            raise UpstreamBadAnswer(sentence, upstream=self.upstream.name) from None

    def _mismatch(self, what: str) -> UpstreamIntegrityMismatch:
        return UpstreamIntegrityMismatch(f"Upstream {self.upstream.name} {what}.", upstream=self.upstream.name)

    @transaction.atomic
    def _enter(self, staged: StagedFile, address: str) -> None:
        """The rows of the version, unless the rule has changed since the decision. Raises RuleChanged, UpstreamIntegrityMismatch."""
        registry, name, upstream = self.resolution.registry, self.resolution.name, self.upstream
        _lock_name(registry.workspace_id, name.folded)
        self.resolution.check_still_holds()
        defaults = {"folded": name.folded}
        package, _ = Package.objects.get_or_create(registry=registry, format=Format.MOONBIT, name=name.full, defaults=defaults)
        held = Version.objects.filter(package=package, version=self.entry.version).first()
        if held is not None:
            self._meet(package, held, staged)
            return
        publication = Publication(
            format=Format.MOONBIT,
            name=name.full,
            version=self.entry.version,
            manifest=manifest_of(self.entry),
            tags=(),
            filename=name.archive(self.entry.version),
            file=staged,
        )
        version = add_version(package, publication, SYSTEM, Standing(origin=Version.Origin.PULLED, is_internal=upstream.is_internal))
        if self.entry.is_yanked:
            Version.objects.filter(pk=version.pk).update(is_yanked=True)
        Origin.objects.create(version=version, upstream=upstream, upstream_name=upstream.name, address=address)
        subject = f"{registry} moonbit {name.full}@{version.version}"
        new = {"upstream": upstream.name, "internal": upstream.is_internal, "integrity": sri(staged.sha256)}
        record(SYSTEM, "version.pulled", subject, workspace=registry.workspace_id, new=new)

    def _meet(self, package: Package, held: Version, staged: StagedFile) -> None:
        """The number is held already: the same bytes from an internal source lift a shadowed version into the light."""
        if held.is_internal or not self.upstream.is_internal:
            return
        subject = f"{package.registry} moonbit {package.name}@{held.version}"
        if held.integrity != staged.integrity:
            raise UpstreamIntegrityMismatch(
                f"{subject} was pulled from outside earlier with other bytes and is shadowed; delete it first.", upstream=self.upstream.name
            )
        bump_name(package.registry.workspace_id, Format.MOONBIT, package.folded)
        Version.objects.filter(pk=held.pk).update(is_internal=True)
        new = {"internal": True, "upstream": self.upstream.name}
        record(SYSTEM, "version.internal", subject, workspace=package.registry.workspace_id, old={"internal": False}, new=new)


def keep_yanks(resolution: Resolution, upstream: Upstream, yanked: dict[str, bool]) -> int:
    """Take over what the upstream withdrew, or gave back, of the versions that came from it; returns how many changed."""
    registry, name = resolution.registry, resolution.name
    held = Version.objects.filter(package__registry=registry, package__format=Format.MOONBIT, package__name=name.full)
    changed = [
        (version, yanked[version.version])
        for version in held.filter(upstream_origin__upstream=upstream, version__in=list(yanked)).defer("manifest")
        if version.is_yanked != yanked[version.version]
    ]
    if not changed:
        return 0
    with transaction.atomic():
        bump_name(registry.workspace_id, Format.MOONBIT, name.folded)
        for version, is_yanked in changed:
            Version.objects.filter(pk=version.pk).update(is_yanked=is_yanked)
            subject = f"{registry} moonbit {name.full}@{version.version}"
            record(
                SYSTEM,
                "version.yanked" if is_yanked else "version.unyanked",
                subject,
                workspace=registry.workspace_id,
                old={"yanked": version.is_yanked},
                new={"yanked": is_yanked, "upstream": upstream.name},
            )
    return len(changed)


def held_versions(resolution: Resolution, upstream: Upstream, *, look: bool) -> set[str]:
    """Numbers that need not be fetched from `upstream`: held for good, or deleted on purpose. With `look` the bytes count, not the row."""
    registry, name = resolution.registry, resolution.name
    held = Version.objects.filter(package__registry=registry, package__format=Format.MOONBIT, package__name=name.full)
    if upstream.is_internal:
        held = held.exclude(is_internal=False, origin=Version.Origin.PULLED)  # the same bytes would lift these into the light
    rows = File.objects.filter(version__in=held).values_list("version__version", "blob__sha256")
    here = {version for version, sha256 in rows if not look or blobs.exists(sha256)}
    retired = RetiredVersion.objects.filter(registry=registry, format=Format.MOONBIT, name=name.full)
    return {*here, *retired.values_list("version", flat=True)}


def _lock_name(workspace_id: int, folded: str) -> None:
    """Hold the name's epoch row until the commit, so that no toggle slips between the check and the write."""
    NameEpoch.objects.get_or_create(workspace_id=workspace_id, format=Format.MOONBIT, name=folded, defaults={"epoch": 0})
    NameEpoch.objects.select_for_update().get(workspace_id=workspace_id, format=Format.MOONBIT, name=folded)
