"""Whether a Git repository may be an upstream, before a row is touched."""

from dataclasses import replace

from django.conf import settings

from registries.models import Registry
from upstreams.clients.git.address import Address, AddressInvalid, Way, parse
from upstreams.clients.guard import how_to_allow, is_reachable, literal
from upstreams.clients.http import origin_of
from upstreams.errors import UpstreamInvalid
from upstreams.models import Upstream
from upstreams.services.wishes import UpstreamWish

SPELLINGS = "https://host/x.git, ssh://git@host/x.git, git@host:x.git or, for operators, a path like /srv/git/x.git"


def checked_git(registry: Registry, wish: UpstreamWish, *, has_secret: bool) -> UpstreamWish:
    """The wish in its clean form. Raises UpstreamInvalid."""
    if wish.format != "npm":
        raise _refused("format", "Git repositories are upstreams of format “npm” only, yet.")
    if wish.registry or wish.index_url or wish.package_url_pattern:
        raise _refused("url", "A Git repository has an address, and neither a registry nor an index.")
    address = _address(wish.url.strip())
    _check_credentials(wish, address, has_secret=has_secret)
    if registry.is_public and wish.auth_type != "none":
        raise _refused("auth_type", "A public registry may have no upstream with credentials.")
    check_names(wish)
    return replace(wish, url=wish.url.strip())


def check_names(wish: UpstreamWish) -> None:
    """An internal upstream with credentials is asked for names of its own alone: those count as claims. Raises UpstreamInvalid."""
    if not wish.internal or wish.auth_type == "none":
        return
    if not wish.patterns or not all(any(char.isalnum() for char in pattern) for pattern in wish.patterns):
        sentence = (
            "An internal upstream with credentials needs patterns like @partner/*, and none that fits every name:"
            " an expired credential looks like “not found”."
        )
        raise _refused("patterns", sentence)


def check_disk(wish: UpstreamWish, *, is_operators: bool) -> None:
    """A path is for operators of the installation, for it reads this machine's disk. Raises UpstreamInvalid."""
    if wish.kind == Upstream.Kind.GIT and not is_operators and _address(wish.url).way is Way.FILE:
        raise _refused("url", "A path on the server's own disk is for operators of the installation alone.")


def git_origin_of(url: str) -> tuple[str, str, int]:
    """Where the credentials of a Git upstream may go. Raises UpstreamInvalid."""
    return _address(url.strip()).origin


def _address(url: str) -> Address:
    try:
        address = parse(url)
    except AddressInvalid as error:
        raise _refused("url", f"A repository's address is {SPELLINGS}; {error}.") from None
    if address.way in {Way.HTTP, Way.HTTPS} and settings.NPM_UPSTREAM_URL and address.origin == origin_of(settings.NPM_UPSTREAM_URL):
        return address
    spelled = literal(address.host) if address.host else None
    if spelled is not None and not is_reachable(spelled, address.port, settings.ALLOWED_PRIVATE_NETWORKS):
        raise _refused("url", f"The upstream address {address.host} is not public. {how_to_allow(spelled)}")
    return address


def _check_credentials(wish: UpstreamWish, address: Address, *, has_secret: bool) -> None:
    if wish.auth_type not in Upstream.AuthType.values:
        raise _refused("auth_type", "auth_type is “none”, “bearer” or “basic”.")
    if wish.auth_type == "none":
        return
    if address.way is Way.FILE:
        raise _refused("auth_type", "A path on the server's own disk needs no credentials.")
    if not has_secret:
        raise _refused("secret", f"auth_type “{wish.auth_type}” needs a secret.")
    if address.way is Way.SSH:
        _check_key(wish)
        return
    if wish.auth_type == "basic" and (not wish.username or ":" in wish.username):
        raise _refused("username", "auth_type “basic” needs a username without a colon.")
    if not (wish.username + (wish.secret or "")).isprintable():
        raise _refused("secret", "A username or secret has printable characters only.")
    if wish.auth_type == "bearer" and not (wish.secret or "").isascii():
        raise _refused("secret", "A token goes into a header as it is, so it has ASCII characters only.")


def _check_key(wish: UpstreamWish) -> None:
    """For SSH the secret is a private key, and its `auth_type` is “bearer”."""
    if wish.auth_type != "bearer" or wish.username:
        raise _refused("auth_type", "For SSH auth_type is “bearer” and the secret a private key; the user stands in the address.")
    secret = wish.secret or ""
    if not secret or secret.strip().startswith("${"):
        return
    if "PRIVATE KEY-----" not in secret or not secret.isascii() or not all(line.isprintable() for line in secret.splitlines()):
        raise _refused("secret", "For SSH the secret is a private key without a passphrase, as ssh-keygen writes it.")


def _refused(field: str, sentence: str) -> UpstreamInvalid:
    return UpstreamInvalid(sentence, fields={field: sentence})
