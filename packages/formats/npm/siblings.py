"""`workspace:` and `catalog:` in a package.json, as pnpm and yarn write them down when they publish. Pure.

`workspace:*` is the sibling's version, `workspace:^` and `workspace:~` a range from it, `workspace:^1.2` is `^1.2`,
`workspace:name@*` an alias, `workspace:../folder` the version of what lies there; `catalog:` and `catalog:name` are looked up.
"""

from collections.abc import Callable, Mapping
from typing import Any

from packages.formats.errors import LockInvalid
from packages.formats.npm.trees import read_trees

WORKSPACE, CATALOG = "workspace:", "catalog:"
GROUPS = ("dependencies", "optionalDependencies", "peerDependencies", "devDependencies")
SIGNS = ("^", "~")
USUAL = "default"  # the name of the catalog that has none

Catalogs = Mapping[str, Mapping[str, str]]
NumberOf = Callable[[str], str]  # the version a sibling is served with, '' for what is none


def has_words(package: Mapping[str, Any], word: str) -> bool:
    """Whether a dependency is written with `workspace:` or `catalog:`."""
    return any(wanted.startswith(word) for group in GROUPS for wanted in _texts(package.get(group)).values())


def catalogs_in(text: str) -> Catalogs:
    """The catalogs of a pnpm-workspace.yaml or .yarnrc.yml; none where it cannot be read."""
    try:
        tree: object = next(read_trees(text), {})
    except LockInvalid:
        return {}
    if not isinstance(tree, dict):
        return {}
    named = tree.get("catalogs")
    found = {name: _texts(catalog) for name, catalog in named.items()} if isinstance(named, dict) else {}
    return {**found, **({USUAL: _texts(tree["catalog"])} if "catalog" in tree else {})}


def written_out(package: Mapping[str, Any], number_of: NumberOf, catalogs: Catalogs, *, is_exact: bool) -> Mapping[str, Any]:
    """The package.json a registry can serve; what cannot be told stays as it is written.

    `is_exact`: whatever the range, the sibling of the same commit is meant. For versions that are commits no range would do:
    another branch's would fit it as well.
    """
    found = dict(package)
    for group in GROUPS:
        if _texts(package.get(group)):
            words = package[group].items()
            found[group] = {name: _written(name, word, number_of, catalogs, is_exact=is_exact) for name, word in words}
    return found


def _written(name: str, word: Any, number_of: NumberOf, catalogs: Catalogs, *, is_exact: bool) -> Any:
    if not isinstance(word, str):
        return word
    if word.startswith(CATALOG):
        looked_up = catalogs.get(word.removeprefix(CATALOG).strip() or USUAL, {}).get(name, word)
        return looked_up if looked_up.startswith(CATALOG) else _written(name, looked_up, number_of, {}, is_exact=is_exact)
    if not word.startswith(WORKSPACE):
        return word
    target, wanted = _target(name, word.removeprefix(WORKSPACE).strip())
    number = number_of(target)
    if not number:
        return word
    plain = _range(wanted, number, is_exact=is_exact)
    return plain if target == name else f"npm:{target}@{plain}"


def _target(name: str, wanted: str) -> tuple[str, str]:
    """The sibling's own name, and the word for its version."""
    if "/" in wanted and not wanted.startswith("@"):  # a folder
        return name, "*"
    alias, at, behind = wanted.rpartition("@")
    return (alias, behind) if at and alias else (name, wanted)


def _range(wanted: str, number: str, *, is_exact: bool) -> str:
    if is_exact or wanted in {"", "*", "."}:
        return number
    return f"{wanted}{number}" if wanted in SIGNS else wanted


def _texts(group: object) -> dict[str, str]:
    return {name: word for name, word in group.items() if isinstance(word, str)} if isinstance(group, dict) else {}
