"""Credentials of an upstream as they are saved: which variables may stand in them, and on whose word."""

from collections.abc import Iterable

from django.utils import timezone

from registries.models import Registry
from upstreams.errors import UpstreamInvalid
from upstreams.models import GitListing, Upstream, UpstreamDocument
from upstreams.seal import SealBroken, unseal
from upstreams.services.wishes import UpstreamWish, wish_of
from upstreams.variables import BEGIN, is_well_formed, names_in, reads_shell
from workspaces.access import Actor
from workspaces.models import Secret
from workspaces.services.secrets import NAME, OPERATORS

# What an operator vouches for: where the credentials go, for which names, and what they are. The other settings are anybody's.
VOUCHED = (
    "kind", "format", "url", "index_url", "index_type", "package_url_pattern", "registry", "patterns", "auth_type", "username",
)  # fmt: skip


def is_operator(actor: Actor) -> bool:
    """Whether the caller acts for the installation; an operator's token held to some registries does not."""
    return actor.is_operator and (actor.grant is None or actor.grant.reaches_all)


def vouched_for(actor: Actor, registry: Registry, wish: UpstreamWish, fresh: Upstream | None = None) -> bool:
    """Whether the upstream is an operator's once `wish` is saved; `fresh` is the row as it stands.

    It is while nobody else changes what was vouched for. An operator's change makes somebody else's upstream an
    operator's only with credentials of the operator's own: what a stranger wrote never reads the environment.

    Raises UpstreamInvalid for a variable that may not be named, or is not there.
    """
    is_theirs = _is_theirs(actor, wish, fresh)
    fell = fresh is not None and fresh.is_operators and not is_theirs
    renewed = fell or fresh is None or wish.auth_type != fresh.auth_type
    if renewed or (fresh is not None and wish.username != fresh.username):
        _check("username", wish.username, registry, is_theirs=is_theirs)
    if renewed or wish.secret is not None:
        _check("secret", _secret(wish, fresh), registry, is_theirs=is_theirs)
    return is_theirs


def check_lending(actor: Actor, wish: UpstreamWish, upstream: Upstream) -> None:
    """Only an operator lends the variables of the environment; `upstream` is as it was, `is_operators` as it will be.

    Raises UpstreamInvalid.
    """
    if not wish.allow_push or upstream.allows_push:
        return
    if not is_operator(actor):
        raise _refused("allow_push", "Only an operator of the installation lets admins publish with the operator's credentials.")
    if wish.kind != Upstream.Kind.URL or wish.format != "npm":
        raise _refused("allow_push", "Only at an npm registry can anything be published.")
    if not upstream.is_operators:
        raise _refused("allow_push", "It signs in with credentials of the workspace, so its admins may publish there already.")


def may_publish_at(actor: Actor, upstream: Upstream) -> bool:
    """Whether the credentials are this caller's to publish with.

    What the environment holds is the operator's, given for reading; everything else in an upstream is the workspace's own.
    """
    return upstream.allows_push or is_operator(actor) or not _reads_environment(upstream)


def _reads_environment(upstream: Upstream) -> bool:
    """Whether a `${UPSTREAM_…}` stands in its credentials; of what cannot be read it is taken to be so."""
    if not upstream.is_operators or upstream.auth_type == Upstream.AuthType.NONE:
        return False
    try:
        secret = unseal(bytes(upstream.secret_sealed)) if upstream.secret_sealed else ""
    except SealBroken:
        return True
    return any(name.startswith(OPERATORS) for name in names_in(upstream.username, secret))


def are_new(wish: UpstreamWish, fresh: Upstream) -> bool:
    """Whether it signs in with anything else than before."""
    return wish.secret is not None or (wish.auth_type, wish.username) != (fresh.auth_type, fresh.username)


def ask_anew(upstreams: Iterable[Upstream]) -> None:
    """What they said to other credentials is out of date: a name that was “not here” may be there now."""
    ids, now = [upstream.pk for upstream in upstreams], timezone.now()
    UpstreamDocument.objects.filter(upstream__in=ids, fresh_until__gt=now).update(fresh_until=now)
    GitListing.objects.filter(upstream__in=ids, fresh_until__gt=now).update(fresh_until=now)


def shell_alone(upstream: Upstream) -> list[str]:
    """The variables of its credentials that only an operator's shell may have: web servers and workers read none of them."""
    names = [name for name in names_in(upstream.username, _stored(upstream)) if not name.startswith(OPERATORS)]
    return sorted(set(names) - _secrets_among(upstream.registry.workspace_id, names))


def forget_answers_of(upstream: Upstream) -> None:
    """What was said at another address was said by somebody else."""
    upstream.documents.all().delete()
    GitListing.objects.filter(upstream=upstream).delete()


def _is_theirs(actor: Actor, wish: UpstreamWish, fresh: Upstream | None) -> bool:
    if fresh is None:
        return is_operator(actor)
    old = wish_of(fresh)
    if wish.secret is None and all(getattr(wish, field) == getattr(old, field) for field in VOUCHED):
        return fresh.is_operators
    return is_operator(actor) and (fresh.is_operators or _is_all_their_own(wish, fresh))


def _is_all_their_own(wish: UpstreamWish, fresh: Upstream) -> bool:
    """Whether nothing of somebody else's credentials is kept."""
    keeps_secret = wish.secret is None and bool(fresh.secret_sealed)
    keeps_variable = wish.username == fresh.username and BEGIN in wish.username
    return not keeps_secret and not keeps_variable


def _secret(wish: UpstreamWish, fresh: Upstream | None) -> str:
    """The secret as it will be stored, variables unexpanded."""
    return wish.secret or "" if wish.secret is not None or fresh is None else _stored(fresh)


def _stored(upstream: Upstream) -> str:
    """What is sealed, variables unexpanded."""
    if not upstream.secret_sealed:
        return ""
    try:
        return unseal(bytes(upstream.secret_sealed))
    except SealBroken:  # names nothing, and proves nothing
        return ""


def _check(field: str, text: str, registry: Registry, *, is_theirs: bool) -> None:
    """Every variable in the text may be named by who saves it. Raises UpstreamInvalid."""
    if not is_well_formed(text):
        raise _refused(
            field, "“${” begins a variable like ${NAME}; a password that holds it is kept as a secret of the workspace and named so."
        )
    wanted = [name for name in names_in(text) if not (is_theirs and (reads_shell() or name.startswith(OPERATORS)))]
    known = _secrets_among(registry.workspace_id, wanted)
    for name in wanted:
        if name not in known:
            raise _refused(field, _why_not(name, is_theirs=is_theirs))


def _secrets_among(workspace_id: int, names: list[str]) -> set[str]:
    return set(Secret.objects.filter(workspace_id=workspace_id, name__in=names).values_list("name", flat=True)) if names else set()


def _why_not(name: str, *, is_theirs: bool) -> str:
    """Why a variable may not be named, and what would do."""
    if name.startswith(OPERATORS):
        return f"${{{name}}} is a variable of the server's environment: only an operator of the installation may save an upstream with it."
    if NAME.fullmatch(name) and is_theirs:
        return f"The workspace has no secret {name}; add it first, or set {OPERATORS}{name} in the server's environment and name that."
    if NAME.fullmatch(name):
        return f"The workspace has no secret {name}; add it first. Variables of the server's environment cannot be named here."
    return f"${{{name}}} names no secret: a secret's name has capital letters, digits and underscores."


def _refused(field: str, sentence: str) -> UpstreamInvalid:
    return UpstreamInvalid(sentence, fields={field: sentence})
