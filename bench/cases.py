"""What is asked: addresses (below the registry's own), headers, and whether the asker already has the answer."""

from dataclasses import dataclass

from bench import packages
from bench.chosen import Chosen

FULL, ABBREVIATED, ANY = "application/json", "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*", "*/*"
SMALL, HEAVY = "small metadata", "10 MB tarball"  # titles that other parts of the run ask for too


@dataclass(frozen=True)
class Case:
    """One line of the table."""

    title: str
    paths: tuple[str, ...]
    accept: str = ABBREVIATED
    is_conditional: bool = False

    @property
    def key(self) -> str:
        """The title as a file name."""
        return "".join(letter if letter.isalnum() else "-" for letter in self.title.lower())

    @property
    def is_metadata(self) -> bool:
        """Whether the answer is JSON, which is sent compressed."""
        return not self.paths[0].endswith(".tgz")


def cases(chosen: Chosen) -> tuple[Case, ...]:
    """The reading lines, in the table's order. Scoped names are asked as npm asks them."""
    small, short, full = (spelt(name) for name in (chosen.small, chosen.large_short, chosen.large_full))
    return (
        Case(SMALL, (small,)),
        Case("200 packages mixed", tuple(spelt(name) for name in chosen.mixed)),
        Case("large metadata, abbreviated", (short,)),
        Case("large metadata, full", (full,), FULL),
        Case("304, small", (small,), is_conditional=True),
        Case("304, large", (short,), is_conditional=True),
        Case("private package", (spelt(packages.PRIVATE),)),
        Case("small tarball", (chosen.tarball(chosen.small),), ANY),
        Case("200 tarballs mixed", tuple(chosen.tarball(name) for name in chosen.mixed), ANY),
        Case(HEAVY, (f"{packages.HEAVY}/-/{packages.HEAVY}-1.0.0.tgz",), ANY),
    )


def spelt(name: str) -> str:
    """A package's name as npm writes it into an address."""
    return name.replace("/", "%2f")
