"""What Gatehouse asks a Git repository elsewhere: its branches and tags, and their newest trees. Knows no tables.

One name resolution per conversation: git is held to the address that was judged (threats.md U1 to U7), follows no
redirect, and has the credentials for that origin alone, in its environment or in memory.
"""

import contextlib
import os
import shlex
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from upstreams.clients.breaker import BREAKERS
from upstreams.clients.connections import no_check
from upstreams.clients.git.address import Address, Way
from upstreams.clients.git.command import Bounds, GitFailed, environment, run, secret_path
from upstreams.clients.git.refs import NoAdvertisement, Refs, read_advertisement, read_listing
from upstreams.clients.git.trouble import NO_DEFAULT, NO_NAME, NO_REPOSITORY, REDIRECTED, meaning
from upstreams.clients.guard import AddressForbidden, AllowedNetwork, resolve
from upstreams.clients.http import Target, get, refuse_status
from upstreams.errors import UpstreamForbiddenAddress, UpstreamUnreachable
from workspaces.room import release_connection

ADVERTISEMENT_LIMIT = 64 * 1024 * 1024
FIRST = "refs/first"  # where versions stay whose tags were moved
HELD = "refs/held"  # where we keep what was fetched, by commit: names of theirs never become names of files here


@dataclass(frozen=True, kw_only=True)
class GitTarget:
    """A repository as the client needs it. `private_key`: text of an SSH key, or ''.

    `known_hosts`: the host's own keys, where they were given with the private key; else the first one met is believed from then on.
    """

    name: str
    address: Address
    folder: Path
    web: Target | None = None  # for our own questions over HTTP
    private_key: str = field(default="", repr=False)
    known_hosts: str = field(default="", repr=False)
    allowed: Sequence[AllowedNetwork] = ()
    is_probe: bool = False  # as in clients/http: no breaker stands before it
    connect_timeout: float = 10.0
    total_timeout: float = 300.0
    size_limit: int = 2 * 1024**3

    @property
    def repository(self) -> Path:
        """Our bare mirror of it."""
        return self.folder / "repo.git"


def list_refs(target: GitTarget, *, before_send: Callable[[], None] = no_check) -> Refs:
    """The branches and tags. Raises UpstreamError subclasses.

    What has branches and no default one is refused: nobody could tell which packages it has, and it would seem to have none.
    """
    refs = _refs(target, before_send)
    if not refs.head and (refs.branches or refs.tags):
        raise NO_DEFAULT.of(target.name)
    return refs


def _refs(target: GitTarget, before_send: Callable[[], None]) -> Refs:
    if target.web is not None:
        return _advertised(target, target.web, before_send)
    words = ("ls-remote", "--symref", "--quiet", "--", target.address.url, "HEAD", "refs/heads/*", "refs/tags/*")
    ask = partial(_converse, target, words, before_send=before_send)
    said = ask() if target.is_probe else BREAKERS.guard(Target(name=target.name, url=_shown(target.address)), ask)
    return read_listing(said.decode("utf-8", "replace"))


def _shown(address: Address) -> str:
    """The address with a scheme, as breakers and metrics tell upstreams apart."""
    return address.url if "://" in address.url else f"ssh://{address.url.replace(':', '/', 1)}"


def _advertised(target: GitTarget, web: Target, before_send: Callable[[], None]) -> Refs:
    """Over HTTP we ask ourselves: git would take any page for a repository of the old kind that has nothing."""
    url = f"{web.url.rstrip('/')}/info/refs?service=git-upload-pack"
    answer = get(web, url, {"accept": "*/*", "accept-encoding": "gzip"}, before_send=before_send)
    try:
        if answer.url != url:
            raise REDIRECTED.of(target.name)
        if answer.status in {404, 410}:
            raise NO_REPOSITORY.of(target.name)
        if answer.status != 200:  # noqa: PLR2004 - HTTP
            raise refuse_status(answer)
        return read_advertisement(b"".join(answer.pieces(ADVERTISEMENT_LIMIT)))
    except NoAdvertisement:
        raise NO_REPOSITORY.of(target.name) from None
    finally:
        answer.close()


