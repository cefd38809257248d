"""Audits: what leaves, name by name, and what comes back, in both forms."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest

from packages.models import Package, Tombstone, Version
from registries.models import Registry
from tests.npm.outside import connect, switch
from tests.npm.team import Team, facts
from tests.parts.recorder import Recorder
from tokens.services.issue import Wish, create_token
from upstreams.clients import questions
from workspaces.services.spaces import add_claim

BULK, QUICK, FULL = "/-/npm/v1/security/advisories/bulk", "/-/npm/v1/security/audits/quick", "/-/npm/v1/security/audits"
EMPTY_COUNTS = {"info": 0, "low": 0, "moderate": 0, "high": 0, "critical": 0}


def bulk(team: Team, body: object, who: str = "rita") -> Any:
    return team.send(who, "POST", BULK, gzip.compress(json.dumps(body).encode()), content_encoding="gzip")


def node(version: str = "1.0.0", **more: object) -> dict[str, object]:
    return {"version": version, "integrity": "sha512-x", **more}


def test_off_is_an_empty_answer_with_a_notice(team: Team, recorder: Recorder) -> None:
    connect(team, recorder)
    before = facts()
    answer = bulk(team, {"lodash": ["1.0.0"]})
    assert (answer.status_code, answer.json()) == (200, {})
    assert answer.headers["npm-notice"].startswith("Nothing was audited: auditing is off in this registry.")
    for path in (QUICK, FULL):
        report = team.send("rita", "POST", path, {"dependencies": {"lodash": node()}})
        counts = {**EMPTY_COUNTS}
        assert (report.status_code, report.json()["advisories"], report.json()["metadata"]["vulnerabilities"]) == (200, {}, counts)
        assert (report.json()["actions"], report.json()["muted"], "off" in report.headers["npm-notice"]) == ([], [], True)
    assert recorder.seen == []
    assert facts() == before


def test_bulk_gzipped_and_plain(open_team: Team, recorder: Recorder) -> None:
    recorder.warn_of("lodash", "<2.0.0", number=7)
    body = {"lodash": ["1.0.0", "1.0.0", "3.0.0"], "sound": ["1.0.0"]}
    for answer in (bulk(open_team, body), open_team.send("rita", "POST", BULK, body)):
        told = answer.json()
        assert (list(told), told["lodash"][0]["id"], told["lodash"][0]["vulnerable_versions"]) == (["lodash"], 7, "<2.0.0")
        assert told["lodash"][0]["cvss"]["score"] == 7.5
        assert "npm-notice" not in answer.headers
    assert recorder.audited() == {"lodash": ["1.0.0", "3.0.0"], "sound": ["1.0.0"]}
    assert {one.path for one in recorder.seen} == {BULK}
    for secret in (open_team.tokens["rita"], "bearer", open_team.slug, "rita"):
        assert not recorder.mentions(secret), secret


def elsewhere(team: Team, name: str, origin: str = "published") -> None:
    other, _ = Registry.objects.get_or_create(workspace=team.space, slug="other")
    package = Package.objects.create(registry=other, format="npm", name=name, folded=name.lower())
    Version.objects.create(package=package, version="1.0.0", manifest=b"{}", is_internal=True, origin=origin, integrity="x")


INTERNAL: dict[str, tuple[Callable[[Team], object], str]] = {
    "claimed": (lambda team: add_claim(actor=team.actor("alice"), workspace=team.space, pattern="@acme/*"), "@acme/new"),
    "claimed in other letters": (lambda team: add_claim(actor=team.actor("alice"), workspace=team.space, pattern="corp-*"), "Corp-X"),
    "published": (lambda team: team.publish("ours"), "ours"),
    "buried": (lambda team: Tombstone.objects.create(workspace=team.space, format="npm", name="gone", reason="x"), "gone"),
    "published elsewhere in the workspace": (lambda team: elsewhere(team, "theirs"), "theirs"),
}


@pytest.mark.parametrize("case", INTERNAL)
def test_an_internal_name_never_leaves(open_team: Team, recorder: Recorder, case: str) -> None:
    make, name = INTERNAL[case]
    make(open_team)
    bulk(open_team, {name: ["1.0.0"], "lodash": ["1.0.0"]})
    tree = {
        "name": name,
        "requires": {name: "^1.0.0", "lodash": "1"},
        "install": [f"{name}@1.0.0"],
        "remove": [name],
        "metadata": {"x": name},
    }
    inner = {"minimist": node("0.0.8", requires={name: "1"}), name: node("2.0.0")}
    tree |= {"dependencies": {name: node(requires={"minimist": "1"}, dependencies=inner), "lodash": node(requires={name: "1"})}}
    for path in (QUICK, FULL):
        assert open_team.send("rita", "POST", path, tree).status_code == 200
    recorder.audits = {"quick"}
    assert open_team.send("rita", "POST", QUICK, tree).status_code == 200
    assert recorder.audited() == {"lodash": ["1.0.0"], "minimist": ["0.0.8"]}
    assert not recorder.mentions(name.rpartition("/")[2])


@pytest.mark.usefixtures("loopback")
def test_names_go_to_the_one_upstream_that_is_asked_about_them(team: Team, recorder: Recorder, other_recorder: Recorder) -> None:
    connect(team, recorder, "limited", priority=10, patterns=["@some/*"])
    connect(team, other_recorder, "rest", priority=20)
    connect(team, recorder, "disabled", priority=5, is_enabled=False)
    switch(team, audit_upstream=True)
    recorder.warn_of("@some/one")
    other_recorder.warn_of("lodash")
    other_recorder.warn_of("@some/one", number=99)
    told = bulk(team, {"@some/one": ["1.0.0"], "lodash": ["1.0.0"]}).json()
    assert (recorder.audited(), other_recorder.audited()) == ({"@some/one": ["1.0.0"]}, {"lodash": ["1.0.0"]})
    assert {name: [one["id"] for one in listed] for name, listed in told.items()} == {"@some/one": [1], "lodash": [1]}


@pytest.mark.usefixtures("loopback")
def test_a_name_the_first_upstream_has_not_goes_to_the_next(team: Team, recorder: Recorder, other_recorder: Recorder) -> None:
    connect(team, recorder, "first", priority=10)
    connect(team, other_recorder, "second", priority=20)
    switch(team, audit_upstream=True)
    other_recorder.add("only-there")
    assert team.send("rita", "GET", "/only-there").status_code == 200
    bulk(team, {"only-there": ["1.0.0"], "lodash": ["1.0.0"]})
    assert (recorder.audited(), other_recorder.audited()) == ({"lodash": ["1.0.0"]}, {"only-there": ["1.0.0"]})


def test_internal_upstreams_are_asked_first_whether_the_name_is_theirs(
    open_team: Team, recorder: Recorder, other_recorder: Recorder
) -> None:
    connect(open_team, other_recorder, "partner", is_internal=True)
    other_recorder.add("partners-own")
    answer = bulk(open_team, {"partners-own": ["1.0.0"], "lodash": ["1.0.0"]})
    assert (recorder.audited(), other_recorder.audited()) == ({"lodash": ["1.0.0"]}, {})
    assert not recorder.mentions("partners-own")
    assert Tombstone.objects.filter(workspace=open_team.space, name="partners-own").exists()
    assert "npm-notice" not in answer.headers


@pytest.mark.parametrize("how", ["down", "500", "401", "garbage"])
def test_a_failing_internal_upstream_keeps_unknown_names_here(
    open_team: Team, recorder: Recorder, other_recorder: Recorder, how: str
) -> None:
    connect(open_team, other_recorder, "partner", is_internal=True, patterns=["may-be-*", "@partner/*"])
    codes = {"500": (500, b"{}"), "401": (401, b"{}"), "garbage": (200, b"<html>")}
    if how == "down":
        other_recorder.stop()
    else:
        other_recorder.misbehave("*", lambda handler, _: handler.send(*codes[how]))
    # The patterns of an internal upstream are claims; an unlimited one is what leaves names unknown.
    unlimited = connect(open_team, other_recorder, "unlimited", is_internal=True)
    answer = bulk(open_team, {"may-be-theirs": ["1.0.0"], "lodash": ["1.0.0"]})
    assert (answer.status_code, answer.json(), recorder.seen) == (200, {}, [])
    assert answer.headers["npm-notice"].startswith("1 packages were not audited: an internal upstream has not said")
    unlimited.delete()
    bulk(open_team, {"may-be-theirs": ["1.0.0"], "lodash": ["1.0.0"]})
    assert recorder.audited() == {"lodash": ["1.0.0"]}


def test_a_report_shows_the_paths_in_the_clients_own_tree(open_team: Team, recorder: Recorder) -> None:
    open_team.publish("ours")
    recorder.warn_of("minimist", "<0.2.1 || >=1.0.0 <1.2.3", number=118, severity="moderate")
    recorder.warn_of("lodash", ">=9.0.0", number=5)
    tree = {
        "name": "project", "version": "1.0.0", "requires": {"ours": "1"}, "dependencies": {
            "ours": node(dependencies={"minimist": node("0.0.8", dev=True)}),
            "minimist": node("1.2.0"), "lodash": node("4.0.0"), "fixed": node("1.0.0", dependencies={"minimist": node("1.2.5")}),
        },
    }  # fmt: skip
    report = open_team.send("rita", "POST", FULL, gzip.compress(json.dumps(tree).encode()), content_encoding="gzip").json()
    told = report["advisories"]["118"]
    findings = {one["version"]: (one["paths"], one["dev"]) for one in told["findings"]}
    assert findings == {"0.0.8": (["ours>minimist"], True), "1.2.0": (["minimist"], False)}
    assert (told["module_name"], told["patched_versions"], told["severity"]) == ("minimist", ">=1.2.3", "moderate")
    assert list(report["advisories"]) == ["118"]
    assert report["metadata"]["vulnerabilities"] == {**EMPTY_COUNTS, "moderate": 2}
    assert report["metadata"]["totalDependencies"] == 6
    assert [(one["action"], one["module"], len(one["resolves"])) for one in report["actions"]] == [("review", "minimist", 2)]


def test_what_comes_from_no_registry_is_not_sent(open_team: Team, recorder: Recorder) -> None:
    link: dict[str, object] = {"version": "file:packages/app"}
    importer = {"version": "0.0.0", "dependencies": {"lodash": node()}}  # as pnpm 10 writes a project of a workspace
    tree = {
        "dependencies": {
            "app": link,
            "git": {"version": "git+ssh://x"},
            "packages__app": importer,
            ".": importer,
            "bundle": {"version": "1.0.0", "bundled": True},
        }
    }
    assert open_team.send("rita", "POST", QUICK, tree).status_code == 200
    assert recorder.audited() == {"lodash": ["1.0.0"], "bundle": ["1.0.0"]}
    bulk(open_team, {"../x": ["1.0.0"], "x y": ["1"], "lodash": ["latest", "1.x", 7, None], "ok": ["2.0.0"]})
    assert recorder.audited() == {"lodash": ["1.0.0"], "bundle": ["1.0.0"], "ok": ["2.0.0"]}


def test_an_upstream_with_the_older_form_alone(open_team: Team, recorder: Recorder) -> None:
    recorder.audits = {"quick"}
    recorder.warn_of("lodash", "<2.0.0")
    told = bulk(open_team, {"lodash": ["1.0.0", "1.1.0"], "other": ["1.0.0"]}).json()
    assert [one["vulnerable_versions"] for one in told["lodash"]] == ["<2.0.0"]
    assert recorder.audited() == {"lodash": ["1.0.0", "1.1.0"], "other": ["1.0.0"]}
    recorder.audits = set()
    answer = bulk(open_team, {"lodash": ["1.0.0"]})
    assert (answer.json(), answer.headers["npm-notice"]) == ({}, "Not all was audited: upstream public has no answer to audits.")


LIES = {
    "about others": b'{"others":[{"id":1,"severity":"low"}],"lodash":[{"id":2}]}',
    "in odd types": b'{"lodash":[null,1,{"id":true},{"id":{}},{"id":2,"url":5,"title":[],"severity":"x","cvss":7,"name":"react"}]}',
}


@pytest.mark.parametrize("case", LIES)
def test_an_answer_is_taken_for_what_was_asked_alone(open_team: Team, recorder: Recorder, case: str) -> None:
    recorder.misbehave("*", lambda handler, _: handler.send(200, LIES[case]), where="audit")
    told = bulk(open_team, {"lodash": ["1.0.0"]}).json()
    plain = {
        "id": 2,
        "url": "",
        "title": "",
        "severity": "high",
        "vulnerable_versions": "*",
        "cwe": [],
        "cvss": {"score": 0, "vectorString": None},
    }
    assert told == {"lodash": [plain]}


TROUBLE = {
    "500": (lambda handler, _: handler.send(500, b"{}"), "answers 500"),
    "403": (lambda handler, _: handler.send(403, b"{}"), "refused our credentials"),
    "garbage": (lambda handler, _: handler.send(200, b"<html>"), "did not send JSON"),
    "a list": (lambda handler, _: handler.send(200, b"[]"), "JSON object"),
    "elsewhere": (
        lambda handler, _: handler.send(307, b"", location="http://registry.example.org/"),
        "redirects what it was sent elsewhere",
    ),
    "by GET": (lambda handler, _: handler.send(302, b"", location="/other"), "redirects what it was sent elsewhere"),
    "a bomb": (lambda handler, _: handler.send(200, gzip.compress(bytes(40_000_000)), content_encoding="gzip"), "sent more than"),
}


@pytest.mark.parametrize("case", TROUBLE)
def test_trouble_of_an_upstream_is_a_notice(open_team: Team, recorder: Recorder, case: str) -> None:
    fault, word = TROUBLE[case]
    recorder.misbehave("*", fault, where="audit")
    answer = bulk(open_team, {"lodash": ["1.0.0"]})
    assert (answer.status_code, answer.json()) == (200, {})
    assert answer.headers["npm-notice"].startswith("Not all was audited: Upstream public ")
    assert word in answer.headers["npm-notice"]


def test_audits_that_fail_leave_installs_alone(open_team: Team, recorder: Recorder) -> None:
    recorder.add("lodash")
    recorder.misbehave("*", lambda handler, _: handler.send(500, b"{}"), where="audit")
    for _ in range(7):
        bulk(open_team, {"lodash": ["1.0.0"]})
    assert open_team.send("rita", "GET", "/lodash").status_code == 200


@pytest.mark.parametrize("change", ["the switch", "a claim", "a publish"])
def test_a_change_while_the_line_is_made_holds_already(
    open_team: Team, recorder: Recorder, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    real = questions.ask_audit

    def late(*parts: object, **named: object) -> object:
        if change == "the switch":
            switch(open_team, audit_upstream=False)
        elif change == "a claim":
            add_claim(actor=open_team.actor("alice"), workspace=open_team.space, pattern="lodash")
        else:
            open_team.publish("lodash")
        return real(*parts, **named)  # type: ignore[arg-type]

    monkeypatch.setattr("upstreams.services.advisories.ask_audit", late)
    answer = bulk(open_team, {"lodash": ["1.0.0"]})
    assert (answer.status_code, answer.json(), recorder.seen) == (200, {}, [])
    assert "changed just now" in answer.headers["npm-notice"]


def test_a_narrow_token_audits_what_it_may_read(open_team: Team, recorder: Recorder) -> None:
    token = create_token(actor=open_team.actor("bob"), wish=Wish(name="narrow", scopes=["npm:package:@open/*:read"])).secret
    assert bulk(open_team, {"lodash": ["1.0.0"], "@open/one": ["1.0.0"]}, token).status_code == 200
    assert recorder.audited() == {"@open/one": ["1.0.0"]}
