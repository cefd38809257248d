"""What a publish asks of the database: the number of statements, which is most of its price, must not grow unseen.

If a test here fails because a feature needs a statement more: fold it into one of those that are there
(packages/services/rows.py), or raise the number with a reason in the commit.
"""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from packages.models import Blob, NameEpoch, Package, Version
from tests.npm.team import Team
from tests.parts.pack import pack, publish_document
from workspaces.models import Event

GATE = 2  # the token with its owner and roles; the registry with its workspace
FRAME = 2  # BEGIN and COMMIT
IS_SQLITE = connection.vendor == "sqlite"
BEFORE = 1 if IS_SQLITE else 0  # is the version here, is its number retired: asked with the lock on PostgreSQL
ROWS = 9 if IS_SQLITE else 3  # lock; package, standing; version with its blob, link, file, tag, event (and search entry on PostgreSQL)
SEARCH = 2 if IS_SQLITE else 0  # what search shows of the package, and its words
KNOWN = 0 if IS_SQLITE else 1  # of a package that is there: the words it has are read, and stay, so they are not written


def _statements(team: Team, name: str, version: str) -> list[str]:
    body = publish_document(pack(name, version))
    with CaptureQueriesContext(connection) as seen:
        response = team.send("bob", "PUT", f"/{name}", body)
    assert response.status_code in {200, 201}, response.content
    return [one["sql"] for one in seen.captured_queries]


def test_a_new_package_takes_few_statements(team: Team) -> None:
    team.publish("warm")  # the workspace's signing key is made with its first publish
    asked = _statements(team, "left", "1.0.0")
    assert len(asked) <= GATE + BEFORE + FRAME + ROWS + SEARCH, "\n".join(asked)


def test_a_further_version_takes_few_more(team: Team) -> None:
    team.publish("left")
    asked = _statements(team, "left", "1.0.1")
    assert len(asked) <= GATE + BEFORE + FRAME + ROWS + SEARCH + KNOWN, "\n".join(asked)


def test_the_same_again_writes_nothing(team: Team) -> None:
    team.publish("left")
    before = _rows()
    asked = _statements(team, "left", "1.0.0")
    assert _rows() == before
    if IS_SQLITE:
        assert len(asked) == GATE + BEFORE + 1, "\n".join(asked)
        assert not [one for one in asked if not one.startswith("SELECT")]
    else:  # found under the lock, which is given back
        assert len(asked) <= GATE + FRAME + 3, "\n".join(asked)


def _rows() -> list[object]:
    counted = [model.objects.count() for model in (Version, Event, Blob)]
    return [*counted, *Package.objects.values_list("name", "revision"), *NameEpoch.objects.values_list("name", "epoch")]
