"""What a manifest says about itself, read defensively: it is whatever a publisher wrote. Pure."""

import json
from dataclasses import dataclass, field
from urllib.parse import urlsplit

README_LIMIT = 200_000  # characters shown
GROUPS = ("dependencies", "deps", "peerDependencies", "optionalDependencies", "devDependencies")  # `deps`: moon's word
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The parts of a manifest that people look for; all of them plain text, to be escaped."""

    description: str = ""
    license: str = ""
    author: str = ""
    homepage: str = ""
    repository: str = ""
    readme: str = ""
    keywords: tuple[str, ...] = ()
    engines: Pairs = ()
    bins: tuple[str, ...] = ()
    has_install_script: bool = False
    unpacked_size: int | None = None
    file_count: int | None = None
    groups: tuple[tuple[str, Pairs], ...] = field(default=())


def read_facts(manifest: bytes) -> Facts:
    """The facts of a manifest's JSON bytes; what has the wrong shape is left out."""
    try:
        found = json.loads(manifest)
    except (ValueError, RecursionError):
        return Facts()
    if not isinstance(found, dict):
        return Facts()
    dist = _table(found.get("dist"))
    return Facts(
        description=_text(found.get("description"), 500),
        license=_license(found.get("license")),
        author=_name(found.get("author")),
        homepage=safe_link(found.get("homepage")),
        repository=_repository(found.get("repository")),
        readme=_text(found.get("readme"), README_LIMIT),
        keywords=tuple(word for word in map(_short, _list(found.get("keywords"))) if word)[:30],
        engines=_pairs(found.get("engines")),
        bins=_bins(found),
        has_install_script=_has_install_script(found),
        unpacked_size=_number(dist.get("unpackedSize")),
        file_count=_number(dist.get("fileCount")),
        groups=_groups(found),
    )


def _groups(found: dict[str, object]) -> tuple[tuple[str, Pairs], ...]:
    """By kind, as npm names it; what comes along in the tarball once more, under its own."""
    groups = [(group, pairs) for group in GROUPS if (pairs := _pairs(found.get(group)))]
    bundled = found.get("bundleDependencies", found.get("bundledDependencies"))
    needed = _table(found.get("dependencies"))
    names = sorted(needed) if bundled is True else [_short(name) for name in _list(bundled)][:500]
    pairs = tuple((name, _short(needed.get(name))) for name in names if name)
    return (*groups, ("bundleDependencies", pairs)) if pairs else tuple(groups)


def safe_link(value: object) -> str:
    """An http(s) address, or nothing: a link of a manifest is never script."""
    text = _text(value, 1000).strip()
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    return text if parts.scheme in {"http", "https"} and parts.netloc and text.isprintable() else ""


def _repository(value: object) -> str:
    text = _text(_table(value).get("url") if isinstance(value, dict) else value, 1000)
    text = text.removeprefix("git+").replace("git://", "https://", 1) if text.startswith(("git+http", "git://")) else text
    return safe_link(text.removesuffix(".git"))


def _license(value: object) -> str:
    return _short(_table(value).get("type") if isinstance(value, dict) else value)


def _name(value: object) -> str:
    return _short(_table(value).get("name") if isinstance(value, dict) else value)


def _bins(found: dict[str, object]) -> tuple[str, ...]:
    value = found.get("bin")
    if isinstance(value, str):
        return (_short(found.get("name")).rpartition("/")[2],)
    return tuple(_short(name) for name in _table(value))[:30]


def _has_install_script(found: dict[str, object]) -> bool:
    hooks = {"preinstall", "install", "postinstall"}
    return found.get("hasInstallScript") is True or bool(hooks & set(_table(found.get("scripts"))))


def _pairs(value: object) -> Pairs:
    return tuple((_short(name), _short(wanted)) for name, wanted in sorted(_table(value).items()) if isinstance(wanted, str))[:500]


def _table(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _short(value: object) -> str:
    return _text(value, 200)


def _text(value: object, limit: int) -> str:
    return value[:limit] if isinstance(value, str) else ""


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
