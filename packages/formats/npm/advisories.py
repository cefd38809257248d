"""Audits: reading what npm, pnpm and yarn send, and writing what they read. Pure.

Two forms, measured with the clients and read in their source (reference/npm.md 1.2; npm 6.14 lib/install/audit.js;
npm 9 @npmcli/arborist audit-report.js; pnpm 10 lockfile/audit):
bulk, `{name: [versions]}` → `{name: [advisory]}`; and quick, a lock tree → a report with the paths to each finding.
We ask upstreams in the bulk form alone, and make the report of the quick one from its answer and the client's tree.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import orjson
from nodesemver import satisfies

from packages.formats.errors import NameInvalid, QueryInvalid
from packages.formats.npm.names import LENGTH, parse_known
from packages.formats.npm.versions import is_version

CONTAINERS, VALUES = 150_000, 500_000  # objects and lists, and commas, of one request: bounds what it takes in memory
NAMES, NODES, VERSIONS, DEPTH = 20_000, 60_000, 200, 128
ADVISORIES, PATHS = 200, 100  # per name; per finding
PATHS_ROOM = 4_000_000  # characters of all paths in one report: deep trees with long names would fill gigabytes
SEVERITIES = ("info", "low", "moderate", "high", "critical")
RANGE_LENGTH = 1000

Versions = dict[str, list[str]]  # name -> versions that are installed
Advisories = dict[str, list[dict[str, Any]]]  # name -> advisories in the bulk form


def read_request(data: bytes) -> dict[str, Any]:
    """A request's JSON object. Raises QueryInvalid for one that is none, or has too many pieces."""
    if data.count(b"{") + data.count(b"[") > CONTAINERS or data.count(b",") > VALUES:
        raise QueryInvalid("The audit has too many pieces; audit parts of the project one by one.")
    try:
        found = orjson.loads(data or b"{}")
    except orjson.JSONDecodeError:
        raise QueryInvalid("The audit is not JSON in UTF-8, or nests too deeply.") from None
    if not isinstance(found, dict):
        raise QueryInvalid("The audit is not a JSON object.")
    return found


def read_bulk(document: Mapping[str, Any]) -> Versions:
    """Name -> versions of a bulk request; what is no name or no version of a registry is left out. Raises QueryInvalid."""
    if len(document) > NAMES:
        raise QueryInvalid(f"An audit names at most {NAMES:,} packages.")
    found: Versions = {}
    for name, versions in document.items():
        if not isinstance(versions, list):
            raise QueryInvalid("An audit is an object of package names with lists of versions.")
        known = list(dict.fromkeys(version for version in versions[:VERSIONS] if is_version(version)))
        if known and _is_name(name):
            found[name] = known
    return found


@dataclass(frozen=True, slots=True)
class Node:
    """One installed package of a lock tree. `path`: the names from the project's dependency down to it."""

    name: str
    version: str
    path: tuple[str, ...]
    is_dev: bool
    is_optional: bool
    is_bundled: bool


def read_tree(document: Mapping[str, Any]) -> list[Node]:
    """The packages of a lock tree that come from a registry: those with an integrity, and what they bundle.

    Links, folders, git addresses and pnpm's importers have none; their names are the project's own business.
    Raises QueryInvalid for a tree that is too deep or too large.
    """
    found: list[Node] = []
    stack: list[tuple[object, tuple[str, ...]]] = [(document.get("dependencies"), ())]
    seen = 0
    while stack:
        level, path = stack.pop()
        for name, node in level.items() if isinstance(level, dict) else ():
            if not isinstance(node, dict):
                continue
            seen, here = seen + 1, (*path, name[:LENGTH])
            if seen > NODES or len(here) > DEPTH:
                raise QueryInvalid(f"A lock tree has at most {NODES:,} packages and {DEPTH} levels here.")
            if _is_from_registry(name, node):
                flags = (node.get("dev") is True, node.get("optional") is True, node.get("bundled") is True)
                found.append(Node(name, node["version"], here, *flags))
            stack.append((node.get("dependencies"), here))
    return found


