"""Ready-made set-up for every npm client, as copied from a registry's page. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

CLIENTS = ("npm", "pnpm", "yarn 1", "yarn 4", "bun", "GitHub Actions", "GitLab CI")
ACTIONS = """on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v5
      - uses: actions/setup-node@v5
        with:
          node-version: 22
      - run: npm ci
        env:
          NPM_TOKEN: ${{ secrets.NPM_TOKEN }}
"""
GITLAB = """build:
  image: node:22
  script:
    - npm ci
"""
NO_AUDIT = """# npm would send the names of all your packages to the other registry with each install
audit=false
"""


@dataclass(frozen=True)
class Snippet:
    """A file or command: for which client, for `all` packages or one `scope`, what it is called, its text."""

    client: str
    reach: str
    title: str
    text: str

    @property
    def key(self) -> str:
        """The client as one word, for the page's switches."""
        return self.client.replace(" ", "")


def set_up(url: str, scope: str, internal: Iterable[str] = ()) -> list[Snippet]:
    """Every snippet for the registry at `url` (with a trailing slash) and `scope` (with its @).

    `internal`: patterns of names that are the workspace's own. Clients that wait a day before they trust a new version
    are told not to wait for these. Each text is pasted and used by tests/clients/test_snippets.py.
    """
    own = [f"{scope}/*", *(one for one in internal if not one.startswith(f"{scope}/"))]
    made = []
    for reach, first in (("all", f"registry={url}"), ("scope", f"{scope}:registry={url}")):
        token = f"{_bare(url)}:_authToken=${{NPM_TOKEN}}\n"
        npmrc = f"{first}\n{token}"
        login = f"npm login --registry={url}" if reach == "all" else f"npm login --scope={scope} --registry={url}"
        made += [
            Snippet("npm", reach, "Terminal", login),
            Snippet("npm", reach, ".npmrc", npmrc if reach == "all" else npmrc + NO_AUDIT),
            Snippet("pnpm", reach, "Terminal", "p" + login),
            Snippet("pnpm", reach, ".npmrc", f"{first}\n"),
            Snippet("pnpm", reach, "~/.npmrc", token),
            Snippet("pnpm", reach, "pnpm-workspace.yaml", _listed("minimumReleaseAgeExclude", own)),
            Snippet("yarn 1", reach, ".npmrc", f"{npmrc}always-auth=true\n"),
            Snippet("yarn 4", reach, ".yarnrc.yml", _yarn4(url, scope, reach) + "\n" + _listed("npmPreapprovedPackages", own)),
            Snippet("bun", reach, "bunfig.toml", _bun(url, scope, reach)),
            Snippet("GitHub Actions", reach, ".npmrc", npmrc if reach == "all" else npmrc + NO_AUDIT),
            Snippet("GitHub Actions", reach, ".github/workflows/build.yml", ACTIONS),
            Snippet("GitLab CI", reach, ".npmrc", npmrc if reach == "all" else npmrc + NO_AUDIT),
            Snippet("GitLab CI", reach, ".gitlab-ci.yml", GITLAB),
        ]
    return made


def moon_set_up(url: str) -> list[Snippet]:
    """What `moon` needs to read the registry at `url`, and how anything else reads its index."""
    clone = f"git clone --depth 1 {url.replace('://', '://x:TOKEN@', 1)}/git/index"
    return [
        Snippet("moon", "all", "Terminal", f"export MOONCAKES_REGISTRY={url}\nmoon update"),
        Snippet("moon", "all", "The index, with a token", clone),
    ]


def moon_lines(url: str, name: str, version: str) -> list[tuple[str, str]]:
    """What `moon` is told to use a module of the registry at `url`."""
    wanted = f"{name}@{version}" if version else name
    return [("moon", line) for line in (f"export MOONCAKES_REGISTRY={url}", "moon update", f"moon add {wanted}")]


def install_lines(name: str, version: str) -> list[tuple[str, str]]:
    """What each client is told to install `name`; without a version, `latest`."""
    wanted = f"{name}@{version}" if version else name
    return [
        ("npm", f"npm install {wanted}"),
        ("pnpm", f"pnpm add {wanted}"),
        ("yarn", f"yarn add {wanted}"),
        ("bun", f"bun add {wanted}"),
    ]


def token_lines(url: str, secret: str) -> str:
    """The `.npmrc` of a new token."""
    return f"registry={url}\n{_bare(url)}:_authToken={secret}\n"


def scope_of(patterns: Iterable[str], workspace: str) -> str:
    """The scope the workspace claims, or one named after it."""
    scopes = (pattern.partition("/")[0] for pattern in patterns if pattern.startswith("@") and "/" in pattern)
    return next((scope for scope in scopes if not {"*", "?"} & set(scope)), f"@{workspace}")


def _bare(url: str) -> str:
    return f"//{url.partition('://')[2]}"


def _listed(key: str, patterns: Iterable[str]) -> str:
    """A YAML list of patterns."""
    return "\n".join([f"{key}:", *(f"  - '{one}'" for one in patterns), ""])


def _yarn4(url: str, scope: str, reach: str) -> str:
    """A scope names both registries: what it leaves out falls to the public one, not to its own (yarn 4.18)."""
    lines = []
    if urlsplit(url).scheme == "http":
        lines += ["unsafeHttpWhitelist:", f'  - "{urlsplit(url).hostname}"', ""]
    auth = ["npmAlwaysAuth: true", 'npmAuthToken: "${NPM_TOKEN}"']
    if reach == "all":
        lines += [f'npmRegistryServer: "{url}"', *auth]
    else:
        named = [f'npmRegistryServer: "{url}"', f'npmPublishRegistry: "{url}"', *auth]
        lines += ["npmScopes:", f"  {scope[1:]}:", *(f"    {line}" for line in named)]
    return "\n".join([*lines, ""])


def _bun(url: str, scope: str, reach: str) -> str:
    source = f'{{ url = "{url}", token = "$NPM_TOKEN" }}'
    if reach == "all":
        return f"[install]\nregistry = {source}\n"
    return f'[install.scopes]\n"{scope}" = {source}\n'