def fetch(target: GitTarget, wanted: Mapping[str, str], *, before_send: Callable[[], None] = no_check) -> None:
    """Bring the newest trees of these refs (full name -> commit) into the mirror, and let go of what is not among them.

    Raises UpstreamError subclasses.
    """
    _prepare(target, next(iter(wanted.values()), ""))
    one_each = {commit: ref for ref, commit in sorted(wanted.items(), reverse=True)}  # branches and tags may meet in a commit
    lines = "".join(f"+{ref}:{HELD}/{commit}\n" for commit, ref in one_each.items())
    words = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--stdin"]
    with contextlib.suppress(_NotShallow):
        _converse(target, (*words, "--depth=1", "--", target.address.url), before_send=before_send, given=lines.encode())
        return
    _converse(target, (*words, "--", target.address.url), before_send=before_send, given=lines.encode())


def forget_refs(target: GitTarget, kept: Sequence[str]) -> None:
    """Let go of commits that no branch and no tag has any more; and of packs in great numbers."""
    env, bounds = environment(), Bounds(upstream=target.name, seconds=target.total_timeout)
    place = f"--git-dir={target.repository}"
    held = run((place, "for-each-ref", "--format=%(refname)", HELD), env, bounds).decode().split()
    gone = [ref for ref in held if ref.rpartition("/")[2] not in set(kept)]
    if len(list(target.repository.glob("objects/pack/*.pack"))) > PACKS:  # first: what is let go of now may be wanted once more
        run((place, "repack", "-a", "-d", "-q"), env, bounds)
    if gone:
        run((place, "update-ref", "--stdin"), env, bounds, given="".join(f"delete {ref}\n" for ref in gone).encode())


def keep_commits(target: GitTarget, commits: Sequence[str]) -> None:
    """Never let go of these, though no branch and no tag has them any more."""
    lines = "".join(f"update {FIRST}/{commit} {commit}\n" for commit in commits)
    bounds = Bounds(upstream=target.name, seconds=target.total_timeout)
    with contextlib.suppress(GitFailed):  # then the next tidying may take them
        run((f"--git-dir={target.repository}", "update-ref", "--stdin"), environment(), bounds, given=lines.encode())


PACKS = 50  # packs before they are made one


class _NotShallow(Exception):
    """The repository cannot give newest trees alone."""


def _prepare(target: GitTarget, sample: str) -> None:
    if (target.repository / "HEAD").exists():
        _tidy(target.repository)
        return
    shutil.rmtree(target.repository, ignore_errors=True)
    target.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    form = "sha256" if len(sample) == 64 else "sha1"  # noqa: PLR2004 - hex digits
    words = ("init", "--bare", "--quiet", f"--object-format={form}", str(target.repository))
    _local(target, words)


def _tidy(repository: Path) -> None:
    """Remove what a git that was ended left behind; nobody else writes here, for only one lists an upstream at a time."""
    for pattern in ("*.lock", "refs/**/*.lock", "objects/**/tmp_*", "objects/tmp_*", "objects/incoming-*/**/*"):
        for path in repository.glob(pattern):
            if path.is_file():
                path.unlink(missing_ok=True)


def _local(target: GitTarget, words: Sequence[str]) -> None:
    try:
        run(words, environment(), Bounds(upstream=target.name, seconds=60))
    except GitFailed:
        raise UpstreamUnreachable(f"The mirror of upstream {target.name} cannot be written here.", upstream=target.name) from None


def _converse(target: GitTarget, words: Sequence[str], *, before_send: Callable[[], None], given: bytes = b"") -> bytes:
    """Run git against the repository, held to one judged address. `before_send` may raise."""
    bounds = Bounds(
        upstream=target.name,
        seconds=target.total_timeout,
        folder=target.repository,
        folder_limit=target.size_limit,
    )
    place = (f"--git-dir={target.repository}",) if (target.repository / "HEAD").exists() else ()
    with _way(target) as (settings, more):
        before_send()
        try:
            return run((*place, *words), environment(settings, **more), bounds, given=given)
        except GitFailed as failed:
            if "does not support shallow" in failed.said:
                raise _NotShallow from None
            raise meaning(target.name, failed.said) from None


