"""Making a registry's upstreams what a file says: all of it, or nothing; what is so already is left alone."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import cast

from django.db import transaction

from packages.formats.moonbit.addresses import USUAL, index_url
from registries.models import Registry
from upstreams.models import Upstream
from upstreams.seal import SealBroken, unseal
from upstreams.services.credentials import shell_alone
from upstreams.services.declared.differences import ADDED, CHANGED, SAME, Difference, Line
from upstreams.services.declared.reading import Declared, FileInvalid, SourceFile
from upstreams.services.declared.syncing import apply_sync
from upstreams.services.sources import change_upstream, create_upstream
from upstreams.services.wishes import UpstreamChanges, UpstreamWish, wish_of
from upstreams.variables import shown
from workspaces.access import Actor
from workspaces.errors import Invalid
from workspaces.services.spaces import bump_rules

QUIET = frozenset({"name", "secret"})  # said otherwise, or never


def apply_sources(*, actor: Actor, registry: Registry, file: SourceFile, dry_run: bool = False) -> list[Difference]:
    """Add and change the file's sources; those it does not name stay. With `dry_run` nothing is kept.

    Raises FileInvalid, naming the file's key; Denied.
    """
    with transaction.atomic():
        bump_rules(registry.workspace_id)  # first: a lock, so that what is compared stays so
        found = [_applied(actor, registry, declared) for declared in file.sources]
        sync = apply_sync(actor, registry, file)
        found += [sync] if sync is not None else []
        transaction.set_rollback(dry_run or all(one.word == SAME for one in found))
    return found


def _applied(actor: Actor, registry: Registry, declared: Declared) -> Difference:
    wish = declared.wish
    upstream = Upstream.objects.select_related("registry__workspace", "source").filter(registry=registry, name=wish.name).first()
    try:
        if upstream is None:
            upstream = create_upstream(actor=actor, registry=registry, wish=wish)
            lines = (*_told(UpstreamWish(name=wish.name), wish), *([_secret("", wish)] if wish.secret else []))
            return Difference(wish.name, ADDED, lines, _notes(upstream))
        old = upstream.secret_shown or ("the stored one" if upstream.secret_sealed else "")
        lines = (*_told(wish_of(upstream), wish), *([_secret(old, wish)] if _is_new_secret(upstream, wish) else []))
        if lines:
            changes = {key: value for key, value in asdict(wish).items() if key != "secret" or value is not None}
            upstream = change_upstream(actor=actor, upstream=upstream, changes=cast("UpstreamChanges", changes))
        return Difference(wish.name, CHANGED if lines else SAME, lines, _notes(upstream))
    except Invalid as error:
        field, _ = next(iter(error.fields.items()), ("", ""))
        raise FileInvalid(declared.key_of(field) if field else declared.key, error.message) from None


def _told(old: UpstreamWish, new: UpstreamWish) -> Iterator[Line]:
    before, after = asdict(_spelled_out(old)), asdict(_spelled_out(new))
    yield from (Line(key, before[key], after[key]) for key in after if key not in QUIET and before[key] != after[key])


def _secret(old: str, new: UpstreamWish) -> Line:
    """A variable by its name, a secret never."""
    return Line("secret", old, shown(new.secret or "") or ("another one" if old else "given"))


def _notes(upstream: Upstream) -> tuple[str, ...]:
    names = ", ".join(f"${{{name}}}" for name in shell_alone(upstream))
    said = f"{names}: commands at a shell that has it can ask there, installs cannot; web servers and workers read UPSTREAM_… and secrets"
    return (f"{said} of the workspace.",) if names else ()


def _spelled_out(wish: UpstreamWish) -> UpstreamWish:
    """With the usual places written down, so that saying them changes nothing."""
    if wish.format != "moonbit" or not wish.url:
        return wish
    index = index_url(wish.url, wish.index_url, wish.index_type)
    return replace(wish, index_url=index, package_url_pattern=wish.package_url_pattern or USUAL)


def _is_new_secret(upstream: Upstream, wish: UpstreamWish) -> bool:
    """Whether the file brings another secret than the one that is stored."""
    if not wish.secret:
        return False
    try:
        return not upstream.secret_sealed or unseal(bytes(upstream.secret_sealed)) != wish.secret
    except SealBroken:
        return True
