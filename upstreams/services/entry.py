"""How a version from a source enters a registry: under the name's lock, as the rule still says, with its origin and event."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
from django.utils import timezone

from packages.formats.npm.names import Name
from packages.formats.publication import Publication, StagedFile
from packages.models import Blob, File, Package, Version
from packages.services.epochs import HOLD, bump_name
from packages.services.listing import KNOWN, list_in_search, pulled_writes
from packages.services.publish import Standing, add_version
from packages.services.rows import PACKAGE_ID
from registries.models import Registry
from upstreams.durability import lightly, remembered
from upstreams.errors import RuleChanged, UpstreamIntegrityMismatch
from upstreams.models import Rendering, Upstream, UpstreamDocument
from upstreams.selectors.facts import EPOCHS, Epochs, epochs_in
from upstreams.services.alerts import integrity_changed, manifest_differs
from upstreams.services.consult import LOCK, ONE, SAID
from upstreams.services.pinning import has_seen_others, holding, pin_one, pins_of
from upstreams.services.renderings import Found, HeldFile, finding, found_in, listing, listing_newcomer
from upstreams.services.resolve import Resolution
from workspaces import reading, statements
from workspaces.insertion import upserting
from workspaces.prepared import Row, Statement
from workspaces.services.audit import SYSTEM, event_write, record
from workspaces.statements import Write

PACKAGE = (
    "INSERT INTO packages_package (registry_id, format, name, folded, revision, created_at, updated_at)"
    " VALUES (%s, %s, %s, %s, 0, %s, %s) ON CONFLICT (registry_id, format, name)"
    " DO UPDATE SET folded = excluded.folded RETURNING id, revision"
)

ORIGIN = "INSERT INTO upstreams_origin (version_id, upstream_id, upstream_name, address) VALUES (%s, %s, %s, %s)"
FROM = "INSERT INTO upstreams_origin (version_id, upstream_id, upstream_name, address) SELECT id, %s, %s, %s FROM version"
HELD = f"WHERE t.package_id = {PACKAGE_ID} AND t.version = %s"

RETIRED = "SELECT id FROM packages_retiredversion WHERE registry_id = %s AND format = 'npm' AND name = %s AND version = %s"


@dataclass(frozen=True)
class FirstWord:
    """What an upstream said of a name of which nothing was known: its row, to be written with the first version, and the promises in it."""

    document: UpstreamDocument
    promises: Mapping[str, str]

    def asking(self, registry: Registry, name: Name) -> list[Statement]:
        """The statements that find and hold what it would stand beside."""
        said = reading.selecting(UpstreamDocument, SAID, without="body")
        return [(said, [self.document.upstream_id, name.full]), holding(registry.pk, name, self.promises)]

    def check(self, upstream: Sequence[Row], said: Sequence[Row], pins: Sequence[Row]) -> None:
        """It still is the first. Raises RuleChanged: whoever asks next goes by what is known now."""
        if not upstream or said or orjson.loads(bytes(pins[0][1])) != self.promises:
            raise RuleChanged("Others have asked for this package just now; try again.", retry_after=1)

    @property
    def writing(self) -> Statement:
        """The statement that writes it down."""
        return upserting(self.document, ONE)


@dataclass(frozen=True, kw_only=True)
class Newcomer:
    """A version that comes into `upstream.registry` from that upstream; its bytes are stored already.

    `decided`: the registry's decision by which somebody waits for the file, so that it is listed; without one it is where a
    decision is written down already. `first`: what is to be written down of the upstream in the same transaction.
    """

    upstream: Upstream
    name: Name
    publication: Publication
    is_internal: bool
    address: str
    decided: Resolution | None = None
    first: FirstWord | None = None


def enter(newcomer: Newcomer, epochs: Epochs) -> HeldFile | None:
    """The rows of the version, unless the rule has changed since `epochs`: then it is dropped.

    The file where it is listed by now for whoever waits for it. Raises RuleChanged, UpstreamIntegrityMismatch.
    """
    with remembered(is_told=False):
        return _enter(newcomer, epochs)


def _enter(newcomer: Newcomer, epochs: Epochs) -> HeldFile | None:
    registry, name, upstream = newcomer.upstream.registry, newcomer.name, newcomer.upstream
    publication = newcomer.publication
    scene = _scene(newcomer)
    if scene.epochs != epochs:
        raise RuleChanged("The rules for this package changed just now; try again.", retry_after=1)
    if scene.is_retired:
        raise UpstreamIntegrityMismatch(
            f"{name.full}@{publication.version} was published in {registry} and deleted; its number is not given out again.",
            upstream=upstream.name,
        )
    if scene.held is not None:
        if newcomer.is_internal:
            lift(scene.package, scene.held, publication.file.integrity, upstream)
        return None
    standing = Standing(origin=Version.Origin.PULLED, is_internal=newcomer.is_internal)
    differs = bool(publication.differences) and upstream.kind != Upstream.Kind.REGISTRY
    file = HeldFile(publication.filename, publication.file.sha256, publication.file.size)
    version = add_version(
        scene.package,
        publication,
        SYSTEM,
        standing,
        lambda version: scene.writes(version, newcomer),
        behind=[*scene.first(newcomer), *([] if differs else scene.listing(file, newcomer.decided))],
        then_commit=statements.at_once if statements.is_postgresql() and not differs else None,
    )
    write_origin(version, newcomer)
    if differs:
        # What was rendered of the name says something else; the file is listed when it is rendered anew.
        bump_name(registry.workspace_id, "npm", name.folded)
        manifest_differs(upstream, f"{name.full}@{version.version}", list(publication.differences))
        return None
    return file if newcomer.decided is not None else None


@dataclass(frozen=True)
class _Scene:
    """What a newcomer finds, under the lock of its name until the commit: no toggle slips in between."""

    epochs: Epochs
    package: Package
    held: Version | None
    is_retired: bool  # the number was the team's own once
    known: Sequence[Row]
    found: Found

    @property
    def current(self) -> Rendering | None:
        """The decision that is written down, if it is one of these epochs."""
        old = self.found.rendering
        return old if old is not None and Epochs(old.name_epoch, old.rule_epoch) == self.epochs else None

    def listing(self, file: HeldFile, decided: Resolution | None) -> list[Statement]:
        """What is to be run behind the version until its file is listed."""
        if decided is not None:
            return listing_newcomer(decided, file, self.found)
        return [listing(self.current, file)] if self.current is not None else []

    def first(self, newcomer: Newcomer) -> list[Statement]:
        """What is to be written down of the upstream."""
        return [newcomer.first.writing] if newcomer.first is not None else []

    def writes(self, version: Version, newcomer: Newcomer) -> list[Write]:
        """What is written together with the version: what search knows, and the event."""
        return [*pulled_writes(self.package, version, self.known), *beside(version, newcomer)]


def beside(version: Version, newcomer: Newcomer) -> list[Write]:
    """The event of a version, and on PostgreSQL, where what is written in the same statement can be referred to, where it came from."""
    registry, upstream = newcomer.upstream.registry, newcomer.upstream
    new = {"upstream": upstream.name, "internal": newcomer.is_internal, "integrity": version.integrity}
    subject = f"{registry} npm {newcomer.name.full}@{version.version}"
    event = event_write(SYSTEM, "version.pulled", subject, workspace=registry.workspace_id, new=new)
    origin = Write("origin", FROM, [upstream.pk, upstream.name, newcomer.address])
    return [event, origin] if statements.is_postgresql() else [event]


def write_origin(version: Version, newcomer: Newcomer) -> None:
    """Where it came from, where that is no part of the version's own statement."""
    if not statements.is_postgresql():
        statements.run(ORIGIN, [version.pk, newcomer.upstream.pk, newcomer.upstream.name, newcomer.address])


