"""Push, promote and pull of modules over REST: the same bytes, flags that never get lost, all or none; and from the page."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from packages.models import Tag, Version
from packages.services.versions import unpublish_version
from registries.models import Registry
from tests.moonbit.terrace import Terrace
from tests.npm.team import Team
from tests.parts.moonbit import MoonRegistry, zipped
from upstreams.models import Origin
from upstreams.services.sources import change_upstream
from workspaces.models import Event
from workspaces.services.spaces import add_claim


class Yard(Terrace):
    """Registries that are not chained, and REST between them."""

    def rest(self, word: str, body: dict[str, object], *, at: str = "main", who: str = "bob", token: str = "") -> Any:
        """POST push/ or pull/."""
        path = f"/api/v1/workspaces/{self.team.slug}/registries/{at}/{word}/"
        headers = {"HTTP_AUTHORIZATION": f"Bearer {token or self.team.tokens[who]}"}
        sent = json.dumps({"format": "moonbit", **body})
        return Client().post(path, sent, content_type="application/json", **headers)  # type: ignore[arg-type]

    def done(self, word: str, name: str, *versions: str, at: str = "main", who: str = "bob", **more: Any) -> dict[str, str]:
        """A push to prod or a pull into main, which must succeed: `name@version` -> what became of it."""
        body = {"name": name, **({"to": "prod"} if word == "push" else {}), **({"versions": list(versions)} if versions else {}), **more}
        answer = self.rest(word, body, at=at, who=who)
        assert answer.status_code == 200, answer.content
        self.left_out = answer.json()["left_out"]
        return {f"{one['name']}@{one['version']}": one["result"] for one in answer.json()["versions"]}

    def refused(self, word: str, status: int, code: str, **body: Any) -> str:
        """It must fail and change nothing; the sentence."""
        words = {key: body.pop(key) for key in ("at", "who", "token") if key in body}
        before = self.everything()
        answer = self.rest(word, body, **words)
        assert (answer.status_code, answer.json().get("code")) == (status, code), answer.content
        assert self.everything() == before
        return str(answer.json()["error"])

    def everything(self) -> list[Any]:
        """What a refusal leaves as it is."""
        rows = Version.objects.order_by("pk").values_list("pk", "is_internal", "origin")
        return [*rows, Event.objects.exclude(action__contains="trouble").count()]

    def row_of(self, name: str, version: str = "0.1.0", at: str = "prod") -> Version:
        """The version where it is."""
        return Version.objects.get(package__registry=self.registries[at], package__name=name, version=version)


@pytest.fixture
def yard(team: Team, here: Path, loopback: None) -> Yard:
    """`main` and `prod`."""
    made = Yard(team)
    made.registry("prod")
    return made


def test_the_same_bytes_and_the_flag(yard: Yard) -> None:
    content = yard.make("acme/core", "0.1.0", "0.2.0")
    before = yard.read_lines("acme/core").content
    assert yard.index("prod") == {}
    answer = yard.rest("push", {"name": "acme/core", "versions": ["0.2.0"], "to": "prod"})
    assert answer.status_code == 200, answer.content
    row = yard.row_of("acme/core", "0.2.0")
    assert (row.origin, row.is_internal, row.published_by_name, row.signed_by) == ("pushed", True, "bob", "")
    told = answer.json()["versions"]
    assert told == [{"name": "acme/core", "version": "0.2.0", "result": "pushed", "internal": True, "integrity": row.integrity}]
    assert row.integrity == yard.row_of("acme/core", "0.2.0", "main").integrity
    assert yard.fetch("acme/core", "0.2.0", at="prod") == yard.fetch("acme/core", "0.2.0") == content
    assert yard.index("prod") == {"acme/core": ["0.2.0"]}
    assert yard.read_lines("acme/core", at="prod").content == before.splitlines(keepends=True)[1], "the line is the same"
    event = Event.objects.get(action="version.pushed")
    assert (event.object, event.actor) == (f"{yard.team.slug}/prod moonbit acme/core@0.2.0", "bob")
    new: Any = event.new
    assert (new["from"], new["internal"], new["integrity"]) == (f"{yard.team.slug}/main", True, row.integrity)
    assert not Tag.objects.filter(package__registry=yard.registries["prod"]).exists(), "modules have none"

    assert yard.done("push", "acme/core", "0.2.0") == {"acme/core@0.2.0": "present"}
    assert yard.done("push", "acme/core") == {"acme/core@0.1.0": "pushed", "acme/core@0.2.0": "present"}
    assert Event.objects.filter(action="version.pushed").count() == 2


def test_flags_of_what_is_not_internal(yard: Yard) -> None:
    Registry.objects.update(is_internal=False)
    yard.make("acme/open")
    yard.done("push", "acme/open")
    assert not yard.row_of("acme/open").is_internal
    yard.make("acme/ours")
    Registry.objects.filter(slug="prod").update(is_internal=True)
    yard.done("push", "acme/ours")
    assert yard.row_of("acme/ours").is_internal, "the other registry is"
    assert yard.done("push", "acme/open") == {"acme/open@0.1.0": "present"}


def test_what_was_pulled_stays_pulled(yard: Yard, moon: MoonRegistry) -> None:
    moon.add("plain/one", "0.1.0", "0.2.0")
    upstream = yard.source(moon)
    yard.mirror(upstream, "plain/one")
    moon.yank("plain/one", "0.1.0")
    yard.mirror(upstream, "plain/one")
    assert yard.done("push", "plain/one") == {"plain/one@0.1.0": "pushed", "plain/one@0.2.0": "pushed"}
    row = yard.row_of("plain/one")
    assert (row.origin, row.is_internal, row.is_yanked) == ("pulled", False, True)
    assert Origin.objects.get(version=row).upstream_name == "moon"
    assert yard.index("prod") == {"plain/one": ["0.1.0!", "0.2.0"]}
    assert yard.done("push", "plain/one", "latest") == {"plain/one@0.2.0": "present"}


def test_what_it_needs_comes_along(yard: Yard) -> None:
    yard.make("acme/app", "1.0.0", manifest=b'{"deps":{"acme/core":"0.1.0","acme/util":{"version":"0.3.0"},"far/dep":"1.0.0"}}')
    yard.make("acme/core", "0.1.0", "0.2.0", manifest=b'{"deps":{"acme/util":"0.2.0","acme/app":"1.0.0"}}')
    yard.make("acme/util", "0.2.0")
    assert yard.done("push", "acme/app", "1.0.0") == {"acme/app@1.0.0": "pushed"}
    assert yard.done("push", "acme/app", dependencies=True) == {
        "acme/app@1.0.0": "present", "acme/core@0.1.0": "pushed", "acme/util@0.2.0": "pushed",
    }  # fmt: skip
    assert {one["name"]: (one["wanted"], one["why"]) for one in yard.left_out} == {
        "acme/util": ("0.3.0", f"{yard.team.slug}/main holds no version that fits"),
        "far/dep": ("1.0.0", f"{yard.team.slug}/main does not hold it"),
    }
    assert yard.index("prod") == {"acme/app": ["1.0.0"], "acme/core": ["0.1.0"], "acme/util": ["0.2.0"]}


def test_other_bytes_are_refused_and_nothing_goes(yard: Yard) -> None:
    yard.make("acme/core", "0.1.0", "0.2.0")
    yard.make("acme/core", "0.2.0", at="prod", content=zipped("acme/core", "0.2.0", ours="other"))
    said = yard.refused("push", 409, "version_exists", name="acme/core", to="prod")
    assert "holds other bytes under acme/core@0.2.0" in said
    unpublish_version(actor=yard.team.actor("alice"), registry=yard.registries["prod"], format="moonbit", name="acme/core", version="0.2.0")
    yard.refused("push", 409, "version_retired", name="acme/core", to="prod")
    assert yard.held("acme/core") == {"main": ["0.1.0", "0.2.0"]}


def test_first_bytes_win_where_it_is_pushed(yard: Yard, moons: Callable[[], MoonRegistry]) -> None:
    first, other = moons(), moons()
    first.add("plain/one", content=zipped("plain/one", "0.1.0", ours="first"))
    other.add("plain/one")
    yard.mirror(yard.source(first, at="prod"), "plain/one", at="prod")
    unpublish_version(actor=yard.team.actor("alice"), registry=yard.registries["prod"], format="moonbit", name="plain/one", version="0.1.0")
    yard.mirror(yard.source(other), "plain/one")
    assert "has seen other bytes of plain/one@0.1.0" in yard.refused("push", 409, "version_exists", name="plain/one", to="prod")


def test_what_the_rule_hides_does_not_go(yard: Yard, moon: MoonRegistry) -> None:
    moon.add("plain/one")
    yard.mirror(yard.source(moon), "plain/one")
    moon.seen.clear()
    add_claim(actor=yard.team.actor("alice"), workspace=yard.team.space, pattern="plain/*")
    assert "is hidden in" in yard.refused("push", 409, "version_hidden", name="plain/one", versions=["0.1.0"], to="prod")
    assert moon.seen == []


def test_rights_words_and_names(yard: Yard) -> None:
    yard.make("acme/core", "0.1.0", "0.2.0-rc.1")
    body = {"name": "acme/core", "to": "prod"}
    yard.refused("push", 403, "denied", who="rita", **body)
    yard.refused("push", 404, "registry_not_found", who="mallory", **body)
    scoped = yard.team.token("bob", scopes=["moonbit:module:beta/*:write"])
    yard.refused("push", 403, "denied", token=scoped, **body)
    yard.refused("push", 404, "version_not_found", versions=["^0.1.0"], **body)
    yard.refused("push", 404, "package_not_found", name="acme/none", to="prod")
    yard.refused("push", 400, "name_invalid", name="core", to="prod")
    yard.refused("push", 400, "invalid", name="acme/core", to="main")
    yard.refused("pull", 403, "denied", name="acme/core", who="rita")
    assert yard.done("push", "acme/core", "latest") == {"acme/core@0.1.0": "pushed"}


def test_nothing_is_published_at_an_upstream(yard: Yard, moon: MoonRegistry) -> None:
    yard.source(moon)
    yard.make("acme/core")
    answer = yard.rest("push", {"name": "acme/core", "to_upstream": "moon"}, who="alice")
    assert (answer.status_code, "cannot be published at an upstream" in answer.json()["error"]) == (501, True)
    assert yard.rest("push", {"name": "acme/core", "to_upstream": "moon"}).status_code == 403
    assert moon.seen == []


@pytest.mark.parametrize("index_type", ["git", "http"])
def test_a_pull_mirrors_a_module_now(yard: Yard, moon: MoonRegistry, index_type: str) -> None:
    moon.add("plain/one", "0.1.0", "0.2.0", "0.3.0-rc.1", deps={"plain/dep": "1.0.0"})
    moon.add("plain/dep", "1.0.0")
    yard.source(moon, index_type=index_type)
    assert yard.done("pull", "plain/one", upstream="moon") == {"plain/one@0.2.0": "pulled"}
    row = yard.row_of("plain/one", "0.2.0", at="main")
    assert (row.origin, row.is_internal, row.upstream_origin.upstream_name) == ("pulled", False, "moon")
    act = Event.objects.get(action="package.pulled")
    new: Any = act.new
    assert (act.actor, act.object, new["versions"]) == ("bob", f"{yard.team.slug}/main moonbit plain/one", ["plain/one@0.2.0"])
    assert yard.done("pull", "plain/one") == {"plain/one@0.2.0": "present"}
    assert moon.zips() == ["plain/one/0.2.0"]
    moon.add("plain/one", "0.4.0")
    moon.yank("plain/one", "0.1.0")
    assert yard.done("pull", "plain/one", "0.4.0") == {"plain/one@0.4.0": "pulled"}, "asked for anew, however fresh the last answer"
    assert set(yard.done("pull", "plain/one", "*")) == {"plain/one@0.2.0", "plain/one@0.3.0-rc.1", "plain/one@0.4.0"}
    found = yard.done("pull", "plain/one", "0.1.0", dependencies=True)
    assert found == {"plain/one@0.1.0": "pulled", "plain/dep@1.0.0": "pulled"}
    assert yard.index()["plain/one"] == ["0.1.0!", "0.2.0", "0.3.0-rc.1", "0.4.0"]
    yard.refused("pull", 404, "version_not_found", name="plain/one", versions=["9.9.9"])
    yard.refused("pull", 404, "package_not_found", name="plain/none")
    yard.refused("pull", 404, "upstream_not_found", name="plain/one", upstream="nowhere")


def test_a_pull_obeys_the_rule(yard: Yard, moons: Callable[[], MoonRegistry]) -> None:
    nearer, farther = moons(), moons()
    nearer.add("plain/one", "1.0.0")
    farther.add("plain/one", "2.0.0")
    farther.add("acme/core", "9.9.9")
    yard.source(nearer, "nearer", priority=1)
    upstream = yard.source(farther, "farther", priority=2)
    said = yard.refused("pull", 409, "source_not_allowed", name="plain/one", upstream="farther")
    assert "an earlier source answers" in said
    assert yard.done("pull", "plain/one") == {"plain/one@1.0.0": "pulled"}
    yard.make("acme/core")
    nearer.seen.clear()
    farther.seen.clear()
    assert "rule 2" in yard.refused("pull", 409, "source_not_allowed", name="acme/core", upstream="farther")
    said = yard.refused("pull", 404, "package_not_found", name="acme/core", versions=["9.9.9"])
    assert said.endswith("The name is internal here (this registry holds an internal version); no public source is asked."), said
    assert nearer.asked("core") == farther.asked("core") == []
    assert farther.zips() == []
    change_upstream(actor=yard.team.actor("alice"), upstream=upstream, changes={"enabled": False})
    yard.refused("pull", 409, "upstream_disabled", name="plain/one", upstream="farther")


def test_a_pull_from_an_internal_source_stays_with_it(yard: Yard, moons: Callable[[], MoonRegistry]) -> None:
    inside, outside = moons(), moons()
    outside.add("acme/core", "9.9.9")
    inside.add("acme/other")
    yard.source(inside, "partner", internal=True)
    yard.source(outside, "public")
    assert "does not have acme/core" in yard.refused("pull", 404, "package_not_found", name="acme/core", upstream="partner")
    assert outside.seen == []
    inside.add("acme/core", "0.1.0")
    assert yard.done("pull", "acme/core", upstream="partner") == {"acme/core@0.1.0": "pulled"}, "its “not here” of just now is no matter"
    assert yard.row_of("acme/core", at="main").is_internal
    assert yard.done("push", "acme/core") == {"acme/core@0.1.0": "pushed"}
    assert (yard.row_of("acme/core").origin, yard.row_of("acme/core").is_internal) == ("pulled", True)
    inside.status = 503
    answer = yard.rest("pull", {"name": "plain/one"})
    assert (answer.status_code, answer.json()["code"]) == (503, "internal_upstream_unavailable"), answer.content
    assert outside.seen == []


def test_a_pull_through_a_chain_keeps_it_in_each(yard: Yard, moons: Callable[[], MoonRegistry]) -> None:
    moon = moons()
    moon.add("far/dep", "2.0.0", deps={"acme/core": "0.1.0", "no/where": "1.0.0"})
    yard.source(moon, at="prod")
    yard.link("main", "prod")
    content = yard.make("acme/core", at="prod")
    assert yard.done("pull", "acme/core", upstream="prod") == {"acme/core@0.1.0": "pulled"}
    assert yard.row_of("acme/core", at="main").is_internal
    assert yard.done("pull", "acme/core", "0.1.0", upstream="prod") == {"acme/core@0.1.0": "present"}
    found = yard.done("pull", "far/dep", dependencies=True)
    assert found == {"far/dep@2.0.0": "pulled", "acme/core@0.1.0": "present"}
    assert [one["name"] for one in yard.left_out] == ["no/where"]
    assert yard.held("far/dep") == {"main": ["2.0.0"], "prod": ["2.0.0"]}
    assert yard.fetch("acme/core") == content
    assert yard.fetch("far/dep", "2.0.0") == moon.modules["far/dep", "2.0.0"].content


def test_who_may_not_read_behind_pulls_nothing_from_there(yard: Yard) -> None:
    yard.link("main", "prod")
    yard.make("acme/core", at="prod")
    token = yard.team.token("bob", registries=[yard.registries["main"].pk])
    yard.refused("pull", 403, "denied", name="acme/core", token=token)
    yard.refused("pull", 403, "denied", name="acme/core", token=yard.team.token("bob", read_only=True))
    assert yard.held("acme/core") == {"prod": ["0.1.0"]}


def test_from_the_page(yard: Yard, moon: MoonRegistry) -> None:
    moon.add("plain/one", "0.1.0", "0.2.0")
    yard.source(moon)
    yard.make("acme/core")
    page = Client()
    page.force_login(yard.team.people["alice"])
    base = f"/{yard.team.slug}/registries/main/moonbit/"
    text = page.get(f"{base}acme/core/").content.decode()
    assert 'value="registry:prod"' in text
    assert "upstream:moon" not in text, "none is published to"
    assert page.post(f"{base}acme/core/push/", {"where": "registry:prod"}).status_code == 302
    assert yard.held("acme/core") == {"main": ["0.1.0"], "prod": ["0.1.0"]}
    assert page.post(f"{base}acme/core/push/", {"where": "upstream:moon"}).status_code == 404
    absent = page.get(f"{base}plain/one/", headers={"accept": "text/html"})
    assert "Numbers with commas between" in absent.content.decode()
    assert page.post(f"{base}plain/one/pull/", {"versions": "0.1.0", "upstream": "moon"}).status_code == 302
    assert yard.held("plain/one") == {"main": ["0.1.0"]}
    assert page.post(f"{base}plain/one/v/0.1.0/push/", {"where": "registry:prod"}).status_code == 302
    assert yard.held("plain/one") == {"main": ["0.1.0"], "prod": ["0.1.0"]}
