"""From an Upstream row of kind `git` to what the client needs."""

import shutil
from pathlib import Path

from django.conf import settings

from upstreams.clients.git.address import AddressInvalid, Way, parse
from upstreams.clients.git.remote import GitTarget
from upstreams.errors import UpstreamBadAnswer, UpstreamForbiddenAddress
from upstreams.models import Upstream
from upstreams.targets import credentials_of, target_of

KEY_ENDS = "-----END "


def git_target_of(upstream: Upstream) -> GitTarget:
    """The repository with its credentials opened. Raises UpstreamUnauthorized, UpstreamForbiddenAddress, UpstreamBadAnswer."""
    target = target_of(upstream)
    try:
        address = parse(upstream.url)
    except AddressInvalid as error:
        raise UpstreamBadAnswer(f"The address of upstream {upstream.name} cannot be used: {error}.", upstream=upstream.name) from None
    if address.way is Way.FILE and not upstream.is_operators:
        sentence = f"Upstream {upstream.name} is a path on this machine, which only an operator of the installation may set."
        raise UpstreamForbiddenAddress(sentence, upstream=upstream.name)
    key = hosts = ""
    if address.way is Way.SSH and upstream.auth_type != Upstream.AuthType.NONE:
        found = credentials_of(upstream)
        key, hosts = split_key(found.secret) if found is not None else ("", "")
    return GitTarget(
        name=upstream.name,
        address=address,
        folder=folder_of(upstream.pk),
        web=target if address.way in {Way.HTTPS, Way.HTTP} else None,
        private_key=key,
        known_hosts=hosts,
        allowed=target.allowed,
        connect_timeout=target.connect_timeout,
        total_timeout=target.total_timeout,
        size_limit=settings.GIT_LIMIT,
    )


def split_key(secret: str) -> tuple[str, str]:
    """A private key, and the host's keys that may stand behind it as `ssh-keyscan` prints them."""
    lines = [line.strip() for line in secret.strip().splitlines()]
    ends = next((number for number, line in enumerate(lines) if line.startswith(KEY_ENDS)), len(lines) - 1) + 1
    hosts = [line for line in lines[ends:] if line and not line.startswith("#")]
    return "\n".join([*lines[:ends], ""]), "".join(f"{line}\n" for line in hosts)


def folder_of(upstream_id: int) -> Path:
    """Where the mirror of an upstream lies on this machine."""
    return Path(settings.DATA_DIR) / "git" / str(upstream_id)


def sweep_mirrors() -> int:
    """Delete the mirrors of upstreams that are gone; returns how many."""
    folder = Path(settings.DATA_DIR) / "git"
    known = {str(pk) for pk in Upstream.objects.filter(kind=Upstream.Kind.GIT).values_list("pk", flat=True)}
    gone = [path for path in folder.glob("*") if path.name.isdigit() and path.name not in known] if folder.is_dir() else []
    for path in gone:
        shutil.rmtree(path, ignore_errors=True)
    return len(gone)
