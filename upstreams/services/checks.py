"""Whether an upstream may be what it is wanted to be: the rule's own conditions, before a row is touched."""

from dataclasses import replace
from urllib.parse import urlsplit

from django.conf import settings

from packages.formats.moonbit.addresses import PatternInvalid
from packages.formats.moonbit.addresses import check_pattern as check_package_url
from registries.models import Registry
from upstreams.clients.guard import how_to_allow, is_reachable, literal
from upstreams.errors import UpstreamInvalid
from upstreams.models import Upstream
from upstreams.services.checks_git import check_names, checked_git, git_origin_of
from upstreams.services.wishes import UpstreamWish
from workspaces.access import Action, Actor
from workspaces.services.spaces import check_pattern
from workspaces.slugs import SLUG

HIGHEST_PRIORITY = 1000
# Seconds that may be set, by field; without one the installation's own holds.
TIMES = {"negative_ttl": (0, 86_400), "connect_timeout": (1, 60), "read_timeout": (1, 300), "total_timeout": (1, 3600)}


def origin_of(url: str, field: str = "url") -> tuple[str, str, int]:
    """Scheme, host and port of an address: where its credentials may go. Raises UpstreamInvalid for one that cannot be read."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        raise refused(field, "The address cannot be read, or has no valid port.") from None
    return parts.scheme, (parts.hostname or "").lower(), port or {"https": 443}.get(parts.scheme, 80)


def goes_to(wish: UpstreamWish) -> tuple[str, str, int]:
    """Where the credentials of an upstream like this may go. Raises UpstreamInvalid."""
    return git_origin_of(wish.url) if wish.kind == Upstream.Kind.GIT else origin_of(wish.url)


class SecretRequired(UpstreamInvalid):
    """The address moved and the secret does not go with it."""

    code = "secret_required"


def checked(actor: Actor, registry: Registry, wish: UpstreamWish, *, has_secret: bool) -> UpstreamWish:
    """The wish in its clean form. `has_secret`: one is stored or sent along. Raises UpstreamInvalid."""
    if not SLUG.fullmatch(wish.name):
        raise refused("name", "An upstream's name has 1 to 40 lower-case letters, digits and dashes.")
    if not 0 <= wish.priority <= HIGHEST_PRIORITY:
        raise refused("priority", f"A priority is a whole number from 0 to {HIGHEST_PRIORITY}; lower is asked first.")
    _check_times(wish)
    wish = replace(wish, patterns=tuple(check_pattern(pattern, "patterns") for pattern in wish.patterns))
    if wish.kind == Upstream.Kind.REGISTRY:
        return _checked_chain(actor, registry, wish)
    if wish.kind == Upstream.Kind.GIT:
        return checked_git(registry, wish, has_secret=has_secret)
    if wish.kind != Upstream.Kind.URL:
        raise refused("kind", "An upstream's kind is “registry”, “url” or “git”.")
    if wish.format not in {"npm", "moonbit"}:
        raise refused("format", "Only upstreams of format “npm” and “moonbit” can be added yet.")
    if wish.format == "moonbit":
        wish = _checked_index(wish)
    elif wish.index_url or wish.package_url_pattern:
        raise refused("index_url", "Only upstreams of format “moonbit” have an index and a pattern of addresses.")
    return _checked_url(registry, wish, has_secret=has_secret)


def _check_times(wish: UpstreamWish) -> None:
    """Whole seconds within bounds. Raises UpstreamInvalid."""
    for field, (least, most) in TIMES.items():
        seconds = getattr(wish, field)
        if seconds is not None and not least <= seconds <= most:
            raise refused(field, f"{field} is a whole number of seconds from {least} to {most:,}, or nothing for the installation's own.")


def _checked_chain(actor: Actor, registry: Registry, wish: UpstreamWish) -> UpstreamWish:
    """Another registry of the workspace, which the actor may read; its versions' own flags say what is internal."""
    source = Registry.objects.filter(workspace_id=registry.workspace_id, slug=wish.registry).first()
    if source is None or not actor.may(Action.READ, source):
        raise refused("registry", f"There is no registry “{wish.registry[:40]}” in this workspace.")
    if source.pk == registry.pk:
        raise refused("registry", "A registry cannot be its own upstream.")
    if registry.is_public and not source.is_public:
        raise refused("registry", "A public registry may have no private registry as its upstream.")
    if wish.format not in {"npm", "moonbit"}:
        raise refused(
            "format", "Registries are chained for packages of every format; leave “format” out, or say “moonbit” for modules alone."
        )
    if wish.internal:
        raise refused("internal", "The flag is not for registries of the workspace: there each version's own flag counts.")
    if wish.url or wish.auth_type != "none" or wish.username or wish.secret:
        raise refused("url", "A registry of the workspace has neither address nor credentials; it is named in “registry”.")
    return wish


