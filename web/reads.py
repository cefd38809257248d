"""What the pages read and no selector below offers yet. Reads only; writing is the services' business."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone

from packages.formats.moonbit import versions as moonbit
from packages.formats.npm import versions as semver
from packages.formats.npm.ranges import meant_by
from packages.models import Format, Package, Tombstone, Version
from packages.selectors import known_to
from packages.usage import Held, held_by
from registries.models import Registry
from tokens.models import Token
from upstreams.models import Mirror, MirrorSchedule, Upstream
from upstreams.services.mirroring.known import DRIVERS
from workspaces.access import Action, Actor, Role, matches
from workspaces.models import Claim, Event, Membership, Workspace
from workspaces.selectors import workspaces_of

TROUBLES = ("upstream.trouble", "alert.upstream_trouble")
CAME = ("version.published", "version.uploaded", "version.pushed", "version.pulled")
MOMENT = timedelta(seconds=10)  # between a version's row and its event, which one transaction writes


def workspace_cards(actor: Actor) -> list[Workspace]:
    """The caller's workspaces with `registry_count`, `package_count`, `last_change`, `held` and `role_word`."""
    counts = {
        "registry_count": Count("registries", distinct=True),
        "package_count": Count("registries__packages", distinct=True),
        "last_change": Max("registries__packages__updated_at"),
    }
    found = list(workspaces_of(actor).annotate(**counts).order_by("slug")[:200])
    held = held_by(workspace.pk for workspace in found)
    for workspace in found:
        role = actor.role_in(workspace.pk)
        workspace.role_word = role.word if role else ""  # type: ignore[attr-defined]
        workspace.held = held.get(workspace.pk, Held())  # type: ignore[attr-defined]
    return found


def members_of(workspace: Workspace) -> list[Membership]:
    """Members by name, each with `role_word`."""
    found = list(Membership.objects.filter(workspace=workspace).select_related("user").order_by("user__username"))
    for member in found:
        member.role_word = Role(member.role).word  # type: ignore[attr-defined]
    return found


def claims_of(workspace: Workspace) -> QuerySet[Claim]:
    """The workspace's claims."""
    return Claim.objects.filter(workspace=workspace)


def tokens_of(actor: Actor) -> list[Token]:
    """The caller's own tokens."""
    return list(Token.objects.filter(owner_id=actor.user_id)) if actor.user_id is not None else []


def service_tokens_of(workspace: Workspace) -> list[Token]:
    """The tokens of the workspace itself."""
    return list(Token.objects.filter(workspace=workspace))


def registry_names(ids: Iterable[int]) -> dict[int, str]:
    """`workspace/registry` of each id that still exists."""
    return {registry.pk: str(registry) for registry in Registry.objects.select_related("workspace").filter(pk__in=set(ids))}


def upstreams_of(registry: Registry) -> list[Upstream]:
    """The registry's upstreams in the order they are asked."""
    return list(Upstream.objects.filter(registry=registry).select_related("source").order_by("priority", "id"))


def troubles_of(registry: Registry, upstreams: Sequence[Upstream]) -> dict[int, Event]:
    """The last trouble with each of them in a day, by the upstream's number; those without any are left out."""
    named = {f"{registry} {upstream.name}": upstream.pk for upstream in upstreams}
    since = timezone.now() - timedelta(days=1)
    told = Event.objects.filter(workspace=registry.workspace_id, action__in=TROUBLES, object__in=list(named), at__gte=since)
    return {named[event.object]: event for event in told.order_by("id")}


def mirrored_upstreams(registry: Registry) -> list[str]:
    """The names of the upstreams that can be mirrored, in the order they are asked."""
    rows = Upstream.objects.filter(registry=registry, is_enabled=True, format__in=list(DRIVERS)).exclude(kind=Upstream.Kind.REGISTRY)
    return list(rows.order_by("priority", "id").values_list("name", flat=True))


def chained_registries(actor: Actor, registry: Registry) -> list[Registry]:
    """The registries of the workspace that feed this one and that the caller may read."""
    rows = Registry.objects.select_related("workspace").filter(workspace=registry.workspace_id, feeds__registry=registry)
    return [one for one in rows.distinct().order_by("slug") if actor.may(Action.READ, one)]


