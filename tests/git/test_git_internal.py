"""What an internal repository cannot tell is not "not here", and what repeats our credentials is not shown."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.git.conftest import ANYBODY, PASSWORD, Modules
from tests.parts.gate import Gate, Place
from tests.parts.recorder import Recorder
from tests.parts.repository import GitServer
from tests.rule_live.asking import proven

Add = Callable[..., dict[str, Any]]
BROKEN = {"packages/new/package.json": '{"name": "new",\n<<<<<<< HEAD\n"version": "1.0.0"}'}


def test_a_head_that_points_nowhere_closes_the_gate(
    place: Place, modules: Modules, recorder: Recorder, open_forge: GitServer, add_git: Add
) -> None:
    proven(place, recorder)
    recorder.add("mod", "9.9.9")
    modules.repository.git("symbolic-ref", "HEAD", "refs/heads/master", cwd=modules.repository.bare)
    row = add_git(place, internal=True, **ANYBODY)

    answer = place.as_("rita").get("/mod")

    assert answer.status == 503, answer
    assert "default branch" in answer.json()["error"]
    assert not recorder.asked("mod")
    tested = place.api().post(f"{place.rest}upstreams/{row['id']}/test/").json()
    assert (tested["ok"], tested["code"]) == (False, "upstream_bad_answer")
    assert "symbolic-ref" in tested["hint"]


@pytest.mark.parametrize(
    "content", [BROKEN, {"new/package.json": '{"name":"new","version":"1.0.0","x":"' + "x" * 2_100_000 + '"}'}], ids=["damaged", "large"]
)
@pytest.mark.usefixtures("open_forge")
def test_a_package_it_cannot_read_may_be_any(
    gate: Gate, place: Place, modules: Modules, recorder: Recorder, add_git: Add, content: dict[str, str]
) -> None:
    proven(place, recorder)
    recorder.add("new", "9.9.9")
    modules.repository.git("checkout", "--quiet", "main")
    modules.repository.commit(content)
    add_git(place, internal=True, **ANYBODY)

    refused = place.as_("rita").get("/new")

    assert refused.status == 503, refused
    assert "package.json" in refused.json()["error"]
    assert not recorder.asked("new")
    assert "1.2.0" in place.versions("mod"), "what it can read it still has"
    modules.repository.commit({next(iter(content)): {"name": "new", "version": "1.0.0"}})
    gate.grow_old()
    assert "9.9.9" not in place.versions("new")
    assert not recorder.asked("new")


@pytest.mark.usefixtures("open_forge")
def test_a_package_that_breaks_stays_what_it_was(gate: Gate, place: Place, modules: Modules, recorder: Recorder, add_git: Add) -> None:
    proven(place, recorder)
    add_git(place, internal=True, **ANYBODY)
    before = place.versions("mod")
    modules.repository.git("checkout", "--quiet", "main")
    modules.repository.commit({"packages/mod/package.json": "{"})
    gate.grow_old()

    assert place.versions("mod") == before
    assert not recorder.asked("mod")


@pytest.mark.usefixtures("open_forge")
def test_of_others_it_is_only_a_file_that_cannot_be_packed(place: Place, modules: Modules, recorder: Recorder, add_git: Add) -> None:
    """Until the repository is made internal: then what it said while it was not counts no longer."""
    proven(place, recorder)
    modules.repository.git("checkout", "--quiet", "main")
    modules.repository.commit(BROKEN)
    row = add_git(place, **ANYBODY)
    assert place.as_("rita").get("/new").status == 404
    recorder.forget()

    assert place.api().patch(f"{place.rest}upstreams/{row['id']}/", {"internal": True}).status == 200

    assert place.as_("rita").get("/new").status == 503
    assert not recorder.asked("new")


@pytest.mark.parametrize(
    "files",
    [
        {"packages/mod/README.md": f"# mod\n\n{PASSWORD}\n"},
        {"packages/mod/package.json": {"name": "mod", "version": "1.0.0", "description": f"made by {PASSWORD}"}},
        {f"packages/{PASSWORD}/package.json": {"name": PASSWORD, "version": "1.0.0"}},
    ],
    ids=["readme", "manifest", "name"],
)
def test_what_repeats_our_credentials_is_withheld(place: Place, modules: Modules, add_git: Add, files: dict[str, object]) -> None:
    modules.repository.git("checkout", "--quiet", "main")
    modules.repository.commit(files)
    add_git(place)

    answer = place.as_("rita").get("/mod")

    assert answer.status == 502, answer
    assert "credentials" in answer.json()["error"]
    assert PASSWORD not in answer.text
