"""What is inside a version, over REST."""

from packages.models import Download, Package
from tests.api.cast import FOO, Cast

V = f"{FOO}versions/1.0.0/"


def test_files_are_listed_and_read(cast: Cast) -> None:
    listed = cast.get(f"{V}files/")
    paths = [row["path"] for row in listed["files"]]
    assert paths == sorted(paths)
    assert "package.json" in paths
    assert (listed["count"], listed["bytes"], listed["complete"]) == (len(paths), sum(row["size"] for row in listed["files"]), True)
    answer = cast.call("rita", "GET", f"{V}files/package.json")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/octet-stream")
    assert b'"@acme/foo"' in answer.content
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert int(answer.headers["X-Gatehouse-Size"]) == len(answer.content)
    for wrong in ("nothing.txt", "../package.json", "%2e%2e/x", "package.json%00"):
        refused = cast.call("rita", "GET", f"{V}files/{wrong}")
        assert (refused.status_code, "code" in refused.json()) == (404, True), wrong
    assert cast.call("rita", "GET", f"{FOO}versions/9.9.9/files/").status_code == 404


def test_dependencies_and_downloads(cast: Cast) -> None:
    assert isinstance(cast.get(f"{V}dependencies/")["groups"], dict)
    package = Package.objects.get(registry=cast.main, name="@acme/foo")
    today = cast.get(f"{FOO}downloads/")["days"][-1]["day"]
    Download.objects.create(package=package, version="1.0.0", day=today, count=3)
    Download.objects.create(package=package, version="2.0.0", day=today, count=4)
    assert cast.get(f"{FOO}downloads/")["total"] == 7
    one = cast.get(f"{FOO}downloads/?version=1.0.0&days=2")
    assert (one["total"], [row["count"] for row in one["days"]]) == (3, [0, 3])
    for wrong in ("days=0", "days=367", "days=many", "nonsense=1"):
        assert cast.call("rita", "GET", f"{FOO}downloads/?{wrong}").status_code == 400, wrong
