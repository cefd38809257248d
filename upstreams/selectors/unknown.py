"""The one statement of the path for names nobody has seen: caller, registry, epochs, and whether anything is known of the name.

Put on the event loop, by the hot path's reader. What the rule knows whatever the name (Ground) is read in a thread and kept as
long as its epoch, for a moment.
"""

import time
from dataclasses import dataclass
from datetime import datetime

from registries.models import Registry
from upstreams.selectors.facts import EPOCHS, Epochs, Ground
from upstreams.selectors.hot import CALLER, Row, read_row
from upstreams.selectors.readers import Reader
from workspaces import statements

KNOWN = (
    "EXISTS(SELECT 1 FROM packages_package p JOIN registries_registry h ON h.id = p.registry_id"
    " WHERE h.workspace_id = w.id AND p.format = 'npm' AND p.folded = {p})"
    " OR EXISTS(SELECT 1 FROM packages_tombstone b WHERE b.workspace_id = w.id AND b.format = 'npm' AND b.name = {p})"
    " OR EXISTS(SELECT 1 FROM packages_retiredversion v WHERE v.registry_id = r.id AND v.format = 'npm' AND v.name = {p})"
    " OR EXISTS(SELECT 1 FROM upstreams_pin i WHERE i.registry_id = r.id AND i.format = 'npm' AND i.name = {p})"
    " OR EXISTS(SELECT 1 FROM upstreams_rendering g WHERE g.registry_id = r.id AND g.format = 'npm' AND g.name = {p})"
    " OR EXISTS(SELECT 1 FROM upstreams_upstreamdocument d JOIN upstreams_upstream u ON u.id = d.upstream_id"
    " WHERE u.registry_id = r.id AND d.name = {p})"
)
STATEMENT = (
    f"SELECT {CALLER}, FALSE, NULL, COALESCE(e.epoch, 0), w.rule_epoch, {KNOWN}"  # noqa: S608 - constants only
    " FROM registries_registry r JOIN workspaces_workspace w ON w.id = r.workspace_id"
    " LEFT JOIN packages_nameepoch e ON e.workspace_id = w.id AND e.format = 'npm' AND e.name = {p}"
    " LEFT JOIN tokens_token t ON t.secret_hash = {p}"
    " LEFT JOIN workspaces_user u ON u.id = t.owner_id"
    " LEFT JOIN workspaces_membership m ON m.user_id = t.owner_id AND m.workspace_id = w.id"
    " WHERE w.slug = {p} AND r.slug = {p}"
)
SAID = "EXISTS(SELECT 1 FROM upstreams_upstreamdocument d WHERE d.upstream_id = {p} AND d.name = {p})"
LIFE = 1.0  # seconds a ground is kept: of its epoch nothing in it changes but words, and a database that was put back may repeat itself
MOST = 256  # grounds kept


@dataclass(frozen=True)
class Unknown:
    """A name of which nothing is known: who asks, where, and when that was so."""

    row: Row
    epochs: Epochs


class Unknowns:
    """The statement in the spelling of one database."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        epochs = EPOCHS.replace("%s", "{p}")
        unasked = epochs.replace("SELECT ", f"SELECT {SAID}, ", 1)
        self._statement, self._unasked, self._epochs = (reader.spelt(text) for text in (STATEMENT, unasked, epochs))

    async def look(self, key: tuple[str, str, str], secret_hash: str, ip: str, now: datetime) -> Unknown | None:
        """`key`: workspace, registry, name. None when anything is known of it, or the credentials are not plainly good.

        Raises DatabaseTrouble.
        """
        workspace, registry, name = key
        folded = name.lower()
        values = (folded, folded, name, name, name, name, folded, secret_hash, workspace, registry)
        found = await self._reader.rows(self._statement, values)
        row = read_row(found[0], secret_hash, ip, now) if found else None
        if row is None:
            return None
        name_epoch, rule_epoch, is_known = row.found
        return None if is_known else Unknown(row, Epochs(name_epoch, rule_epoch))

    async def epochs(self, workspace_id: int, folded: str) -> Epochs | None:
        """Those of this moment. Raises DatabaseTrouble."""
        found = await self._reader.rows(self._epochs, ("npm", folded, workspace_id))
        return Epochs(*found[0]) if found else None

    async def unasked(self, workspace_id: int, folded: str, upstream_id: int, name: str) -> Epochs | None:
        """The same while nothing is known of what the upstream says of the name. Raises DatabaseTrouble."""
        found = await self._reader.rows(self._unasked, (upstream_id, name, "npm", folded, workspace_id))
        return Epochs(*found[0][1:]) if found and not found[0][0] else None


@dataclass(frozen=True)
class Place:
    """A registry with what the rule knows of its workspace whatever the name, as of one epoch."""

    registry: Registry
    ground: Ground


class Places:
    """Those of a process, each kept for a moment."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, int], tuple[float, Place]] = {}

    def kept(self, registry_id: int, rule_epoch: int) -> Place | None:
        """What was read of that epoch a moment ago."""
        until, place = self._kept.get((registry_id, rule_epoch), (0.0, None))
        return place if time.monotonic() < until else None

    def read(self, registry_id: int, rule_epoch: int) -> Place | None:
        """As it is now, unless the epoch is another. In a thread that may wait for the database."""
        registry = Registry.objects.select_related("workspace").filter(pk=registry_id).first()
        if registry is None:
            return None
        whose = registry.workspace_id
        epochs, claims, upstreams = statements.several([(EPOCHS, ["npm", "", whose]), *Ground.asking(whose, "npm")])
        if not epochs or epochs[0][1] != rule_epoch:
            return None
        place = Place(registry, Ground.made(whose, claims, upstreams))
        if len(self._kept) >= MOST:
            self._kept.clear()
        self._kept[registry_id, rule_epoch] = time.monotonic() + LIFE, place
        return place
