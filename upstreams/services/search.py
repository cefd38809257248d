"""Search: the packages of the registry and of those it is chained to, then what public upstreams find, where its switch allows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from packages.formats.npm.search import Query, parse_query
from packages.search import Found, Hit, Sieve, find
from registries.models import Registry
from upstreams.clients.questions import ask_search
from upstreams.errors import RuleChanged, UpstreamError
from upstreams.models import Upstream
from upstreams.selectors.chain import reached
from upstreams.selectors.facts import Ground
from upstreams.selectors.many import Moment, moment_of
from upstreams.services.outgoing import limited, parsed, survey, switch_holds, trouble
from upstreams.services.texts import why_it_stays
from upstreams.services.troubles import tell_of_trouble
from workspaces.access import Action, Actor, Target
from workspaces.room import release_connection

UPSTREAMS = 3  # public upstreams that are asked for one page
SEARCH = "/-/v1/search"
MOST = 1_000_000_000  # results an upstream may say it has


@dataclass(frozen=True)
class Results:
    """A page: own hits, then packages as upstreams describe them; `notices` are for the one who asked."""

    hits: tuple[Hit, ...]
    others: tuple[dict[str, Any], ...]
    total: int
    notices: tuple[str, ...] = ()


@dataclass
class _Others:
    """What upstreams gave so far. `start` and `left`: the part of the page that is still open."""

    start: int
    left: int
    found: list[dict[str, Any]]
    names: set[str]
    total: int = 0


def search(*, actor: Actor, registry: Registry, text: str, start: int, size: int) -> Results:
    """What `actor` may see of what is found by `text`, from `start` on, at most `size`. Raises QueryInvalid."""
    query = parse_query(text)
    ground = Ground.read(registry.workspace_id, "npm")
    own = _in_workspace(actor, registry, ground, query, start, size)
    if not registry.search_upstream or query.is_everything or len(own.hits) >= size or not _is_member(actor, registry):
        return Results(own.hits, (), own.total)
    why = why_it_stays(registry, text)
    if why:
        return Results(own.hits, (), own.total, (f"Only this registry was searched: {why}.",))
    return _with_upstreams(actor, registry, text, own, max(start - own.total, 0), size - len(own.hits))


def _in_workspace(actor: Actor, registry: Registry, ground: Ground, query: Query, start: int, size: int) -> Found:
    """One registry after the other, nearest first, as if their hits stood in one row; a name in the nearest alone."""
    hits: list[Hit] = []
    total, nearer = 0, list[int]()
    for place, within in reached(registry, ground):
        sieve = replace(_sieve(actor, registry, ground), within=within, nearer=tuple(nearer))
        page = find(place, query, sieve, start=max(start - total, 0), size=size - len(hits))
        hits += page.hits
        total += page.total
        nearer.append(place.pk)
    return Found(tuple(hits), total)


def _is_member(actor: Actor, registry: Registry) -> bool:
    """Whether upstreams are asked at all for this caller: a member who may read all of the workspace's names.

    A text stays here when it meets an internal name anywhere in the workspace. Visitors of a public registry, and whoever
    holds a token for some names or registries only, would learn the others by trying letters: every search that brings
    nothing from outside tells one.
    """
    grant = actor.grant
    is_whole = grant is None or (grant.scopes is None and grant.registries is None)
    return is_whole and actor.role_in(registry.workspace_id) is not None


def _sieve(actor: Actor, registry: Registry, ground: Ground) -> Sieve:
    return Sieve(
        internal=[pattern for pattern, _ in ground.internal_patterns()],
        readable=actor.grant.readable("npm") if actor.grant is not None else None,
        hides_restricted=registry.is_public and actor.role_in(registry.workspace_id) is None,
    )


def _with_upstreams(actor: Actor, registry: Registry, text: str, own: Found, start: int, left: int) -> Results:
    """Own results first; then one upstream after the other, as if their results stood in one row."""
    others, notices = _Others(start, left, [], {hit.name.lower() for hit in own.hits}), []
    moment = moment_of(registry, ())
    for upstream in _public_upstreams(registry):
        if others.left <= 0:
            break
        try:
            _add(actor, upstream, text, others, moment)
        except UpstreamError as error:
            tell_of_trouble(upstream, error, "search")
            notices.append(f"Not all was searched: {trouble(error)}")
    return Results(own.hits, tuple(others.found), own.total + others.total, tuple(notices))


def _add(actor: Actor, upstream: Upstream, text: str, others: _Others, moment: Moment) -> None:
    """Ask one upstream, and take what the rule lets be seen of it. Raises UpstreamError."""

    def before_send() -> None:
        """The last look before the text leaves: the epochs under which it was judged, the switch, and the text itself."""
        if moment_of(registry, ()) != moment or not switch_holds(registry, "search_upstream") or why_it_stays(registry, text):
            raise _changed(upstream)
        release_connection()

    registry = upstream.registry
    answer = ask_search(limited(upstream, SEARCH), text=text.strip(), start=others.start, size=others.left, before_send=before_send)
    listed = answer.get("objects") if answer is not None else None
    if answer is None or not isinstance(listed, list):
        return
    offered = _packages(listed[: others.left])
    decided = survey(registry, sorted(offered))
    for name, package in offered.items():
        asker = decided.asker(name)
        may = actor.may(Action.READ, registry, Target("npm", name))
        if asker is not None and asker.pk == upstream.pk and may and name.lower() not in others.names:
            others.found.append(package)
            others.names.add(name.lower())
    total = answer.get("total")
    known = total if isinstance(total, int) and 0 <= total <= MOST else len(listed)
    others.total += max(known - (len(offered) - len(others.found)), len(others.found))
    others.left -= len(listed)
    others.start = max(others.start - known, 0)


def _changed(upstream: Upstream) -> UpstreamError:
    return RuleChanged("the rules changed just now; search again.", upstream=upstream.name, retry_after=1)


def _public_upstreams(registry: Registry) -> list[Upstream]:
    """The first that take any name: one that is limited to patterns is asked for packages, not for texts."""
    rows = Upstream.objects.filter(registry=registry, kind=Upstream.Kind.URL, format="npm", is_enabled=True, is_internal=False)
    found = [row for row in rows.select_related("registry__workspace") if not row.patterns or "*" in row.patterns]
    return found[:UPSTREAMS]


def _packages(listed: list[object]) -> dict[str, dict[str, Any]]:
    """Name -> package, of results that have the form npm's clients read; nothing else of them is passed on."""
    found: dict[str, dict[str, Any]] = {}
    for one in listed:
        package = one.get("package") if isinstance(one, dict) else None
        name = parsed(package.get("name")) if isinstance(package, dict) else None
        if isinstance(package, dict) and name is not None and isinstance(package.get("version"), str):
            found.setdefault(name.full, _cleaned(name.full, package))
    return found


