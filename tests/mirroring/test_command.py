"""`manage.py mirror` as an operator runs it, beside a server and beside none."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.mirroring.live import Live, tarballs
from tests.parts import ROOT
from tests.parts.gate import Gate
from tests.parts.recorder import Handler, Recorder


@pytest.fixture
def live(gate: Gate, recorder: Recorder) -> Live:
    return Live(gate.workspace(), recorder)


def words_of(live: Live, *words: str) -> list[str]:
    return [sys.executable, "manage.py", "mirror", f"{live.place.slug}/main", "-s", "public", *words]


def mirror(live: Live, *words: str, **env: str) -> "subprocess.CompletedProcess[str]":
    return run(live, words_of(live, *words), **env)


def manage(live: Live, *words: str) -> "subprocess.CompletedProcess[str]":
    return run(live, [sys.executable, "manage.py", *words])


def run(live: Live, words: list[str], **env: str) -> "subprocess.CompletedProcess[str]":
    environment = {**live.place.gate.server.environment(), **env}
    return subprocess.run(
        words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL
    )


def retry(live: Live, *words: str) -> "subprocess.CompletedProcess[str]":
    return manage(live, "mirror", f"{live.place.slug}/main", "--retry", *words)


def test_names_ranges_and_a_second_run(live: Live, recorder: Recorder) -> None:
    recorder.add("left-pad", "1.0.0", "1.1.0", "2.0.0")
    recorder.add("app", "1.0.0", dependencies={"left-pad": "^1"})
    done = mirror(live, "app", "left-pad@^2", "--dependencies")
    assert (done.returncode, done.stderr) == (0, ""), done
    assert "Mirrored 3 versions from public" in done.stdout
    assert re.match(rf"Job \d+: from public into {live.place.slug}/main\.", done.stdout)
    assert sorted(one.rpartition("/")[2] for one in tarballs(recorder)) == ["app-1.0.0.tgz", "left-pad-1.1.0.tgz", "left-pad-2.0.0.tgz"]
    again = mirror(live, "left-pad@^2")
    assert again.returncode == 0, again
    assert "Nothing new at public: 1 name looked up" in again.stdout
    listed = mirror(live, "--list")
    assert "done" in listed.stdout
    assert len(listed.stdout.splitlines()) == 2


def test_what_failed_is_told_and_the_exit_code_says_so(live: Live, recorder: Recorder) -> None:
    recorder.add("good")
    recorder.add("bad")
    recorder.misbehave("bad", lambda handler, _: handler.send(404, b"{}"), where="tarball")
    recorder.answers["/_all_docs"] = {"rows": [{"id": "good"}, {"id": "bad"}]}
    done = mirror(live, "good", "bad", "nobody-*", "-q")
    assert (done.returncode, done.stdout) == (1, "")
    assert "bad@1.0.0: Upstream public lists this file but does not have it." in done.stderr
    assert "No package at upstream public meets the pattern nobody-*." in done.stderr
    told = mirror(live, "bad")
    assert re.search(r"Job \d+ failed: nothing came from public in \d+ s, 1 failed\. The rest: manage.py mirror", told.stdout), told
    strict = mirror(live, "bad", "good", "--strict", "-q")
    assert strict.returncode == 1
    assert "Stopped at the first failure" in strict.stderr


def test_what_failed_is_tried_again_by_its_number(live: Live, recorder: Recorder) -> None:
    recorder.add("good")
    recorder.add("late", optionalDependencies={"nowhere": "*"})
    recorder.misbehave("late", lambda handler, _: handler.send(404, b"{}"), where="tarball")
    first = mirror(live, "good", "late", "--dependencies")
    assert first.returncode == 1
    number = re.search(r"mirror (\S+) --retry (\d+)$", first.stdout.strip())
    assert number is not None, first.stdout
    recorder.behave()
    recorder.forget()
    again = retry(live, number[2])
    assert again.returncode == 0, again
    assert "Left out: nowhere@*: Upstream public has no such package." in again.stdout
    assert re.search(r"Mirrored 1 version from public in \d+ s \(job \d+\); 1 optional dependency left out\.", again.stdout), again
    assert not recorder.asked("good")
    for words, sentence in (
        ((number[2], "-s", "public", "x", "--strict"), "leave out --upstream, the names, --strict."),
        (("0",), "no such"),
    ):
        refused = retry(live, *words)
        assert (refused.returncode, sentence in refused.stderr) == (1, True), refused


def test_whoever_mistypes_a_name_is_told_those_there_are(live: Live) -> None:
    for words in (("-s", "pubilc", "x"), ("x",)):
        told = manage(live, "mirror", f"{live.place.slug}/main", *words)
        assert (told.returncode, "it has public" in told.stderr) == (1, True), told
    told = manage(live, "sources", "test", "pubilc", "--registry", f"{live.place.slug}/main")
    assert (told.returncode, "it has public" in told.stderr) == (1, True), told
    assert "has no mirror jobs" in manage(live, "mirror", f"{live.place.slug}/main", "--list").stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "Say what to mirror"),
        (("..",), "is not a package name"),
        (("--lock-file", "/nowhere/package-lock.json"), "cannot be read"),
        (("--lock-file", ".pre-commit-config.yaml"), "none of the lock files"),
    ],
)
def test_refused_before_anybody_is_asked(live: Live, recorder: Recorder, words: tuple[str, ...], sentence: str) -> None:
    done = mirror(live, *words)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert not recorder.seen


def test_what_is_optional_in_a_lock_file_and_nowhere_is_left_out(live: Live, recorder: Recorder, tmp_path: Path) -> None:
    recorder.add("roll")
    recorder.add("@roll/linux")
    packages: dict[str, dict[str, object]] = {
        "node_modules/roll": {"version": "1.0.0"},
        "node_modules/@roll/linux": {"version": "1.0.0", "optional": True},
        "node_modules/@roll/linux-late": {"name": "@roll/linux", "version": "2.0.0", "optional": True},
        "node_modules/@roll/aix": {"version": "1.0.0", "optional": True},
    }
    lock = tmp_path / "package-lock.json"
    lock.write_text(json.dumps({"lockfileVersion": 3, "packages": packages}))
    done = mirror(live, "--lock-file", str(lock))
    assert done.returncode == 0, done
    assert re.search(r"Mirrored 2 versions from public in \d+ s \(job \d+\); 2 optional dependencies left out\.", done.stdout), done
    assert sorted(one.rpartition("/")[2] for one in tarballs(recorder)) == ["linux-1.0.0.tgz", "roll-1.0.0.tgz"]

    recorder.seen.clear()
    again = mirror(live, "--lock-file", str(lock))
    assert again.returncode == 0, again
    assert {one.path for one in recorder.seen} <= {"/@roll%2Faix", "/@roll%2Flinux"}
    assert not tarballs(recorder)

    del packages["node_modules/@roll/aix"]["optional"]
    lock.write_text(json.dumps({"lockfileVersion": 3, "packages": packages}))
    needed = mirror(live, "--lock-file", str(lock))
    assert needed.returncode == 1, needed
    assert "@roll/aix@1.0.0: Upstream public has no such package." in needed.stdout + needed.stderr


def test_a_lock_file_and_a_list(live: Live, recorder: Recorder, tmp_path: Path) -> None:
    for number in range(5):
        recorder.add(f"locked-{number}", "1.0.0", "1.1.0")
    lock = {"lockfileVersion": 3, "packages": {f"node_modules/locked-{number}": {"version": "1.0.0"} for number in range(4)}}
    (tmp_path / "package-lock.json").write_text(json.dumps(lock))
    (tmp_path / "names.txt").write_text("# ours\nlocked-4@1.1.0\n\n")
    done = mirror(live, "--lock-file", str(tmp_path / "package-lock.json"), "--names-from", str(tmp_path / "names.txt"))
    assert (done.returncode, done.stderr) == (0, ""), done
    assert "Mirrored 5 versions" in done.stdout
    assert sorted(one.rpartition("/")[2] for one in tarballs(recorder)) == [
        *(f"locked-{number}-1.0.0.tgz" for number in range(4)),
        "locked-4-1.1.0.tgz",
    ]


def slowly(handler: Handler, answer: object) -> None:
    time.sleep(0.2)
    answer()  # type: ignore[operator]


def test_ctrl_c_cancels_and_what_came_in_stays(live: Live, recorder: Recorder) -> None:
    names = [f"slow-{number}" for number in range(100)]
    for name in names:
        recorder.add(name)
    recorder.misbehave("*", slowly, where="tarball")
    terminal, inside = pty.openpty()
    process = subprocess.Popen(
        words_of(live, *names), cwd=ROOT, env=live.place.gate.server.environment(), stdin=inside, stdout=inside, stderr=inside
    )
    os.close(inside)
    try:
        deadline = time.monotonic() + 60
        while len(tarballs(recorder)) < 10 and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
    finally:
        process.kill()
        process.wait()
    shown = _read_all(terminal)
    assert "█" in shown
    assert "cancelled" in shown
    assert len(tarballs(recorder)) < 100
    (job,) = live.place.api("rita").get(live.place.rest + "mirrors/").json()["results"]
    assert (job["state"], job["asked_by"]) == ("cancelled", "operator")
    assert 0 < job["done"] < 100


def test_variables_of_the_operators_shell(live: Live, recorder: Recorder, other_recorder: Recorder) -> None:
    other_recorder.demand("bearer", secret="s3cret-of-the-shell")
    other_recorder.add("@partner/lib")
    live.place.gate.server.manage(
        *("sources", "add", "partner", "--registry", f"{live.place.slug}/main", "--from-preset", "npm", "--url", other_recorder.url),
        *("--auth", "bearer", "--token", "${PRIVATE_TOKEN}", "--patterns", "@partner/*"),
    )
    unset = mirror(live, "@partner/lib", "-s", "partner")
    assert unset.returncode == 1
    assert "PRIVATE_TOKEN" in unset.stderr
    assert not other_recorder.seen
    done = mirror(live, "@partner/lib", "-s", "partner", PRIVATE_TOKEN="s3cret-of-the-shell")
    assert done.returncode == 0, done
    assert {one.headers["authorization"] for one in other_recorder.seen} == {"Bearer s3cret-of-the-shell"}
    assert "s3cret" not in done.stdout + done.stderr + str(live.place.api().get(live.place.rest + "mirrors/").json())


def _read_all(terminal: int) -> str:
    data = b""
    try:
        while piece := os.read(terminal, 65536):
            data += piece
    except OSError:  # the other side is gone
        pass
    finally:
        os.close(terminal)
    return data.decode("utf-8", "replace")
