"""What search knows of packages, kept in the transaction of every write (packages.formats.npm.search).

One entry and some fifteen words per package; the words are written again only when they change. docs/search.md says
why it is a table of words, and what it takes at 100,000 packages.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from django.db import transaction

from packages.formats.errors import NameInvalid
from packages.formats.npm.names import parse_known
from packages.formats.npm.search import SCHEME, Listed, list_package
from packages.formats.npm.versions import sort_key
from packages.models import Format, Package, SearchEntry, Version
from packages.selectors import UNSHADOWED, maintainers_of, named_maintainers
from workspaces import statements
from workspaces.prepared import Row
from workspaces.statements import Write

COLUMNS = (
    *("package_id", "registry_id", "folded", "version", "is_pulled", "is_deprecated", "facts", "words_digest", "published_at"),
    "scheme",
)
KEEP = (
    f"INSERT INTO packages_searchentry ({', '.join(COLUMNS)}) VALUES ({', '.join(['%s'] * len(COLUMNS))}) ON CONFLICT (package_id)"  # noqa: S608 - our own texts
    f" DO UPDATE SET {', '.join(f'{column} = excluded.{column}' for column in COLUMNS[1:])}"
)
KNOWN = (
    "SELECT e.version, e.is_pulled, e.words_digest FROM packages_searchentry e JOIN packages_package p ON p.id = e.package_id"
    " WHERE p.registry_id = %s AND p.format = 'npm' AND p.name = %s"
)
ADD_WORDS = "INSERT INTO packages_searchword (entry_id, registry_id, word, weight) "
UNNEST_WORDS = f"{ADD_WORDS}SELECT %s::bigint, %s::bigint, word, weight FROM unnest(%s::bytea[], %s::smallint[]) listed (word, weight)"  # noqa: S608
REMOVE_WORDS = "DELETE FROM packages_searchword WHERE entry_id = %s"


def list_in_search(package: Package) -> None:
    """Bring what search knows of a package up to its present state, inside the caller's transaction."""
    shown = _present(package) if package.format == Format.NPM else None
    if shown is None:
        SearchEntry.objects.filter(package=package).delete()
        return
    old = SearchEntry.objects.filter(package=package).values_list("words_digest", flat=True).first()
    _run(_writes(package, shown, _listed(package, shown, maintainers_of(package)), old))


def listing_writes(package: Package, published: Version) -> list[Write]:
    """The same for the version that is being published under the tag latest, to be written together with it."""
    if package.format != Format.NPM:
        return []
    known = None
    if package.revision > 1:
        known = SearchEntry.objects.filter(package=package).values_list("words_digest", "facts").first()
    people = _people(package, published, bytes(known[1]) if known is not None else None)
    return _writes(package, published, _listed(package, published, people), known[0] if known is not None else None)


def pulled_writes(package: Package, version: Version, known: Sequence[Row]) -> list[Write]:
    """The same for a version that is being pulled: it is shown unless the package shows a newer one, or one of the team's own.

    `known`: what the statement KNOWN found.
    """
    shown, is_pulled, digest = known[0] if known else (None, True, None)
    if shown is not None and (not is_pulled or sort_key(shown) > sort_key(version.version)):
        return []
    return _writes(package, version, _listed(package, version, ()), digest)


def list_pulled(package: Package, version: Version) -> None:
    """The same for one that has been pulled."""
    _run(pulled_writes(package, version, statements.rows(KNOWN, [package.registry_id, package.name])))


def _run(writes: Sequence[Write]) -> None:
    for write in writes:
        statements.run(write.text, write.values)


def _writes(package: Package, shown: Version, listed: Listed, old: str | None) -> list[Write]:
    """The entry, and the words when they are others than those of digest `old` (None: there are none)."""
    digest = hashlib.sha256(orjson.dumps(sorted(listed.words.items()))).hexdigest()
    writes = [Write("entry", KEEP, _row(package, shown, listed, digest))]
    if old == digest:
        return writes
    if old is not None:
        writes.append(Write("unlisted", REMOVE_WORDS, [package.pk]))
    return [*writes, _words(package, listed.words)]


def _words(package: Package, words: Mapping[str, int]) -> Write:
    """All words in one statement; PostgreSQL's has the same text for any number, since preparing one is dear."""
    if statements.is_postgresql():
        keys, weights = ",".join(f'"\\\\x{word.encode().hex()}"' for word in words), ",".join(map(str, words.values()))
        return Write("words", UNNEST_WORDS, [package.pk, package.registry_id, f"{{{keys}}}", f"{{{weights}}}"])
    values = [part for word, weight in words.items() for part in (package.pk, package.registry_id, word.encode(), weight)]
    return Write("words", ADD_WORDS + "VALUES " + ", ".join(["(%s, %s, %s, %s)"] * len(words)), values)


def list_missing(limit: int = 1000) -> int:
    """List packages that search does not know yet, or knows by an older scheme: written by an older version of the house.

    At most `limit` of them; returns how many.
    """
    missing = list(Package.objects.filter(format=Format.NPM, search_entry=None, versions__isnull=False).distinct()[:limit])
    older = Package.objects.filter(search_entry__in=SearchEntry.objects.filter(scheme__lt=SCHEME).order_by()[:limit])
    missing += list(older[: limit - len(missing)])
    for package in missing:
        with transaction.atomic():
            if Package.objects.select_for_update().filter(pk=package.pk).exists():
                list_in_search(package)
    return len(missing)


def _present(package: Package) -> Version | None:
    """The version search shows: the one tagged latest, else the newest, among those no rule hides; else among the pulled."""
    versions = Version.objects.filter(package=package)
    tagged = versions.filter(UNSHADOWED, tags__name="latest", tags__package=package).first()
    return tagged or versions.filter(UNSHADOWED).order_by("-id").first() or versions.order_by("-id").first()


def _listed(package: Package, shown: Version, people: Sequence[str]) -> Listed:
    """Facts and words of the present version; a name outside the grammar or a manifest that is none is told by its name alone."""
    try:
        manifest = orjson.loads(bytes(shown.manifest))
    except orjson.JSONDecodeError:
        manifest = {}
    try:
        name = parse_known(package.name)
    except NameInvalid:
        name = parse_known("-")
    return list_package(name, manifest if isinstance(manifest, dict) else {}, people, shown.published_by_name)


def _row(package: Package, shown: Version, listed: Listed, digest: str) -> list[Any]:
    is_pulled = not shown.is_internal and shown.origin == Version.Origin.PULLED
    facts = orjson.dumps(listed.facts)
    date = statements.moment(shown.created_at)
    return [
        package.pk, package.registry_id, package.folded, shown.version, is_pulled, bool(shown.deprecated), facts, digest, date, SCHEME,
    ]  # fmt: skip


def _people(package: Package, published: Version, facts: bytes | None) -> Sequence[str]:
    """Its maintainers, its publisher with them; one of those already listed changes nothing, and asks nobody."""
    publisher = published.published_by_name
    listed = [one["username"] for one in orjson.loads(facts).get("maintainers", ())] if facts is not None else []
    if package.revision == 1 or publisher in listed:
        return listed or [publisher]
    return named_maintainers(package) or sorted({*maintainers_of(package), publisher} - {""})
