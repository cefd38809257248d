"""Small projects on disk to publish and install from."""

import json
from pathlib import Path

from tests.parts.clients import Client


def write_package(folder: Path, name: str, version: str = "1.0.0", **fields: object) -> Path:
    """A project to publish or install from."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = {"name": name, "version": version, "description": "made by a test", "main": "index.js", "license": "UNLICENSED", **fields}
    (folder / "package.json").write_text(json.dumps(manifest), encoding="utf-8")
    (folder / "index.js").write_text(f"module.exports = '{name}@{version}'\n", encoding="utf-8")
    (folder / "README.md").write_text(f"# {name}\n", encoding="utf-8")
    return folder


def publish(client: Client, name: str, version: str = "1.0.0", *words: str, **fields: object) -> None:
    """`npm publish` of a package made up on the spot."""
    folder = write_package(client.home / f"publish-{name.replace('/', '-')}-{version}", name, version, **fields)
    client.run("publish", *words, cwd=folder)


def loaded(client: Client, name: str) -> str:
    """What `require(name)` gives in the client's project: the proof that the bytes arrived."""
    return (client.project / "node_modules" / name / "index.js").read_text(encoding="utf-8").strip()