def _cleaned(name: str, package: Mapping[str, Any]) -> dict[str, Any]:
    keywords, links, people = package.get("keywords"), package.get("links"), package.get("maintainers")
    publisher = _person(package.get("publisher"))
    listed = [person for one in (people if isinstance(people, list) else [])[:20] if (person := _person(one))]
    return {
        "name": name,
        "version": package["version"][:256],
        "description": _text(package.get("description"), 500),
        "keywords": [_text(word, 64) for word in keywords[:40] if isinstance(word, str)] if isinstance(keywords, list) else [],
        "date": _text(package.get("date"), 40),
        "license": _text(package.get("license"), 100),
        "links": {key: link for key in ("homepage", "repository", "bugs", "npm") if (link := _link(links, key))},
        "maintainers": listed,
        "publisher": publisher or (listed[0] if listed else {"username": "", "email": ""}),
    }


def _person(value: object) -> dict[str, str] | None:
    if not isinstance(value, dict) or not isinstance(value.get("username"), str):
        return None
    return {"username": value["username"][:100], "email": _text(value.get("email"), 200)}


def _link(links: object, key: str) -> str:
    text = _text(links.get(key) if isinstance(links, dict) else "", 500)
    return text if text.startswith(("https://", "http://")) and text.isprintable() else ""


def _text(value: object, limit: int) -> str:
    return value[:limit] if isinstance(value, str) else ""
