"""The packages in a repository's tree: every package.json that npm could pack, by name."""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from packages.formats.errors import NameInvalid
from packages.formats.npm.names import parse_known
from packages.formats.npm.packlist import Kind
from packages.formats.npm.rules import Asked, Rules, rules_of
from packages.formats.npm.versions import LOOSE, is_version
from upstreams.clients.git.objects import Objects
from upstreams.errors import UpstreamBadAnswer

NEVER = frozenset({"node_modules", "bower_components", "jspm_packages"})
# A package.json in these is mostly an example of one, and may bear a public package's name; it counts where `workspaces` names it.
DOUBTFUL = frozenset({"fixture", "fixtures", "__fixtures__", "test", "tests", "__tests__", "__mocks__", "testdata"})
MODULES_LIMIT = 5000
DEPTH_LIMIT = 40
NOTHING = rules_of(())
UNREADABLE = "?"  # stands for the name in a package.json that cannot be read: it may be any


@dataclass(frozen=True, slots=True)
class Workspaces:
    """What the package.json at the top calls its workspaces."""

    rules: Rules | None = None

    def names(self, folder: str) -> bool:
        """Whether `folder` is one of them."""
        return self.rules is not None and not self.rules.judge(folder, Asked.NAMED, included=True)


class Modules:
    """Reads trees, each folder once however often it stands in commits."""

    def __init__(self, objects: Objects, upstream: str) -> None:
        self._objects, self._upstream = objects, upstream
        self._below: dict[str, Sequence[tuple[str, str]]] = {}
        self._names: dict[str, str] = {}

    def of(self, tree: str) -> dict[str, str]:
        """Name -> folder ('' is the top) of the packages in a tree; of two with one name the one nearer the top.

        UNREADABLE is among them where a package.json cannot be read.

        Raises UpstreamBadAnswer when there are absurdly many.
        """
        workspaces = workspaces_of(self._objects, tree)
        found: dict[str, str] = {}
        for folder, name in sorted(self._in(tree, 0), key=lambda pair: (pair[0].count("/") + bool(pair[0]), pair[0])):
            if not DOUBTFUL.intersection(folder.split("/")) or workspaces.names(folder):
                found.setdefault(name, folder)
        return found

    def _in(self, tree: str, depth: int) -> Sequence[tuple[str, str]]:
        known = self._below.get(tree)
        if known is None:
            known = self._below[tree] = list(self._read(tree, depth)) if depth < DEPTH_LIMIT else ()
            if len(known) > MODULES_LIMIT:
                raise UpstreamBadAnswer(f"The repository of upstream {self._upstream} has too many packages.", upstream=self._upstream)
        return known

    def _read(self, tree: str, depth: int) -> Iterator[tuple[str, str]]:
        for entry_name, entry in self._objects.entries(tree).items():
            if entry.kind is Kind.FILE and entry_name == "package.json" and (name := self._name(entry.oid)):
                yield "", name
            elif entry.kind is Kind.FOLDER and entry_name not in NEVER and not entry_name.startswith("."):
                yield from ((posixpath.join(entry_name, folder).rstrip("/"), name) for folder, name in self._in(entry.oid, depth + 1))

    def _name(self, oid: str) -> str:
        """The name a package.json gives itself, or UNREADABLE; '' for one npm would not pack, and for the roof over workspaces."""
        known = self._names.get(oid)
        if known is None:
            package = self._objects.package(oid)
            known = self._names[oid] = name_in(package) if package is not None else UNREADABLE
        return known


def name_in(package: Mapping[str, object]) -> str:
    """The name in a package.json that has what `npm pack` asks for: a name and a version; '' otherwise.

    A private one that lists workspaces only holds others together.
    """
    name, version = package.get("name"), package.get("version")
    if not isinstance(version, str) or not is_version(LOOSE.sub("", version).strip()):
        return ""
    if package.get("private") is True and package.get("workspaces"):
        return ""
    try:
        return parse_known(name).full
    except NameInvalid:
        return ""


def workspaces_of(objects: Objects, tree: str) -> Workspaces:
    """The workspaces of the repository (npm, yarn: a list of patterns, or an object with one)."""
    entry = objects.entries(tree).get("package.json")
    listed = objects.manifest(entry.oid).get("workspaces") if entry is not None and entry.kind is Kind.FILE else None
    if isinstance(listed, dict):
        listed = listed.get("packages")
    if not isinstance(listed, list):
        return Workspaces()
    lines = tuple("/" + line.removeprefix("./").strip("/") for line in listed if isinstance(line, str) and not line.startswith("!"))
    return Workspaces(rules_of(lines[:200]))
