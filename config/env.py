"""The environment of CONTRACT.md section 2, read once, checked, with a clear line for a bad value.

Pure: no Django. `settings.py` turns the result into Django's names.
"""

import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from upstreams.clients.guard import AllowedNetwork, NetworkInvalid, parse_network
from workspaces.slugs import SLUG

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_NAMES = frozenset({"SESSION_SECRET", "OAUTH_PASSWORD", "ADMIN_PASSWORD", "METRICS_TOKEN", "OAUTH_GITHUB_SECRET"})
UPSTREAM = "UPSTREAM_"  # what ${…} in an upstream that an operator saved may name
GITHUB, GITHUB_API = "https://github.com", "https://api.github.com"
HOST_NAME = re.compile(r"\.?[a-z0-9_]([a-z0-9_.-]*[a-z0-9])?|\[[0-9a-f:.]+\]")
LIBPQ = {"HOST": "PGHOST", "PORT": "PGPORT", "USER": "PGUSER", "PASSWORD": "PGPASSWORD", "NAME": "PGDATABASE"}


class EnvironmentInvalid(Exception):
    """A variable holds a value that cannot be used; the message names it and says what would do."""


@dataclass(frozen=True)
class Storage:
    """Where blobs live: a folder, or a bucket with a key prefix."""

    folder: Path | None = None
    bucket: str = ""
    prefix: str = ""
    endpoint: str | None = None
    region: str | None = None


@dataclass(frozen=True)
class Environment:
    """Every variable of the contract, parsed. Sizes in bytes, times in seconds unless named."""

    mode: str
    host: str
    port: int
    external_host: str
    data_dir: Path
    database: Mapping[str, object]
    redis_url: str | None
    storage: Storage
    session_secret: str
    session_expiry_seconds: int
    oauth_password: str
    metrics_token: str
    npm_upstream_url: str | None
    workspace_domain: str | None
    admin_username: str
    admin_password: str | None
    allowed_private_networks: tuple[AllowedNetwork, ...]
    allowed_hosts: tuple[str, ...]
    trusted_proxies: tuple[AllowedNetwork, ...]
    signup: str
    file_serving: str
    web_workers: int
    task_workers: int
    latency_error_ms: int
    entropic_legacy: str
    github_client: str
    github_secret: str
    github_url: str
    github_api_url: str
    upstream_variables: Mapping[str, str] = field(default_factory=dict, repr=False)


