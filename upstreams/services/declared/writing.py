"""A registry's upstreams as the file that would make them; variables stay literal, secrets are never written."""

import json
from collections.abc import Iterator, Sequence

from packages.formats.moonbit.addresses import USUAL, index_url
from registries.models import Registry
from upstreams.models import MirrorSchedule, Upstream
from upstreams.services.declared.syncing import file_schedules

NEVER = "a secret is stored that is no variable, and is never written; whoever imports this keeps the one they have."
TIMES = ("negative_ttl", "connect_timeout", "read_timeout", "total_timeout")


def written(registry: Registry) -> str:
    """TOML that `sources import` reads; a source whose secret is not in it keeps the one that is stored."""
    rows = Upstream.objects.filter(registry=registry).select_related("source").order_by("priority", "id")
    parts = [f"# The sources of {registry}, in the order they are asked."]
    schedule = file_schedules(registry).first()
    parts += [_pair("default_source", schedule.upstream.name)] if schedule is not None else []
    parts += ["\n".join(_source(row)) for row in rows]
    parts += ["\n".join(_sync(schedule))] if schedule is not None else []
    return "\n\n".join(parts) + "\n"


def _sync(schedule: MirrorSchedule) -> Iterator[str]:
    yield "[mirror]"
    yield _pair("auto_sync", schedule.is_enabled)
    yield _pair("sync_interval", schedule.every)
    yield _pair("packages", schedule.patterns)


def _source(row: Upstream) -> Iterator[str]:
    yield "[[sources]]"
    yield _pair("name", row.name)
    yield from _kind(row)
    yield _pair("enabled", row.is_enabled)
    yield _pair("priority", row.priority)
    if row.is_internal:
        yield _pair("internal", row.is_internal)
    if row.patterns:
        yield _pair("patterns", row.patterns)
    yield from (_pair(key, getattr(row, key)) for key in TIMES if getattr(row, key) is not None)
    if row.allows_push:
        yield _pair("allow_push", row.allows_push)
    yield from _auth(row)


def _kind(row: Upstream) -> Iterator[str]:
    if row.kind != Upstream.Kind.URL:
        yield _pair("kind", row.kind)
    if row.source is not None:
        yield _pair("registry", row.source.slug)
        if row.format != "npm":
            yield _pair("format", row.format)
        return
    if row.kind == Upstream.Kind.URL:
        yield _pair("type", "npm" if row.format == "npm" else "custom")
    yield _pair("url", row.url)
    if row.format == "moonbit":
        yield _pair("index_url", index_url(row.url, row.index_url, row.index_type))
        yield _pair("index_type", row.index_type)
        yield _pair("package_url_pattern", row.package_url_pattern or USUAL)


def _auth(row: Upstream) -> Iterator[str]:
    if row.auth_type == Upstream.AuthType.NONE:
        return
    yield "[sources.auth]"
    yield _pair("type", row.auth_type)
    if row.auth_type == Upstream.AuthType.BASIC:
        yield _pair("username", row.username)
    key = "password" if row.auth_type == Upstream.AuthType.BASIC else "token"
    yield _pair(key, row.secret_shown) if row.secret_shown else f"# {key}: {NEVER}"


def _pair(key: str, value: object) -> str:
    return f"{key} = {_value(value)}"


def _value(value: object) -> str:
    """A TOML value: texts as JSON writes them, which TOML reads alike but for DEL."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return _texts(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value)


def _texts(values: Sequence[object]) -> str:
    return f"[{', '.join(_value(value) for value in values)}]"
