"""What is asked: addresses (below the registry's own), headers, and whether the asker already has the answer."""

from dataclasses import dataclass

from bench import packages

FULL, ABBREVIATED, ANY = "application/json", "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*", "*/*"


@dataclass(frozen=True)
class Case:
    """One line of the table."""

    title: str
    paths: tuple[str, ...]
    accept: str = FULL
    is_conditional: bool = False

    @property
    def key(self) -> str:
        """The title as a file name."""
        return "".join(letter if letter.isalnum() else "-" for letter in self.title.lower())

    @property
    def is_metadata(self) -> bool:
        """Whether the answer is JSON, which is sent compressed."""
        return not self.paths[0].endswith(".tgz")


def tarball(name: str, version: str = "1.0.0") -> str:
    """The address of a tarball below a registry."""
    return f"{name}/-/{name.rpartition('/')[2]}-{version}.tgz"


MIXED = packages.MIXED
SMALL_METADATA = Case("small metadata, abbreviated", (packages.SMALL,), ABBREVIATED)
HEAVY = Case("10 MB tarball", (tarball(packages.HEAVY),), ANY)
CASES = (
    SMALL_METADATA,
    Case("small metadata, full", (packages.SMALL,)),
    Case("200 packages mixed, full", MIXED),
    Case("large metadata, abbreviated", (packages.LARGE,), ABBREVIATED),
    Case("large metadata, full", (packages.LARGE,)),
    Case("304, small", (packages.SMALL,), is_conditional=True),
    Case("304, large", (packages.LARGE,), is_conditional=True),
    Case("private package, full", (packages.PRIVATE.replace("/", "%2f"),)),
    Case("small tarball", (tarball(packages.SMALL),), ANY),
    Case("200 tarballs mixed", tuple(tarball(name) for name in MIXED), ANY),
    HEAVY,
)
