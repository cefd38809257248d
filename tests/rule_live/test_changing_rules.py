"""Rules that change while sources are being asked: no old answer is believed, no old document served."""

import threading
import time

from tests.parts.faults import garbage, slow, status
from tests.parts.gate import Gate, Place
from tests.parts.pack import pack
from tests.parts.recorder import Recorder
from tests.parts.web_client import Answer


def upstream_path(place: Place, upstream: dict[str, object]) -> str:
    return f"{place.rest}upstreams/{upstream['id']}/"


def test_an_absence_from_the_old_address_is_not_believed(place: Place, recorder: Recorder, other_recorder: Recorder) -> None:
    with Recorder() as newcomer:
        recorder.add("secret-thing", "6.6.6")
        newcomer.add("secret-thing", "1.0.0")
        other_recorder.misbehave("secret-thing", slow(1.2))  # and then 404: it has no such package
        place.upstream(recorder)
        partner = place.upstream(other_recorder, "partner", internal=True)
        heard: list[Answer] = []
        asker = threading.Thread(target=lambda: heard.append(place.as_("rita").get("/secret-thing")))
        asker.start()
        time.sleep(0.5)
        assert place.api().patch(upstream_path(place, partner), {"url": newcomer.url}).status == 200
        asker.join()
        assert heard[0].status == 200, heard[0]
        assert list(heard[0].json()["versions"]) == ["1.0.0"]
        assert newcomer.asked("secret-thing")
        assert not recorder.asked("secret-thing")


def test_an_upstream_removed_while_it_is_asked_is_no_failure_of_ours(place: Place, recorder: Recorder) -> None:
    recorder.add("slow-thing")
    recorder.misbehave("slow-thing", slow(1.0))
    upstream = place.upstream(recorder)
    heard: list[Answer] = []
    asker = threading.Thread(target=lambda: heard.append(place.as_("rita").get("/slow-thing")))
    asker.start()
    time.sleep(0.4)
    assert place.api().delete(upstream_path(place, upstream)).status == 204
    asker.join()
    assert heard[0].status in {404, 503}, heard[0]


def test_what_was_pulled_before_the_upstream_became_internal_is_lifted(place: Place, recorder: Recorder) -> None:
    packed = recorder.offer(pack("lifted"))
    upstream = place.upstream(recorder)
    rita, tarball = place.as_("rita"), "/lifted/-/lifted-1.0.0.tgz"
    assert rita.get(tarball).body == packed.tarball
    assert place.api().patch(upstream_path(place, upstream), {"internal": True}).status == 200
    assert list(rita.get("/lifted").json()["versions"]) == ["1.0.0"]
    for _ in range(3):
        answer = rita.get(tarball)
        assert (answer.status, answer.body) == (200, packed.tarball), answer
    version = place.api().get(f"{place.rest}packages/npm/lifted/versions/1.0.0/").json()
    assert version["internal"] is True


def test_a_failure_of_an_internal_upstream_is_forgotten_soon(gate: Gate, place: Place, recorder: Recorder) -> None:
    place.publish(pack("both", "1.0.0"))
    recorder.add("both", "2.0.0")
    recorder.misbehave("both", status(500))
    place.upstream(recorder, "partner", internal=True)
    assert place.versions("both") == ["1.0.0"]
    (until,) = gate.execute("SELECT MAX(fresh_until) FROM upstreams_rendering WHERE name = ?", "both")[0]
    assert str(until)[:4] < "2100", "an answer given in spite of trouble must not count for ever"
    recorder.behave()
    gate.grow_old()
    assert place.versions("both") == ["1.0.0", "2.0.0"]


