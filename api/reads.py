"""Reads that only the lists of REST ask for. Nothing here decides who may; the gate has before."""

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from packages.catalog import Narrowing, packages_of
from packages.errors import VersionNotFound
from packages.models import Package, Tag, Tombstone, Usage, Version
from packages.selectors import versions_of
from packages.usage import usage_of
from registries.models import Registry
from tokens.errors import TokenNotFound
from tokens.models import Token
from upstreams.models import Mirror, MirrorSchedule, Upstream
from upstreams.selectors.catalog import from_source
from workspaces.access import Action, Actor, Target
from workspaces.errors import NotFound, Unauthenticated
from workspaces.models import Claim, Membership, User, Workspace


def all_users() -> QuerySet[User]:
    """Every person of the installation, by name."""
    return User.objects.order_by("username")


def usage(actor: Actor, workspace: Workspace) -> QuerySet[Usage]:
    """What the registries hold that the caller may know of."""
    found = usage_of(workspace)
    return found if actor.grant is None or actor.grant.registries is None else found.filter(registry__in=actor.grant.registries)


def user_of(username: str) -> User:
    """One person. Raises NotFound."""
    found = User.objects.filter(username=username).first()
    if found is None:
        raise NotFound(f"There is no user “{username[:64]}”.")
    return found


def own_tokens(actor: Actor) -> QuerySet[Token]:
    """The caller's own tokens. A service, or a token with scopes, sees itself alone. Raises Unauthenticated."""
    if actor.is_anonymous:
        raise Unauthenticated("Sign in, or send a token.")
    if actor.grant is not None and (actor.user_id is None or actor.grant.scopes is not None):
        return Token.objects.filter(pk=actor.grant.token_id)
    return Token.objects.filter(owner_id=actor.user_id, owner_id__isnull=False)


def service_tokens(workspace: Workspace) -> QuerySet[Token]:
    """The tokens of the workspace itself."""
    return Token.objects.filter(workspace=workspace)


def token_among(tokens: QuerySet[Token], token_id: int) -> Token:
    """One of `tokens`. Raises TokenNotFound."""
    found = tokens.filter(pk=token_id).first()
    if found is None:
        raise TokenNotFound("There is no such token of yours.")
    return found


def registry_names(tokens: Iterable[Token]) -> dict[int, str]:
    """What the registries of these tokens are called, as `workspace/registry`."""
    wanted = {registry_id for token in tokens for registry_id in token.registries or ()}
    rows = Registry.objects.filter(pk__in=wanted).values_list("pk", "workspace__slug", "slug")
    return {pk: f"{workspace}/{slug}" for pk, workspace, slug in rows}


def members_of(workspace: Workspace) -> QuerySet[Membership]:
    """The members of a workspace with their users, by name."""
    return Membership.objects.filter(workspace=workspace).select_related("user").order_by("user__username")


def member_of(workspace: Workspace, username: str) -> Membership:
    """One member. Raises NotFound."""
    found = members_of(workspace).filter(user__username=username).first()
    if found is None:
        raise NotFound(f"“{username[:64]}” is not a member of this workspace.")
    return found


def claims_of(workspace: Workspace) -> QuerySet[Claim]:
    """The claimed patterns of a workspace."""
    return Claim.objects.filter(workspace=workspace).order_by("pattern")


def claim_of(workspace: Workspace, claim_id: int) -> Claim:
    """One claim. Raises NotFound."""
    found = claims_of(workspace).filter(pk=claim_id).first()
    if found is None:
        raise NotFound("There is no such claim.")
    return found


def upstreams_of(registry: Registry) -> QuerySet[Upstream]:
    """The sources of a registry in the order they are asked."""
    return Upstream.objects.filter(registry=registry).select_related("source").order_by("priority", "id")


def readable_packages(
    actor: Actor,
    registry: Registry,
    *,
    format: str = "",  # noqa: A002 - the filters of the contract
    search: str = "",
    internal: bool | None = None,
    source: str = "",
) -> QuerySet[Package]:
    """The packages of a registry the caller may read: a token with scopes sees no other names."""
    found = packages_of(registry, actor=actor, wanted=Narrowing(format=format, search=search, internal=internal))
    found = from_source(found, actor, registry, source)
    if actor.grant is None or actor.grant.scopes is None:
        return found
    names = found.values_list("pk", "format", "name")
    seen = [pk for pk, kind, name in names if actor.may(Action.READ, registry, Target(kind, name))]
    return found.filter(pk__in=seen)


def listed_versions(package: Package) -> QuerySet[Version]:
    """The versions of a package, newest first, with the upstream each came from."""
    return versions_of(package).select_related("upstream_origin", "published_by")


def listed_version(package: Package, version: str) -> Version:
    """One of them. Raises VersionNotFound."""
    found = listed_versions(package).filter(version=version).first()
    if found is None:
        raise VersionNotFound(f"{package.name} has no version {version[:80]} here.")
    return found


def tags_of(package: Package) -> QuerySet[Tag]:
    """The tags of a package with their versions."""
    return Tag.objects.filter(package=package).select_related("version").order_by("name")


def tombstone_of(registry: Registry, format: str, name: str) -> Tombstone:  # noqa: A002 - the field's own word
    """What keeps the name internal here without a version. Raises NotFound."""
    reach = Q(registry=None) | Q(registry=registry)
    rows = Tombstone.objects.filter(reach, workspace_id=registry.workspace_id, format=format, name=name.lower())
    found = rows.order_by("created_at", "id").first()
    if found is None:
        raise NotFound(f"No tombstone keeps {name[:214]} internal here.")
    return found


def mirrors_of(registry: Registry) -> QuerySet[Mirror]:
    """The mirror jobs of a registry, the newest first."""
    return Mirror.objects.filter(registry=registry).select_related("registry__workspace", "upstream").order_by("-id")


def schedules_of(registry: Registry) -> QuerySet[MirrorSchedule]:
    """The schedules of a registry, the oldest first."""
    return MirrorSchedule.objects.filter(registry=registry).select_related("registry__workspace", "upstream").order_by("id")
