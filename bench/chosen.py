"""Which packages the lines of the table ask for: real ones of the kept application, or made-up ones where nothing could be kept."""

import gzip
from dataclasses import dataclass

from bench import packages
from bench.closure import Closure
from bench.kept import Kept

SMALL = ("once", "wrappy", "inherits", "isexe")  # the first that the application has: a handful of versions, a few KB
LARGE_SHORT, LARGE_FULL = "typescript", "@types/node"
MANY = 200


@dataclass(frozen=True)
class Chosen:
    """Names for the lines, versions for their tarballs, and a sentence saying what they are."""

    small: str
    mixed: tuple[str, ...]
    large_short: str
    large_full: str
    versions: dict[str, str]
    told: str

    def tarball(self, name: str) -> str:
        """The address of a package's tarball below a registry."""
        return f"{name}/-/{name.rpartition('/')[2]}-{self.versions.get(name, '1.0.0')}.tgz"


def made_up(why: str) -> Chosen:
    """The packages of bench/packages.py."""
    told = f"Made-up packages ({why}): five small versions, 200 such packages, {packages.VERSIONS} versions in one document."
    return Chosen(packages.SMALL, packages.MIXED, packages.LARGE, packages.LARGE, {}, told)


def real(closure: Closure, kept: Kept) -> Chosen:
    """The application's: a small one, the 200 in the middle by the size of their document, the two largest kinds."""
    versions = closure.versions
    here = [name for name, version in versions.items() if kept.file(f"{name}/-/{name.rpartition('/')[2]}-{version}.tgz")]
    sizes = {name: len(gzip.decompress(found)) for name in here if (found := kept.document(name))}  # not those of other platforms
    small = next(name for name in SMALL if name in sizes)
    ranked = sorted(sizes, key=lambda name: (sizes[name], name))
    begin = max(0, (len(ranked) - MANY) // 2)
    mixed = tuple(sorted(ranked[begin : begin + MANY]))
    short, full = (name if name in sizes else packages.LARGE for name in (LARGE_SHORT, LARGE_FULL))
    parts = [f"small is {small} ({sizes[small]:,} bytes in full)"]
    parts += [f"200 mixed have {min(sizes[one] for one in mixed):,} to {max(sizes[one] for one in mixed):,} bytes in full"]
    parts += [f"large is {short} ({sizes.get(short, 0):,} bytes) abbreviated and {full} ({sizes.get(full, 0):,} bytes) in full"]
    told = f"Real packages, of an application that installs {len(versions)}: {', '.join(parts)}; 10 MB and private ones are made up."
    return Chosen(small, mixed, short, full, versions, told)