def _scene(newcomer: Newcomer) -> _Scene:
    """One journey. The name's row is made when it is new; a version from a source moves no revision on. Raises RuleChanged."""
    registry, name, version, first = newcomer.upstream.registry, newcomer.name, newcomer.publication.version, newcomer.first
    now, whose, light = statements.moment(timezone.now()), [registry.pk, name.full], lightly()
    locked = [registry.workspace_id, "npm", name.folded]
    upstream = [(statements.sharing(LOCK), [newcomer.upstream.pk])] if first is not None else []  # first, as `consult` holds it
    asking = [
        (HOLD, locked),
        (EPOCHS, ["npm", name.folded, registry.workspace_id]),
        (PACKAGE, [registry.pk, "npm", name.full, name.folded, now, now]),
        (reading.selecting(Version, HELD), [*whose, version]),
        (RETIRED, [*whose, version]),
        (KNOWN, whose),
        *finding(registry, name),
    ]
    beside = first.asking(registry, name) if first is not None else []
    found = statements.several([*light, *upstream, *asking, *beside])[len(light) :]
    if first is not None:
        is_there, *found, said, pins = found
        first.check(is_there, said, pins)
    _, epochs, packages, held, retired, known, *written = found
    pk, revision = packages[0]
    package = Package(pk=pk, registry=registry, format="npm", name=name.full, folded=name.folded, revision=revision)
    version_held = next(iter(reading.made(Version, held)), None)
    return _Scene(epochs_in(epochs), package, version_held, bool(retired), known, found_in(written))


