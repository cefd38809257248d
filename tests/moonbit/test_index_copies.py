"""A copy of an internal source's Git index speaks for it only while it is fresh and whole; else nobody else is asked."""

import base64
import json
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from tests.moonbit.gits import git
from tests.moonbit.modules import held, mirror, source
from tests.npm.team import Team
from tests.parts.moonbit import MoonRegistry
from upstreams.clients import local_git
from upstreams.errors import UpstreamBadAnswer
from upstreams.models import Upstream, UpstreamDocument
from upstreams.services.modules.indexes import bring_index, names_in
from upstreams.targets import target_of
from workspaces.models import Event

pytestmark = pytest.mark.usefixtures("here")
SECRET = "s3cret-s3cret-s3cret"


class Partners:
    """An internal source with a Git index of which we have a copy, and a public one over HTTP."""

    def __init__(self, team: Team, ours: MoonRegistry, public: MoonRegistry, folder: Path) -> None:
        self.team, self.ours, self.public = team, ours, public
        ours.add("partner/old")
        ours.add("partner/late")
        public.add("partner/late", "9.9.9")
        public.add("partner/new", "9.9.9")
        self.inside = source(team, ours, "ours", internal=True)
        self.outside = source(team, public, "public", index_type="http", priority=200)
        assert mirror(team, self.inside, "partner/old").troubles == {}
        self.copy = folder / "indexes" / str(self.inside.pk)

    def age(self, **by: float) -> datetime:
        """The copy is that much older."""
        file = self.copy / "state.json"
        state = json.loads(file.read_text(encoding="utf-8"))
        at = timezone.now() - timedelta(**by)
        file.write_text(json.dumps({**state, "at": at.isoformat()}), encoding="utf-8")
        return at

    def wanted_outside(self, name: str) -> str:
        """How it ends when the public source is asked for it."""
        self.public.seen.clear()
        return mirror(self.team, self.outside, name).codes.get(name, "")


@pytest.fixture
def partners(team: Team, moons: Callable[[], MoonRegistry], here: Path) -> Partners:
    return Partners(team, moons(), moons(), here)


def test_an_old_copy_does_not_say_that_a_new_module_is_not_there(partners: Partners) -> None:
    partners.ours.add("partner/new")
    partners.age(days=1)
    assert partners.wanted_outside("partner/new") == "other_source"
    assert partners.public.seen == []
    assert "partner/new" not in held(partners.team.registry)


def test_an_old_copy_of_a_source_that_is_down_says_nothing(partners: Partners) -> None:
    partners.age(days=1)
    partners.ours.status = 503
    assert partners.wanted_outside("partner/new") == "internal_upstream_unavailable"
    assert partners.public.seen == []


def test_a_fresh_copy_answers_and_its_no_counts_from_when_it_was_true(partners: Partners) -> None:
    at = partners.age(seconds=20)
    partners.ours.seen.clear()
    assert partners.wanted_outside("partner/new") == ""
    assert partners.ours.seen == [], "within the time that its answer would count"
    said = UpstreamDocument.objects.get(upstream=partners.inside, name="partner/new")
    assert (said.is_present, said.fetched_at, said.fresh_until) == (False, at, at + timedelta(seconds=60))


def test_an_upstreams_own_time_for_not_here_counts(partners: Partners) -> None:
    Upstream.objects.filter(pk=partners.inside.pk).update(negative_ttl=0)
    partners.ours.add("partner/new")
    assert partners.wanted_outside("partner/new") == "other_source"
    assert partners.public.seen == []


def emptied(copy: Path) -> None:
    shutil.rmtree(copy / "index.git")
    local_git.new_repository(copy / "index.git")


def without_objects(copy: Path) -> None:
    shutil.rmtree(copy / "index.git" / "objects")
    (copy / "index.git" / "objects").mkdir()


def without_lines(copy: Path) -> None:
    """What lists the modules is left, what they are is not."""
    folder = copy / "index.git"
    objects = git(folder, "ls-tree", "-r", "-t", "main").stdout.split("\n")
    kept = [git(folder, "rev-parse", "main").stdout.strip(), git(folder, "rev-parse", "main^{tree}").stdout.strip()]
    kept += [line.split()[2] for line in objects if " tree " in line]
    (packed,) = (folder / "objects" / "pack").glob("*.pack")
    moved = packed.rename(copy / "pack")
    shutil.rmtree(folder / "objects")
    (folder / "objects" / "pack").mkdir(parents=True)
    spare = copy / "spare.git"
    local_git.new_repository(spare)
    local_git.feed(spare, ("unpack-objects", "-q"), [moved.read_bytes()])
    for sha in kept:
        place = folder / "objects" / sha[:2]
        place.mkdir(exist_ok=True)
        (spare / "objects" / sha[:2] / sha[2:]).rename(place / sha[2:])
    shutil.rmtree(spare)
    moved.unlink()


def without_folders(copy: Path) -> None:
    """Only the first commit and its tree are left."""
    without_lines(copy)
    folder = copy / "index.git"
    for line in git(folder, "ls-tree", "-r", "-t", "main").stdout.split("\n"):
        if " tree " in line:
            sha = line.split()[2]
            (folder / "objects" / sha[:2] / sha[2:]).unlink()


