"""Adding, changing and removing upstreams; every change bumps the workspace's rule epoch."""

from dataclasses import replace

from django.db import transaction

from packages.services.shadows import tell_of_claimed
from registries.models import Registry
from upstreams.errors import UpstreamExists, UpstreamInvalid, UpstreamNotFound
from upstreams.models import Upstream
from upstreams.seal import seal
from upstreams.services.checks import TIMES, SecretRequired, checked, goes_to
from upstreams.services.checks_git import check_disk
from upstreams.services.credentials import are_new, ask_anew, check_lending, forget_answers_of, vouched_for
from upstreams.services.leaving import told_of_leaving
from upstreams.services.tombstones import follow_name
from upstreams.services.wishes import UpstreamChanges, UpstreamWish, describe, wish_of
from upstreams.variables import shown
from workspaces.access import Action, Actor
from workspaces.errors import Denied
from workspaces.services.audit import record
from workspaces.services.spaces import bump_rules

# What says who answers, and of what.
PLACE = ("kind", "format", "url", "index_url", "index_type", "registry")


def create_upstream(*, actor: Actor, registry: Registry, wish: UpstreamWish) -> Upstream:
    """Add a source to a registry. Raises Denied, UpstreamInvalid, UpstreamExists."""
    _may_manage(actor, registry)
    with transaction.atomic():
        bump_rules(registry.workspace_id)  # first: what is checked stays true until the commit
        registry = Registry.objects.select_related("workspace").get(pk=registry.pk)
        wish = checked(actor, registry, wish, has_secret=bool(wish.secret))
        if Upstream.objects.filter(registry=registry, name=wish.name).exists():
            raise UpstreamExists(f"An upstream “{wish.name}” exists here already.", fields={"name": "taken"})
        upstream = Upstream(registry=registry, is_operators=vouched_for(actor, registry, wish))
        check_disk(wish, is_operators=upstream.is_operators)
        check_lending(actor, wish, upstream)
        _apply(upstream, wish)
        upstream.save()
        record(actor, "upstream.created", f"{registry} {wish.name}", workspace=registry.workspace_id, new=describe(upstream))
        _tell_of_names(upstream)
    return upstream


def change_upstream(*, actor: Actor, upstream: Upstream, changes: UpstreamChanges) -> Upstream:
    """Change a source, judged by the row as it is under the lock: an address never meets a secret that was not its own.

    Another scheme, host or port drops the stored secret: send one along, or 400.

    Raises Denied, UpstreamInvalid (code `secret_required`), UpstreamExists.
    """
    _may_manage(actor, upstream.registry)
    with transaction.atomic():
        bump_rules(upstream.registry.workspace_id)
        fresh = Upstream.objects.select_for_update(of=("self",)).select_related("registry__workspace").filter(pk=upstream.pk).first()
        if fresh is None:
            raise UpstreamNotFound("There is no such upstream here.")
        wish = _wanted(actor, fresh, changes)
        moved = _is_elsewhere(wish, wish_of(fresh))
        if Upstream.objects.filter(registry=fresh.registry, name=wish.name).exclude(pk=fresh.pk).exists():
            raise UpstreamExists(f"An upstream “{wish.name}” exists here already.", fields={"name": "taken"})
        old, means_more = describe(fresh), are_new(wish, fresh) or (wish.internal and not fresh.is_internal)
        fresh.is_operators = vouched_for(actor, fresh.registry, wish, fresh)
        check_disk(wish, is_operators=fresh.is_operators)
        check_lending(actor, wish, fresh)
        _apply(fresh, wish)
        fresh.save()
        follow_name(fresh, str(old["name"]))
        if moved:
            forget_answers_of(fresh)
        elif means_more:  # other credentials may see more, and an internal upstream's “not here” lets others be asked
            ask_anew([fresh])
        subject = f"{fresh.registry} {fresh.name}"
        record(actor, "upstream.changed", subject, workspace=fresh.registry.workspace_id, old=old, new=_told(fresh, wish))
        _tell_of_names(fresh)
    return fresh


