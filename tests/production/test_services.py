"""The same code on PostgreSQL, Redis and S3: publish, pull through, restart, a job, and every part's state."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts import ROOT
from tests.parts.gate import Gate
from tests.parts.gatehouse import Gatehouse
from tests.parts.pack import pack
from tests.parts.postgres import Postgres
from tests.parts.recorder import Recorder
from tests.parts.s3 import KEYS, S3
from tests.parts.valkey import Valkey


@pytest.fixture
def installation(tmp_path: Path, postgres: Postgres, valkey: Valkey, s3: S3, public: Recorder) -> Iterator[Gatehouse]:
    env = {**KEYS, "REDIS_URL": valkey.url, "STORAGE_URL": s3.storage_url(s3.bucket())}
    server = Gatehouse(tmp_path / "services", postgres.database(), public.url, env=env)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def test_publish_pull_and_restart(installation: Gatehouse, recorder: Recorder) -> None:
    place = Gate(installation).workspace()
    own, big = pack("@acme/own"), pack("@acme/own", "1.1.0", files={"big.bin": os.urandom(3_000_000)})
    for packed in (own, big):
        place.publish(packed)
    (pulled,) = recorder.add("from-outside")
    place.upstream(recorder)
    tarballs = {"/@acme%2fown/-/own-1.0.0.tgz": own, "/@acme%2fown/-/own-1.1.0.tgz": big, "/from-outside/-/from-outside-1.0.0.tgz": pulled}
    assert place.versions("@acme/own") == ["1.0.0", "1.1.0"]
    for path, packed in tarballs.items():
        assert place.as_("rita").get(path).body == packed.tarball
    assert not list((installation.data / "blobs").glob("**/*")), "bytes belong into the bucket"
    installation.stop()
    for cached in (installation.data / "cache").glob("*/*"):
        cached.unlink()
    recorder.stop()
    installation.serve()
    for path, packed in tarballs.items():
        assert place.as_("rita").get(path).body == packed.tarball
    ready = place.as_("rita").request("GET", "/").status
    assert ready == 200


def test_a_worker_takes_jobs_from_redis(installation: Gatehouse) -> None:
    stale = installation.data / "staging" / "1-left-behind.part"
    stale.parent.mkdir(exist_ok=True)
    stale.write_bytes(b"x")
    os.utime(stale, (0, 0))
    words = [sys.executable, "-m", "celery", "-A", "config.celery", "worker", "-P", "threads", "-c", "1", "-l", "warning"]
    worker = subprocess.Popen(words, cwd=ROOT, env=installation.environment(), start_new_session=True)
    try:
        installation.manage("shell", "-c", "from upstreams.tasks import sweep; sweep.delay()")
        deadline = time.monotonic() + 40
        while stale.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not stale.exists()
    finally:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