def versions_in(nodes: Iterable[Node]) -> Versions:
    """Name -> versions of a tree's packages, of one name as many as the bulk form takes."""
    found: dict[str, dict[str, None]] = {}
    for node in nodes:
        versions = found.setdefault(node.name, {})
        if len(versions) < VERSIONS:
            versions[node.version] = None
    return {name: list(versions) for name, versions in found.items()}


def flat_trees(wanted: Versions) -> Iterator[bytes]:
    """Requests in the quick form for an upstream that has no other: lists of names with one version each, no tree of anybody's."""
    for turn in range(max(map(len, wanted.values()), default=0)):
        versions = {name: found[turn] for name, found in wanted.items() if len(found) > turn}
        dependencies = {name: {"version": version} for name, version in versions.items()}
        yield orjson.dumps({"requires": versions, "dependencies": dependencies, "install": [], "remove": [], "metadata": {}})


def from_bulk(answer: Mapping[str, Any], wanted: Versions) -> Advisories:
    """What of an upstream's bulk answer is about names it was asked about, in the form clients expect."""
    found: Advisories = {}
    for name in wanted:
        listed = answer.get(name)
        kept = [one for raw in (listed if isinstance(listed, list) else [])[:ADVISORIES] if (one := _advisory(raw)) is not None]
        if kept:
            found[name] = kept
    return found


def from_quick(answer: Mapping[str, Any], wanted: Versions) -> Advisories:
    """The same from an answer in the quick form."""
    listed = answer.get("advisories")
    found: Advisories = {}
    for raw in listed.values() if isinstance(listed, dict) else ():
        name = raw.get("module_name") if isinstance(raw, dict) else None
        one = _advisory(raw)
        if isinstance(name, str) and name in wanted and one is not None and len(found.get(name, ())) < ADVISORIES:
            found.setdefault(name, []).append(one)
    return found


def merge(into: Advisories, more: Advisories) -> None:
    """Add advisories that are not there yet, by name and id."""
    for name, listed in more.items():
        known = {one["id"] for one in into.get(name, ())}
        into.setdefault(name, []).extend(one for one in listed if one["id"] not in known)


def quick_report(nodes: Sequence[Node], advisories: Advisories) -> dict[str, Any]:
    """The report npm 6, npm 9 and 10 in need, and pnpm 10 read: every finding with its paths in the client's own tree."""
    told: dict[str, Any] = {}
    actions: dict[str, dict[str, Any]] = {}
    counts = dict.fromkeys(SEVERITIES, 0)
    paths, versions, by_name = _Paths(), versions_in(nodes), _by_name(nodes)
    for name, listed in advisories.items():
        for one in listed:
            bad = {version for version in versions.get(name, ()) if _is_vulnerable(version, one["vulnerable_versions"])}
            hit = [node for node in by_name.get(name, ()) if node.version in bad]
            if not hit:
                continue
            told[str(one["id"])] = _told(name, one, hit, paths)
            counts[one["severity"]] += len(hit)
            resolves = actions.setdefault(name, {"action": "review", "module": name, "resolves": []})["resolves"]
            resolves += [_resolve(one["id"], node, path) for node, path in paths.of(hit)]
    return {"actions": list(actions.values()), "advisories": told, "muted": [], "metadata": _metadata(nodes, counts)}


class _Paths:
    """Writes paths as long as there is room in the report."""

    def __init__(self) -> None:
        self._left = PATHS_ROOM

    def of(self, nodes: Iterable[Node]) -> list[tuple[Node, str]]:
        """The first PATHS of the nodes with their paths, fewer where the room ends."""
        found = []
        for node in islice(nodes, PATHS):
            path = ">".join(node.path)
            self._left -= len(path)
            if self._left < 0:
                break
            found.append((node, path))
        return found


def _by_name(nodes: Iterable[Node]) -> dict[str, list[Node]]:
    found: dict[str, list[Node]] = {}
    for node in nodes:
        found.setdefault(node.name, []).append(node)
    return found


