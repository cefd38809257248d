"""Mirroring many small packages from an upstream on loopback: how many a second, and what the worker holds."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench import ROOT, packages
from bench.peers import GatehousePostgreSQL, GatehouseSQLite, Nginx
from tests.parts.gatehouse import KEPT, PASSWORD
from tests.parts.pack import pack
from tests.parts.postgres import Postgres


@dataclass(frozen=True)
class Mirrored:
    """A job of `count` packages: seconds by the clock and of the processors, and the most memory it held, in MB."""

    count: int
    seconds: float
    cpu: float
    memory: float

    @property
    def rate(self) -> float:
        """Packages a second."""
        return self.count / self.seconds


class WentWrong(Exception):
    """The command failed; the message is what it said."""


def measure_mirrors(folder: Path, *, count: int, say: Callable[[str], None]) -> dict[str, Mirrored]:
    """The same job on both databases, by the server's name."""
    database = Postgres(folder)
    database.start()
    try:
        found = {
            GatehousePostgreSQL.name: measure_mirror(folder / "many-postgres", count=count, database_url=database.database()),
            GatehouseSQLite.name: measure_mirror(folder / "many-sqlite", count=count),
        }
    finally:
        if database.process is not None:
            database.process.stop(signal.SIGINT)
    for name, one in found.items():
        say(f"mirror: {name} {one.rate:.0f} packages/s, CPU {one.cpu / one.count * 1000:.1f} ms each, at most {one.memory:.0f} MB")
    return found


def measure_mirror(folder: Path, *, count: int, database_url: str = "") -> Mirrored:
    """`manage.py mirror` over `count` packages of one version each, into an empty registry. Raises WentWrong."""
    folder.mkdir(mode=0o755)
    upstream = Nginx(folder / "upstream")
    upstream.start()
    try:
        names = [f"bench-many-{number}" for number in range(count)]
        for name in names:
            _offer(upstream, name)
        (folder / "names").write_text("\n".join(names), encoding="utf-8")
        env = _environment(folder / "data", upstream, database_url)
        _manage(env, "migrate", "--verbosity", "0")
        _manage(env, "bootstrap")
        return _timed(count, env, "mirror", "team/main", "-s", "npm", "--names-from", str(folder / "names"), "-q")
    finally:
        upstream.stop()


def _offer(upstream: Nginx, name: str) -> None:
    one = pack(name, "1.0.0", license="MIT")
    document = packages.packument(name, packages.plain_versions([one]), f"{upstream.url}/site")
    upstream.offer(name, gzip.compress(json.dumps(document).encode(), 6), is_short=False)
    upstream.offer(f"{name}/-/{one.filename}", one.tarball, is_short=False)


def _environment(data: Path, upstream: Nginx, database_url: str) -> dict[str, str]:
    own = {key: value for key, value in os.environ.items() if key in KEPT}
    given = {
        "DATA_DIR": str(data), "DATABASE_URL": database_url, "ADMIN_PASSWORD": PASSWORD, "NPM_UPSTREAM_URL": f"{upstream.url}/site",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }  # fmt: skip
    return {key: value for key, value in {**own, **given}.items() if value}


def _manage(env: Mapping[str, str], *words: str) -> None:
    done = subprocess.run([sys.executable, "manage.py", *words], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise WentWrong(f"manage.py {' '.join(words)}: {done.stdout[-1500:]}{done.stderr[-1500:]}")


def _timed(count: int, env: Mapping[str, str], *words: str) -> Mirrored:
    begun = time.monotonic()
    child = subprocess.Popen([sys.executable, "manage.py", *words], cwd=ROOT, env=env)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise WentWrong(f"manage.py {' '.join(words)} ended with {child.returncode}")
    return Mirrored(count, time.monotonic() - begun, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
