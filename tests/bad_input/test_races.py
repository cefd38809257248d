"""Many writers at once, on both databases and across two worker processes (threats.md P1 to P4)."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.parts.gate import Gate, Place
from tests.parts.pack import Packed, pack, publish_document
from tests.parts.web_client import Answer


def at_once(count: int, work: Callable[[int], Answer]) -> list[Answer]:
    """Run `work(0…count-1)` on as many threads, all released together."""
    barrier = threading.Barrier(count)

    def one(number: int) -> Answer:
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def put(place: Place, packed: Packed) -> Answer:
    """Publish on a connection of its own."""
    return place.as_("bob").request("PUT", f"/{packed.name}", body=publish_document(packed))


def test_two_publishers_of_one_version(place: Place) -> None:
    for number in range(5):
        rivals = [pack(f"contested-{number}", text=str(rival)) for rival in range(2)]
        answers = at_once(2, lambda rival, rivals=rivals: put(place, rivals[rival]))  # type: ignore[misc]
        assert sorted(answer.status for answer in answers) == [201, 409], [str(answer) for answer in answers]
        winner = rivals[[answer.status for answer in answers].index(201)]
        assert place.as_("rita").get(f"/{winner.name}/-/{winner.filename}").body == winner.tarball


def test_twenty_publishers_of_one_version(place: Place, gate: Gate) -> None:
    rivals = [pack("crowded", text=str(rival)) for rival in range(20)]
    before = len(gate.events(place, "version."))
    answers = at_once(20, lambda rival: put(place, rivals[rival]))
    winner = rivals[[answer.status for answer in answers].index(201)]

    assert Counter(answer.status for answer in answers) == {201: 1, 409: 19}
    assert place.as_("rita").get(f"/crowded/-/{winner.filename}").body == winner.tarball
    assert place.as_("rita").get("/crowded").json()["versions"]["1.0.0"]["dist"]["integrity"] == winner.integrity
    assert len(gate.events(place, "version.")) == before + 1


def test_two_owners_removing_each_other_leave_one(gate: Gate) -> None:
    pair = ("alice", "bob")
    for _ in range(5):
        place = gate.workspace()
        members = f"/api/v1/workspaces/{place.slug}/members/"
        assert place.api().patch(f"{members}bob/", {"role": "owner"}).status == 200
        answers = at_once(2, lambda number, place=place, members=members: place.api(pair[number]).delete(f"{members}{pair[1 - number]}/"))  # type: ignore[misc]
        assert min(answer.status for answer in answers) == 204, [str(answer) for answer in answers]
        left = gate.admin.get(members).json()["results"]
        assert len([one for one in left if one["role"] == "owner"]) == 1, left


def test_one_publisher_retrying_the_same_bytes(place: Place) -> None:
    packed = pack("impatient")
    answers = at_once(8, lambda _: put(place, packed))

    assert Counter(answer.status for answer in answers) == {201: 1, 200: 7}


def test_the_first_publishers_of_a_workspace_make_one_signing_key(gate: Gate) -> None:
    for _ in range(3):
        place = gate.workspace()
        answers = at_once(8, lambda number, place=place: put(place, pack(f"first-{number}")))  # type: ignore[misc]
        assert [answer.status for answer in answers] == [201] * 8, [str(answer) for answer in answers]
        assert len(place.as_("rita").get("/-/npm/v1/keys").json()["keys"]) == 1


def test_fifty_publishers_of_fifty_versions(place: Place, gate: Gate) -> None:
    packed = [pack("busy", f"1.{number}.0") for number in range(50)]
    answers = at_once(50, lambda number: put(place, packed[number]))
    assert Counter(answer.status for answer in answers) == {201: 50}, [str(answer) for answer in answers if answer.status != 201][:3]

    document = place.as_("rita").get("/busy").json()
    assert sorted(document["versions"]) == sorted(one.version for one in packed)
    assert document["dist-tags"]["latest"] in document["versions"]
    for one in packed:
        assert place.as_("rita").get(f"/busy/-/{one.filename}").body == one.tarball
    assert len(gate.events(place, "version.published")) == 50


def test_two_writers_on_one_tag(place: Place) -> None:
    for version in ("1.0.0", "2.0.0"):
        place.publish(pack("pulled-both-ways", version))
    answers = at_once(
        20,
        lambda number: place.as_("bob").request(
            "PUT",
            "/-/package/pulled-both-ways/dist-tags/next",
            body=f'"{number % 2 + 1}.0.0"'.encode(),
            headers={"content-type": "application/json"},
        ),
    )

    assert {answer.status // 100 for answer in answers} == {2}
    assert place.as_("rita").get("/-/package/pulled-both-ways/dist-tags").json()["next"] in {"1.0.0", "2.0.0"}


def test_reading_while_publishing_never_names_what_is_not_there(place: Place) -> None:
    place.publish(pack("moving", "1.0.0"))
    broken: list[str] = []
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            document = place.as_("rita").request("GET", "/moving").json()
            newest = document["dist-tags"]["latest"]
            if newest not in document["versions"] or place.as_("rita").get(f"/moving/-/moving-{newest}.tgz").status != 200:
                broken.append(newest)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(1, 12):
        place.publish(pack("moving", f"1.{number}.0"))
    over.set()
    for reader in readers:
        reader.join()

    assert not broken


def test_what_was_acknowledged_survives_a_kill(gate: Gate) -> None:
    place = gate.workspace()
    acknowledged: list[Packed] = []
    over = threading.Event()

    def write() -> None:
        number = 0
        while not over.is_set():
            packed = pack("survivor", f"1.0.{number}")
            try:
                answer = put(place, packed)
            except Exception:  # noqa: BLE001 - the server is being killed
                return
            if answer.status == 201:
                acknowledged.append(packed)
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    while len(acknowledged) < 5:
        over.wait(0.05)
    gate.server.kill()
    over.set()
    writer.join()
    gate.server.serve()

    shown = place.as_("rita").get("/survivor").json()["versions"]
    for packed in acknowledged:
        assert packed.version in shown
        assert place.as_("rita").get(f"/survivor/-/{packed.filename}").body == packed.tarball
    assert set(shown) <= {f"1.0.{number}" for number in range(len(acknowledged) + 1)}
