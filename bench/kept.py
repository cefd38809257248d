"""Real packages on disk: what a real installation asked for, fetched once from the configured public registry.

A document is kept in full, gzip-compressed, with a placeholder where its addresses begin; a tarball as it is.
"""

import gzip
import json
import os
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote

import urllib3

HERE = "http://kept.invalid"  # stands for whoever serves the document
PATIENCE = urllib3.Timeout(connect=10, read=60)


class Kept:
    """Documents and tarballs below `folder`. With `outside` (an address) what is missing is fetched and kept."""

    def __init__(self, folder: Path, outside: str = "") -> None:
        self.folder, self.outside = folder, outside
        self._pool = urllib3.PoolManager(maxsize=16)
        folder.mkdir(parents=True, exist_ok=True)

    def document(self, name: str) -> bytes | None:
        """The gzip bytes of a name's full document; None when there is none."""
        return self._stored(f"{name}.json.gz") or self._fetched(name, f"{name}.json.gz")

    def file(self, path: str) -> bytes | None:
        """A tarball by its path (`name/-/name-1.0.0.tgz`)."""
        return self._stored(path) or self._fetched(path, path)

    def _place(self, path: str) -> Path:
        return self.folder / quote(path, safe="@")

    def _stored(self, path: str) -> bytes | None:
        place = self._place(path)
        return place.read_bytes() if place.exists() else None

    def _fetched(self, path: str, kept_as: str) -> bytes | None:
        if not self.outside:
            return None
        asked = f"{self.outside}/{quote(path, safe='@/') if '/-/' in path else quote(path, safe='@')}"
        answer = self._pool.request("GET", asked, headers={"Accept": "application/json, */*"}, timeout=PATIENCE, retries=3)
        if answer.status != 200:  # noqa: PLR2004 - OK
            return None
        body = answer.data if "/-/" in path else gzip.compress(at_home(answer.data), 6, mtime=0)
        with tempfile.NamedTemporaryFile(dir=self.folder, delete=False) as part:
            part.write(body)
        Path(part.name).replace(self._place(kept_as))
        return body


def at_home(document: bytes) -> bytes:
    """A document whose tarballs have the placeholder's addresses."""
    read = json.loads(document)
    for manifest in read.get("versions", {}).values():
        dist = manifest.get("dist", {})
        dist["tarball"] = f"{HERE}/{read['name']}/-/{dist.get('tarball', '').rpartition('/')[2]}"
    return json.dumps(read).encode()


def outside(npm: list[str]) -> str:
    """The public registry this machine is configured for: NPM_UPSTREAM_URL, else npm's own setting. `npm` is the command."""
    if given := os.environ.get("NPM_UPSTREAM_URL", ""):
        return given.rstrip("/")
    return (
        subprocess.run([*npm, "config", "get", "registry"], capture_output=True, text=True, timeout=30, check=True)
        .stdout.strip()
        .rstrip("/")
    )