@pytest.mark.parametrize("damage", [emptied, without_objects, without_lines, without_folders])
def test_a_damaged_copy_has_nothing_to_say_and_is_fetched_anew(partners: Partners, damage: Callable[[Path], None]) -> None:
    damage(partners.copy)
    assert partners.wanted_outside("partner/late") == "internal_upstream_unavailable"
    assert partners.public.seen == []
    assert partners.wanted_outside("partner/late") == "other_source"
    assert partners.public.seen == []


@pytest.mark.parametrize("damage", [emptied, without_objects])
def test_a_damaged_copy_is_no_list_without_names(partners: Partners, damage: Callable[[Path], None]) -> None:
    target, long_ago = target_of(partners.inside), timezone.now() - timedelta(days=1)
    index = bring_index(partners.inside, target, long_ago)
    damage(partners.copy)
    with pytest.raises(UpstreamBadAnswer, match="cannot be read"):
        names_in(partners.inside, target, index)
    whole = bring_index(partners.inside, target, long_ago)
    assert {name.full for name in names_in(partners.inside, target, whole)} == {"partner/old", "partner/late"}


def test_a_lost_copy_is_fetched_anew_or_closes_the_gate(partners: Partners) -> None:
    shutil.rmtree(partners.copy / "index.git")
    partners.ours.status = 503
    assert partners.wanted_outside("partner/late") == "internal_upstream_unavailable"
    assert partners.public.seen == []
    partners.ours.status = 0
    assert partners.wanted_outside("partner/late") == "other_source"


def spoiled(pack: bytes) -> bytes:
    """Its checksum is wrong; the packets it comes in are not."""
    return pack[:-24] + b"x" * 8 + pack[-16:]


def test_what_cannot_be_put_on_top_leaves_the_copy_as_it_was(partners: Partners) -> None:
    honest = partners.ours.upload_pack
    partners.ours.add("partner/new")
    partners.ours.upload_pack = lambda *words, send=b"": spoiled(honest(*words, send=send)) if send else honest(*words)  # type: ignore[method-assign]
    assert mirror(partners.team, partners.inside, "*").codes == {"*": "upstream_bad_answer"}
    assert partners.wanted_outside("partner/late") == "other_source"
    assert partners.public.seen == []
    partners.ours.upload_pack = honest  # type: ignore[method-assign]
    assert "partner/new@0.1.0" in mirror(partners.team, partners.inside, "*").fetched


def test_a_copy_that_nothing_fits_on_is_replaced_as_a_whole(partners: Partners) -> None:
    """Its branch is there, what it points to is not: the source sends too little, as it must think."""
    without_objects(partners.copy)
    partners.ours.add("partner/new")
    assert "partner/new@0.1.0" in mirror(partners.team, partners.inside, "*").fetched
    assert sorted(path.name for path in partners.copy.iterdir()) == ["index.git", "state.json"]
    git(partners.copy / "index.git", "rev-list", "--objects", "main")


def test_git_without_its_folder_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(local_git.GitFailed):
        local_git.run(tmp_path / "nowhere", "version")


def escaped(text: str) -> str:
    """As JSON may write it too."""
    return f"\\u{ord(text[0]):04x}{text[1:]}"


def basic(username: str) -> str:
    return base64.b64encode(f"{username}:{SECRET}".encode()).decode()


@pytest.mark.parametrize("index_type", ["git", "http"])
@pytest.mark.parametrize(("auth", "told"), [("bearer", SECRET), ("basic", SECRET), ("basic", basic("ci"))])
@pytest.mark.parametrize("written", [str, escaped])
def test_an_index_that_repeats_our_credentials_is_withheld(
    team: Team, moon: MoonRegistry, index_type: str, auth: str, told: str, written: Callable[[str], str]
) -> None:
    honest = moon.text
    moon.text = lambda name: _with(honest(name), written(told))  # type: ignore[method-assign]
    moon.add("acme/core")
    username = "ci" if auth == "basic" else ""
    moon.demand(auth, username, secret=SECRET)
    upstream = source(team, moon, auth_type=auth, username=username, secret=SECRET, index_type=index_type)
    found = mirror(team, upstream, "acme/core")
    assert found.codes == {"acme/core": "upstream_bad_answer"}
    assert "our own credentials" in found.troubles["acme/core"].message
    assert held(team.registry) == {}
    assert not UpstreamDocument.objects.exists()
    assert SECRET not in str(list(Event.objects.values_list("old", "new", "object")))


def _with(text: str | None, told: str) -> str | None:
    return text and text.replace('"deps": {}', f'"deps": {{}}, "description": "by {told}"')


def test_names_that_repeat_our_credentials_are_not_listed(team: Team, moon: MoonRegistry) -> None:
    moon.add(f"acme/{SECRET}")
    moon.demand("bearer", secret=SECRET)
    found = mirror(team, source(team, moon, auth_type="bearer", secret=SECRET), "*")
    assert found.codes == {"*": "upstream_bad_answer"}
    assert SECRET not in found.troubles["*"].message
