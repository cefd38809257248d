"""How a version of a module enters a registry: under the name's lock, as the rule still says, with its origin and event."""

from dataclasses import dataclass

from django.utils import timezone

from packages.formats.moonbit.names import Name
from packages.formats.publication import Publication
from packages.models import Package, Version
from packages.services.epochs import hold_name
from packages.services.publish import Standing, add_version
from registries.models import Registry
from upstreams.errors import RuleChanged, UpstreamIntegrityMismatch
from upstreams.models import Origin, Upstream
from upstreams.selectors.facts import Epochs, current_epochs
from upstreams.services.entry import PACKAGE, lift
from upstreams.services.modules.pins import FORMAT, sri
from workspaces import reading, statements
from workspaces.insertion import insert
from workspaces.services.audit import SYSTEM, record

RETIRED_ONE = "SELECT id FROM packages_retiredversion WHERE registry_id = %s AND format = 'moonbit' AND name = %s AND version = %s"


@dataclass(frozen=True, kw_only=True)
class Newcomer:
    """A version that comes into `registry` from `upstream`; its bytes are stored already. `epochs`: those of the decision."""

    registry: Registry
    upstream: Upstream
    name: Name
    publication: Publication
    is_internal: bool
    is_yanked: bool
    address: str
    epochs: Epochs


def enter(newcomer: Newcomer) -> None:
    """The rows of the version, unless the rule has changed since the decision. In the caller's transaction.

    Raises RuleChanged, UpstreamIntegrityMismatch.
    """
    registry, name, publication = newcomer.registry, newcomer.name, newcomer.publication
    hold_name(registry.workspace_id, FORMAT, name.folded)  # until the commit: no toggle slips in between
    if current_epochs(registry, FORMAT, name.folded) != newcomer.epochs:
        raise RuleChanged("The rules for this module changed just now; try again.", retry_after=1)
    _refuse_retired(newcomer)
    now = statements.moment(timezone.now())
    pk, revision = statements.row(PACKAGE, [registry.pk, FORMAT, name.full, name.folded, now, now]) or (None, 0)
    package = Package(pk=pk, registry=registry, format=FORMAT, name=name.full, folded=name.folded, revision=revision)
    held = reading.first(Version, "WHERE t.package_id = %s AND t.version = %s", [pk, publication.version])
    if held is not None:
        if newcomer.is_internal:
            lift(package, held, publication.file.integrity, newcomer.upstream)
        return
    standing = Standing(origin=Version.Origin.PULLED, is_internal=newcomer.is_internal)
    version = add_version(package, publication, SYSTEM, standing)
    if newcomer.is_yanked:
        Version.objects.filter(pk=version.pk).update(is_yanked=True)
    insert(Origin(version=version, upstream=newcomer.upstream, upstream_name=newcomer.upstream.name, address=newcomer.address))
    subject = f"{registry} moonbit {name.full}@{version.version}"
    new = {"upstream": newcomer.upstream.name, "internal": newcomer.is_internal, "integrity": sri(publication.file.sha256)}
    record(SYSTEM, "version.pulled", subject, workspace=registry.workspace_id, new=new)


def _refuse_retired(newcomer: Newcomer) -> None:
    """A number that was the team's own here once is not given out again. Raises UpstreamIntegrityMismatch."""
    registry, name, version = newcomer.registry, newcomer.name.full, newcomer.publication.version
    if statements.row(RETIRED_ONE, [registry.pk, name, version]) is not None:
        raise UpstreamIntegrityMismatch(
            f"{name}@{version} was published in {registry} and deleted; its number is not given out again.", upstream=newcomer.upstream.name
        )
