"""The packages everybody serves: a small one, two hundred like it, one with 4,000 versions, one of 10 MB."""

import base64
import random
from typing import Any

from tests.parts.pack import Packed, pack

SMALL, LARGE, HEAVY, PRIVATE = "bench-small", "bench-large", "bench-heavy", "@bench/private"
MIXED = tuple(f"bench-mixed-{number}" for number in range(200))
VERSIONS = 4000  # about 8 MB of JSON, as the largest public packages have
HEAVY_BYTES = 10_000_000
SEED = 7  # the same bytes in every run

Document = dict[str, Any]


def packument(name: str, versions: dict[str, Document], tarballs: str) -> Document:
    """A full document as the public registries send it; `tarballs` is the address of whoever sends it."""
    times = {version: f"2023-{number % 12 + 1:02d}-{number % 28 + 1:02d}T00:00:00.000Z" for number, version in enumerate(versions)}
    for version, manifest in versions.items():
        manifest["dist"]["tarball"] = f"{tarballs}/{name}/-/{name}-{version}.tgz"
    return {
        "_id": name,
        "_rev": "1-0",
        "name": name,
        "dist-tags": {"latest": list(versions)[-1]},
        "versions": versions,
        "time": {"created": "2023-01-01T00:00:00.000Z", "modified": max(times.values()), **times},
        "maintainers": [{"name": "someone", "email": "someone@example.org"}],
        "readme": f"# {name}\n" * 40,
    }


def small(name: str) -> list[Packed]:
    """Five versions of a few hundred bytes."""
    return [pack(name, f"1.{minor}.0", license="MIT", dependencies={"left": "^1.0.0"}) for minor in range(5)]


def heavy() -> Packed:
    """One version whose tarball cannot be compressed."""
    return pack(HEAVY, "1.0.0", files={"data.bin": random.Random(SEED).randbytes(HEAVY_BYTES)})


def plain_versions(packed: list[Packed]) -> dict[str, Document]:
    """The manifests of packed versions, with what the registry adds."""
    return {one.version: {**one.manifest, "dist": {"integrity": one.integrity, "shasum": one.shasum}} for one in packed}


def large_versions() -> dict[str, Document]:
    """4,000 manifests of some 2 KB each, with digests and signatures that do not compress."""
    dice = random.Random(SEED)
    return {f"{number // 100}.{number % 100}.0": _manifest(f"{number // 100}.{number % 100}.0", dice) for number in range(VERSIONS)}


def _manifest(version: str, dice: random.Random) -> Document:
    signature = {"keyid": "SHA256:bench", "sig": base64.b64encode(dice.randbytes(71)).decode()}
    return {
        "name": LARGE,
        "version": version,
        "description": "A language for application-scale development, in this many words and a few more",
        "license": "Apache-2.0",
        "keywords": ["language", "compiler", "types"],
        "repository": {"type": "git", "url": "https://git.example.org/bench/large.git"},
        "bin": {"bl": "bin/bl", "bls": "bin/bls"},
        "engines": {"node": ">=14.17"},
        "main": "./lib/main.js",
        "types": "./lib/main.d.ts",
        "scripts": {f"task-{number}": f"node ./scripts/task-{number}.mjs --quiet" for number in range(8)},
        "dependencies": {f"part-{number}": f"^{dice.randrange(20)}.{dice.randrange(20)}.0" for number in range(3)},
        "devDependencies": {
            f"@bench/tool-{number}": f"^{dice.randrange(20)}.{dice.randrange(40)}.{dice.randrange(9)}" for number in range(20)
        },
        "_npmUser": {"name": "someone", "email": "someone@example.org"},
        "maintainers": [{"name": "someone", "email": "someone@example.org"}, {"name": "another", "email": "another@example.org"}],
        "gitHead": dice.randbytes(20).hex(),
        "dist": {
            "integrity": "sha512-" + base64.b64encode(dice.randbytes(64)).decode(),
            "shasum": dice.randbytes(20).hex(),
            "fileCount": 180,
            "unpackedSize": 30_000_000 + dice.randrange(10**6),
            "signatures": [signature],
        },
    }
