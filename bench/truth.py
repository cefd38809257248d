"""Whether an answer is right, before its speed means anything: compared with what the upstream stand-in has."""

import base64
import gzip
import hashlib
import json
import re
from typing import Any
from urllib.parse import unquote

from bench.upstream import Upstream

STRICT = re.compile(r"\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?")  # ancient packages have others ("1.0.0beta"), which no client takes


class Wrong(Exception):
    """A server's answer is not what it should be; nothing is measured."""


def check(who: str, path: str, body: bytes, upstream: Upstream, *, is_packed: bool) -> None:
    """`path` below the registry. A tarball must be the very bytes, a document have the same versions with the same digests."""
    known = upstream.body(unquote(path))
    if known is None:  # a package published here: the server's own
        return
    if "/-/" in path:
        if hashlib.sha512(body).digest() != hashlib.sha512(known.content).digest():
            raise Wrong(f"{who}: {path} has other bytes than upstream")
        return
    said, meant = _digests(gzip.decompress(body) if is_packed else body), _digests(gzip.decompress(known.content))
    if said != meant:
        odd = sorted(set(said.items()) ^ set(meant.items()))[:3]
        raise Wrong(f"{who}: {path} lists {len(said)} versions, upstream {len(meant)}; they differ in {odd}")


def integrity_of(body: bytes) -> str:
    """The SRI of a tarball."""
    return "sha512-" + base64.b64encode(hashlib.sha512(body).digest()).decode()


def _digests(document: bytes) -> dict[str, str]:
    read: dict[str, Any] = json.loads(document)
    return {
        version: manifest.get("dist", {}).get("shasum", "")
        for version, manifest in read.get("versions", {}).items()
        if STRICT.fullmatch(version)
    }
