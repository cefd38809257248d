"""`python -m bench.seed REGISTRIES PACKAGES VERSIONS`: a large installation, by copying real rows in SQL.

For the pages: most packages are in the registry `main`, ten in each of the others; every package has as many
versions; every second one came from the upstream `npm`, every tenth one is internal. Before, `bench.pages`
publishes one package and adds the upstream. Events, downloads and tokens come along.
"""

import os
import sys

from bench.fill import ONE, copy, copy_below

EACH = 10  # packages of every registry but `main`
EVENTS, TOKENS, WORKSPACES = 100_000, 200, 50
PULLED, INTERNAL = "p.id %% 2 = 0", "p.id %% 10 = 1"  # which packages; the first as SQL of what stands for a version's package


def seed(registries: int, packages: int, versions: int, *, events: int = EVENTS) -> None:
    """All of it, in one transaction."""
    from django.db import transaction

    with transaction.atomic():
        _registries(registries - 1)
        _packages(registries - 1, packages)
        _versions(versions // packages)
        _around(events)


def settle() -> None:
    """What the database would soon do by itself."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def _registries(size: int) -> None:
    from registries.models import Registry
    from upstreams.models import Upstream

    main = Registry.objects.get(slug="main")
    copy(main, size, slug="'lib-' || n.i", is_default="false")
    copy_below(Upstream.objects.get(registry=main), Registry, "p.slug LIKE 'lib-%%'", registry_id="p.id")


def _packages(others: int, packages: int) -> None:
    from packages.models import NameEpoch, Package, SearchEntry
    from registries.models import Registry

    one = Package.objects.get(name=ONE)
    inside = packages - 1 - others * EACH
    copy(one, inside, name="'pack-' || n.i", folded="'pack-' || n.i")
    for number in range(EACH):
        named = f"p.slug || '-part-{number}'"
        copy_below(one, Registry, "p.slug LIKE 'lib-%%'", registry_id="p.id", name=named, folded=named)
    filled = f"p.id <> {one.pk}"
    copy_below(NameEpoch.objects.get(name=one.folded), Package, filled, name="p.name")
    entry = SearchEntry.objects.get(package=one)
    copy_below(entry, Package, filled, package_id="p.id", registry_id="p.registry_id", folded="p.name", is_pulled=PULLED)
    for word in entry.words.all():
        copy_below(word, Package, filled, entry_id="p.id", registry_id="p.registry_id")


def _versions(each: int) -> None:
    from packages.models import Download, File, Package, Tag, Version
    from upstreams.models import Origin, Upstream

    one = Version.objects.get(package__name=ONE)
    filled = f"p.id <> {one.package_id}"
    how = {"package_id": "p.id", "is_internal": INTERNAL, "origin": f"CASE WHEN {PULLED} THEN 'pulled' ELSE 'published' END"}
    for number in range(each):
        copy_below(one, Package, filled, version=f"'1.{number}.0'", **how)
    others = f"p.id <> {one.pk}"
    copy_below(File.objects.get(version=one), Version, others, version_id="p.id", name="'file-' || p.version || '.tgz'")
    copy_below(Tag.objects.get(version=one), Version, f"{others} AND p.version = '1.0.0'", package_id="p.package_id", version_id="p.id")
    upstream = Upstream.objects.get(registry__slug="main")
    origin = Origin.objects.create(version=one, upstream=upstream, upstream_name=upstream.name, address="https://registry.example.org/x")
    copy_below(origin, Version, f"{others} AND p.origin = 'pulled'", version_id="p.id")
    origin.delete()
    download = Download.objects.create(package_id=one.package_id, version=one.version, day=one.created_at.date(), count=7)
    copy_below(download, Package, filled, package_id="p.id", version="'1.0.0'")


def _around(events: int) -> None:
    """What else pages list: a long log, tokens, and workspaces of the operator's."""
    from tokens.models import Token
    from workspaces.models import Event, Membership

    copy(Event.objects.latest("id"), events, object="'lib-' || n.i")
    copy(Token.objects.latest("id"), TOKENS, secret_hash="'seeded' || n.i", name="'seeded ' || n.i")
    member = Membership.objects.filter(workspace__registries__slug="main").earliest("pk")
    copy(member.workspace, WORKSPACES, slug="'seeded-' || n.i")
    copy_below(member, type(member.workspace), "p.slug LIKE 'seeded-%%'", workspace_id="p.id")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.settings")
    import django

    django.setup()
    seed(*(int(word) for word in sys.argv[1:4]))
    settle()
