"""The files of a registry's index: a line for each version it shows, its own and those of the registries behind it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import orjson

from packages.formats.errors import NameInvalid
from packages.formats.moonbit.index import Entry, Held, dependencies_of, render_index
from packages.formats.moonbit.names import Name, parse_name
from packages.models import Format, RetiredVersion, Version
from registries.models import Registry, RestrictedName
from upstreams.errors import InternalSourceUnavailable
from upstreams.selectors.chain import behind_of
from upstreams.selectors.facts import Ground
from upstreams.services.modules.layers import Layer, Sight, sights
from upstreams.terms import Outcome

README = "README.md"
WELCOME = "MoonBit modules: a file for each, a line of JSON for each version.\n"
CHAINED = "registry:"  # how the address of what came from a registry of the workspace begins
FIELDS = (
    "id",
    "package__registry",
    "package__name",
    "version",
    "manifest",
    "is_internal",
    "origin",
    "is_yanked",
    "created_at",
    "files__blob__sha256",
    "upstream_origin__address",
)


@dataclass(frozen=True)
class Line:
    """A version somewhere. `is_shadowable`: hidden where its name is internal; `is_adopted`: it came from a registry behind."""

    pk: int
    held: Held
    is_shadowable: bool
    is_adopted: bool

    @property
    def entry(self) -> Entry:
        """As an index would list it."""
        held = self.held
        return Entry(held.version, held.checksum, held.is_yanked, dependencies_of(held.manifest), orjson.loads(held.manifest))


@dataclass
class Stock:
    """What a registry and those behind it hold: lines by name and registry, and the numbers that were deleted on purpose."""

    lines: dict[str, dict[int, list[Line]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    retired: Mapping[tuple[int, str], set[str]] = field(default_factory=dict)

    def shown(self, sight: Sight) -> dict[str, tuple[Layer, Line]]:
        """The versions of a name by number, each of the nearest registry that may show it."""
        found: dict[str, tuple[Layer, Line]] = {}
        for layer in reversed(sight.layers):
            gone = {number for place in layer.on_the_way for number in self.retired.get((place, sight.name), ())}
            for line in self.lines[sight.name].get(layer.registry.pk, ()):
                if (sight.shows_pulled or not line.is_shadowable) and line.held.version not in gone:
                    farther = found.get(line.held.version)
                    found[line.held.version] = (layer, _as_behind(line, farther[1]) if farther else line)
        return found


def files_of(registry: Registry) -> Iterator[tuple[str, bytes]]:
    """Every file of the index as it is to be served now. Raises RuleChanged."""
    yield README, WELCOME.encode()
    ground = Ground.read(registry.workspace_id, Format.MOONBIT)
    places = behind_of(registry, ground)
    stock = stock_of(places)
    hidden = _hidden(places) if registry.is_public else set()
    for sight in sights(registry, ground, stock.lines):
        name, shown = _name(sight.name), stock.shown(sight)
        if name is not None and shown and not any((layer.registry.pk, sight.name) in hidden for layer in (Layer(registry), *sight.layers)):
            yield name.index_path, render_index(name, [line.held for _, line in shown.values()])


def module_lines(registry: Registry, name: Name) -> bytes | None:
    """A module's file, as the index has it; None when there is none. Raises InternalSourceUnavailable, RuleChanged."""
    shown = shown_of(registry, name)
    return render_index(name, [line.held for _, line in shown.values()]) if shown else None


def shown_of(registry: Registry, name: Name, *, beyond: bool = False) -> dict[str, tuple[Layer, Line]]:
    """The versions of one module that the registry shows, by number. Raises InternalSourceUnavailable, RuleChanged.

    What is held here is shown in any case; what is held behind only after the internal sources that may have the name.
    `beyond`: as if it held none itself.
    """
    ground = Ground.read(registry.workspace_id, Format.MOONBIT)
    (sight,) = sights(registry, ground, [name.full])
    if beyond:
        sight = replace(sight, layers=tuple(layer for layer in sight.layers if layer.links))
    shown = stock_of(behind_of(registry, ground), name.full).shown(sight)
    if not shown and sight.decision.outcome is Outcome.UNAVAILABLE:
        raise InternalSourceUnavailable(
            f"Internal upstream {sight.decision.blocked_by} cannot answer for {name.full}, so no other source is asked.",
            upstream=sight.decision.blocked_by,
            retry_after=30,
        )
    return shown


def stock_of(places: Iterable[int], name: str = "") -> Stock:
    """What these registries hold of every module, or of one: two statements."""
    listed = list(places)
    rows = Version.objects.filter(package__registry__in=listed, package__format=Format.MOONBIT, files__isnull=False)
    gone = RetiredVersion.objects.filter(registry__in=listed, format=Format.MOONBIT)
    if name:
        rows, gone = rows.filter(package__name=name), gone.filter(name=name)
    stock, retired = Stock(), defaultdict[tuple[int, str], set[str]](set)
    for row in rows.values_list(*FIELDS).iterator(chunk_size=2000):
        stock.lines[row[2]][row[1]].append(_line(row))
    for registry_id, full, version in gone.values_list("registry", "name", "version"):
        retired[registry_id, full].add(version)
    stock.retired = retired
    return stock


def _as_behind(line: Line, farther: Line) -> Line:
    """What came from a registry behind is withdrawn as it is there, as long as it is the same."""
    if not line.is_adopted or line.held.checksum != farther.held.checksum:
        return line
    return replace(line, held=replace(line.held, is_yanked=farther.held.is_yanked))


def _line(row: Sequence[object]) -> Line:
    pk, _, _, version, manifest, is_internal, origin, is_yanked, created_at, sha256, address = row
    held = Held(
        version=str(version),
        manifest=bytes(manifest),  # type: ignore[call-overload]
        checksum=str(sha256),
        is_yanked=bool(is_yanked),
        created_at=created_at.isoformat(timespec="seconds"),  # type: ignore[attr-defined]
    )
    is_shadowable = not is_internal and origin == Version.Origin.PULLED
    return Line(int(str(pk)), held, is_shadowable, is_adopted=str(address or "").startswith(CHAINED))


def _hidden(places: Iterable[int]) -> set[tuple[int, str]]:
    """The modules that only members see, by registry."""
    rows = RestrictedName.objects.filter(registry__in=list(places), format=Format.MOONBIT)
    return set(rows.values_list("registry", "name"))


def _name(text: str) -> Name | None:
    try:
        return parse_name(text)
    except NameInvalid:
        return None
