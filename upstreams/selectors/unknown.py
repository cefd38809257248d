"""What the path for names nobody has seen looks at before each question, on the event loop, by the hot path's reader.

What the rule knows whatever the name (Ground) is read in a thread and kept as long as its epoch, for a moment.
"""

import time
from dataclasses import dataclass

from registries.models import Registry
from upstreams.selectors.facts import EPOCHS, Epochs, Ground
from upstreams.selectors.hot import Row
from upstreams.selectors.readers import Reader
from workspaces import statements

SAID = "EXISTS(SELECT 1 FROM upstreams_upstreamdocument d WHERE d.upstream_id = {p} AND d.name = {p})"
LIFE = 1.0  # seconds a ground is kept: of its epoch nothing in it changes but words, and a database that was put back may repeat itself
MOST = 256  # grounds kept


@dataclass(frozen=True)
class Unknown:
    """A name of which the hot path's statement found nothing at all: who asks, where, and when that was so."""

    row: Row
    epochs: Epochs


class Unknowns:
    """The statements in the spelling of one database."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        epochs = EPOCHS.replace("%s", "{p}")
        unasked = epochs.replace("SELECT ", f"SELECT {SAID}, ", 1)
        self._unasked, self._epochs = (reader.spelt(text) for text in (unasked, epochs))

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
