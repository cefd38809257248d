"""What git said when it failed, as our own errors: what was said itself is never shown."""

import re
from dataclasses import dataclass

from upstreams.errors import HostKeyChanged, UpstreamBadAnswer, UpstreamError, UpstreamTimeout, UpstreamUnauthorized, UpstreamUnreachable

RETRY_AFTER = 30


@dataclass(frozen=True)
class Meaning:
    """An error in the making: its kind, a word for programs, the rest of the sentence that begins with the upstream's name."""

    kind: type[UpstreamError]
    cause: str
    sentence: str

    def of(self, name: str) -> UpstreamError:
        """The error for upstream `name`."""
        retry_after = RETRY_AFTER if issubclass(self.kind, UpstreamUnreachable) else None
        return self.kind(f"Upstream {name} {self.sentence}.", upstream=name, retry_after=retry_after, cause=self.cause)


HOST_KEY = (
    "did not prove to be the host it was: its SSH host key is not the one known, so it was told nothing. Ask whoever runs it. If the"
    " key was changed on purpose, an admin enters the private key anew in the upstream's form, with the host's new keys behind it as"
    " ssh-keyscan prints them; if it was not, somebody else may be answering in its place"
)
REFUSED = Meaning(UpstreamUnauthorized, "", "refused our credentials, or wants some")
CHANGED_HOST = Meaning(HostKeyChanged, "host_key", HOST_KEY)
BAD_KEY = Meaning(UpstreamUnauthorized, "key", "was not asked: its private key has to be an OpenSSH or PEM key without a passphrase")
NO_REPOSITORY = Meaning(UpstreamBadAnswer, "not_a_repository", "has no Git repository at that address, or none our credentials may see")
FOREIGN = Meaning(UpstreamBadAnswer, "foreign", "is a repository that belongs to another user of this machine")
REDIRECTED = Meaning(UpstreamBadAnswer, "redirected", "redirects elsewhere; give the address it leads to")
NO_DEFAULT = Meaning(UpstreamBadAnswer, "no_default", "has no default branch: its HEAD points to a branch that is not there")
DAMAGED = Meaning(UpstreamBadAnswer, "damaged", "sent objects that Git's own check refuses; nothing was kept")
LATE = Meaning(UpstreamTimeout, "", "did not answer in time")
FAILING = Meaning(UpstreamUnreachable, "", "cannot be reached (it answers with an error of its own)")
NO_NAME = Meaning(UpstreamUnreachable, "dns", "cannot be reached (its name does not resolve)")
NO_TLS = Meaning(UpstreamUnreachable, "tls", "cannot be reached (TLS failed)")
CLOSED = Meaning(UpstreamUnreachable, "refused", "cannot be reached (connection refused)")
NO_PROGRAM = Meaning(UpstreamUnreachable, "program", "cannot be reached (a program Git needs for it is not installed here)")
BROKEN = Meaning(UpstreamUnreachable, "broken", "cannot be reached (the conversation broke)")

# In this order: the first that fits.
MEANINGS = tuple(
    (re.compile(pattern, re.IGNORECASE), meant)
    for pattern, meant in (
        (r"invalid format|error in libcrypto|incorrect passphrase|bad passphrase", BAD_KEY),
        (r"host key verification failed|host identification has changed", CHANGED_HOST),
        (r"dubious ownership", FOREIGN),
        (r"returned error: 30\d|redirect", REDIRECTED),
        (r"returned error: 40[13]|could not read username|could not read password|authentication failed|permission denied", REFUSED),
        (r"returned error: (?:5\d\d|429)", FAILING),
        (r"could not resolve|name or service not known|temporary failure in name", NO_NAME),
        (r"timed out|timeout was reached|too slow|operation timed|transfer closed with", LATE),
        (r"ssl|tls|certificate", NO_TLS),
        (r"connection refused|failed to connect|couldn't connect", CLOSED),
        (r"cannot run ssh|unable to find remote helper|cannot exec", NO_PROGRAM),
        (r"not appear to be a git repository|not found|returned error: 4\d\d|not valid: is this a git repository|not exist", NO_REPOSITORY),
        (r"fsck|bad object|corrupt|index-pack|invalid pack|missing blob|unresolved deltas", DAMAGED),
    )
)


def meaning(name: str, said: str) -> UpstreamError:
    """The error for what git said about upstream `name`."""
    return next((meant for pattern, meant in MEANINGS if pattern.search(said)), BROKEN).of(name)
