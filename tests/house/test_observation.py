"""The request log and the metrics: whole lines whatever comes in, sums over all processes, nothing secret, nobody unauthorised.

Row R9 of the threats.
"""

import json
import re
import time
from datetime import date
from pathlib import Path

import pytest

from packages.models import Download, Package
from packages.services.downloads import Downloaded, add_downloads
from protocols.hot_lines import hot_batch
from protocols.journal import Answered, Journal, line, protocol_of
from protocols.metrics import exposition, hot_share
from protocols.observation import Intake, Observer
from protocols.tallies import BUCKETS, Sharing, Tallies, everybody, loaded
from registries.models import Registry
from tests.parts.gate import Gate, Place
from tests.parts.pack import pack
from tests.parts.web_client import Caller
from tokens.secrets import new_secret
from workspaces.access import Actor, Grant
from workspaces.models import Workspace

ALICE = Actor(1, "alice", grant=Grant(7, "ci"))
SAMPLE = re.compile(r'[a-z_]+(?:\{(?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)+\})? [0-9.e+-]+')


def answered(**changed: object) -> Answered:
    plain = Answered("id1", 10.0, 10.25, "GET", "/acme/r/main/left", 200, 5, "127.0.0.1", "npm/11.2.1", ALICE)
    return plain._replace(**changed)  # type: ignore[arg-type]


HOSTILE = {
    "line breaks": {"path": "/a\r\n{}\n", "agent": "x\r\nHTTP/1.1 200 OK\n\u2028"},
    "quotes": {"path": '/a","status":999,"x":"', "agent": '"}'},
    "NUL and escapes": {"path": "/a\x00\x1b[2J", "agent": "\x07"},
    "half a pair": {"path": "/\ud800", "agent": "\udfff", "ip": "\ud800"},
    "huge": {"path": "/" + "a" * 100_000, "agent": "b" * 100_000, "method": "M" * 5000},
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_line_stays_one_line_of_json(kind: str) -> None:
    written = line(answered(**HOSTILE[kind]), 0.0)
    assert written.count(b"\n") == 1
    assert written.endswith(b"\n")
    assert len(written) < 2000
    told = json.loads(written)
    assert (told["status"], told["us"], told["who"], told["token"], told["protocol"][:3] != "") == (200, 250_000, "alice", 7, True)


def test_a_hot_line_stays_one_line_too() -> None:
    agents = ["a\r\nb", '"}', "c" * 5000, "\x00"]
    batch = hot_batch([(1.0, 1.0004, "GET", "/w/r/m/left", 200, 9, "::1", agent, ALICE, 0) for agent in agents], 0.0)
    told = [json.loads(one) for one in batch.lines.splitlines()]
    assert [one["agent"] for one in told] == [agent[:200] for agent in agents]
    assert {(one["who"], one["token"], one["via"], one["at"]) for one in told} == {("alice", 7, "hot", "1970-01-01T00:00:01.000Z")}


def test_no_secret_is_written() -> None:
    secret = new_secret()
    for path in (f"/w/r/m/-/user/token/{secret}", f"/w/r/m/-/v1/login/poll/{secret[4:]}", f"/account/invitations/{secret[4:]}/"):
        assert secret[4:].encode() not in line(answered(path=path), 0.0)


def test_hot_answers_are_summed() -> None:
    file = "/w/r/m/left/-/left-1.0.0.tgz"
    seen = [
        (1.0, 1.0004, "GET", file, 200, 100, "", "", ALICE, 3),
        (1.0, 1.002, "GET", file, 304, 0, "", "", ALICE, 3),
        (1.0, 41.0, "HEAD", file, 200, 0, "", "", ALICE, 3),
        (1.0, 1.0004, "GET", "/w/r/m/left", 200, 50, "", "", ALICE, 0),
    ]
    batch = hot_batch(seen, 0.0)
    assert batch.kinds == {("GET", 200): 2, ("GET", 304): 1, ("HEAD", 200): 1}
    assert (batch.size, batch.files) == (150, {(3, file): 1})
    assert batch.row[: len(BUCKETS) + 1] == [2, 0, 1, *[0] * (len(BUCKETS) - 3), 1]
    assert batch.row[-1] == pytest.approx(40.0028)


def test_the_log_turns_over_and_is_bounded(tmp_path: Path) -> None:
    hands = [Journal(tmp_path, largest=100) for _ in range(2)]
    for number in range(60):
        hands[number % 2].write(b'{"number":%d,"x":"%s"}\n' % (number, b"x" * 30))
    files = sorted(path.name for path in tmp_path.glob("requests*"))
    assert files == ["requests.1.jsonl", "requests.2.jsonl", "requests.3.jsonl", "requests.4.jsonl", "requests.jsonl"]
    kept = [json.loads(one)["number"] for name in [*files[3::-1], files[4]] for one in (tmp_path / name).read_text().splitlines()]
    assert kept == list(range(kept[0], 60))
    for hand in hands:
        hand.close()


def test_the_log_goes_along_when_somebody_moves_it(tmp_path: Path) -> None:
    hand = Journal(tmp_path)
    hand.write(b"1\n")
    (tmp_path / "requests.jsonl").rename(tmp_path / "moved")
    hand.write(b"2\n")
    assert ((tmp_path / "moved").read_text(), (tmp_path / "requests.jsonl").read_text()) == ("1\n", "2\n")
    hand.close()


def test_sums_are_over_all_processes_and_outlive_them(tmp_path: Path) -> None:
    one, two = Sharing(tmp_path), Sharing(tmp_path)
    for number, sharing in enumerate((one, two), 1):
        tallies = Tallies(gauges={("upstream_breaker_open", "https://x"): 1.0})
        tallies.count(("requests", "npm", "read", "200", "hot"), number)
        tallies.time(("request_seconds", "npm", "hot"), 0.002)
        sharing.write(tallies)
    assert everybody(tmp_path).counters == {("requests", "npm", "read", "200", "hot"): 3}
    assert everybody(tmp_path).gauges == {("upstream_breaker_open", "https://x"): 2.0}
    two.close()
    for _ in range(2):
        left = everybody(tmp_path)
        assert (left.counters["requests", "npm", "read", "200", "hot"], left.gauges["upstream_breaker_open", "https://x"]) == (3, 1.0)
        assert sum(left.histograms["request_seconds", "npm", "hot"][:-1]) == 2
    (tmp_path / "past.json").write_bytes(b"{broken")
    assert everybody(tmp_path).counters["requests", "npm", "read", "200", "hot"] == 1
    one.close()


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"[1,2,3]", b'[[["a"]],[],[]]', b"null", b"[[],[[[],[1]]],[]]"])
def test_a_broken_file_of_sums_counts_nothing(data: bytes) -> None:
    assert loaded(data) == Tallies()


