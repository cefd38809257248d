"""Let a recorder take publishes in, as a registry does: checked, kept, answered 201, and 409 when the number is taken."""

import base64
import json
from collections.abc import Callable
from functools import partial

from tests.parts.pack import Packed
from tests.parts.recorder import Handler, Recorder


def take_publishes(recorder: Recorder, *, of: str = "*") -> None:
    """From now on; `of` is one name or all."""
    recorder.misbehave(of, partial(_answer, recorder))


def _answer(recorder: Recorder, handler: Handler, answer: Callable[[], None]) -> None:
    if handler.command != "PUT":
        answer()
        return
    seen = next(one for one in reversed(list(recorder.seen)) if one.method == "PUT")
    document = json.loads(seen.body)
    ((version, manifest),) = document["versions"].items()
    ((attachment, entry),) = document["_attachments"].items()
    tarball = base64.b64decode(entry["data"], validate=True)
    packed = Packed(document["name"], version, {key: value for key, value in manifest.items() if key != "dist"}, tarball)
    assert (attachment, entry["length"]) == (f"{packed.name}-{version}.tgz", len(tarball))
    assert (manifest["dist"]["integrity"], manifest["dist"]["shasum"]) == (packed.integrity, packed.shasum)
    offered = recorder.offers.get(packed.name)
    if offered is not None and version in offered.versions:
        handler.send(409, b'{"error":"taken"}')
        return
    for tag in document["dist-tags"]:
        recorder.offer(packed, tag=tag)
    handler.send(201, b'{"ok":true}')
