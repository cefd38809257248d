"""Taking a module's version over from a registry behind: kept in each registry on the way, rows and rights, no bytes."""

from packages.formats.moonbit.index import Entry, dated
from packages.formats.moonbit.names import Name
from packages.formats.publication import Publication
from packages.models import File, Version
from registries.models import Registry
from upstreams import terms
from upstreams.durability import remembered
from upstreams.errors import RuleChanged, UpstreamIntegrityMismatch
from upstreams.models import Upstream
from upstreams.selectors.facts import Epochs, current_epochs
from upstreams.services.alerts import integrity_changed
from upstreams.services.entry import stored_file
from upstreams.services.modules.entry import Newcomer, enter
from upstreams.services.modules.lines import CHAINED, Line, shown_of
from upstreams.services.modules.pins import FORMAT, pin_one, pins_of, sri
from upstreams.services.modules.pull import Pull
from upstreams.services.modules.resolve import resolve, source_for

TRIES = 5  # times it is begun anew because the rules changed under it


def bring(registry: Registry, name: Name, number: str) -> File | None:
    """The file of the version that `registry` shows under `number`, taken over from behind if it is not there; None when there is none.

    Raises InternalSourceUnavailable, UpstreamIntegrityMismatch, RuleChanged.
    """
    for _ in range(TRIES):
        epochs = current_epochs(registry, FORMAT, name.folded)
        layer, line = shown_of(registry, name).get(number, (None, None))
        if layer is None or line is None:
            return None
        way = list(zip((registry, *(link.source for link in layer.links)), layer.links, strict=False))
        try:
            for place, link in reversed(way):  # the farthest takes it first
                if place is not None:
                    _adopt(place, link, name, line, epochs)
        except RuleChanged:
            continue
        return File.objects.select_related("blob").filter(version=line.pk).first()
    raise RuleChanged("The rules for this module are being changed; try again.", retry_after=1)


def fetch_behind(registry: Registry, upstream: Upstream, name: Name, entry: Entry) -> None:
    """A version of a source behind: into the registry whose source it is, and from there into each on the way.

    Raises OtherSource, SourceAbsent, UpstreamError subclasses, RuleChanged.
    """
    if upstream.kind != Upstream.Kind.REGISTRY:
        resolution = resolve(upstream.registry, name)
        source_for(resolution, upstream)
        Pull(resolution, upstream, entry).run()
    if bring(registry, name, entry.version) is None:
        raise RuleChanged(f"{name.full}@{entry.version} is not behind {registry} any more; try again.", retry_after=1)


def offered_behind(registry: Registry, name: Name) -> dict[str, tuple[terms.Path, Entry]]:
    """The versions that the registries behind show, by number, with the links that lead there.

    Raises InternalSourceUnavailable, RuleChanged.
    """
    shown = shown_of(registry, name, beyond=True)
    return {number: (tuple(link.pk for link in layer.links), line.entry) for number, (layer, line) in shown.items()}


def _adopt(registry: Registry, link: Upstream, name: Name, line: Line, epochs: Epochs) -> None:
    """Into `registry` from the one behind `link`, with its flag. Raises RuleChanged, UpstreamIntegrityMismatch."""
    number = line.held.version
    there = Version.objects.filter(package__registry=link.source, package__format=FORMAT, package__name=name.full, version=number)
    file = File.objects.select_related("blob", "version").filter(version__in=there, blob__sha256=line.held.checksum).first()
    if file is None:
        raise RuleChanged("The version was deleted just now; try again.", retry_after=1)
    link.registry = registry
    seen = sri(file.blob.sha256)
    known = pins_of(registry.pk, name).get(number, seen)
    if known != seen and not file.version.is_internal:
        integrity_changed(link, name.full, {number: known}, {number: seen}, FORMAT)
        raise UpstreamIntegrityMismatch(
            f"{registry} has seen other bytes of {name.full}@{number} first, and keeps to them.", upstream=link.name
        )
    _take_over(registry, link, name, file, epochs)


@remembered()
def _take_over(registry: Registry, link: Upstream, name: Name, file: File, epochs: Epochs) -> None:
    version = file.version
    pin_one(registry.pk, name, version.version, sri(file.blob.sha256))
    publication = Publication(
        format=FORMAT,
        name=name.full,
        version=version.version,
        manifest=dated(bytes(version.manifest), version.created_at.isoformat(timespec="seconds")),
        tags=(),
        filename=file.name,
        file=stored_file(file.blob),
    )
    enter(
        Newcomer(
            registry=registry,
            upstream=link,
            name=name,
            publication=publication,
            is_internal=version.is_internal,
            is_yanked=version.is_yanked,
            address=f"{CHAINED}{link.source}",
            epochs=epochs,
        )
    )
