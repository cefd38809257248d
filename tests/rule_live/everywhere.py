"""The two sides of the matrix in test_everywhere.py: how a name is internal, and by which path a source could be asked about it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.parts import faults
from tests.parts.gate import Place
from tests.parts.pack import pack, publish_document
from tests.parts.recorder import ABBREVIATED, Recorder
from tests.parts.web_client import Answer

VERSION = "1.0.0"
BULK, QUICK = "/-/npm/v1/security/advisories/bulk", "/-/npm/v1/security/audits/quick"


@dataclass(frozen=True)
class World:
    """A registry `place` with the public upstream `public`, and what may be internal beside it: `partner`, another upstream's recorder."""

    place: Place
    public: Recorder
    partner: Recorder

    def open(self, place: Place) -> None:
        """Let searches and audits go outside."""
        assert place.api().patch(place.rest, {"search_upstream": True, "audit_upstream": True}).status == 200

    def beside(self, slug: str, *, linked: bool) -> Place:
        """Another registry of the workspace, which has the public upstream too; `linked`: `place` is chained to it."""
        other = self.place.second(slug)
        other.upstream(self.public)
        self.open(other)
        if linked:
            self.link(self.place, other)
        return other

    def link(self, of: Place, to: Place) -> None:
        """Chain a registry to another."""
        wish = {"name": to.registry, "kind": "registry", "registry": to.registry, "priority": 10}
        assert of.api().post(of.rest + "upstreams/", wish).status == 201

    def trust(self, **fields: object) -> str:
        """Make the partner an internal upstream; answers its path in REST."""
        made = self.place.upstream(self.partner, "partner", internal=True, **fields)
        return f"{self.place.rest}upstreams/{made['id']}/"


@dataclass(frozen=True)
class Way:
    """One way of being internal. `pattern_less`: an internal upstream takes any name, so no search text leaves at all."""

    make: Callable[[World, str], object]
    pattern_less: bool = False


def _deleted(world: World, name: str, at: Place | None = None) -> None:
    place = at or world.place
    place.publish(pack(name))
    assert place.api().delete(f"{place.rest}packages/npm/{name.replace('/', '%2F')}/versions/{VERSION}/").status == 204


def _claimed_in_capitals(world: World, name: str) -> None:
    world.public.remove(name)
    world.place.claim(f"{name[:-2].upper()}??")


def _ticked(world: World, name: str) -> None:
    """Pulled from outside once, and then a person said: ours."""
    world.public.add(name)
    bare = name.rpartition("/")[2]
    assert world.place.as_("rita").get(f"/{name}/-/{bare}-{VERSION}.tgz").status == 200
    world.place.set_internal(name, VERSION, internal=True)
    world.public.forget()


def _remembered(world: World, name: str) -> None:
    """An internal upstream answered for it once; it is switched off since."""
    world.partner.add(name)
    path = world.trust()
    assert world.place.versions(name) == [VERSION]
    assert world.place.api().patch(path, {"enabled": False}).status == 200


def _disabled(world: World, name: str) -> None:
    path = world.trust(patterns=[f"{name[:-1]}*"])
    assert world.place.api().patch(path, {"enabled": False}).status == 200


def _in_trouble(world: World, name: str) -> None:
    """Whose it is, nobody can tell: rule 4. It answers, so that it is asked about other names all the same."""
    world.partner.misbehave(name, faults.status(403))
    world.trust()


def _two_links_away(world: World, name: str) -> None:
    near, far = world.beside("near", linked=True), world.beside("far", linked=False)
    world.link(near, far)
    far.publish(pack(name))


def _partner_behind_a_link(world: World, name: str) -> None:
    """The internal upstream belongs to the registry behind the chain."""
    near = world.beside("near", linked=True)
    world.partner.add(name)
    near.upstream(world.partner, "partner", internal=True, priority=200)


WAYS: Mapping[str, Way] = {
    "published here": Way(lambda world, name: world.place.publish(pack(name))),
    "claimed by its name": Way(lambda world, name: world.place.claim(name)),
    "claimed in capitals by a pattern, and nowhere yet": Way(_claimed_in_capitals),
    "buried here": Way(_deleted),
    "buried next door": Way(lambda world, name: _deleted(world, name, world.beside("next-door", linked=False))),
    "ticked by a person": Way(_ticked),
    "in another registry of the workspace": Way(lambda world, name: world.beside("next-door", linked=False).publish(pack(name))),
    "behind a chain": Way(lambda world, name: world.beside("shared", linked=True).publish(pack(name))),
    "behind a chain of two": Way(_two_links_away),
    "held by an internal upstream": Way(lambda world, name: (world.partner.add(name), world.trust()), pattern_less=True),
    "held by an internal upstream behind a chain": Way(_partner_behind_a_link, pattern_less=True),
    "in the pattern of an internal upstream": Way(lambda world, name: world.trust(patterns=[f"{name[:-1]}*"])),
    "in the pattern of one that is disabled": Way(_disabled),
    "remembered of an internal upstream": Way(_remembered),
    "unknown while an internal upstream is in trouble": Way(_in_trouble, pattern_less=True),
}

