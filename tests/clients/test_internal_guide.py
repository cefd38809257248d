"""docs/guide/internal-packages.md: its two commands do what it says, and what it says makes a name internal does."""

import json
import re
import shlex
from collections.abc import Callable

import pytest

from tests.parts import ROOT
from tests.parts.gate import Gate, Place
from tests.parts.pack import pack
from tests.parts.recorder import Recorder

GATE = pytest.mark.parametrize("gate", ["sqlite"], indirect=True)
GUIDE = (ROOT / "docs" / "guide" / "internal-packages.md").read_text(encoding="utf-8")
EXPLAIN, CLAIM = re.findall(r"^```\n(.*?)```", GUIDE, re.DOTALL | re.MULTILINE)
ROWS = re.findall(r"^\| (a |an |another |its )", GUIDE, re.MULTILINE)


def published(place: Place, outer: Recorder) -> str:
    place.publish(pack("own-thing"))
    return "own-thing"


def beside(place: Place, outer: Recorder) -> str:
    place.second().publish(pack("beside"))
    return "beside"


def claimed(place: Place, outer: Recorder) -> str:
    words = shlex.split(CLAIM.replace("\\\n", " "))
    body = json.loads(words[words.index("-d") + 1])
    address = words[-1].partition("/api/v1/")[2].replace("WORKSPACE", place.slug)
    assert place.api().post(f"/api/v1/{address}", body).status == 201
    return "@acme/not-there-yet"


def patterned(place: Place, outer: Recorder) -> str:
    place.upstream(outer, "partner", internal=True, patterns=["@partner/*"], enabled=False)
    return "@partner/thing"


def answered(place: Place, outer: Recorder) -> str:
    partner = place.upstream(outer, "partner", internal=True, priority=1)
    outer.add("heard-of")
    assert place.as_("rita").get("/heard-of").status == 200
    assert place.api().delete(f"{place.rest}upstreams/{partner['id']}/").status == 204
    return "heard-of"


def deleted(place: Place, outer: Recorder) -> str:
    place.publish(pack("gone"))
    assert place.api().delete(f"{place.rest}packages/npm/gone/").status == 204
    return "gone"


CAUSES = (published, beside, claimed, patterned, answered, deleted)


def test_each_row_has_its_cause() -> None:
    assert len(ROWS) == len(CAUSES)


@GATE
@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.__name__)
def test_what_makes_a_name_internal(
    gate: Gate, place: Place, recorder: Recorder, other_recorder: Recorder, cause: Callable[[Place, Recorder], str]
) -> None:
    place.upstream(recorder, "public")
    name = cause(place, other_recorder)
    recorder.add(name, "99.0.0")
    recorder.forget()
    other_recorder.forget()
    words = EXPLAIN.strip().replace("WORKSPACE/REGISTRY", f"{place.slug}/main").replace("NAME", name).split()
    said = gate.server.manage(*words[2:])
    assert said.startswith(f"{name}: internal"), said
    assert not recorder.mentions(name)
    assert not other_recorder.mentions(name)
    place.as_("rita").get(f"/{name.replace('/', '%2f')}")
    place.as_("rita").get(f"/{name}/-/{name.rpartition('/')[2]}-99.0.0.tgz")
    assert not recorder.mentions(name), "the public source was asked"
