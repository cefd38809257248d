"""Where a version's document and its tarball disagree (threats N8 and U21: manifest confusion). Pure.

Both sides go through the same normalisation first, so that what npm, pnpm, yarn and bun of the last ten years
do to a manifest on the way is no difference: those of npm 6 merge optional dependencies into the others, npm 7
to 12 read commands off folders, pnpm and yarn leave scripts and development dependencies as they are or out.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from packages.formats.npm.normalise import GYP_INSTALL, SERVER_START, normalise, types_of
from packages.formats.npm.repositories import known

Manifest = Mapping[str, Any]
Difference = dict[str, Any]
LIMIT = 50  # differences kept of one version
TEXT = 300  # characters of a value shown
PATH = 200  # characters of a field's name
# The registry's words and the client's notes about itself: never in a package.json, or not about the package.
NOTES = frozenset({
    "name", "version", "dist", "readme", "readmeFilename", "gitHead", "maintainers", "deprecated", "hasInstallScript", "users",
    "gypfile", "publishConfig", "tag", "_id", "stars", "from", "shasum", "integrity", "resolved", "warnings", "private",
})  # fmt: skip
BY_KEY = frozenset({
    "scripts", "dependencies", "devDependencies", "optionalDependencies", "peerDependencies", "peerDependenciesMeta",
    "acceptDependencies", "bin", "engines", "directories",
})  # fmt: skip
OTHER_HOST = re.compile(r"^(?:gist:|git\+https://gist\.github\.com/|sourcehut:|git\+https://git\.sr\.ht/)")  # two spellings of one place
DERIVED = frozenset({"description", "contributors", "homepage", "bugs", "man"})  # npm reads these off files that need not be packed


def differences(document: Manifest, tarball: Manifest, truth: Manifest) -> list[Difference]:
    """`[{field, document, tarball}]`: what a client or source said against the package.json it sent along.

    `tarball` is that package.json as it stands, `truth` what `normalise` made of it with the files around it.
    Values are shown as text, cut; None where one side says nothing. Dotted fields are keys of an object.
    """
    if _meant(document) == _meant(truth):  # what npm sends: no need to spell it
        return []
    said = _plain(document)
    candidates = list(_compared(said, _plain(truth)))
    if not candidates:
        return []
    raw = _plain(tarball)  # without what the files add
    found = [one for one in candidates if not _is_honest(one, said, raw) and not _is_unclean(one, tarball)]
    kept = [{"field": shown(field)[:PATH], "document": shown(mine), "tarball": shown(other)} for field, mine, other in found[:LIMIT]]
    if len(found) > LIMIT:
        kept.append({"field": "…", "document": f"and {len(found) - LIMIT} more", "tarball": None})
    return kept


def shown(value: object) -> Any:
    """A value for people, in text a database takes: cut, without NUL."""
    if value is None:
        return None
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    text = text.replace("\0", "\ufffd")
    return text if len(text) <= TEXT else f"{text[:TEXT]}…"


def _meant(manifest: Manifest) -> dict[str, Any]:
    """What it says of the package, as it stands."""
    return {field: value for field, value in manifest.items() if field not in NOTES and field[:1] != "_"}


def _plain(manifest: Manifest) -> dict[str, Any]:
    """A manifest with everything that means the same spelled the same, and what means nothing left out."""
    found = normalise(manifest)
    for field in NOTES & found.keys():
        del found[field]
    if isinstance(found.get("funding"), str):
        found["funding"] = {"url": found["funding"]}
    if isinstance(found.get("license"), dict):
        found["license"] = found["license"].get("type") or found["license"].get("name")
    if isinstance(found.get("keywords"), list):  # yarn 1 takes a string apart at blanks, npm at commas
        found["keywords"] = sorted(word for words in found["keywords"] for word in re.split(r"[\s,]+", words) if word)
    if isinstance(found.get("repository"), dict):
        found["repository"] = _source(found["repository"].get("url"))
    for kind in ("dependencies", "devDependencies", "optionalDependencies"):
        if kind in found:
            found[kind] = {name: _source(wanted) for name, wanted in found[kind].items()}
    if isinstance(found.get("bundleDependencies"), list):
        found["bundleDependencies"] = sorted(found["bundleDependencies"])
    return {key: value for key, value in found.items() if value not in (None, "", [], {}, False)}


def _source(text: object) -> object:
    """An address at a known host, whatever way it is written; a range without the blanks around it."""
    source = known(text)
    if source is None:
        return OTHER_HOST.sub("", text.strip()).removesuffix(".git") if isinstance(text, str) else text
    return f"{source.domain}/{source.user}/{source.project}{source.committish}".lower()


def _compared(said: Manifest, truth: Manifest) -> Iterator[tuple[str, Any, Any]]:
    for field in sorted(said.keys() | truth.keys()):
        mine, other = said.get(field), truth.get(field)
        if mine == other:
            continue
        if field in BY_KEY and isinstance(mine or {}, dict) and isinstance(other or {}, dict):
            mine, other = mine or {}, other or {}
            yield from ((f"{field}.{key}", mine.get(key), other.get(key)) for key in _keys(mine, other))
        else:
            yield field, mine, other


def _keys(mine: Manifest, other: Manifest) -> list[str]:
    return [key for key in sorted(mine.keys() | other.keys()) if mine.get(key) != other.get(key)]


def _is_honest(one: tuple[str, Any, Any], said: Manifest, raw: Manifest) -> bool:
    """Whether an honest client may say this: it names no more than the tarball's package.json, or what npm reads off the folder."""
    field, mine, _ = one
    if mine is None:
        return _is_left_out(field, said, raw)
    if field == "scripts.install":
        return bool(mine == GYP_INSTALL and not _scripts(raw).keys() & {"install", "preinstall"})
    if field == "scripts.start":
        return bool(mine == SERVER_START and "start" not in _scripts(raw))
    if field == "types":
        return "types" not in raw and "typings" not in raw and mine == types_of(raw)
    if field.partition(".")[0] == "bin":
        return bool(_bin_folder(raw)) and "bin" not in raw and str(mine).startswith(_bin_folder(raw))
    return field in DERIVED and field not in raw


def _is_left_out(field: str, said: Manifest, raw: Manifest) -> bool:
    """What whole clients leave out: what npm alone reads off the folder, and what is of no use to who installs."""
    top, _, key = field.partition(".")
    given = raw.get(top)
    if given is None or (key and isinstance(given, dict) and key not in given):
        return True
    return top not in said and top in LEFT_OUT


LEFT_OUT = frozenset({"devDependencies", "directories", "files", "man", "contributors", "types", "homepage", "bugs", "workspaces"})


def _is_unclean(one: tuple[str, Any, Any], tarball: Manifest) -> bool:
    """A command that leads out of the package, or is named by a path: npm cleans it, yarn 1 leaves it out."""
    field, mine, path = one
    commands = tarball.get("bin")
    if mine is not None or not field.startswith("bin.") or not isinstance(commands, dict):
        return False
    return path not in {value.removeprefix("./") for value in commands.values() if isinstance(value, str)} or field[4:] not in commands


def _scripts(raw: Manifest) -> Manifest:
    found = raw.get("scripts")
    return found if isinstance(found, dict) else {}


def _bin_folder(raw: Manifest) -> str:
    directories = raw.get("directories")
    folder = directories.get("bin") if isinstance(directories, dict) else None
    return folder.lstrip("./").rstrip("/") + "/" if isinstance(folder, str) and folder.strip("./") else ""