def test_many_first_questions_write_one_tombstone(gate: Gate, place: Place, recorder: Recorder) -> None:
    place.upstream(recorder, "partner", internal=True)
    for number in range(5):
        name = f"fresh-{number}"
        recorder.add(name)
        heard: list[int] = []
        askers = [
            threading.Thread(target=lambda path=path, heard=heard: heard.append(place.as_("rita").get(path).status))
            for path in [f"/{name}", f"/{name}/-/{name}-1.0.0.tgz", f"/{name}/1.0.0"] * 2
        ]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()
        assert heard == [200] * len(askers)
        ask = (
            "SELECT COUNT(*) FROM packages_tombstone t JOIN workspaces_workspace w ON w.id = t.workspace_id WHERE t.name = ? AND w.slug = ?"
        )
        assert gate.execute(ask, name, place.slug) == [(1,)]
        changes = (
            "SELECT epoch FROM packages_nameepoch e JOIN workspaces_workspace w ON w.id = e.workspace_id WHERE e.name = ? AND w.slug = ?"
        )
        assert gate.execute(changes, name, place.slug) == [(1,)], "those who came second made everything old once more"


def test_a_tarball_under_an_odd_name_is_served_again_and_again(place: Place, recorder: Recorder) -> None:
    packed = recorder.offer(pack("oddy"))
    recorder.offer(packed, tarball=f"{recorder.url}/oddy/-/oddy-v1.tgz")
    recorder.misbehave("oddy", garbage(packed.tarball), where="tarball")  # the right bytes under whatever name
    place.upstream(recorder)
    answers = [place.as_("rita").get(path) for path in ["/oddy/-/oddy-v1.tgz"] * 2 + ["/oddy/-/oddy-1.0.0.tgz"]]
    assert [answer.status for answer in answers] == [200] * 3
    assert {answer.body for answer in answers} == {packed.tarball}


def test_metadata_that_cannot_be_written_again_is_a_wrong_answer(place: Place, recorder: Recorder) -> None:
    place.upstream(recorder)
    deep = b'{"name":"deep","versions":{},"x":' + b"[" * 400 + b"]" * 400 + b"}"
    wide = b'{"name":"wide","versions":{},"x":[' + b"{}," * 1_000_001 + b"{}]}"
    for name, body in (("deep", deep), ("wide", wide)):
        recorder.misbehave(name, garbage(body))
        answer = place.as_("rita").get(f"/{name}")
        assert answer.status == 502, answer
        assert answer.json()["code"] == "upstream_bad_answer"


def test_promises_that_are_none_are_not_repeated(place: Place, recorder: Recorder) -> None:
    recorder.offer(pack("promising"), integrity="sha512-\u0000", shasum="zz")
    place.upstream(recorder)
    assert place.as_("rita").get("/promising").status == 200
    answer = place.as_("rita").get("/promising/-/promising-1.0.0.tgz")
    assert (answer.status, answer.json()["code"]) == (502, "upstream_bad_answer")


def test_deleting_a_shadowed_version_frees_its_number(place: Place, recorder: Recorder, other_recorder: Recorder) -> None:
    recorder.offer(pack("contested", text="public"))
    inside = other_recorder.offer(pack("contested", text="partner"))
    place.upstream(recorder)
    rita, tarball = place.as_("rita"), "/contested/-/contested-1.0.0.tgz"
    assert rita.get(tarball).status == 200
    place.upstream(other_recorder, "partner", internal=True)
    assert rita.get(tarball).status == 502, "first bytes win: the number is held by other bytes"
    assert place.api().delete(f"{place.rest}packages/npm/contested/versions/1.0.0/").status == 204
    assert place.as_("rita").get(tarball).body == inside.tarball


def test_other_bytes_of_ours_do_not_take_the_place_of_what_is_shadowed(place: Place, recorder: Recorder) -> None:
    public, ours = recorder.offer(pack("contested", text="public")), pack("contested", text="ours")
    place.upstream(recorder)
    rita, tarball = place.as_("rita"), "/contested/-/contested-1.0.0.tgz"
    assert rita.get(tarball).body == public.tarball
    behind = place.second()
    behind.publish(ours)
    link = {"name": "behind", "kind": "registry", "registry": behind.registry}
    assert place.api().post(f"{place.rest}upstreams/", link).status == 201
    version = f"{place.rest}packages/npm/contested/versions/1.0.0/"
    for _ in range(2):
        answer = rita.get(tarball)
        assert (answer.status, "is shadowed; delete it first" in answer.json()["error"]) == (502, True), answer
        held = place.api().get(version).json()
        assert (held["internal"], held["integrity"]) == (False, public.integrity)
    assert place.api().delete(version).status == 204
    assert rita.get(tarball).body == ours.tarball