def adopt(link: Upstream, name: Name, filename: str, epochs: Epochs) -> None:
    """Take the version with the file `filename` over from the registry behind `link`: rows, no bytes; its flag stays.

    Nothing happens when it is not there any more. Raises RuleChanged, UpstreamIntegrityMismatch (other bytes were seen first).
    """
    found = File.objects.filter(
        version__package__registry=link.source, version__package__format="npm", version__package__name=name.full, name=filename
    )
    file = found.select_related("blob", "version").first()
    if file is None:
        return
    version = file.version
    pinned = pins_of(link.registry_id, name)
    if has_seen_others(pinned, version):
        integrity_changed(link, name.full, pinned, {version.version: version.integrity})
        raise UpstreamIntegrityMismatch(
            f"{link.registry} has seen other bytes of {name.full}@{version.version} first, and keeps to them.", upstream=link.name
        )
    _take_over(link, name, file, epochs)


def _take_over(link: Upstream, name: Name, file: File, epochs: Epochs) -> None:
    version = file.version
    publication = Publication(
        format="npm",
        name=name.full,
        version=version.version,
        manifest=bytes(version.manifest),
        tags=(),
        filename=file.name,
        file=stored_file(file.blob),
        differences=tuple(version.differences),
    )
    newcomer = Newcomer(
        upstream=link, name=name, publication=publication, is_internal=version.is_internal, address=f"registry:{link.source}"
    )
    with remembered(is_told=False):
        pin_one(link.registry_id, name, version.version, version.integrity)
        _enter(newcomer, epochs)


def stored_file(blob: Blob) -> StagedFile:
    """A blob's hashes as those of a file; its bytes are where they are."""
    return StagedFile(path=Path(), size=blob.size, sha1=blob.sha1, sha256=blob.sha256, sha512=blob.sha512)


def lift(package: Package, held: Version, integrity: str, upstream: Upstream) -> None:
    """The number is held already: the same bytes from an internal source lift a shadowed version into the light.

    Raises UpstreamIntegrityMismatch.
    """
    if held.is_internal:
        return
    subject = f"{package.registry} {package.format} {package.name}@{held.version}"
    if held.integrity != integrity:
        raise UpstreamIntegrityMismatch(
            f"{subject} was pulled from outside earlier with other bytes and is shadowed; delete it first.", upstream=upstream.name
        )
    bump_name(package.registry.workspace_id, package.format, package.folded)
    Version.objects.filter(pk=held.pk).update(is_internal=True)
    list_in_search(package)
    new = {"internal": True, "upstream": upstream.name}
    record(SYSTEM, "version.internal", subject, workspace=package.registry.workspace_id, old={"internal": False}, new=new)