def _checked_url(registry: Registry, wish: UpstreamWish, *, has_secret: bool) -> UpstreamWish:
    if wish.registry:
        raise refused("registry", "Only an upstream of kind “registry” names one.")
    _check_credentials(wish, has_secret=has_secret)
    check_names(wish)
    if registry.is_public and wish.auth_type != "none":
        raise refused("auth_type", "A public registry may have no upstream with credentials.")
    return replace(wish, url=check_address(wish.url))


def _checked_index(wish: UpstreamWish) -> UpstreamWish:
    """A MoonBit registry's index and the pattern of its packages' addresses; '' is the usual place below `url`."""
    if wish.index_type not in Upstream.IndexType.values:
        raise refused("index_type", "index_type is “git” or “http”.")
    index = check_address(wish.index_url, "index_url") if wish.index_url else ""
    pattern = wish.package_url_pattern.strip()
    if pattern:
        try:
            check_package_url(pattern)
        except PatternInvalid as error:
            raise refused("package_url_pattern", error.message) from None
        if not pattern.startswith("${url}"):
            scheme, _, rest = pattern.partition("://")
            check_address(f"{scheme}://{rest.partition('/')[0]}", "package_url_pattern")
    return replace(wish, index_url=index, package_url_pattern=pattern)


def _check_credentials(wish: UpstreamWish, *, has_secret: bool) -> None:
    """A known kind of credentials, complete, in characters a header can carry."""
    if wish.auth_type not in Upstream.AuthType.values:
        raise refused("auth_type", "auth_type is “none”, “bearer” or “basic”.")
    if wish.auth_type != "none" and not has_secret:
        raise refused("secret", f"auth_type “{wish.auth_type}” needs a secret.")
    if wish.auth_type == "basic" and (not wish.username or ":" in wish.username):
        raise refused("username", "auth_type “basic” needs a username without a colon.")
    if not (wish.username + (wish.secret or "")).isprintable():
        raise refused("secret", "A username or secret has printable characters only.")
    if wish.auth_type == "bearer" and not (wish.secret or "").isascii():
        raise refused("secret", "A token goes into a header as it is, so it has ASCII characters only.")


def check_address(url: str, field: str = "url") -> str:
    """An upstream's address, without a trailing slash. Raises UpstreamInvalid for one that may never be reached."""
    _, _, port = origin_of(url, field)
    parts = urlsplit(url.strip())
    plain = not (parts.username or parts.password or parts.query or parts.fragment) and url.isprintable() and " " not in url.strip()
    if parts.scheme not in {"http", "https"} or not parts.hostname or not plain or len(url) > 500:  # noqa: PLR2004 - the column
        raise refused(field, "An upstream's address is http(s)://host[:port]/path, without credentials, query or fragment.")
    if settings.NPM_UPSTREAM_URL and origin_of(url) == origin_of(settings.NPM_UPSTREAM_URL):
        return url.strip().rstrip("/")
    spelled = literal(parts.hostname)
    if spelled is not None and not is_reachable(spelled, port, settings.ALLOWED_PRIVATE_NETWORKS):
        raise refused(field, f"The upstream address {parts.hostname} is not public. {how_to_allow(spelled)}")
    return url.strip().rstrip("/")


def refused(field: str, sentence: str) -> UpstreamInvalid:
    """The error of one field."""
    return UpstreamInvalid(sentence, fields={field: sentence})