def test_the_text_is_what_prometheus_reads() -> None:
    tallies = Tallies(gauges={("upstream_breaker_open", 'a"b\\c\nd'): 1.0})
    tallies.count(("requests", "npm", "read", "200", "hot"), 3)
    tallies.count(("requests", "npm", "read", "200", "slow"))
    tallies.count(("requests", "web", "read", "200", "slow"), 50)
    tallies.time(("request_seconds", "npm", "hot"), 0.0007)
    tallies.time(("request_seconds", "npm", "hot"), 99)
    text = exposition(tallies)
    lines = [one for one in text.splitlines() if not one.startswith("#")]
    assert [one for one in lines if not SAMPLE.fullmatch(one)] == []
    assert hot_share(tallies) == 0.75
    assert 'gatehouse_request_seconds_bucket{protocol="npm",path="hot",le="0.001"} 1' in lines
    assert 'gatehouse_request_seconds_bucket{protocol="npm",path="hot",le="+Inf"} 2' in lines
    assert 'gatehouse_upstream_breaker_open{upstream="a\\"b\\\\c\\nd"} 1' in lines
    assert {"gatehouse_log_lines_lost_total 0", "gatehouse_hot_share 0.75"} <= set(lines)


@pytest.mark.parametrize(
    ("path", "protocol"),
    [
        ("/acme/r/main/left", "npm"),
        ("/acme/npm/left", "npm"),
        ("/-/npm/v1/oidc/token", "npm"),
        ("/api/v1/whoami/", "rest"),
        ("/metrics", "operations"),
        ("/healthz", "operations"),
        ("/admin/", "admin"),
        ("/acme/registries/main/", "web"),
        ("/", "web"),
        ("", "web"),
    ],
)
def test_which_door(path: str, protocol: str) -> None:
    assert protocol_of(path) == protocol


def test_an_observer_writes_what_it_is_told(tmp_path: Path) -> None:
    intake = Intake()
    observer = Observer(tmp_path, intake)
    observer.start()
    intake.observe(answered(status=404))
    intake.hot.append((1.0, 1.1, "GET", "/w/r/m/left", 200, 9, "::1", "npm", ALICE, 0))
    observer.stop()
    told = [json.loads(one) for one in (tmp_path / "log" / "requests.jsonl").read_text().splitlines()]
    assert sorted((one["via"], one["status"]) for one in told) == [("hot", 200), ("slow", 404)]
    sums = everybody(tmp_path / "metrics").counters
    assert sums["requests", "npm", "read", "404", "slow"] == sums["requests", "npm", "read", "200", "hot"] == 1