class Reader:
    """Looks variables up: process environment first, then `.env`; `NAME_FILE` for secrets."""

    def __init__(self, environ: Mapping[str, str], dotenv: Path | None) -> None:
        self._values = {**_dotenv(dotenv), **environ}

    def text(self, name: str, default: str = "") -> str:
        """The value of `name`, or what the file named by `NAME_FILE` holds, or `default`."""
        is_secret = name in SECRET_NAMES or name.startswith(UPSTREAM)
        path = self._values.get(f"{name}_FILE", "") if is_secret else ""
        if path:
            try:
                return Path(path).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise EnvironmentInvalid(f"{name}_FILE: {path} cannot be read ({error.strerror})") from error
            except UnicodeDecodeError:
                raise EnvironmentInvalid(f"{name}_FILE: {path} does not hold text") from None
        return self._values.get(name, "").strip() or default

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number between `low` and `high`."""
        raw = self.text(name, str(default))
        if not re.fullmatch(r"-?\d{1,12}", raw) or not low <= int(raw) <= high:
            raise EnvironmentInvalid(f"{name} must be a whole number from {low} to {high}, not {raw!r}")
        return int(raw)

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        """One of `choices`."""
        raw = self.text(name, default)
        if raw not in choices:
            raise EnvironmentInvalid(f"{name} must be one of {', '.join(choices)}, not {raw!r}")
        return raw

    def networks(self, name: str) -> tuple[AllowedNetwork, ...]:
        """A comma-separated list of CIDRs, each with `:port` if wanted."""
        try:
            return tuple(parse_network(item) for item in _items(self.text(name)))
        except NetworkInvalid as error:
            raise EnvironmentInvalid(f"{name}: {error}") from error

    def url(self, name: str, default: str = "") -> str:
        """An absolute http or https address without a trailing slash, or ''."""
        raw = self.text(name, default).rstrip("/")
        parts = _parts(name, raw)
        if raw and (parts.scheme not in {"http", "https"} or not parts.hostname):
            raise EnvironmentInvalid(f"{name} must be an http or https address, not {raw!r}")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise EnvironmentInvalid(f"{name} must be a plain address, without user name, password, query or fragment")
        return raw

    def registry(self, name: str, default: str) -> str:
        """A registry as `workspace/registry`."""
        raw = self.text(name, default)
        workspace, _, registry = raw.partition("/")
        if not SLUG.fullmatch(workspace) or not SLUG.fullmatch(registry):
            raise EnvironmentInvalid(f"{name} must be workspace/registry, like {default}, not {raw!r}")
        return raw

    def hosts(self, name: str) -> tuple[str, ...]:
        """A comma-separated list of host names, without scheme or port; `.example.org` is every name below it."""
        found = tuple(_items(self.text(name).lower()))
        for host in found:
            if not HOST_NAME.fullmatch(host):
                raise EnvironmentInvalid(f"{name}: {host!r} is no host name")
        return found

    def beginning_with(self, prefix: str) -> dict[str, str]:
        """Every variable whose name begins so, `NAME_FILE` as the `NAME` it stands for too."""
        names = {given for name in self._values if name.startswith(prefix) for given in (name, name.removesuffix("_FILE"))}
        return {name: value for name in sorted(names) if (value := self.text(name))}

    def secret(self, name: str, data_dir: Path) -> str:
        """The variable, or a secret generated once into `DATA_DIR/secrets`."""
        return self.text(name) or _generated(data_dir / "secrets" / name.lower())


def read(environ: Mapping[str, str] | None = None, dotenv: Path | None = BASE_DIR / ".env") -> Environment:
    """Parse the whole environment. Raises EnvironmentInvalid on the first bad value."""
    get = Reader(os.environ if environ is None else environ, dotenv)
    data_dir = Path(get.text("DATA_DIR", str(BASE_DIR / "data"))).expanduser().resolve()
    port, own = get.number("PORT", 8000, 1, 65535), _secrets(get, data_dir)
    return Environment(
        mode=get.choice("GATEHOUSE_ENV", "production", ("production", "development", "testing")),
        host=get.text("HOST", "127.0.0.1"),
        port=port,
        external_host=get.url("EXTERNAL_HOST", f"http://localhost:{port}"),
        data_dir=data_dir,
        database=_database(get, data_dir),
        redis_url=_redis(get),
        storage=_storage(get, data_dir),
        session_secret=own["SESSION_SECRET"],
        session_expiry_seconds=get.number("SESSION_EXPIRY_SECONDS", 31536000, 60, 10**10),
        oauth_password=own["OAUTH_PASSWORD"],
        metrics_token=own["METRICS_TOKEN"],
        npm_upstream_url=get.url("NPM_UPSTREAM_URL") or _remembered(data_dir),
        workspace_domain=next(iter(get.hosts("WORKSPACE_DOMAIN")), None),
        admin_username=get.text("ADMIN_USERNAME", "admin"),
        admin_password=get.text("ADMIN_PASSWORD") or None,
        allowed_private_networks=get.networks("ALLOWED_PRIVATE_NETWORKS"),
        allowed_hosts=get.hosts("ALLOWED_HOSTS"),
        trusted_proxies=get.networks("TRUSTED_PROXIES"),
        signup=get.choice("SIGNUP", "invited", ("invited", "open", "closed")),
        file_serving=get.choice("FILE_SERVING", "direct", ("direct", "accel", "redirect")),
        web_workers=get.number("WEB_WORKERS", 2, 1, 64),
        task_workers=get.number("TASK_WORKERS", 1, 0, 64),
        latency_error_ms=get.number("DEV_LATENCY_ERROR_MS", 10000, 1, 10**9),
        entropic_legacy=get.registry("ENTROPIC_LEGACY", "team/main"),
        **_github(get),
        upstream_variables=get.beginning_with(UPSTREAM),
    )


def _secrets(get: Reader, data_dir: Path) -> dict[str, str]:
    """The secrets an installation makes for itself, in a DATA_DIR that can be written."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        return {name: get.secret(name, data_dir) for name in ("OAUTH_PASSWORD", "SESSION_SECRET", "METRICS_TOKEN")}
    except OSError as error:
        raise EnvironmentInvalid(f"DATA_DIR: {data_dir} cannot be written ({error.strerror})") from error


