"""Who is measured: each starts for real, knows its addresses and its token, and is ended by its process group."""

import http.client
import json
import os
import re
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import tests.parts.postgres as real_postgres
from bench import ROOT
from bench.cases import Case
from bench.tools import NODE, VERDACCIO
from tests.parts.gatehouse import KEPT, PASSWORD
from tests.parts.process import HOST, Process, free_port, listens

# The tests switch these off to be quick; a benchmark of publishing must not.
# A database of some 200 MB is read as quickly with 64 MB of its own buffers as with its default of 128: the rest is the system's.
real_postgres.QUICK = ("fsync=on", "synchronous_commit=on", "full_page_writes=on", "max_connections=200", "shared_buffers=64MB")


_given: set[int] = set()  # ports of peers that may not have begun to listen


def _own_port() -> int:
    while (port := free_port()) in _given:
        pass
    _given.add(port)
    return port


class Peer:
    """One server on a free port of loopback, with a folder of its own."""

    name = ""
    prefix = "/"  # of the registry's addresses

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _own_port()
        self.token = ""
        self.running: list[Process] = []
        folder.mkdir()

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return f"http://{HOST}:{self.port}"

    @property
    def processes(self) -> tuple[int, ...]:
        """The roots of its process trees."""
        return tuple(one.child.pid for one in self.running if one.child is not None)

    def paths(self, case: Case) -> tuple[str, ...]:
        """Where it has what the case asks for."""
        return tuple(self.prefix + path for path in case.paths)

    def start(self) -> None:
        """Bring it up; raises NotReady with its log."""
        raise NotImplementedError

    def stop(self) -> None:
        """End everything it started, last first."""
        for one in reversed(self.running):
            one.stop(signal.SIGINT if one.words[0].endswith("postgres") else signal.SIGTERM)

    def run(self, *words: object, env: Mapping[str, str] | None = None, ready: str = "") -> Process:
        """Start a process and wait until the port answers, and until it says the word if one is given."""
        process = Process(words, log=self.folder / "log", env=env, cwd=ROOT)
        self.running.append(process)
        process.start(lambda: ready in process.tail() and listens(self.port), seconds=90)
        return process


class GatehouseSQLite(Peer):
    """`manage.py serve` as anybody starts it, on the embedded database."""

    name, prefix = "Gatehouse, SQLite", "/team/r/main/"

    def __init__(self, folder: Path, upstream: str) -> None:
        super().__init__(folder)
        self.upstream, self.database_url = upstream, ""
        self.env: dict[str, str] = {}

    def start(self) -> None:
        """Start it and take the token it prints on its first run."""
        own = {key: value for key, value in os.environ.items() if key in KEPT}
        given = {
            "HOST": HOST, "PORT": str(self.port), "DATA_DIR": str(self.folder / "data"), "DATABASE_URL": self.database_url,
            "ADMIN_PASSWORD": PASSWORD, "NPM_UPSTREAM_URL": self.upstream, "ALLOWED_PRIVATE_NETWORKS": "127.0.0.0/8",
            "EXTERNAL_HOST": self.url, "PYTHONUNBUFFERED": "1", "DJANGO_SETTINGS_MODULE": "bench.settings", "PYTHONPATH": str(ROOT),
        }  # fmt: skip
        self.env = {key: value for key, value in {**own, **given}.items() if value}
        log = self.run(sys.executable, "manage.py", "serve", env=self.env, ready="Ready at").tail()
        found = re.search(r"_authToken=(\S+)", log)
        self.token = found[1] if found else ""


class GatehousePostgreSQL(GatehouseSQLite):
    """The same on PostgreSQL, durable as installed; its CPU is counted too."""

    name = "Gatehouse, PostgreSQL"

    def start(self) -> None:
        """First the database, then Gatehouse."""
        database = real_postgres.Postgres(self.folder)
        database.port = _own_port()
        database.start()
        if database.process is not None:
            self.running.append(database.process)
        self.database_url = database.database()
        super().start()