@contextlib.contextmanager
def _way(target: GitTarget) -> Iterator[tuple[list[tuple[str, str]], dict[str, str]]]:
    """Settings and environment for reaching the repository."""
    allowed = {"GIT_ALLOW_PROTOCOL": target.address.way.value}
    if target.address.way is Way.FILE:
        yield [], allowed
    elif target.address.way is Way.SSH:
        with _ssh(target) as command:
            yield [], {**allowed, "GIT_SSH_COMMAND": command, "GIT_SSH_VARIANT": "ssh"}
    else:
        yield _http_settings(target), allowed


def _judged(target: GitTarget) -> list[str]:
    """The addresses the repository's host may be reached at, all of them judged."""
    address = target.address
    release_connection()  # whoever waits for an upstream holds none of the database
    try:
        found = resolve(address.host, address.port, target.allowed, trusted=target.web is not None and target.web.is_trusted)
    except AddressForbidden:
        raise UpstreamForbiddenAddress(
            f"Upstream {target.name} leads to an address that is not public; an operator can allow it with ALLOWED_PRIVATE_NETWORKS.",
            upstream=target.name,
        ) from None
    except (OSError, UnicodeError):
        raise NO_NAME.of(target.name) from None
    return [str(one[0]) for _, one in found]


def _http_settings(target: GitTarget) -> list[tuple[str, str]]:
    address = target.address
    shown = f"[{address.host}]" if ":" in address.host else address.host
    numbers = ",".join(f"[{one}]" if ":" in one else one for one in _judged(target))
    settings = [("http.curloptResolve", f"{address.host}:{address.port}:{numbers}")]
    if target.web is not None and target.web.authorization:
        origin = f"{address.way.value}://{shown}:{address.port}/"
        settings.append((f"http.{origin}.extraHeader", f"Authorization: {target.web.authorization}"))
    return settings


@contextlib.contextmanager
def _ssh(target: GitTarget) -> Iterator[str]:
    """The command for ssh: our key alone, nobody's configuration, a host that proves to be the one it was."""
    if shutil.which("ssh") is None:
        sentence = f"Upstream {target.name} needs the program ssh on this machine, which is not installed."
        raise UpstreamUnreachable(sentence, upstream=target.name, cause="program")
    with contextlib.ExitStack() as open_files:
        key = open_files.enter_context(secret_path(target.private_key)) if target.private_key else "none"
        given = open_files.enter_context(secret_path(target.known_hosts)) if target.known_hosts else ""
        yield ssh_command(target, address=_judged(target)[0], key=key, known=given or str(target.folder / "known_hosts"))


def ssh_command(target: GitTarget, *, address: str, key: str, known: str) -> str:
    """The words git is to call ssh with; git adds the user, the port and the host, which `HostName` holds to the judged address."""
    alias = target.address.host if target.address.port == 22 else f"[{target.address.host}]:{target.address.port}"  # noqa: PLR2004
    options = {
        "BatchMode": "yes",
        "HostName": address,
        "HostKeyAlias": alias,
        "CheckHostIP": "no",
        "StrictHostKeyChecking": "yes" if target.known_hosts else "accept-new",
        "UserKnownHostsFile": f'"{known}"',
        "GlobalKnownHostsFile": os.devnull,
        "UpdateHostKeys": "no",
        "VerifyHostKeyDNS": "no",
        "IdentityFile": key,
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "PreferredAuthentications": "publickey",
        "ForwardAgent": "no",
        "ClearAllForwardings": "yes",
        "PermitLocalCommand": "no",
        "ProxyCommand": "none",
        "ControlPath": "none",
        "ConnectTimeout": str(max(1, int(target.connect_timeout))),
        "ServerAliveInterval": "15",
        "LogLevel": "ERROR",
    }
    words = ["ssh", "-F", os.devnull]
    for name, value in options.items():
        words += ["-o", f"{name}={value}"]
    return shlex.join(words)
