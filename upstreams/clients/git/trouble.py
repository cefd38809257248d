"""What git said when it failed, as our own errors: what was said itself is never shown."""

import re
from collections.abc import Callable

from upstreams.errors import UpstreamBadAnswer, UpstreamError, UpstreamTimeout, UpstreamUnauthorized, UpstreamUnreachable

Maker = Callable[[str], UpstreamError]


def _unauthorized(name: str) -> UpstreamError:
    return UpstreamUnauthorized(f"Upstream {name} refused our credentials, or wants some.", upstream=name)


def _changed_host(name: str) -> UpstreamError:
    sentence = f"Upstream {name} did not prove to be the host it was: its SSH host key is not the one known."
    return UpstreamBadAnswer(sentence, upstream=name)


def _key_unreadable(name: str) -> UpstreamError:
    sentence = f"The private key of upstream {name} cannot be read: it must be an OpenSSH or PEM key without a passphrase."
    return UpstreamUnauthorized(sentence, upstream=name)


def no_repository(name: str) -> UpstreamError:
    """Nothing there that is one."""
    return UpstreamBadAnswer(f"Upstream {name} has no Git repository at that address, or none our credentials may see.", upstream=name)


def _foreign(name: str) -> UpstreamError:
    return UpstreamBadAnswer(f"The repository of upstream {name} belongs to another user of this machine.", upstream=name)


def _redirected(name: str) -> UpstreamError:
    return UpstreamBadAnswer(f"Upstream {name} redirects elsewhere; give the address it leads to.", upstream=name)


def _damaged(name: str) -> UpstreamError:
    return UpstreamBadAnswer(f"Upstream {name} sent objects that Git's own check refuses; nothing was kept.", upstream=name)


def _timeout(name: str) -> UpstreamError:
    return UpstreamTimeout(f"Upstream {name} did not answer in time.", upstream=name)


def _unreachable(cause: str) -> Maker:
    def made(name: str) -> UpstreamError:
        return UpstreamUnreachable(f"Upstream {name} cannot be reached ({cause}).", upstream=name, retry_after=30)

    return made


# In this order: the first that fits.
MEANINGS: tuple[tuple[re.Pattern[str], Maker], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), maker)
    for pattern, maker in (
        (r"invalid format|error in libcrypto|incorrect passphrase|bad passphrase", _key_unreadable),
        (r"host key verification failed|host identification has changed", _changed_host),
        (r"dubious ownership", _foreign),
        (r"returned error: 30\d|redirect", _redirected),
        (r"returned error: 40[13]|could not read username|could not read password|authentication failed|permission denied", _unauthorized),
        (r"returned error: (?:5\d\d|429)", _unreachable("it answers with an error of its own")),
        (r"could not resolve|name or service not known|temporary failure in name", _unreachable("its name does not resolve")),
        (r"timed out|timeout was reached|too slow|operation timed|transfer closed with", _timeout),
        (r"ssl|tls|certificate", _unreachable("TLS failed")),
        (r"connection refused|failed to connect|couldn't connect", _unreachable("connection refused")),
        (r"cannot run ssh|unable to find remote helper|cannot exec", _unreachable("a program Git needs for it is not installed here")),
        (
            r"not appear to be a git repository|not found|returned error: 4\d\d|not valid: is this a git repository|does not exist",
            no_repository,
        ),
        (r"fsck|bad object|corrupt|index-pack|invalid pack|missing blob|unresolved deltas", _damaged),
    )
)


def meaning(name: str, said: str) -> UpstreamError:
    """The error for what git said about upstream `name`."""
    found = next((maker for pattern, maker in MEANINGS if pattern.search(said)), None)
    return (found or _unreachable("the conversation broke"))(name)