Ask = Callable[[Place, str], Answer]


@dataclass(frozen=True)
class Path:
    """One path of asking, done with a name. `leaves`: the same about a public name does reach a public upstream.

    `first` is done before, in other tests' cells: it may leave for a public name.
    """

    ask: Ask
    leaves: bool = True
    is_search: bool = False
    first: Ask | None = None


def _get(path: str, who: str = "rita", **headers: str) -> Ask:
    """GET with `{name}` and `{bare}` filled in; header names with `_` for `-`."""

    def ask(place: Place, name: str) -> Answer:
        return place.as_(who).get(path.format(name=name.replace("/", "%2f"), plain=name, bare=name.rpartition("/")[2]), **headers)

    return ask


def _rest(path: str) -> Ask:
    return lambda place, name: place.api().get(place.rest + path.format(name=name.replace("/", "%2F"), bare=name.rpartition("/")[2]))


def _head(place: Place, name: str) -> Answer:
    return place.as_("rita").head(f"/{name}")


def _bulk(place: Place, name: str) -> Answer:
    body = json.dumps({name: [VERSION], "left-alone": [VERSION]}).encode()
    return place.as_("rita").request("POST", BULK, body=body, headers={"content-type": "application/json"})


def _quick(place: Place, name: str) -> Answer:
    tree = {
        "name": "an-app",
        "version": VERSION,
        "requires": {name: VERSION},
        "dependencies": {name: {"version": VERSION, "integrity": "sha512-AA=="}},
    }
    return place.as_("rita").post(QUICK, tree)


def _trace(place: Place, name: str) -> Answer:
    return place.api().get(f"{place.rest}packages/npm/{name.replace('/', '%2F')}/resolution/?ask=true")


def _publish(place: Place, name: str) -> Answer:
    return place.as_("bob").put(f"/{name.replace('/', '%2f')}", publish_document(pack(name, "3.0.0")))


def _tag(place: Place, name: str) -> Answer:
    return place.as_("bob").put(f"/-/package/{name.replace('/', '%2f')}/dist-tags/next", json.dumps(VERSION))


def _star(place: Place, name: str) -> Answer:
    return place.as_("rita").put("/-/user/v1/star", {"name": name})


def _pull(**more: object) -> Ask:
    """Fetched on purpose, also from an upstream that is named."""
    return lambda place, name: place.api().post(f"{place.rest}pull/", {"format": "npm", "name": name, "versions": [VERSION], **more})


def _push(place: Place, name: str) -> Answer:
    """To the public upstream: before anything is sent, what is there is compared."""
    return place.api().post(f"{place.rest}push/", {"format": "npm", "name": name, "versions": [VERSION], "to_upstream": "public"})


PATHS: Mapping[str, Path] = {
    "metadata": Path(_get("/{name}")),
    "metadata, the slash as it is": Path(_get("/{plain}")),
    "metadata in short": Path(_get("/{name}", accept=ABBREVIATED)),
    "metadata's head": Path(_head),
    "a version": Path(_get("/{name}/1.0.0")),
    "a version nobody has": Path(_get("/{name}/98.7.6")),
    "a tag": Path(_get("/{name}/latest")),
    "a tarball": Path(_get("/{plain}/-/{bare}-1.0.0.tgz")),
    "a tarball nobody has": Path(_get("/{plain}/-/{bare}-98.7.6.tgz")),
    "attestations": Path(_get("/-/npm/v1/attestations/{name}@1.0.0")),
    "a search": Path(_get("/-/v1/search?text={bare}"), is_search=True),
    "a search by a part": Path(_get("/-/v1/search?text={bare:.9}"), is_search=True),
    "an audit": Path(_bulk),
    "an audit in the older form": Path(_quick),
    "a pull": Path(_pull()),
    "a pull from the public upstream, by its name": Path(_pull(upstream="public")),
    "a pull with dependencies": Path(_pull(dependencies=True)),
    "a push to the public upstream": Path(_push, first=_get("/{plain}/-/{bare}-1.0.0.tgz")),
    "tags": Path(_get("/-/package/{name}/dist-tags")),
    "the trace, asking": Path(_trace),
    "tags before a publish": Path(_get("/-/package/{name}/dist-tags", "bob"), leaves=False),
    "access": Path(_get("/-/package/{name}/access"), leaves=False),
    "collaborators": Path(_get("/-/package/{name}/collaborators"), leaves=False),
    "visibility": Path(_get("/-/package/{name}/visibility"), leaves=False),
    "a question before a publish": Path(_get("/{name}", "bob", npm_command="publish"), leaves=False),
    "a question before a publish of npm 6": Path(_get("/{name}", "bob", referer="publish"), leaves=False),
    "a question before a change": Path(_get("/{name}?write=true", "bob"), leaves=False),
    "a version in REST": Path(_rest("packages/npm/{name}/versions/1.0.0/"), leaves=False),
    "the trace": Path(_rest("packages/npm/{name}/resolution/"), leaves=False),
    "a star": Path(_star, leaves=False),
    "a tag's change": Path(_tag, leaves=False),
    "a publish": Path(_publish, leaves=False),
}