def _told(name: str, one: Mapping[str, Any], hit: Sequence[Node], paths: _Paths) -> dict[str, Any]:
    """One advisory in the quick form."""
    by_version: dict[str, list[Node]] = {}
    for node in hit:
        by_version.setdefault(node.version, []).append(node)
    findings = [
        {
            "version": version,
            "paths": [path for _, path in paths.of(found)],
            "dev": all(node.is_dev for node in found),
            "optional": all(node.is_optional for node in found),
            "bundled": all(node.is_bundled for node in found),
        }
        for version, found in by_version.items()
    ]
    patched = _patched(one["vulnerable_versions"])
    advice = f"Upgrade to a version that is {patched}" if patched != NONE_PATCHED else "No fix is known"
    return {
        **one, "module_name": name, "findings": findings, "patched_versions": patched, "access": "public", "cves": [],
        "references": one["url"], "overview": one["title"], "recommendation": advice,
    }  # fmt: skip


NONE_PATCHED = "<0.0.0"  # how the quick form says that no version has the fix


def _patched(vulnerable: str) -> str:
    """The versions after the last vulnerable ones, as far as the range says where those end."""
    last = vulnerable.rpartition("||")[2].split()
    bound = next((part for part in last if part.startswith("<")), "")
    if bound.startswith("<="):
        return f">{bound[2:]}"
    return f">={bound[1:]}" if bound and len(bound) > 1 else NONE_PATCHED


def _resolve(advisory: object, node: Node, path: str) -> dict[str, object]:
    return {
        "id": advisory, "path": path, "dev": node.is_dev, "optional": node.is_optional, "bundled": node.is_bundled
    }  # fmt: skip


def _metadata(nodes: Sequence[Node], counts: Mapping[str, int]) -> dict[str, object]:
    dev, optional = sum(node.is_dev for node in nodes), sum(node.is_optional and not node.is_dev for node in nodes)
    plain = len(nodes) - dev - optional
    return {
        "vulnerabilities": dict(counts), "dependencies": plain, "devDependencies": dev, "optionalDependencies": optional,
        "totalDependencies": len(nodes),
    }  # fmt: skip


def _advisory(raw: object) -> dict[str, Any] | None:
    """The fields clients read, in their types; None for what is no advisory. Without a range every version is meant."""
    if not isinstance(raw, dict) or not isinstance(raw.get("id"), int | str) or isinstance(raw["id"], bool):
        return None
    cvss = raw.get("cvss")
    score = cvss.get("score") if isinstance(cvss, dict) else 0
    cwe = raw.get("cwe")
    return {
        "id": raw["id"] if isinstance(raw["id"], int) else raw["id"][:100],
        "url": _text(raw.get("url"), 500),
        "title": _text(raw.get("title"), 500),
        "severity": raw["severity"] if raw.get("severity") in SEVERITIES else "high",
        "vulnerable_versions": _text(raw.get("vulnerable_versions"), RANGE_LENGTH) or "*",
        "cwe": [one[:20] for one in (cwe if isinstance(cwe, list) else [cwe])[:20] if isinstance(one, str)],
        "cvss": {
            "score": score if isinstance(score, int | float) else 0,
            "vectorString": _text(cvss.get("vectorString") if isinstance(cvss, dict) else None, 200) or None,
        },
    }


def _is_vulnerable(version: str, vulnerable: str) -> bool:
    """Whether a version is in the range, prereleases included, as npm judges it; a range nobody can read means every version."""
    try:
        return bool(satisfies(version, vulnerable, loose=True, include_prerelease=True))
    except ValueError:
        return True


def _is_from_registry(name: object, node: Mapping[str, Any]) -> bool:
    return (isinstance(node.get("integrity"), str) or node.get("bundled") is True) and is_version(node.get("version")) and _is_name(name)


def _is_name(name: object) -> bool:
    try:
        parse_known(name)
    except NameInvalid:
        return False
    return True


def _text(value: object, limit: int) -> str:
    return value[:limit] if isinstance(value, str) else ""
