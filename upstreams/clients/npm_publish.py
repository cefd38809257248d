"""Publishing at an npm registry as `npm publish` does: one PUT with the document, the tarball in it as base64.

The shape is libnpmpublish's (npm 6 to 12 send the same). The tarball is read and encoded while it is sent: a large one
is never in memory whole.
"""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from packages.formats.npm.names import Name
from upstreams.clients.connections import no_check
from upstreams.clients.http import Answer, Target, Upload, put, refuse_status
from upstreams.clients.npm import escaped
from upstreams.errors import UpstreamBadAnswer

PIECE = 3 * 64 * 1024  # bytes encoded at a time: whole groups of base64
FORBIDDEN, CONFLICT = 403, 409  # what registries say of a version that is there already, the second also of a race
REFUSED = frozenset({400, 402, 404, 405, 413, 415, 422})
OURS = frozenset({"dist", "deprecated", "tarball", "_rev"})  # said by whoever keeps the version, not by its manifest
MARK = "the tarball"  # stands for the data, the last text in the document, while the rest is written


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """A version to be published elsewhere: its manifest and its file, with what is promised of the bytes."""

    name: Name
    version: str
    manifest: Mapping[str, Any]
    tags: tuple[str, ...]
    path: Path
    size: int
    integrity: str
    shasum: str
    deprecated: str = ""


def publish_version(target: Target, parcel: Parcel, *, before_send: Callable[[], None] = no_check) -> bool:
    """Publish; False when the upstream says that the number is taken, or that we may not: the caller looks which.

    Raises UpstreamError subclasses, for a refusal with its status.
    """
    head, tail = _around(target, parcel)
    length = len(head) + 4 * -(-parcel.size // 3) + len(tail)

    def pieces() -> Iterator[bytes]:
        yield head
        with parcel.path.open("rb") as file:
            while piece := file.read(PIECE):
                yield b64encode(piece)
        yield tail

    headers = {"content-type": "application/json", "accept": "*/*", "accept-encoding": "identity", "npm-command": "publish"}
    answer = put(target, f"{target.url}/{escaped(parcel.name)}", Upload(length, pieces), headers, before_send=before_send)
    answer.close()
    return _is_taken_in(answer, parcel)


def _is_taken_in(answer: Answer, parcel: Parcel) -> bool:
    if 200 <= answer.status < 300:  # noqa: PLR2004 - HTTP
        return True
    if answer.status in {FORBIDDEN, CONFLICT}:
        return False
    if answer.status in REFUSED:
        sentence = f"Upstream {answer.upstream} refused {parcel.name.full}@{parcel.version} ({answer.status})."
        raise UpstreamBadAnswer(sentence, upstream=answer.upstream)
    raise refuse_status(answer)


def _around(target: Target, parcel: Parcel) -> tuple[bytes, bytes]:
    """The document before and after the tarball's base64."""
    written = orjson.dumps(_document(target, parcel))
    head, _, tail = written.rpartition(MARK.encode())
    return head, tail


def _document(target: Target, parcel: Parcel) -> dict[str, Any]:
    name, version = parcel.name.full, parcel.version
    # As libnpmpublish writes it, with http; every registry makes the address anew when it is asked.
    tarball = f"{target.url}/{name}/-/{parcel.name.tarball(version)}".replace("https://", "http://", 1)
    kept = {key: value for key, value in parcel.manifest.items() if key not in OURS}
    manifest = {
        **kept,
        "_id": f"{name}@{version}",
        "name": name,
        "version": version,
        "dist": {"integrity": parcel.integrity, "shasum": parcel.shasum, "tarball": tarball},
    }
    if parcel.deprecated:
        manifest["deprecated"] = parcel.deprecated
    return {
        "_id": name,
        "name": name,
        "description": kept.get("description", ""),
        "dist-tags": dict.fromkeys(parcel.tags, version),
        "versions": {version: manifest},
        "access": None,
        "_attachments": {
            f"{name}-{version}.tgz": {"content_type": "application/octet-stream", "data": MARK, "length": parcel.size},
        },
    }
