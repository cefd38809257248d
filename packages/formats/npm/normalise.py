"""What npm makes of a package.json when it publishes it. Pure.

The manifest a registry serves is the tarball's own package.json after these steps (threat N8: a client may
send a manifest with other scripts and dependencies than its tarball holds). The steps are those of
`@npmcli/package-json` 7 `prepare`, which npm 9 to 12 run before a publish, and of `read-package-json` 2, which npm
6 ran. Where the two differ the newer one is followed; `differences` knows that both are honest.
"""

import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import nodesemver

from packages.formats.npm.repositories import known, short_form

Manifest = dict[str, Any]
DEPENDENCIES = ("dependencies", "devDependencies", "optionalDependencies")
GYP_INSTALL = "node-gyp rebuild"
SERVER_START = "node server.js"
BIN_PATH = re.compile(r"^(?:\.[/\\])?node_modules[/\\].bin[\\/]")
URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
MAN_PAGE = re.compile(r"\.[0-9]$")
AUTHORS_LIMIT = 1000


def normalise(package: Mapping[str, object], files: Sequence[str] = (), authors: str = "") -> Manifest:
    """The manifest of this package.json. `files`: all paths in the tarball, without its top folder; `authors`: the file AUTHORS.

    Never raises: what npm refuses (a name that is no string) the caller has refused, what it drops is dropped.
    """
    found: Manifest = {key: value for key, value in package.items() if key[:1] != "_"}
    for step in STEPS:
        step(found)
    _from_files(found, files, authors)
    return found


def clean_version(text: object) -> str:
    """The version npm publishes for what package.json says, "" for none: "=v1.2.3beta" is 1.2.3-beta, build metadata goes."""
    if not isinstance(text, str) or len(text) > 256:  # noqa: PLR2004 - npm's own limit
        return ""
    try:
        found = nodesemver.clean(text.strip().lstrip("=v").strip(), loose=True)
    except (ValueError, TypeError, RecursionError):
        return ""
    return str(found or "")


def _bundles(found: Manifest) -> None:
    """One spelling, a list: `bundledDependencies`, true and objects are the older forms."""
    other = found.pop("bundledDependencies", None)
    bundle = found.pop("bundleDependencies", other)
    dependencies = found.get("dependencies")
    if bundle is True:
        bundle = list(dependencies) if isinstance(dependencies, dict) else []
    names = [name for name in bundle if isinstance(name, str) and name] if isinstance(bundle, list | dict) else None
    if names is None:
        return
    found["bundleDependencies"] = names
    missing = {name: "*" for name in names if not isinstance(dependencies, dict) or name not in dependencies}
    if missing:
        found["dependencies"] = {**(dependencies if isinstance(dependencies, dict) else {}), **missing}


def _scripts(found: Manifest) -> None:
    """Only strings, without the path to node_modules/.bin that npm sets itself."""
    if "scripts" not in found:
        return
    scripts = found.pop("scripts")
    if isinstance(scripts, dict):
        found["scripts"] = {name: BIN_PATH.sub("", line) for name, line in scripts.items() if isinstance(line, str)}


def _dependencies(found: Manifest) -> None:
    """Objects of strings; a dependency that is optional stands among the optional ones alone."""
    for kind in DEPENDENCIES:
        if kind not in found:
            continue
        listed = _listed(found.pop(kind))
        if isinstance(listed, dict):
            found[kind] = {name: short_form(wanted) for name, wanted in listed.items() if isinstance(wanted, str)}
    optional = found.get("optionalDependencies", {})
    if optional and "dependencies" in found:
        found["dependencies"] = {name: wanted for name, wanted in found["dependencies"].items() if name not in optional}


def _listed(value: object) -> object:
    """A string or list of `name@range` as an object; anything else as it is."""
    if isinstance(value, str):
        value = re.split(r"[\s,]+", value.strip())
    if not isinstance(value, list):
        return value
    parts = [re.match(r"(@?[^@\s><=]*)(.*)", item.strip(), re.DOTALL) for item in value if isinstance(item, str)]
    return {part[1]: part[2].removeprefix("@").strip() for part in parts if part is not None and part[1]}


def _bin(found: Manifest) -> None:
    """An object of command to path, both without ways out of the package."""
    if "bin" not in found:
        return
    commands = found.pop("bin")
    if isinstance(commands, str) and commands and isinstance(found.get("name"), str):
        commands = {found["name"]: commands}
    elif isinstance(commands, list):
        commands = {posixpath.basename(path): path for path in commands if isinstance(path, str)}
    if not isinstance(commands, dict):
        return
    pairs = ((posixpath.basename(inside(command).rstrip("/")), path) for command, path in commands.items() if isinstance(path, str))
    kept = {command: inside(path) for command, path in pairs if command and inside(path)}
    if kept:
        found["bin"] = kept


def _man(found: Manifest) -> None:
    pages = found.pop("man", None)
    kept = [inside(page) for page in (pages if isinstance(pages, list) else [pages]) if isinstance(page, str) and page]
    if kept:
        found["man"] = kept