VERDACCIO_CONFIG = """
storage: {folder}/storage
auth: {{ htpasswd: {{ file: {folder}/htpasswd, max_users: 10 }} }}
security: {{ api: {{ jwt: {{ sign: {{ expiresIn: 7d }} }} }} }}
uplinks: {{ up: {{ url: "{upstream}/", maxage: 1d, cache: true }} }}
packages:
  "@bench/*": {{ access: $authenticated, publish: $authenticated }}
  "**": {{ access: $authenticated, publish: $authenticated, proxy: up }}
max_body_size: 200mb
web: {{ enable: false }}
log: {{ type: stdout, format: json, level: error }}
"""


class Verdaccio(Peer):
    """The peer at its best: JWT instead of a password hash per request, metadata trusted for a day, no access log."""

    name = "Verdaccio"

    def __init__(self, folder: Path, upstream: str) -> None:
        super().__init__(folder)
        self.upstream = upstream

    def start(self) -> None:
        """Start it and sign up, which gives a JWT."""
        config = self.folder / "config.yaml"
        config.write_text(VERDACCIO_CONFIG.format(folder=self.folder, upstream=self.upstream), encoding="utf-8")
        env = {**os.environ, "NODE_ENV": "production"}
        self.run(NODE, VERDACCIO, "--config", config, "--listen", f"{HOST}:{self.port}", env=env)
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        body = json.dumps({"_id": "org.couchdb.user:bench", "name": "bench", "password": PASSWORD, "type": "user", "roles": []})
        connection.request("PUT", "/-/user/org.couchdb.user:bench", body, {"Content-Type": "application/json"})
        self.token = json.loads(connection.getresponse().read())["token"]
        connection.close()


NGINX_CONFIG = r"""
worker_processes auto;
{user}
pid {folder}/pid;
error_log {folder}/log;
daemon off;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  sendfile on;
  keepalive_requests 100000000;
  open_file_cache max=5000 inactive=600s;
  types {{ }}
  map $http_accept $form {{ default full; ~install-v1 short; }}
  server {{
    listen {host}:{port} backlog=1024;
    root {folder}/files;
    location /packed/ {{ default_type application/json; add_header Content-Encoding gzip; }}
    location /plain/ {{ default_type application/octet-stream; }}
    location /site/ {{
      default_type application/json; add_header Content-Encoding gzip;
      try_files $uri/$form.json $uri/short.json $uri/full.json =404;
    }}
    location ~ ^/site/.*\.tgz$ {{ default_type application/octet-stream; }}
  }}
}}
"""


class Nginx(Peer):
    """The limit: nginx with Gatehouse's own answers as files. It checks nothing."""

    name, prefix = "nginx (limit)", "/site/"

    def start(self) -> None:
        """Start it over an empty folder."""
        (self.folder / "files").mkdir()
        config = self.folder / "nginx.conf"
        user = "user root;" if os.geteuid() == 0 else ""
        config.write_text(NGINX_CONFIG.format(folder=self.folder, host=HOST, port=self.port, user=user), encoding="utf-8")
        self.run("nginx", "-c", config, "-p", self.folder)

    def paths(self, case: Case) -> tuple[str, ...]:
        """Its files are named for the case and the place in its list."""
        return tuple(f"/{'packed' if case.is_metadata else 'plain'}/{case.key}/{number}" for number in range(len(case.paths)))

    def offer(self, path: str, body: bytes, *, is_short: bool) -> None:
        """Have a document (gzip) or a tarball where a client installing from it asks."""
        place = self.folder / "files" / "site" / path
        if "/-/" not in path:
            place /= "short.json" if is_short else "full.json"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(body)

    def fill(self, case: Case, bodies: list[bytes]) -> None:
        """Take over the answers of a case."""
        for path, body in zip(self.paths(case), bodies, strict=True):
            place = self.folder / "files" / path[1:]
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(body)
