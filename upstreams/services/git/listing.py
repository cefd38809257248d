"""Listing a repository: its branches and tags, and which packages stand where. One at a time for each upstream.

The listing lies beside the mirror, a file for each package; the table knows which names there are, from when, and by
which digest of branches and tags. Equal digests mean that there is nothing to list anew.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from packages.formats.npm.commits import Head, Listed, Place, listed, release_of
from packages.formats.npm.names import Name, parse_known
from packages.formats.npm.versions import sort_key
from upstreams.clients.git.objects import Commit, NotHere, Objects
from upstreams.clients.git.refs import Refs
from upstreams.clients.git.remote import GitTarget, fetch, forget_refs, list_refs
from upstreams.errors import UpstreamBadAnswer, UpstreamUnreachable
from upstreams.services.git.modules import UNREADABLE, Modules

FORM = 3  # of the files beside the mirror, and of what is packed from it
BRANCHES, TAGS = 1000, 3000  # of one repository; beyond, branches by the alphabet and tags of the highest versions
TRIES = 3  # times a repository may change while it is listed
ANYTHING = Name("", "", None)


@dataclass(frozen=True)
class Chapter:
    """What the repository has of one name, and when each commit was made."""

    listed: Listed
    times: Mapping[str, datetime]


@dataclass(frozen=True)
class Survey:
    """A listing: by which digest, and the names; it is complete unless UNREADABLE is among them."""

    digest: str
    names: Sequence[str]


def survey(target: GitTarget, known: Survey | None, *, before_send: Callable[[], None]) -> Survey:
    """List the repository, unless its branches and tags are as known and the mirror here has them.

    Raises UpstreamError subclasses, and what `before_send` raises.
    """
    target.folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # where an SSH host's key is remembered
    for _ in range(TRIES):
        refs = within_bounds(list_refs(target, before_send=before_send))
        digest = digest_of(target, refs)
        if known is not None and known.digest == digest and is_here(target, digest):
            return known
        try:
            return Survey(digest, _list(target, refs, digest, before_send))
        except NotHere:  # a branch moved between the two questions
            continue
    raise UpstreamUnreachable(f"Upstream {target.name} is being changed all the time; try again.", upstream=target.name, retry_after=5)


def is_here(target: GitTarget, digest: str) -> bool:
    """Whether this machine's mirror is of that digest."""
    try:
        return (target.folder / "listed").read_text(encoding="utf-8") == digest
    except FileNotFoundError:
        return False


def chapter(target: GitTarget, name: Name) -> Chapter | None:
    """What the mirror's listing says of a name; None for nothing."""
    try:
        read = json.loads(_file(target, name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    versions = {version: Place(**place) for version, place in read["versions"].items()}
    return Chapter(Listed(versions=versions, tags=read["tags"]), {key: datetime.fromisoformat(at) for key, at in read["times"].items()})


def within_bounds(refs: Refs) -> Refs:
    """As many branches as are looked at, and the tags that can name versions."""
    branches = sorted(refs.branches, key=lambda branch: (branch != refs.default, branch))[:BRANCHES]
    numbers = {tag: number for tag in refs.tags if (number := _number(tag))}
    tags = sorted(numbers, key=lambda tag: sort_key(numbers[tag]), reverse=True)[:TAGS]
    return Refs(
        head=refs.head,
        default=refs.default,
        branches={branch: refs.branches[branch] for branch in branches},
        tags={tag: refs.tags[tag] for tag in tags},
    )


def _number(tag: str) -> str:
    """The version a tag names for whichever package, or ''."""
    found = release_of(tag, ANYTHING) or release_of(tag.rpartition("@")[2], ANYTHING)
    return found[1] if found else ""


def digest_of(target: GitTarget, refs: Refs) -> str:
    """Equal for the same branches and tags at the same address."""
    told = [FORM, target.address.url, refs.head, refs.default, sorted(refs.branches.items()), sorted(refs.tags.items())]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _list(target: GitTarget, refs: Refs, digest: str, before_send: Callable[[], None]) -> list[str]:
    """Fetch, read every tree, write a chapter for each name of the default branch. Raises NotHere."""
    wanted = {f"refs/heads/{branch}": commit for branch, commit in refs.branches.items()}
    wanted |= {f"refs/tags/{tag}": commit for tag, commit in refs.tags.items()}
    if refs.head and not refs.default:
        wanted["HEAD"] = refs.head
    if wanted:
        fetch(target, wanted, before_send=before_send)
        forget_refs(target, sorted(set(wanted.values())))
    names = _write(target, refs, set(wanted.values())) if wanted else []
    (target.folder / "listed").write_text(digest, encoding="utf-8")
    return names


def _write(target: GitTarget, refs: Refs, wanted: set[str]) -> list[str]:
    with Objects(target.repository, target.name) as objects:
        commits = {oid: commit for oid in sorted(wanted) if (commit := objects.commit(oid)) is not None}
        modules = Modules(objects, target.name)
        folders = {oid: modules.of(commit.tree) for oid, commit in commits.items()}
    main = refs.branches.get(refs.default, refs.head)
    if main not in folders:  # over the limit, or no commit: it may have any package
        raise UpstreamBadAnswer(f"The newest commit in the repository of upstream {target.name} cannot be read.", upstream=target.name)
    heads = [Head(branch=refs.default, commit=main)]
    heads += [Head(branch=branch, commit=commit) for branch, commit in refs.branches.items() if branch != refs.default]
    stamps = {oid: f"{commit.at:%Y%m%d%H%M%S}" for oid, commit in commits.items()}
    (target.folder / "names").mkdir(exist_ok=True)
    names = sorted(folders[main])
    told = [text for text in names if text != UNREADABLE]
    for text in told:
        name = parse_known(text)
        places = {oid: Place(oid, found[text]) for oid, found in folders.items() if text in found}
        _keep(target, name, listed(name, heads, refs.tags, places, stamps), commits)
    kept = {_file(target, parse_known(text)) for text in told}
    for file in (target.folder / "names").glob("*.json"):
        if file not in kept:
            file.unlink()
    return names


def _keep(target: GitTarget, name: Name, found: Listed, commits: Mapping[str, Commit]) -> None:
    times = {place.commit: commits[place.commit].at.isoformat() for place in found.versions.values()}
    versions = {version: asdict(place) for version, place in found.versions.items()}
    file = _file(target, name)
    beside = file.with_suffix(".new")
    beside.write_text(json.dumps({"versions": versions, "tags": dict(found.tags), "times": times}), encoding="utf-8")
    beside.replace(file)


def _file(target: GitTarget, name: Name) -> Path:
    return target.folder / "names" / f"{hashlib.sha256(name.full.encode()).hexdigest()}.json"
