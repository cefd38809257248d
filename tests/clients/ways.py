"""How each client spells what they all do."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.clients.projects import write_package
from tests.parts.clients import Client, Done

Words = tuple[str, ...]


@dataclass(frozen=True)
class Ways:
    """The commands of one client; `()` where it has none. `frozen`: install exactly the lock file, whose name is `lock`."""

    publish: Words = ("publish",)
    add: Words = ("add",)
    frozen: Words = ("ci",)
    lock: str = "package-lock.json"
    whoami: Words = ("whoami",)
    view: Words = ("view",)
    outdated: Words = ("outdated",)
    update: Words = ("update",)
    audit: Words = ("audit",)
    ping: Words = ("ping",)


NPM = Ways(add=("install",))
PNPM = Ways(publish=("publish", "--no-git-checks"), frozen=("install", "--frozen-lockfile"), lock="pnpm-lock.yaml")
YARN1 = Ways(
    publish=("publish", "--non-interactive"), frozen=("install", "--frozen-lockfile"), lock="yarn.lock",
    whoami=(), view=("info",), update=("upgrade",), audit=(), ping=(),
)  # fmt: skip
YARN4 = Ways(
    publish=("npm", "publish"), frozen=("install", "--immutable"), lock="yarn.lock",
    whoami=("npm", "whoami"), view=("npm", "info"), outdated=(), update=("up",), audit=("npm", "audit"), ping=(),
)  # fmt: skip
BUN = Ways(frozen=("install", "--frozen-lockfile"), lock="bun.lock", whoami=("pm", "whoami"), view=("info",), ping=())

WAYS: Mapping[str, Ways] = {
    **dict.fromkeys(("npm-6", "npm-9", "npm-10", "npm-11", "npm-12"), NPM),
    **dict.fromkeys(("pnpm-10", "pnpm-12"), PNPM),
    "yarn-1": YARN1,
    "yarn-4": YARN4,
    "bun": BUN,
}
EVERY = tuple(WAYS)


def ways(client: Client) -> Ways:
    """How this client spells it."""
    return WAYS[client.tool]


def publish_with(client: Client, name: str, version: str = "1.0.0", *words: str, ok: bool = True, **fields: object) -> Done:
    """Publish a package made up on the spot, in the client's own way; asserts success or, with ok=False, failure."""
    folder = write_package(client.home / f"{name.replace('/', '-')}-{version}", name, version, **fields)
    if client.tool == "yarn-4":  # it publishes from an installed project only
        (folder / "yarn.lock").touch()
        client.run("install", cwd=folder)
    run = client.run if ok else client.refused
    return run(*ways(client).publish, *words, cwd=folder)


def app(client: Client) -> Client:
    """Write the client's project, an application."""
    write_package(client.project, "an-app")
    if client.tool == "yarn-4":
        (client.project / "yarn.lock").touch()  # else it looks for a project further up
    return client


def install_locked(old: Client, new: Client) -> Done:
    """Take a project with its lock file to a machine that has nothing yet, and install exactly that there."""
    extra = ("pnpm-workspace.yaml",)  # pnpm 12 writes there what its age gate is to let pass
    for file in ("package.json", ways(old).lock, *extra):
        if (old.project / file).exists():
            (new.project / file).write_bytes((old.project / file).read_bytes())
    return new.run(*ways(new).frozen)
