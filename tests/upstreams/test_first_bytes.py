"""First bytes win, also where they come by another way than before."""

import json

import pytest

from registries.services import Changes
from tests.npm.outside import connect
from tests.npm.team import Team
from tests.parts.pack import pack
from tests.parts.recorder import Recorder
from tests.upstreams.row import Row
from upstreams.models import Upstream
from upstreams.services.removal import unpublish_version
from upstreams.services.settings import change_registry
from upstreams.services.sources import change_upstream, create_upstream
from upstreams.services.wishes import UpstreamWish
from workspaces.models import Event


@pytest.fixture
def row(team: Team, recorder: Recorder, loopback: None) -> Row:
    """main -> shared -> public."""
    made = Row(team)
    made.registry("shared")
    made.link("main", "shared")
    connect(team, recorder)
    Upstream.objects.filter(name="public").update(registry=made.registries["shared"])
    return made


def test_bytes_seen_first_win_over_a_chain_too(row: Row, recorder: Recorder, other_recorder: Recorder) -> None:
    """main saw left@1.0.0 at a source of its own before it was chained to one that has other bytes."""
    alice, shared = row.team.actor("alice"), Upstream.objects.get(name="shared")
    change_upstream(actor=alice, upstream=shared, changes={"enabled": False})
    own = create_upstream(actor=alice, registry=row.registries["main"], wish=UpstreamWish(name="own", url=other_recorder.url))
    other_recorder.offer(pack("left", text="one"))
    recorder.offer(pack("left", text="two"))
    recorder.add("left", "1.1.0")
    assert row.versions("left") == ["1.0.0"]
    row.install("left", at="shared")
    row.install("left", "1.1.0", at="shared")
    change_upstream(actor=alice, upstream=own, changes={"enabled": False})
    change_upstream(actor=alice, upstream=shared, changes={"enabled": True})
    shown = row.send("GET", "/left").json()["versions"]
    assert "1.1.0" in shown
    assert pack("left", text="two").integrity not in json.dumps(shown)
    assert row.send("GET", "/left/-/left-1.0.0.tgz").status_code == 502
    assert Event.objects.filter(action="alert.integrity_changed", object__contains="main npm left").exists()
    assert "main" not in row.held("left")


def test_a_number_that_was_the_teams_own_is_not_taken_from_a_source(row: Row, recorder: Recorder) -> None:
    alice, main = row.team.actor("alice"), row.registries["main"]
    change_registry(actor=alice, registry=main, changes=Changes(internal=False))
    row.publish("left", at="main")
    unpublish_version(actor=alice, registry=main, format="npm", name="left", version="1.0.0")
    recorder.offer(pack("left", text="theirs"))
    answer = row.send("GET", "/left/-/left-1.0.0.tgz")
    assert (answer.status_code, answer.json()["code"]) == (502, "upstream_integrity_mismatch")
    assert "main" not in row.held("left")
