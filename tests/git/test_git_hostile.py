"""Repositories and servers that mean harm: bounded time, memory and disk, nothing false kept, a clear sentence."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from packages.formats.npm.names import parse_known
from tests.git.conftest import Modules
from tests.parts.gate import Gate, Place
from tests.parts.repository import Repository
from upstreams.clients.git.address import parse
from upstreams.clients.git.remote import GitTarget, fetch, list_refs
from upstreams.errors import UpstreamBadAnswer, UpstreamError
from upstreams.services.git.listing import chapter, survey
from upstreams.services.git.modules import UNREADABLE

Add = Callable[..., dict[str, Any]]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "forge")


def target(repository: Repository, **more: Any) -> GitTarget:
    return GitTarget(name="modules", address=parse(str(repository.bare)), folder=repository.folder / "mirror", **more)


def raw(repository: Repository, kind: str, data: bytes) -> str:
    """An object of any content, as no honest git would write it."""
    path = repository.folder / "raw"
    path.write_bytes(data)
    return repository.git("hash-object", "-w", "--literally", "-t", kind, str(path))


def commit_of(repository: Repository, tree: str, message: bytes = b"x\n") -> str:
    who = b"t <t@example.org> 1700000000 +0000"
    return raw(repository, "commit", b"tree " + tree.encode() + b"\nauthor " + who + b"\ncommitter " + who + b"\n\n" + message)


def tree_of(entries: list[tuple[str, str, str]]) -> bytes:
    return b"".join(f"{mode} {name}\0".encode() + bytes.fromhex(oid) for mode, name, oid in entries)


def send(repository: Repository, commit: str) -> None:
    repository.git("push", "--quiet", "--force", str(repository.bare), f"{commit}:refs/heads/main")


def surveyed(repository: Repository, **more: Any) -> list[str]:
    return list(survey(target(repository, **more), None, before_send=lambda: None).names)


def test_a_tree_that_holds_itself_a_thousand_million_times(repository: Repository) -> None:
    blob = raw(repository, "blob", b'{"name":"bomb","version":"1.0.0"}')
    tree = raw(repository, "tree", tree_of([("100644", f"f{number}", blob) for number in range(10)]))
    for _ in range(9):
        tree = raw(repository, "tree", tree_of([("40000", f"d{number}", tree) for number in range(10)]))
    top = raw(repository, "tree", tree_of([("40000", "d", tree), ("100644", "package.json", blob)]))
    send(repository, commit_of(repository, top))

    assert surveyed(repository) == ["bomb"]


def test_what_cannot_be_packed_is_left_out_and_the_rest_stays(repository: Repository) -> None:
    from upstreams.services.git.describing import describe

    repository.commit({"package.json": {"name": "mod", "version": "1.0.0"}})
    repository.tag("v1.0.0")
    manifest = raw(repository, "blob", b'{"name":"mod","version":"1.0.0"}')
    tree = raw(repository, "tree", tree_of([("100644", f"f{number}", manifest) for number in range(10)]))
    for _ in range(6):
        tree = raw(repository, "tree", tree_of([("40000", f"d{number}", tree) for number in range(10)]))
    send(repository, commit_of(repository, raw(repository, "tree", tree_of([("40000", "d", tree), ("100644", "package.json", manifest)]))))
    place = target(repository)
    survey(place, None, before_send=lambda: None)
    name = parse_known("mod")
    found = chapter(place, name)
    assert found is not None

    assert list(describe(place, name, found, {}, {}).document["versions"]) == ["1.0.0"]


@pytest.mark.parametrize("name", ["..", ".git", ".", "a/b"])
def test_names_that_leave_the_folder_are_refused(repository: Repository, name: str) -> None:
    blob = raw(repository, "blob", b"x")
    send(repository, commit_of(repository, raw(repository, "tree", tree_of([("100644", name, blob)]))))

    with pytest.raises(UpstreamBadAnswer, match="check refuses"):
        surveyed(repository)


def test_more_than_the_disk_may_hold(repository: Repository) -> None:
    import os

    repository.commit({"package.json": {"name": "mod", "version": "1.0.0"}, "large": os.urandom(3_000_000)})

    with pytest.raises(UpstreamError):
        surveyed(repository, size_limit=1_000_000)
    assert surveyed(repository) == ["mod"]


def test_a_thousand_branches_and_more(repository: Repository) -> None:
    commit = repository.commit({"package.json": {"name": "mod", "version": "1.0.0"}})
    lines = "".join(f"create refs/heads/b{number:05} {commit}\n" for number in range(1500))
    lines += "".join(f"create refs/tags/v1.{number}.0 {commit}\n" for number in range(4000))
    path = repository.folder / "lines"
    path.write_text(lines)
    import subprocess

    with path.open("rb") as file:
        subprocess.run(["git", "update-ref", "--stdin"], cwd=repository.bare, stdin=file, check=True, timeout=60)

    place = target(repository)
    survey(place, None, before_send=lambda: None)
    found = chapter(place, parse_known("mod"))

    assert found is not None
    assert len(found.listed.tags) == 1001
    assert {"latest", "main", "b00000"} <= set(found.listed.tags)
    assert "1.3999.0" in found.listed.versions
    assert "1.1.0" not in found.listed.versions


def test_an_empty_repository_has_nothing(repository: Repository) -> None:
    assert surveyed(repository) == []


def test_a_head_that_is_no_branch(repository: Repository) -> None:
    commit = repository.commit({"package.json": {"name": "mod", "version": "1.0.0"}})
    repository.git("update-ref", "--no-deref", "HEAD", commit, cwd=repository.bare)
    repository.git("update-ref", "-d", "refs/heads/main", cwd=repository.bare)

    assert surveyed(repository) == ["mod"]


def test_a_head_that_points_nowhere(repository: Repository) -> None:
    """Where HEAD is never set right nobody can tell what the repository has; where there is one branch, everybody can."""
    repository.git("symbolic-ref", "HEAD", "refs/heads/master", cwd=repository.bare)
    repository.commit({"package.json": {"name": "mod", "version": "1.0.0"}})
    assert surveyed(repository) == ["mod"]
    repository.commit({}, branch="feat")

    with pytest.raises(UpstreamBadAnswer, match="no default branch"):
        surveyed(repository)


def test_tags_alone_are_no_default_branch_either(repository: Repository) -> None:
    repository.commit({"package.json": {"name": "mod", "version": "1.0.0"}})
    repository.tag("v1.0.0")
    repository.git("update-ref", "-d", "refs/heads/main", cwd=repository.bare)

    with pytest.raises(UpstreamBadAnswer, match="no default branch"):
        surveyed(repository)


def test_a_commit_that_is_too_large_to_read(repository: Repository) -> None:
    repository.commit({"package.json": {"name": "mod", "version": "1.0.0"}})
    send(repository, commit_of(repository, repository.git("rev-parse", "HEAD^{tree}"), b"x" * 1_100_000))

    with pytest.raises(UpstreamBadAnswer, match="newest commit"):
        surveyed(repository)


def test_manifests_that_are_none(repository: Repository) -> None:
    repository.commit(
        {
            "good/package.json": {"name": "good", "version": "1.0.0"},
            "private/package.json": {"name": "private", "version": "1.0.0", "private": True},
            "broken/package.json": "{",
            "list/package.json": "[]",
            "deep/package.json": "[" * 100_000,
            "large/package.json": '{"name":"large","version":"1.0.0","x":"' + "x" * 3_000_000 + '"}',
            "no-version/package.json": {"name": "no-version"},
            "bad-version/package.json": {"name": "bad-version", "version": "one"},
            "bad-name/package.json": {"name": "../evil", "version": "1.0.0"},
            "template/package.json": {"name": "{{name}}", "version": "1.0.0"},
            "node_modules/dep/package.json": {"name": "dep", "version": "1.0.0"},
            ".hidden/package.json": {"name": "hidden", "version": "1.0.0"},
            "a/test/fixtures/b/package.json": {"name": "react", "version": "1.0.0"},
            "zz/package.json": {"name": "good", "version": "2.0.0"},
            "good/deeper/package.json": {"name": "good", "version": "3.0.0"},
        }
    )

    assert surveyed(repository) == [UNREADABLE, "good", "private"]


def test_folders_called_test_that_are_workspaces(repository: Repository) -> None:
    repository.commit(
        {
            "package.json": {"name": "roof", "private": True, "version": "1.0.0", "workspaces": {"packages": ["packages/*"]}},
            "packages/test/package.json": {"name": "@acme/test", "version": "1.0.0"},
            "packages/test/fixtures/x/package.json": {"name": "vue", "version": "1.0.0"},
        }
    )

    assert surveyed(repository) == ["@acme/test"]


def test_branches_with_names_of_files_and_orders(repository: Repository) -> None:
    first = repository.commit({"package.json": {"name": "mod", "version": "1.0.0"}}, branch="a")
    assert surveyed(repository) is not None
    for branch in ("a/b", "-x", "$(touch)", "ünï", "x;y", "latest", "v2", "1.x"):
        path = repository.bare / "packed-refs"
        text = path.read_text() if path.exists() else ""
        path.write_text(f"{text}{first} refs/heads/{branch}\n")
    path.write_text(
        "# pack-refs with: peeled fully-peeled \n" + "".join(sorted(path.read_text().splitlines(keepends=True), key=lambda line: line[41:]))
    )
    (repository.bare / "refs/heads/a").unlink()
    repository.git("symbolic-ref", "HEAD", "refs/heads/a/b", cwd=repository.bare)
    place = target(repository)
    survey(place, None, before_send=lambda: None)
    assert "a/b" in list_refs(place).branches
    assert not [branch for branch in list_refs(place).branches if branch.startswith("-")]


def test_many_at_once_list_once(gate: Gate, place: Place, modules: Modules, add_git: Add, forge: Any) -> None:
    add_git(place)
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(place.as_("rita").get("/mod").status)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [200] * 12
    assert len([path for path, authorization in forge.seen if "info/refs" in path and authorization]) == 2, "one question, one fetch"


def test_nothing_is_fetched_into_a_place_of_its_own_choice(repository: Repository) -> None:
    commit = repository.commit({"package.json": {"name": "mod", "version": "1.0.0"}})
    place = target(repository)
    fetch(place, {"refs/heads/main": commit})

    assert sorted(path.name for path in place.repository.glob("refs/**/*") if path.is_file()) == [commit]


def test_what_a_killed_git_left_behind_is_in_nobodys_way(repository: Repository) -> None:
    repository.commit({"package.json": {"name": "mod", "version": "1.0.0"}})
    place = target(repository)
    survey(place, None, before_send=lambda: None)
    left = [place.repository / "shallow.lock", place.repository / "packed-refs.lock", place.repository / "objects/pack/tmp_pack_x"]
    for path in left:
        path.touch()
    repository.commit({"other/package.json": {"name": "other", "version": "1.0.0"}})

    assert list(survey(place, None, before_send=lambda: None).names) == ["mod", "other"]
    assert not [path for path in left if path.exists()]
