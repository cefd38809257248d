"""Reading `registry.toml` (reference: the seed tool's keys, and Gatehouse's own beside them)."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

from upstreams.services.declared.presets import CUSTOM, PRESETS, PUBLIC, Preset
from upstreams.services.wishes import UpstreamWish
from workspaces.errors import Invalid

SIZE_LIMIT = 1024 * 1024  # bytes of a file
TYPES = ("mooncakes", "moonbit-registry", "custom", "npm")
AUTH_TYPES = ("none", "bearer", "basic")
AUTH = ("type", "token", "username", "password")
TEXTS = ("name", "url", "index_url", "index_type", "package_url_pattern", "kind", "format", "registry")
TIMES = ("negative_ttl", "connect_timeout", "read_timeout", "total_timeout")
SOURCE = (*TEXTS, "type", "auth", "enabled", "priority", "internal", "patterns", "allow_push", *TIMES)
TABLES = ("registry", "upstream", "sources", "default_source", "mirror", "server", "git")
MIRROR = ("auto_sync", "sync_interval", "packages")
KINDS: Mapping[type, str] = {str: "a text", bool: "true or false", int: "a whole number", list: "a list of texts", dict: "a table"}
OTHERS = ("registry", "server", "git")  # tables about the seed tool's own server


class FileInvalid(Invalid):
    """A file of sources that cannot be taken; the sentence begins with the key."""

    code = "source_file_invalid"

    def __init__(self, key: str, sentence: str) -> None:
        super().__init__(f"{key}: {sentence}" if key else sentence, fields={key or "file": sentence})
        self.key = key


@dataclass(frozen=True)
class Declared:
    """One source as the file wants it. `key`: where it stands. A `wish.secret` of None keeps what is stored."""

    key: str
    wish: UpstreamWish

    def key_of(self, field: str) -> str:
        """The file's word for one of our fields."""
        secret = "auth.password" if self.wish.auth_type == "basic" else "auth.token"
        ours = {"auth_type": "auth.type", "username": "auth.username", "secret": secret}
        return f"{self.key}.{ours.get(field, field)}"


@dataclass(frozen=True)
class Sync:
    """`[mirror]`: what is to be mirrored, how often, and whether by itself."""

    patterns: tuple[str, ...] = ()
    every: str = ""
    is_on: bool = False


@dataclass(frozen=True)
class SourceFile:
    """What a file says. `default` names the source that `[mirror]` is about; `notes` are for the reader."""

    sources: tuple[Declared, ...]
    default: str = ""
    sync: Sync | None = None
    notes: tuple[str, ...] = field(default=())


def read_sources(data: bytes, *, npm_url: str = "") -> SourceFile:
    """The sources of a file; `npm_url` is the preset's. Raises FileInvalid, naming the key."""
    document = _document(data)
    notes = [f"[{table}] is not used: Gatehouse serves by itself." for table in OTHERS if table in document]
    tables = _list(document, "sources")
    default = _text(document, "default_source", "default_source")
    for table in (document.get("registry"), *tables):  # written below another table, TOML takes it for a key of that
        if isinstance(table, dict) and "default_source" in table:
            default = default or _text(table, "default_source", "default_source")
            table.pop("default_source")
    declared = [_source(f"sources[{number}]", table, npm_url) for number, table in enumerate(tables)]
    legacy = _legacy(document)
    if legacy is not None:
        notes.append("[upstream] is read as a source named “upstream”.")
        declared.append(legacy)
    _check_names(declared, default)
    return SourceFile(tuple(declared), default, _sync(document), tuple(notes))


def _document(data: bytes) -> dict[str, Any]:
    if len(data) > SIZE_LIMIT:
        raise FileInvalid("", f"A file of sources has at most {SIZE_LIMIT:,} bytes.")
    try:
        document = tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FileInvalid("", f"The file is not TOML: {error}.") from None
    except RecursionError:
        raise FileInvalid("", "The file nests too deeply.") from None
    _check_keys(document, TABLES, "")
    return document


def _source(key: str, table: object, npm_url: str) -> Declared:
    if not isinstance(table, dict):
        raise FileInvalid(key, f"has to be {KINDS[dict]}.")
    _check_keys(table, SOURCE, f"{key}.")
    kind = _text(table, "type", f"{key}.type", "custom")
    if kind not in TYPES:
        raise FileInvalid(f"{key}.type", f"has to be one of {', '.join(TYPES)}.")
    preset = PRESETS.get(kind, CUSTOM)
    if kind == "npm" and npm_url:
        preset = replace(preset, url=npm_url)
    wish = _wish(key, table, preset)
    _check_addresses(key, kind, wish)
    auth = _table(table, "auth", f"{key}.auth")
    return Declared(key, _with_auth(f"{key}.auth", auth, wish))


def _wish(key: str, table: Mapping[str, Any], preset: Preset) -> UpstreamWish:
    said = {name: _text(table, name, f"{key}.{name}").strip() for name in TEXTS}
    times: dict[str, Any] = {name: _number(table, name, f"{key}.{name}") for name in TIMES}
    priority = _number(table, "priority", f"{key}.priority")
    return UpstreamWish(
        name=said["name"],
        kind=said["kind"] or "url",
        format=said["format"] or ("npm" if said["kind"] in {"registry", "git"} else preset.format),
        url=said["url"].rstrip("/") or preset.url,
        index_url=said["index_url"].rstrip("/") or preset.index_url,
        index_type=said["index_type"] or "git",
        package_url_pattern=said["package_url_pattern"] or preset.package_url_pattern,
        registry=said["registry"],
        priority=preset.priority if priority is None else priority,
        enabled=_flag(table, "enabled", f"{key}.enabled", default=True),
        internal=_flag(table, "internal", f"{key}.internal", default=False),
        patterns=tuple(pattern.strip().lower() for pattern in _texts(table, "patterns", f"{key}.patterns")),
        allow_push=_flag(table, "allow_push", f"{key}.allow_push", default=False),
        **times,
    )


