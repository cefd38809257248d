"""A registry in which one name is internal in one way, and others are plainly public."""

from typing import Self

from tests.parts.gate import Gate
from tests.parts.recorder import Recorder
from tests.rule_live.everywhere import WAYS, Way, World

NAMES = ("@acme/secret-sauce", "secret-sauce")
WORD, CONTROL = "secret-s", "plainly-p"  # a leak by any path holds it, also that of a part


class Cells:
    """One way of being internal, made once for a name; its paths share it."""

    def __init__(self, gate: Gate, name: str, way: Way) -> None:
        self.name, self.way = name, way
        self.public, self.partner = Recorder(), Recorder()
        self.place = gate.workspace()
        self._gate, self._numbers = gate, iter(range(1000))

    def __enter__(self) -> Self:
        """Let the public upstream have the name in a higher version, and make the name internal."""
        self.public.__enter__()
        self.partner.__enter__()
        self.place.upstream(self.public)
        world = World(self.place, self.public, self.partner)
        world.open(self.place)
        if WAYS["ticked by a person"] is not self.way:
            self.public.add(self.name, "1.0.0", "99.0.0")
        self.way.make(world, self.name)
        assert not self.public.mentions(WORD), "it was asked while the stage was set"
        self.public.add(self.name, "1.0.0", "99.0.0")
        return self

    def control(self) -> str:
        """A public name nobody has asked for."""
        name = f"{CONTROL}ublic-{next(self._numbers)}"
        self.public.add(name, "1.0.0", "98.7.6")
        return name

    def __exit__(self, *_: object) -> None:
        """End both recorders."""
        self.public.stop()
        self.partner.stop()
