"""Versions of names of which nothing was known, recorded together: one transaction for all that came in while the last was written.

An installation brings hundreds of them, and what each of them costs by itself (`entry`) is mostly statements and journeys. Here
the names are locked and looked at in one, and what is written of each is one statement of PostgreSQL's. What is not plain about one
of them undoes it for all, and each goes by `entry`.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

import orjson
from django.db import IntegrityError
from django.utils import timezone

from packages.models import Package, Version
from packages.services.listing import pulled_writes
from packages.services.publish import Standing, new_version
from packages.services.rows import version_statement, write_version
from upstreams.durability import lightly, remembered
from upstreams.models import Rendering, UpstreamDocument
from upstreams.selectors.facts import Epochs
from upstreams.services.consult import LOCK
from upstreams.services.entry import FirstWord, Newcomer, beside, write_origin
from upstreams.services.renderings import HeldFile, first_rendering, listing
from upstreams.services.resolve import Resolution
from workspaces import statements
from workspaces.insertion import statement_for
from workspaces.prepared import Statement
from workspaces.services.audit import SYSTEM
from workspaces.statements import Write

HOLD = (
    "INSERT INTO packages_nameepoch (workspace_id, format, name, epoch) SELECT {number}, 'npm', one.name, 0 FROM {each} WHERE TRUE"
    " ON CONFLICT (workspace_id, format, name) DO UPDATE SET epoch = packages_nameepoch.epoch RETURNING name, epoch"
)
RULE = "SELECT rule_epoch FROM workspaces_workspace WHERE id = %s"
RESTRICTED = "SELECT id FROM registries_restrictedname WHERE registry_id = %s AND format = 'npm' AND name IN (SELECT one.name FROM {each})"
MAKE = (
    "INSERT INTO packages_package (registry_id, format, name, folded, revision, created_at, updated_at)"
    " SELECT {number}, 'npm', one.name, lower(one.name), 0, {moment}, {moment} FROM {each} WHERE TRUE RETURNING name, id"
)
PIN = "INSERT INTO upstreams_pin (registry_id, format, name, integrities) VALUES (%s, 'npm', %s, %s)"
LISTED = (
    "INSERT INTO upstreams_documentfile (rendering_id, filename, sha256, size)"
    " SELECT rendering.id, %s::text, %s::text, %s::bigint FROM rendering"
)


class NotPlain(Exception):
    """Something about one of them is to be looked at by itself; nothing is written."""


class Plain(NamedTuple):
    """A version that may come in together with others, by what is known of it beforehand."""

    newcomer: Newcomer
    decided: Resolution
    first: FirstWord

    @classmethod
    def of(cls, newcomer: Newcomer) -> "Plain | None":
        """None: it goes by itself."""
        if newcomer.first is None or newcomer.decided is None or newcomer.publication.differences or newcomer.is_internal:
            return None
        return cls(newcomer, newcomer.decided, newcomer.first)

    @property
    def file(self) -> HeldFile:
        """What it is listed as."""
        publication = self.newcomer.publication
        return HeldFile(publication.filename, publication.file.sha256, publication.file.size)


def enter_together(plain: Sequence[Plain]) -> list[HeldFile]:
    """The rows of the versions, all of one upstream and each of another name; their files, listed by now.

    That nothing was known of the names when they were decided on and nothing is now, their epochs say, and that each row
    is the first of its kind. Raises NotPlain, also when the rule has changed since.
    """
    try:
        with remembered(is_told=False):
            packages = _packages(plain)
            _write([_Entering(one, packages[one.newcomer.name.full]) for one in plain])
    except IntegrityError:  # somebody else was first with one of them
        raise NotPlain from None
    return [one.file for one in plain]


def _packages(plain: Sequence[Plain]) -> dict[str, Package]:
    """By name, new; the names are locked until the commit. One journey. Raises NotPlain when anything is known of one by now."""
    upstream = plain[0].newcomer.upstream
    registry, texts, light, now = upstream.registry, _texts(), lightly(), statements.moment(timezone.now())
    names = sorted(one.newcomer.name.full for one in plain)
    folded = sorted({one.newcomer.name.folded for one in plain})  # in one order for all who lock several
    asking: list[Statement] = [
        (statements.sharing(LOCK), [upstream.pk]),  # first, as `consult` holds it
        (texts.hold, [registry.workspace_id, _each(folded)]),
        (RULE, [registry.workspace_id]),
        (texts.restricted, [registry.pk, _each(names)]),
        (texts.make, [registry.pk, now, now, _each(names)]),
    ]
    is_there, held, rule, restricted, made = statements.several([*light, *asking])[len(light) :]
    current = {folded: Epochs(epoch, rule_epoch) for folded, epoch in held for (rule_epoch,) in rule}
    if not is_there or restricted or current != {one.newcomer.name.folded: one.decided.epochs for one in plain}:
        raise NotPlain
    return {name: Package(pk=pk, registry=registry, format="npm", name=name, folded=name.lower(), revision=0) for name, pk in made}


class _Entering:
    """One of them with its rows, not yet written."""

    def __init__(self, plain: Plain, package: Package) -> None:
        publication = plain.newcomer.publication
        standing = Standing(origin=Version.Origin.PULLED, is_internal=False)
        self.plain, self.package, self.publication = plain, package, publication
        self.version = new_version(package, publication, SYSTEM, standing)
        self.rendering = first_rendering(plain.decided)

    def writes(self) -> list[Write]:
        """What is written with the version."""
        document, rendering, registry = statement_for(UpstreamDocument), statement_for(Rendering), self.package.registry
        pins = [registry.pk, self.package.name, orjson.dumps(self.plain.first.promises)]
        listed = [Write("listed", LISTED, self.plain.file)] if statements.is_postgresql() else []
        return [
            *pulled_writes(self.package, self.version, ()),
            *beside(self.version, self.plain.newcomer),
            Write("pin", PIN, pins),
            Write("said", document.text, document.values(self.plain.first.document)),
            Write("rendering", rendering.text, rendering.values(self.rendering)),
            *listed,
        ]


def _write(entering: Sequence[_Entering]) -> None:
    """Nothing follows in the transaction."""
    if statements.is_postgresql():
        writing = [version_statement(one.version, one.publication.file, one.publication.filename, (), one.writes()) for one in entering]
        statements.several(writing, then_commit=statements.at_once)
        return
    for one in entering:
        behind = [listing(one.rendering, one.plain.file)]
        write_version(one.version, one.publication.file, one.publication.filename, (), one.writes(), behind=behind)
        write_origin(one.version, one.plain.newcomer)


class _Texts(NamedTuple):
    hold: str
    restricted: str
    make: str


@cache
def _texts() -> _Texts:
    """In the spelling of the database: a set of names is one value in both."""
    if statements.is_postgresql():
        each, number, moment = "(SELECT unnest(%s::text[]) AS name) one", "%s::bigint", "%s::timestamptz"
    else:
        each, number, moment = "(SELECT value AS name FROM json_each(%s)) one", "%s", "%s"
    return _Texts(*(text.format(each=each, number=number, moment=moment) for text in (HOLD, RESTRICTED, MAKE)))


def _each(names: Iterable[str]) -> object:
    return list(names) if statements.is_postgresql() else orjson.dumps(list(names)).decode()