@pytest.mark.django_db
def test_downloads_add_up_by_day_and_version() -> None:
    registry = Registry.objects.create(workspace=Workspace.objects.create(slug="w"), slug="m")
    package = Package.objects.create(registry=registry, format="npm", name="@acme/left", folded="@acme/left")
    one, odd = Downloaded(registry.pk, "@acme/left", "left-1.0.0-rc.1.tgz"), Downloaded(registry.pk, "@acme/left", "other.tgz")
    gone = Downloaded(registry.pk, "gone", "gone-1.0.0.tgz")
    for day, times in ((date(2026, 1, 1), 3), (date(2026, 1, 1), 4), (date(2026, 1, 2), 5)):
        add_downloads({one: times, odd: 1, gone: 9}, day)
    assert list(Download.objects.order_by("day").values_list("package", "version", "day", "count")) == [
        (package.pk, "1.0.0-rc.1", date(2026, 1, 1), 7),
        (package.pk, "1.0.0-rc.1", date(2026, 1, 2), 5),
    ]


def figures(gate: Gate, name: str) -> float:
    secret = (gate.server.data / "secrets" / "metrics_token").read_text().strip()
    answer = Caller(gate.url, f"Bearer {secret}").get("/metrics")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    return sum(float(one.rpartition(" ")[2]) for one in answer.body.decode().splitlines() if one.startswith(name))


def test_two_processes_are_counted_as_one(gate: Gate, place: Place) -> None:
    place.publish(pack("counted"))
    path = "/counted/-/counted-1.0.0.tgz"
    name = 'gatehouse_requests_total{protocol="npm",kind="read",status="200"'
    time.sleep(2.5)
    before, published = figures(gate, name), figures(gate, 'gatehouse_publishes_total{format="npm"}')
    for _ in range(40):  # a connection each, so that both processes have their share
        assert place.as_("rita").get(path).status == 200
    ask = (
        "SELECT SUM(d.count) FROM packages_download d JOIN packages_package p ON p.id = d.package_id"
        " JOIN registries_registry r ON r.id = p.registry_id JOIN workspaces_workspace w ON w.id = r.workspace_id WHERE w.slug = ?"
    )
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and (figures(gate, name) < before + 40 or gate.execute(ask, place.slug)[0][0] != 40):
        time.sleep(0.3)
    assert figures(gate, name) == before + 40
    assert gate.execute(ask, place.slug)[0][0] == 40
    assert published >= 1
    log = (gate.server.data / "log" / "requests.jsonl").read_bytes()  # as text, any of Unicode's line ends would end a line
    mine = [told for told in map(json.loads, log.splitlines()) if told["path"] == f"{place.path}{path}"]
    assert len(mine) == 40
    assert {(told["who"], told["status"], told["method"]) for told in mine} == {("rita", 200, "GET")}
    assert place.tokens["rita"].encode() not in log


@pytest.mark.parametrize("authorization", ["", "Bearer ", "Bearer wrong", "Basic {token}", "{token}", "Bearer {token}x", "bearer \u00e9"])
def test_metrics_are_for_the_operator_alone(gate: Gate, authorization: str) -> None:
    token = (gate.server.data / "secrets" / "metrics_token").read_text().strip()
    sent = authorization.format(token=token).encode("utf-8").decode("latin-1")
    answer = Caller(gate.url, sent).get("/metrics")
    assert (answer.status, "gatehouse_" in answer.body.decode()) == (401, False)
    assert Caller(gate.url, f"Bearer {token}").request("POST", "/metrics", body={}).status == 405
    assert gate.admin.get("/metrics").status == 401


def test_every_answer_of_the_slow_path_has_its_number(gate: Gate, place: Place) -> None:
    numbers = set()
    for path in ("/-/ping", "/-/whoami", "/nothing-here", "/a%0ab"):
        answer = place.as_("rita").get(path)
        numbers.add(answer.headers["x-request-id"])
    numbers.add(Caller(gate.url, "").get("/healthz").headers["x-request-id"])
    assert len(numbers) == 5
    deadline = time.monotonic() + 5
    written: set[str] = set()
    while not numbers <= written and time.monotonic() < deadline:
        time.sleep(0.2)
        lines = (gate.server.data / "log" / "requests.jsonl").read_bytes().splitlines()
        written = {json.loads(one)["id"] for one in lines}
    assert numbers <= written
