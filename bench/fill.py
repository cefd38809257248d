"""`python -m bench.fill N`: makes N of each kind of row in a Gatehouse's database, by copying real rows in SQL. Only bench.growth runs it.

What a publish and a request leave behind for one package is copied for N others; so are the caller's token and
the registry. Another package gets N versions. Columns come from the models, so a new column is copied too.
"""

import os
import sys
from collections.abc import Mapping
from typing import Any

ONE, MANY = "@bench/one", "@bench/many"  # published before; the second gets the versions
NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %s)"


def copy(row: Any, size: int, **changes: str) -> None:
    """Copy a row `size` times; `changes` are SQL expressions over `n.i`."""
    _insert(row, f"{NUMBERS} SELECT {{}} FROM {_table(row)} o, n WHERE o.{{}} = %s", [size, row.pk], changes)


def copy_below(row: Any, parents: type[Any], where: str, **changes: str) -> None:
    """Copy a row once for each row `p` of another table; `changes` are SQL expressions over `p`."""
    _insert(row, f"SELECT {{}} FROM {_table(row)} o, {_table(parents)} p WHERE o.{{}} = %s AND {where}", [row.pk], changes)


def _insert(row: Any, select: str, parameters: list[int], changes: Mapping[str, str]) -> None:
    from django.db import connection

    fields = row._meta.concrete_fields  # noqa: SLF001 - Django's documented way to a model's columns
    columns = [field.column for field in fields if not field.primary_key or field.is_relation]
    key = next(field.column for field in fields if field.primary_key)
    values = ", ".join(changes.get(column, f"o.{column}") for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {_table(row)} ({', '.join(columns)}) {select.format(values, key)}", parameters)


def _table(model: Any) -> str:
    name: str = model._meta.db_table  # noqa: SLF001 - as above
    return name


def fill(size: int) -> None:
    """All of it, in one transaction."""
    from django.db import connection, transaction

    with transaction.atomic():
        _tokens_and_registries(size)
        _packages(size)
        _versions(size)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _tokens_and_registries(size: int) -> None:
    from registries.models import Registry
    from tokens.models import Token

    copy(Token.objects.latest("id"), size, secret_hash="'filled' || n.i", name="'filled ' || n.i")
    copy(Registry.objects.get(slug="main"), size, slug="'filled-' || n.i", is_default="false")


def _packages(size: int) -> None:
    from packages.models import NameEpoch, Package, SearchEntry, Tag, Version
    from upstreams.models import Document, DocumentFile, Rendering

    named = {"name": "'filled-' || n.i", "folded": "'filled-' || n.i"}
    package = Package.objects.get(name=ONE)
    copy(package, size, **named)
    copy(NameEpoch.objects.get(name=package.folded), size, name="'filled-' || n.i")
    filled = "p.name LIKE 'filled-%%'"
    copy_below(Version.objects.get(package=package), Package, filled, package_id="p.id")
    for entry in SearchEntry.objects.filter(package=package):
        copy_below(entry, Package, filled, package_id="p.id", folded="p.name")
        for word in entry.words.all():
            copy_below(word, Package, filled, entry_id="p.id")
    tag = Tag.objects.get(package=package)
    theirs = f"p.package_id IN (SELECT p.id FROM packages_package p WHERE {filled})"
    copy_below(tag, Version, theirs, package_id="p.package_id", version_id="p.id")
    rendering = Rendering.objects.get(name=ONE)
    copy(rendering, size, **named)
    for row in (*Document.objects.filter(rendering=rendering), *DocumentFile.objects.filter(rendering=rendering)):
        copy_below(row, Rendering, filled, rendering_id="p.id")


def _versions(size: int) -> None:
    from django.db import connection
    from django.db.models import F

    from packages.models import File, NameEpoch, Package, Version

    package = Package.objects.get(name=MANY)
    version = Version.objects.get(package=package)
    text, back = ("CAST(o.manifest AS TEXT)", "CAST({} AS BLOB)")
    if connection.vendor == "postgresql":
        text, back = "convert_from(o.manifest, 'UTF8')", "convert_to({}, 'UTF8')"
    manifest = back.format(f"REPLACE({text}, '1.0.0', '1.0.' || n.i)")
    copy(version, size, version="'1.0.' || n.i", manifest=manifest)
    name = f"'{MANY.rpartition('/')[2]}-' || p.version || '.tgz'"
    below = f"p.package_id = {package.pk} AND p.id <> {version.pk}"
    copy_below(File.objects.get(version=version), Version, below, version_id="p.id", name=name)
    NameEpoch.objects.filter(name=package.folded).update(epoch=F("epoch") + 1)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.settings")
    import django

    django.setup()
    fill(int(sys.argv[1]))
