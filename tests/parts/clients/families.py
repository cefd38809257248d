"""How each client is started, which files tell it its registry, and what else it must be told to stay at home."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from tests.parts.clients.install import COMMANDS, FOLDER, folder_of


class Settled(Protocol):
    """What a family must know of a client to write its settings."""

    @property
    def home(self) -> Path:
        """Its home folder."""

    @property
    def registry(self) -> str:
        """The registry's address, with the trailing slash."""

    @property
    def token(self) -> str:
        """Its token; "" for none."""


Files = Callable[[Settled], Mapping[str, str]]  # path below the home: text
Environment = Callable[[Settled], Mapping[str, str]]


@dataclass(frozen=True)
class Tool:
    """One client in one version: the package it is installed as, its program there, its family's ways."""

    package: str
    program: str
    files: Files
    environment: Environment
    runs_on_node: bool = True

    def words(self) -> list[str]:
        """The beginning of its command line."""
        program = str(folder_of(self.package) / self.program)
        return [str(COMMANDS / "node"), program] if self.runs_on_node else [program]


def npmrc(client: Settled) -> dict[str, str]:
    """The user's `.npmrc`, as npm and pnpm read it."""
    lines = [f"registry={client.registry}"]
    if client.token:
        lines.append(f"{bare(client.registry)}:_authToken={client.token}")
    return {".npmrc": "\n".join(lines) + "\n"}


def yarn1_files(client: Settled) -> dict[str, str]:
    """yarn 1 reads `.npmrc`; without always-auth it sends the token for scoped names only."""
    return {".npmrc": npmrc(client)[".npmrc"] + "always-auth=true\n", ".yarnrc": "disable-self-update-check true\n"}


def yarn4_files(client: Settled) -> dict[str, str]:
    """yarn 4 reads `.yarnrc.yml`; its age gate would refuse what was published a minute ago."""
    lines = [
        f'npmRegistryServer: "{client.registry}"',
        f'unsafeHttpWhitelist: ["{urlsplit(client.registry).hostname}"]',
        "npmMinimalAgeGate: 0",
        "nodeLinker: node-modules",
    ]
    if client.token:
        lines += ["npmAlwaysAuth: true", f'npmAuthToken: "{client.token}"']
    return {".yarnrc.yml": "\n".join(lines) + "\n"}


def bun_files(client: Settled) -> dict[str, str]:
    """bun reads `.bunfig.toml`."""
    token = f', token = "{client.token}"' if client.token else ""
    return {".bunfig.toml": f'[install]\nregistry = {{ url = "{client.registry}"{token} }}\n'}


def npm_environment(client: Settled) -> dict[str, str]:
    """Files of its own, short waits, no questions about a newer version."""
    return {
        "npm_config_userconfig": str(client.home / ".npmrc"),
        "npm_config_globalconfig": str(client.home / "no-global-npmrc"),
        "npm_config_cache": str(client.home / ".npm-cache"),
        "npm_config_update_notifier": "false",
        "npm_config_fund": "false",
        "npm_config_fetch_retry_mintimeout": "50",
        "npm_config_fetch_retry_maxtimeout": "200",
    }


def pnpm_environment(client: Settled) -> dict[str, str]:
    """As npm; pnpm 12 reads only its own variables."""
    store = {"store_dir": str(client.home / ".store")}
    own = store | {"fetch_retry_mintimeout": "50", "fetch_retry_maxtimeout": "200", "update_notifier": "false"}
    return {
        **npm_environment(client),
        "npm_config_store_dir": store["store_dir"],
        **{f"pnpm_config_{key}": one for key, one in own.items()},
    }


def yarn1_environment(client: Settled) -> dict[str, str]:
    """As npm, whose file it reads; run by root it would keep its settings in the machine's own folders."""
    return {**npm_environment(client), "YARN_CACHE_FOLDER": str(client.home / ".yarn-cache"), "FAKEROOTKEY": "1"}


def yarn4_environment(client: Settled) -> dict[str, str]:
    """Nothing is told to its makers, and its cache is its own."""
    return {"YARN_ENABLE_TELEMETRY": "0", "YARN_GLOBAL_FOLDER": str(client.home / ".yarn"), "YARN_HTTP_RETRY": "1"}


def bun_environment(client: Settled) -> dict[str, str]:
    """A cache of its own."""
    return {"BUN_INSTALL_CACHE_DIR": str(client.home / ".bun-cache"), "DO_NOT_TRACK": "1"}


def corepack_environment(client: Settled) -> dict[str, str]:
    """corepack has no file of settings: everything is said in the environment."""
    said = {"COREPACK_HOME": str(client.home / ".corepack"), "COREPACK_NPM_REGISTRY": client.registry.rstrip("/")}
    return {**said, "COREPACK_ENABLE_DOWNLOAD_PROMPT": "0", **({"COREPACK_NPM_TOKEN": client.token} if client.token else {})}


def bare(url: str) -> str:
    """An address as `.npmrc` keys begin: without the scheme."""
    return "//" + url.partition("://")[2]


def _npm(package: str) -> Tool:
    return Tool(package, "bin/npm-cli.js", npmrc, npm_environment)


TOOLS: Mapping[str, Tool] = {
    "npm": _npm("npm-11"),
    **{package: _npm(package) for package in ("npm-6", "npm-9", "npm-10", "npm-11", "npm-12")},
    "pnpm": Tool("pnpm-10", "bin/pnpm.cjs", npmrc, pnpm_environment),
    "pnpm-10": Tool("pnpm-10", "bin/pnpm.cjs", npmrc, pnpm_environment),
    "pnpm-12": Tool("pnpm-12", "pnpm", npmrc, pnpm_environment, runs_on_node=False),
    "yarn-1": Tool("yarn-1", "bin/yarn.js", yarn1_files, yarn1_environment),
    "yarn-4": Tool("yarn-4", "bin/yarn.js", yarn4_files, yarn4_environment),
    "bun": Tool("bun", "bin/bun.exe", bun_files, bun_environment, runs_on_node=False),
    "corepack": Tool("corepack", "dist/corepack.js", lambda _: {}, corepack_environment),
}
COMPILED = FOLDER / "compiled"  # Node's compile cache: npm starts in half the time