def _repository(found: Manifest) -> None:
    """An object with the address as npm spells it; `bugs` and `homepage` follow from it when they are not given."""
    several = found.get("repositories")
    if isinstance(several, list) and several:
        found["repository"] = several[0]
    repository = found.get("repository")
    if isinstance(repository, str) and repository:
        repository = {"type": "git", "url": repository}
    if not isinstance(repository, dict):
        return
    source = known(repository.get("url"))
    found["repository"] = repository if source is None else {**repository, "url": source.url}
    if source is not None:
        if not found.get("bugs"):
            found["bugs"] = {"url": f"{source.page}/issues"}
        if not found.get("homepage"):
            found["homepage"] = f"{source.page}#readme"


def _bugs(found: Manifest) -> None:
    bugs = found.pop("bugs", None)
    if isinstance(bugs, str):
        bugs = {"url": bugs} if URL.fullmatch(bugs) else {"email": bugs}
    if not isinstance(bugs, dict):
        return
    url = bugs.get("url") or bugs.get("web") or bugs.get("name")
    kept = {"url": url} if isinstance(url, str) and URL.fullmatch(url) else {}
    email = bugs.get("email")
    if isinstance(email, str) and "." in email.partition("@")[2]:
        kept["email"] = email
    if kept:
        found["bugs"] = kept


def _words(found: Manifest) -> None:
    """Description, homepage, keywords, files: dropped or brought into form."""
    if "description" in found and not isinstance(found["description"], str):
        del found["description"]
    homepage = found.pop("homepage", None)
    if isinstance(homepage, str) and homepage:
        found["homepage"] = homepage if URL.fullmatch(homepage) else f"http://{homepage}"
    keywords = found.pop("keywords", None)
    if isinstance(keywords, str):
        keywords = re.split(r",\s+", keywords)
    for field, listed in (("keywords", keywords), ("files", found.pop("files", None))):
        if isinstance(listed, list):
            found[field] = [word for word in listed if isinstance(word, str) and word]
    found.pop("modules", None)


def _people(found: Manifest) -> None:
    """`Name <email> (url)` as an object."""
    if found.get("author"):
        found["author"] = person(found["author"])
    for field in ("contributors", "maintainers"):
        if isinstance(found.get(field), list):
            found[field] = [person(somebody) for somebody in found[field]]


def person(somebody: object) -> object:
    """One person as npm writes them."""
    if isinstance(somebody, dict):
        parts = {"name": somebody.get("name"), "email": somebody.get("email") or somebody.get("mail")}
        parts["url"] = somebody.get("url") or somebody.get("web")
        return {key: value.strip() for key, value in parts.items() if isinstance(value, str) and value.strip()}
    if not isinstance(somebody, str):
        return {}
    text = somebody[:1000]
    name, email, url = re.match(r"[^(<]+", text), re.search(r"<([^<>]+)>", text), re.search(r"\(([^()]+)\)", text)
    parts = {"name": name[0].strip() if name else "", "email": email[1] if email else "", "url": url[1] if url else ""}
    return {key: value for key, value in parts.items() if value}


STEPS: tuple[Callable[[Manifest], None], ...] = (
    _dependencies, _bundles, _scripts, _bin, _man, _repository, _bugs, _words, _people,
)  # fmt: skip


def _from_files(found: Manifest, files: Sequence[str], authors: str) -> None:
    """What npm reads off the package's folder: commands and manual pages of `directories`, a build, a server, people, types."""
    scripts = found.get("scripts", {})
    builds = not scripts.get("install") and not scripts.get("preinstall") and found.get("gypfile") is not False
    if builds and any("/" not in path and path.endswith(".gyp") for path in files):
        found |= {"scripts": scripts | {"install": GYP_INSTALL}, "gypfile": True}
    if "server.js" in files and not scripts.get("start"):
        found["scripts"] = {**found.get("scripts", {}), "start": SERVER_START}
    directories = found.get("directories")
    if isinstance(directories, dict):
        _from_folders(found, directories, files)
    if authors and not found.get("contributors"):
        lines = [re.sub(r"^\s*#.*$", "", line).strip() for line in authors.splitlines()[:AUTHORS_LIMIT]]
        found["contributors"] = [person(line) for line in lines if line]
    if "types" not in found and "typings" not in found and (types := types_of(found)) in {f"./{path}" for path in files}:
        found["types"] = types


def _from_folders(found: Manifest, directories: Manifest, files: Sequence[str]) -> None:
    folder = inside(directories.get("bin", "")).rstrip("/")
    if folder and "bin" not in found:
        below = [path for path in files if path.startswith(f"{folder}/")]
        shown = [path for path in below if not any(part.startswith(".") for part in path[len(folder) + 1 :].split("/"))]
        if shown:
            found["bin"] = {posixpath.basename(path): path for path in sorted(shown)}
    folder = inside(directories.get("man", "")).rstrip("/")
    if folder and "man" not in found:
        pages = [path for path in files if path.startswith(f"{folder}/") and MAN_PAGE.search(path)]
        if pages:
            found["man"] = sorted(pages)


def types_of(found: Mapping[str, object]) -> str:
    """The declaration file beside the main file, as npm writes it."""
    main = found.get("main") or "index.js"
    return f"./{posixpath.normpath(posixpath.splitext(main)[0])}.d.ts" if isinstance(main, str) else ""


def inside(path: object) -> str:
    """A path within the package, "" for none: no drive, no root, no way up (npm-normalize-package-bin)."""
    if not isinstance(path, str) or not path:
        return ""
    plain = re.sub(r"[\\:]", "/", path)
    kept = posixpath.normpath("/" + plain.lstrip("/")).lstrip("/")
    return f"{kept}/" if kept and plain.endswith("/") else kept