def discover_npm_upstream(data_dir: Path) -> str | None:
    """What `npm config get registry` says, remembered in DATA_DIR from the first run; None without npm."""
    npm = shutil.which("npm")
    if npm is None:
        return None
    done = subprocess.run([npm, "config", "get", "registry"], capture_output=True, text=True, timeout=20, check=False)  # noqa: S603 - npm's own path, fixed words
    address = done.stdout.strip().rstrip("/")
    if done.returncode != 0 or not _is_plain(address):  # one with credentials is nothing to be asked on everybody's behalf
        return None
    (data_dir / "npm-upstream").write_text(address, encoding="utf-8")
    return address


def _remembered(data_dir: Path) -> str | None:
    path = data_dir / "npm-upstream"
    address = path.read_text(encoding="utf-8").strip() if path.exists() else ""
    return address if _is_plain(address) else None


def _is_plain(address: str) -> bool:
    """Whether it is an http(s) address without credentials, query or fragment."""
    try:
        parts = _parts("npm-upstream", address)
    except EnvironmentInvalid:
        return False
    extra = parts.username or parts.password or parts.query or parts.fragment
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and not extra


def _dotenv(path: Path | None) -> dict[str, str]:
    if path is None or not path.is_file():
        return {}
    pairs = (line.partition("=") for line in path.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#"))
    return {key.removeprefix("export ").strip(): value.strip().strip("'\"") for key, sign, value in pairs if sign}


def _parts(name: str, raw: str) -> SplitResult:
    """The parts of an address, its port read too. The value itself is not told: it may hold a password."""
    try:
        parts = urlsplit(raw)
        _ = parts.port
    except ValueError as error:
        raise EnvironmentInvalid(f"{name} is no valid address ({error})") from None
    return parts


def _items(raw: str) -> list[str]:
    return [item.strip() for item in raw.split(",") if item.strip()]


def _generated(path: Path) -> str:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="utf-8").strip()
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        secret = secrets.token_urlsafe(48)
        file.write(secret)
    return secret


def _github(get: Reader) -> dict[str, str]:
    """GitHub's own addresses, or GitHub Enterprise's, whose API lies below its address unless said otherwise."""
    client, secret = get.text("OAUTH_GITHUB_CLIENT"), get.text("OAUTH_GITHUB_SECRET")
    if bool(client) != bool(secret):
        given, missing = ("CLIENT", "SECRET") if client else ("SECRET", "CLIENT")
        raise EnvironmentInvalid(f"OAUTH_GITHUB_{given} is of no use without OAUTH_GITHUB_{missing}")
    url = get.url("OAUTH_GITHUB_URL", GITHUB)
    api_url = get.url("OAUTH_GITHUB_API_URL", GITHUB_API if url == GITHUB else f"{url}/api/v3")
    return {"github_client": client, "github_secret": secret, "github_url": url, "github_api_url": api_url}


def _redis(get: Reader) -> str | None:
    raw = get.text("REDIS_URL")
    if raw and _parts("REDIS_URL", raw).scheme not in {"redis", "rediss", "unix"}:
        raise EnvironmentInvalid("REDIS_URL must begin with redis://, rediss:// or unix://")
    return raw or None


def _storage(get: Reader, data_dir: Path) -> Storage:
    raw = get.text("STORAGE_URL")
    if not raw:
        return Storage(folder=Path(get.text("CACHE_DIR", str(data_dir / "blobs"))).resolve())
    parts = _parts("STORAGE_URL", raw)
    if parts.scheme == "file" and parts.path:
        return Storage(folder=Path(parts.path))
    if parts.scheme == "s3" and parts.netloc:
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        return Storage(bucket=parts.netloc, prefix=parts.path.strip("/"), endpoint=query.get("endpoint"), region=query.get("region"))
    raise EnvironmentInvalid("STORAGE_URL must be file:///folder or s3://bucket/prefix?endpoint=…&region=…")


def _database(get: Reader, data_dir: Path) -> dict[str, object]:
    raw = get.text("DATABASE_URL") or get.text("POSTGRES_URL")
    parts = _parts("DATABASE_URL", raw)
    if not raw or parts.scheme == "sqlite":
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": parts.path or str(data_dir / "gatehouse.sqlite3")}
    if parts.scheme not in {"postgres", "postgresql"}:
        raise EnvironmentInvalid("DATABASE_URL must begin with postgres:// or sqlite://")
    given = {
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "NAME": unquote(parts.path.lstrip("/")),
    }
    filled = {key: value or get.text(LIBPQ[key]) for key, value in given.items()}
    options = {key: values[0] for key, values in parse_qs(parts.query).items()}
    return {"ENGINE": "config.postgresql", **filled, "OPTIONS": options}
