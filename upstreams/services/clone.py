"""Cloning a registry: everything it holds under another slug of the same workspace; bytes are shared, not copied.

Row by row through Python a registry of 100,000 versions would take minutes; here each table is one statement.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db import connection, models, transaction
from django.db.models.functions import Collate

from packages.models import BlobLink, File, Package, RetiredVersion, SearchEntry, SearchWord, Tag, Tombstone, Version
from registries.aliases import check_free
from registries.models import PackageRight, Registry, RestrictedName
from registries.services import describe
from upstreams.models import Origin, Pin, Upstream
from workspaces.access import Action, Actor
from workspaces.errors import Denied
from workspaces.services.audit import record
from workspaces.services.spaces import bump_rules
from workspaces.statements import is_postgresql

NEW_PACKAGE = (
    " JOIN packages_package op ON op.id = {of}"
    " JOIN packages_package np ON np.registry_id = %(new)s AND np.format = op.format AND np.name = op.name"
)
NEW_VERSION = (
    f" JOIN packages_version ov ON ov.id = t.version_id{NEW_PACKAGE.format(of='ov.package_id')}"
    " JOIN packages_version nv ON nv.package_id = np.id AND nv.version = ov.version"
)
NEW_UPSTREAM = (
    " LEFT JOIN upstreams_upstream ou ON ou.id = t.upstream_id AND ou.registry_id = %(old)s"
    " LEFT JOIN upstreams_upstream nu ON nu.registry_id = %(new)s AND nu.name = ou.name"
)


@dataclass(frozen=True)
class Copy:
    """How one table is copied: what it is joined with, and which columns get another value."""

    model: type[models.Model]
    joins: str = ""
    replaced: Mapping[str, str] = field(default_factory=lambda: {"registry_id": "%(new)s"})
    whose: str = "t.registry_id"

    def statement(self) -> str:
        """One INSERT … SELECT. A key that the database gives out is left to it."""
        columns = [str(column.column) for column in self.model._meta.concrete_fields if not isinstance(column, models.AutoField)]  # noqa: SLF001 - Django's documented name
        values = [self.replaced.get(column, f't."{column}"') for column in columns]
        table, names = self.model._meta.db_table, ", ".join(f'"{column}"' for column in columns)  # noqa: SLF001
        return f'INSERT INTO "{table}" ({names}) SELECT {", ".join(values)} FROM "{table}" t{self.joins} WHERE {self.whose} = %(old)s'  # noqa: S608 - names of our own tables


OF_PACKAGE = {"joins": NEW_PACKAGE.format(of="t.package_id"), "whose": "op.registry_id"}
PACKAGE, VERSION = {"package_id": "np.id"}, {"version_id": "nv.id"}
COPIES: Sequence[Copy] = (
    Copy(Package),
    Copy(Version, **OF_PACKAGE, replaced=PACKAGE),
    Copy(Tag, joins=NEW_VERSION, whose="op.registry_id", replaced={**PACKAGE, **VERSION}),
    Copy(BlobLink, **OF_PACKAGE, replaced=PACKAGE),
    Copy(File, joins=NEW_VERSION, whose="op.registry_id", replaced=VERSION),
    Copy(SearchEntry, **OF_PACKAGE, replaced={**PACKAGE, "registry_id": "%(new)s"}),
    Copy(
        SearchWord,
        joins=NEW_PACKAGE.format(of="t.entry_id"),
        whose="op.registry_id",
        replaced={"entry_id": "np.id", "registry_id": "%(new)s"},
    ),
    Copy(RetiredVersion),
    Copy(Tombstone),
    Copy(PackageRight),
    Copy(RestrictedName),
    Copy(Upstream),
    Copy(Pin),
    Copy(Origin, joins=NEW_VERSION + NEW_UPSTREAM, whose="op.registry_id", replaced={**VERSION, "upstream_id": "nu.id"}),
)
# Of a registry, and not copied: what can be asked or counted anew, people's own stars, the former slugs, and work that was ordered.
LEFT_BEHIND = frozenset(
    {
        *("Alias", "Usage", "Star", "Download", "UpstreamDocument", "GitListing", "Rendering", "Document", "DocumentFile"),
        *("Mirror", "MirrorItem", "MirrorSchedule", "IndexCommit", "LoginPassword"),
    }
)


@transaction.atomic
def clone_registry(*, actor: Actor, registry: Registry, slug: str) -> Registry:
    """A registry with the same settings, packages, versions (flags kept), tags, rights and upstreams, at this moment.

    Upstreams keep their stored secrets: the same admins manage both, nobody can read a secret, and it still goes to
    its own address only. The clone is never the default. Raises Denied, SlugInvalid, RegistryExists, SlugReserved.
    """
    if not actor.may(Action.MANAGE, registry) or not actor.may_in(registry.workspace_id, Action.MANAGE):
        raise Denied("Only admins and owners of the workspace clone a registry.")
    bump_rules(registry.workspace_id)
    check_free(registry.workspace_id, slug)
    kept = Registry.objects.select_for_update(no_key=True).get(pk=registry.pk)  # who only refers to it does not wait
    values = {one.attname: getattr(kept, one.attname) for one in Registry._meta.concrete_fields if not one.primary_key}  # noqa: SLF001
    clone = Registry.objects.create(**{**values, "slug": slug, "is_default": False})
    _lock_packages(registry)
    with connection.cursor() as cursor:
        for copy in COPIES:
            cursor.execute(copy.statement(), {"old": registry.pk, "new": clone.pk})
    clone.refresh_from_db()
    new = {**describe(clone), "packages": clone.packages.count()}
    record(actor, "registry.cloned", str(clone), workspace=clone.workspace_id, old={"slug": registry.slug}, new=new)
    return clone


def _lock_packages(registry: Registry) -> None:
    """Writers of a package change its row: none of them finishes half-way through the copying.

    By name and as code points go, the order of a push, which writes several (`Parcels.in_order`): else each could wait for the other.
    """
    plain = "C" if is_postgresql() else "BINARY"  # a database's own language may order names otherwise
    order = ("format", Collate("folded", plain), Collate("name", plain))
    list(Package.objects.select_for_update(no_key=True).filter(registry=registry).order_by(*order).values_list("pk", flat=True))
