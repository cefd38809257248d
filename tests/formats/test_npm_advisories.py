"""Reports on lock trees stay small, whatever tree is sent."""

import orjson

from packages.formats.npm.advisories import PATHS_ROOM, Advisories, Node, quick_report, read_tree, versions_in

ADVISORY = {
    "id": 1, "url": "", "title": "t", "severity": "high", "vulnerable_versions": "<2.0.0",
    "cwe": [], "cvss": {"score": 0, "vectorString": None},
}  # fmt: skip


def deep(names: int, length: int, leaves: int) -> list[Node]:
    """The packages of a tree in which many versions of one package stand below a long chain of long names."""
    level = {f"p{number}": {"dependencies": {"lodash": {"version": f"1.0.{number % 150}", "integrity": "x"}}} for number in range(leaves)}
    for _ in range(names):
        level = {"n" * length: {"dependencies": level}}  # type: ignore[dict-item]
    return read_tree({"dependencies": level})


def test_long_paths_do_not_multiply_into_gigabytes() -> None:
    nodes = deep(20, 500, 2000)
    advisories: Advisories = {"lodash": [{**ADVISORY, "id": number} for number in range(8)]}
    written = len(orjson.dumps(quick_report(nodes, advisories)))
    assert written < 2 * PATHS_ROOM, f"{written:,} bytes for 2,000 packages"


def test_an_honest_report_has_every_path() -> None:
    nodes = deep(2, 3, 50)
    report = quick_report(nodes, {"lodash": [dict(ADVISORY)]})
    paths = [path for finding in report["advisories"]["1"]["findings"] for path in finding["paths"]]
    assert sorted(paths) == sorted(f"nnn>nnn>p{number}>lodash" for number in range(50))
    assert len(report["actions"][0]["resolves"]) == 50


def test_of_one_name_as_many_versions_are_asked_about_as_in_bulk() -> None:
    nodes = [Node("lodash", f"1.0.{number}", ("lodash",), False, False, False) for number in range(1000)]
    assert len(versions_in(nodes)["lodash"]) == 200