def mirrors_of(registry: Registry) -> QuerySet[Mirror]:
    """The mirror jobs, the newest first."""
    return Mirror.objects.filter(registry=registry).select_related("upstream").order_by("-id")


def schedules_of(registry: Registry) -> list[MirrorSchedule]:
    """The schedules, the oldest first."""
    return list(MirrorSchedule.objects.filter(registry=registry).select_related("upstream").order_by("id"))


def registries_beside(actor: Actor, registry: Registry) -> list[str]:
    """The slugs of the workspace's other registries that the caller may read."""
    others = (
        Registry.objects.filter(workspace_id=registry.workspace_id).exclude(pk=registry.pk).select_related("workspace").order_by("slug")
    )
    return [other.slug for other in others if actor.may(Action.READ, other)]


def versions_in_order(package: Package, *, wanted: str = "", hidden: Sequence[str] = ()) -> list[int]:
    """The versions of a package by their number, the highest first, as ids.

    `wanted`: only what this range of npm's means. `hidden`: without "prereleases", without what is "deprecated".
    """
    key = semver.sort_key if package.format != Format.MOONBIT else moonbit.sort_key
    rows = Version.objects.filter(package=package).values_list("version", "pk")
    if "deprecated" in hidden:
        rows = rows.filter(deprecated="")
    found = [row for row in rows if "prereleases" not in hidden or "-" not in row[0].partition("+")[0]]
    if wanted:
        meant = set(meant_by(wanted, [version for version, _pk in found], {}))
        found = [row for row in found if row[0] in meant]
    return [pk for _version, pk in sorted(found, key=lambda row: (key(row[0]), row[1]), reverse=True)]


def versions_listed(ids: Sequence[int]) -> list[Version]:
    """These versions with their tags and where they came from, in this order."""
    rows = Version.objects.filter(pk__in=ids).defer("manifest").select_related("published_by", "upstream_origin").prefetch_related("tags")
    found = {version.pk: version for version in rows}
    return [found[pk] for pk in ids if pk in found]


def publication_of(version: Version) -> Event | None:
    """The line of the log that tells how a version came here: by whom, with which token, from where. Found by its moment."""
    package, moment = version.package, version.created_at
    about = f"{package.registry} {package.format} {package.name}@{version.version}"
    near = Event.objects.filter(at__gte=moment - MOMENT, at__lte=moment + MOMENT, workspace_id=package.registry.workspace_id, object=about)
    return near.filter(action__in=CAME).order_by("id").first()


def claim_for(workspace: Workspace, name: str) -> Claim | None:
    """The first claim that covers the name."""
    return next((claim for claim in claims_of(workspace) if matches(claim.pattern, name)), None)


def tombstone_for(registry: Registry, format: str, name: str) -> Tombstone | None:  # noqa: A002 - the field's own word
    """The tombstone that keeps the name internal here."""
    found = Tombstone.objects.filter(workspace_id=registry.workspace_id, format=format, name=name.lower())
    return found.filter(Q(registry=None) | Q(registry=registry)).first()


def is_internal_elsewhere(package: Package) -> bool:
    """Whether another registry of the workspace holds an internal version of the name."""
    own = Version.objects.filter(
        package__registry__workspace_id=package.registry.workspace_id,
        package__format=package.format,
        package__folded=package.folded,
        is_internal=True,
        origin__in=(Version.Origin.PUBLISHED, Version.Origin.UPLOADED),
    )
    return own.exclude(package=package).exists()


def open_sources(upstreams: Sequence[Upstream], name: str) -> list[str]:
    """The enabled upstreams that are not internal and whose patterns let the name through."""
    return [
        upstream.name
        for upstream in upstreams
        if upstream.is_enabled
        and not upstream.is_internal
        and upstream.kind != Upstream.Kind.REGISTRY
        and (not upstream.patterns or any(matches(pattern, name) for pattern in upstream.patterns))
    ]


def present_names(actor: Actor, registry: Registry, format: str, names: Iterable[str]) -> set[str]:  # noqa: A002
    """Which of the names the registry holds, as far as the caller may know."""
    found = Package.objects.filter(registry=registry, format=format, name__in=list(names)[:500])
    return set(known_to(actor, registry, found).values_list("name", flat=True))