def _tell_of_names(upstream: Upstream) -> None:
    """What was pulled from outside under names that are this upstream's now is hidden: somebody should know."""
    if upstream.is_internal:
        tell_of_claimed(upstream.registry.workspace_id, upstream.patterns)


def _told(fresh: Upstream, wish: UpstreamWish) -> dict[str, object]:
    """The upstream as the audit log has it, and that another secret came, which its description does not show."""
    return {**describe(fresh), **({"secret": "replaced"} if wish.secret and fresh.secret_sealed else {})}


def _wanted(actor: Actor, fresh: Upstream, changes: UpstreamChanges) -> UpstreamWish:
    """The row with its changes, checked. Raises UpstreamInvalid."""
    wish = replace(wish_of(fresh), **changes)
    moved = goes_to(wish) != goes_to(wish_of(fresh))
    if moved and fresh.secret_sealed and wish.secret is None and wish.auth_type != "none":
        raise SecretRequired(
            "The address now has another scheme, host or port, so the stored secret is not carried over; send a secret along.",
            fields={"secret": "required"},
        )
    if moved and wish.secret is None:
        wish = replace(wish, secret="")
    kept = bool(fresh.secret_sealed) and wish.secret is None
    return checked(actor, fresh.registry, wish, has_secret=kept or bool(wish.secret))


def _is_elsewhere(wish: UpstreamWish, old: UpstreamWish) -> bool:
    """Whether what it said before was said by another: another path of one host is another registry, or none at all."""
    return any(getattr(wish, field) != getattr(old, field) for field in PLACE)


@transaction.atomic
def remove_upstream(*, actor: Actor, upstream: Upstream) -> None:
    """Remove a source, with its mirror jobs and schedules. What was pulled from it stays. Raises Denied."""
    _may_manage(actor, upstream.registry)
    old = {**describe(upstream), **told_of_leaving(upstream)}
    upstream.delete()
    bump_rules(upstream.registry.workspace_id)
    subject = f"{upstream.registry} {upstream.name}"
    record(actor, "upstream.removed", subject, workspace=upstream.registry.workspace_id, old=old)


def upstream_of(registry: Registry, upstream_id: int) -> Upstream:
    """That upstream of the registry. Raises UpstreamNotFound."""
    found = Upstream.objects.select_related("registry__workspace", "source").filter(registry=registry, pk=upstream_id).first()
    if found is None:
        raise UpstreamNotFound("There is no such upstream here.")
    return found


def upstream_named(registry: Registry, name: str) -> Upstream:
    """The upstream of that name. Raises UpstreamInvalid."""
    found = Upstream.objects.select_related("registry__workspace", "source").filter(registry=registry, name=name).first()
    if found is None:
        raise UpstreamInvalid(f"There is no upstream “{name[:40]}” here.", fields={"upstream": "unknown"})
    return found


def _may_manage(actor: Actor, registry: Registry) -> None:
    if not actor.may(Action.MANAGE, registry):
        raise Denied("Only admins and owners change a registry's upstreams.")


def _apply(upstream: Upstream, wish: UpstreamWish) -> None:
    upstream.name = wish.name
    upstream.kind = wish.kind
    upstream.format = wish.format
    upstream.url, upstream.index_url = wish.url, wish.index_url
    upstream.index_type, upstream.package_url_pattern = wish.index_type, wish.package_url_pattern
    upstream.source = None
    if wish.kind == Upstream.Kind.REGISTRY:
        upstream.source = Registry.objects.get(workspace_id=upstream.registry.workspace_id, slug=wish.registry)
    upstream.priority = wish.priority
    upstream.is_enabled = wish.enabled
    upstream.is_internal = wish.internal
    upstream.patterns = list(wish.patterns)
    for seconds in TIMES:
        setattr(upstream, seconds, getattr(wish, seconds))
    upstream.auth_type = wish.auth_type
    upstream.username = wish.username
    upstream.allows_push = wish.allow_push and upstream.is_operators  # who takes an upstream over has not the operator's word
    if wish.secret is not None or wish.auth_type == "none":
        kept = (wish.secret or "") if wish.auth_type != "none" else ""
        upstream.secret_sealed, upstream.secret_shown = seal(kept) if kept else b"", shown(kept)