def _check_addresses(key: str, kind: str, wish: UpstreamWish) -> None:
    """What a source of this kind cannot do without."""
    if not wish.name:
        raise FileInvalid(f"{key}.name", "a source needs a name.")
    if wish.kind == "url" and not wish.url:
        raise FileInvalid(f"{key}.url", "a source needs the address of its registry.")
    if kind == "custom" and wish.kind == "url" and wish.format == "moonbit" and not wish.index_url:
        raise FileInvalid(f"{key}.index_url", "a source of type “custom” needs the address of its index.")


def _with_auth(key: str, auth: Mapping[str, Any], wish: UpstreamWish) -> UpstreamWish:
    """Credentials as they stand in the file: variables are expanded when they are used, never here."""
    _check_keys(auth, AUTH, f"{key}.")
    kind = _text(auth, "type", f"{key}.type", "none")
    if kind not in AUTH_TYPES:
        raise FileInvalid(f"{key}.type", "has to be “none”, “bearer” or “basic”.")
    said = {name: _text(auth, name, f"{key}.{name}") for name in AUTH[1:]}
    if kind == "none":
        return wish
    if kind == "basic" and not said["username"]:
        raise FileInvalid(f"{key}.username", "auth.type “basic” needs a username and a password.")
    secret = said["token"] if kind == "bearer" else said["password"]
    return replace(wish, auth_type=kind, username=said["username"] if kind == "basic" else "", secret=secret or None)


def _legacy(document: Mapping[str, Any]) -> Declared | None:
    """The old `[upstream]` table."""
    if "upstream" not in document:
        return None
    table = _table(document, "upstream", "upstream")
    _check_keys(table, ("enabled", "url", "index_url"), "upstream.")
    url = _text(table, "url", "upstream.url").rstrip("/")
    if not url:
        raise FileInvalid("upstream.url", "a source needs the address of its registry.")
    preset = PRESETS["mooncakes"] if url == PUBLIC else CUSTOM
    wish = UpstreamWish(
        name="upstream",
        format="moonbit",
        url=url,
        index_url=_text(table, "index_url", "upstream.index_url").rstrip("/") or preset.index_url,
        package_url_pattern=preset.package_url_pattern,
        enabled=_flag(table, "enabled", "upstream.enabled", default=True),
    )
    return Declared("upstream", wish)


def _sync(document: Mapping[str, Any]) -> Sync | None:
    if "mirror" not in document:
        return None
    table = _table(document, "mirror", "mirror")
    _check_keys(table, MIRROR, "mirror.")
    every = _text(table, "sync_interval", "mirror.sync_interval", "1h")
    by_itself = _flag(table, "auto_sync", "mirror.auto_sync", default=False)
    return Sync(tuple(_texts(table, "packages", "mirror.packages")), every, by_itself)


def _check_names(declared: Sequence[Declared], default: str) -> None:
    """Each name once; the default is one of them."""
    seen: dict[str, str] = {}
    for one in declared:
        if one.wish.name in seen:
            raise FileInvalid(f"{one.key}.name", f"{seen[one.wish.name]} is called “{one.wish.name}” too.")
        seen[one.wish.name] = one.key
    if default and declared and default not in seen:
        raise FileInvalid("default_source", f"no source of this file is called “{default[:40]}”.")


def _check_keys(table: Mapping[str, Any], known: Iterable[str], prefix: str) -> None:
    for key in table:
        if key not in known:
            near = get_close_matches(key, list(known), 1)
            raise FileInvalid(f"{prefix}{key[:60]}", "is no key that is known here" + (f"; is “{near[0]}” meant?" if near else "."))


def _value(table: Mapping[str, Any], name: str, key: str, kind: type) -> Any:
    value = table.get(name)
    if value is not None and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
        raise FileInvalid(key, f"has to be {KINDS[kind]}.")
    return value


def _text(table: Mapping[str, Any], name: str, key: str, default: str = "") -> str:
    value = _value(table, name, key, str)
    return default if value is None else str(value)


def _number(table: Mapping[str, Any], name: str, key: str) -> int | None:
    value: int | None = _value(table, name, key, int)
    return value


def _flag(table: Mapping[str, Any], name: str, key: str, *, default: bool) -> bool:
    value = _value(table, name, key, bool)
    return default if value is None else bool(value)


def _list(table: Mapping[str, Any], name: str) -> list[Any]:
    value = table.get(name, [])
    if not isinstance(value, list):
        raise FileInvalid(name, "stands as [[sources]], once for each source.")
    return value


def _texts(table: Mapping[str, Any], name: str, key: str) -> Iterator[str]:
    for value in _value(table, name, key, list) or []:
        if not isinstance(value, str):
            raise FileInvalid(key, f"has to be {KINDS[list]}.")
        yield value


def _table(table: Mapping[str, Any], name: str, key: str) -> Mapping[str, Any]:
    value: Mapping[str, Any] | None = _value(table, name, key, dict)
    return value or {}
