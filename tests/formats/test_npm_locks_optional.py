"""What a lock file marks as optional, or what is so by who asks for it: nobody has to have it."""

import json

import pytest

from packages.formats.npm.locks import read_lock
from tests.formats.test_npm_locks import AT, PNPM5


def yarn_1(*blocks: str) -> str:
    return "# yarn lockfile v1\n\n" + "\n".join(blocks)


def block(heads: str, version: str, *lines: str) -> str:
    name = heads.partition("@")[0]
    return f'{heads}:\n  version "{version}"\n  resolved "{AT}/{name}/-/x-{version}.tgz#a"\n' + "".join(f"{line}\n" for line in lines)


MAYBE, NEEDS = "  optionalDependencies:", "  dependencies:"
NPM_PLACES = {
    "node_modules/both": {"version": "1.0.0", "optional": True},
    "node_modules/a/node_modules/both": {"version": "1.0.0"},
    "node_modules/only": {"version": "1.0.0", "optional": True},
    "node_modules/a/node_modules/only": {"version": "1.0.0", "optional": True},
    "node_modules/for-tests": {"version": "1.0.0", "devOptional": True},
    "node_modules/said": {"version": "1.0.0", "optional": "yes"},
}
PNPM_OPTIONAL = """lockfileVersion: '9.0'
packages:
  both@1.0.0:
    resolution: {integrity: sha512-abc==}
  only@1.0.0:
    resolution: {integrity: sha512-abc==}
    os: [aix]
  own@1.0.0:
    resolution: {integrity: sha512-abc==}
snapshots:
  both@1.0.0(react@18.0.0):
    optional: true
  both@1.0.0:
    dependencies: {own: 1.0.0}
  only@1.0.0(react@18.0.0):
    optional: true
  only@1.0.0:
    optional: true
"""
BERRY_OPTIONAL = """__metadata:
  version: 6
"app@workspace:.":
  resolution: "app@workspace:."
  dependencies:
    own: ^1.0.0
    only: ^1.0.0
  dependenciesMeta:
    only:
      optional: true
"only@npm:^1.0.0, only@npm:~1.0.0":
  version: 1.0.0
  resolution: "only@npm:1.0.0"
  dependencies:
    alias: "npm:deep@^1.0.0"
"own@npm:^1.0.0":
  version: 1.0.0
  resolution: "own@npm:1.0.0"
  dependencies:
    both: "npm:^1.0.0"
    only: ~1.0.0
  dependenciesMeta:
    only:
      optional: true
"alias@npm:deep@^1.0.0":
  version: 1.0.0
  resolution: "deep@npm:1.0.0"
  dependencies:
    both: ^1.0.0
"both@npm:^1.0.0":
  version: 1.0.0
  resolution: "both@npm:1.0.0"
"""
MARKED = {
    "npm 3: in every place": (json.dumps({"lockfileVersion": 3, "packages": NPM_PLACES}), {"only"}),
    "npm 1": (
        json.dumps({"lockfileVersion": 1, "dependencies": {"a": {"version": "1.0.0"}, "only": {"version": "1.0.0", "optional": True}}}),
        {"only"},
    ),
    "pnpm 7": (PNPM5.replace("    dev: false", "    optional: true"), {"@acme/http"}),
    "pnpm 10: with every peer": (PNPM_OPTIONAL, {"only"}),
    "yarn 3": (BERRY_OPTIONAL, {"only", "deep"}),
    "yarn 1: and what it needs alone": (
        yarn_1(
            block("own@^1", "1.0.0", NEEDS, "    both 1", MAYBE, '    only "^1"'),
            block('only@^1, "only@>=1 <2"', "1.0.0", NEEDS, "    both 1", "    deep 1"),
            block("another@1", "1.0.0", MAYBE, '    only ">=1 <2"'),
            block("both@1", "1.0.0"),
            block("deep@1", "1.0.0"),
        ),
        {"only", "deep"},
    ),
    "yarn 1: one range is the project's own": (
        yarn_1(block("own@^1", "1.0.0", MAYBE, '    only "^1"'), block("only@^1, only@~1", "1.0.0")),
        set(),
    ),
    "yarn 1: a ring is not optional by itself": (
        yarn_1(block("one@1", "1.0.0", NEEDS, "    two 1"), block("two@1", "1.0.0", NEEDS, "    one 1")),
        set(),
    ),
    "yarn 1: named in both lists": (
        yarn_1(block("own@^1", "1.0.0", NEEDS, "    only 1", MAYBE, "    only 1"), block("only@1", "1.0.0")),
        {"only"},
    ),
}


@pytest.mark.parametrize("case", MARKED)
def test_what_is_optional_in_a_lock_file(case: str) -> None:
    text, expected = MARKED[case]
    assert {one.name for one in read_lock(text.encode()) if one.is_optional} == expected
