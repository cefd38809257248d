"""What a file that comes in for the first time asks of the database: the number of statements must not grow unseen.

If a test here fails because a feature needs a statement more: fold it into one of those that are there, or raise the
number with a reason in the commit.
"""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from packages.models import File
from tests.npm.outside import connect
from tests.npm.team import Team
from tests.parts.pack import pack
from tests.parts.recorder import Recorder

GATE = 2  # the token with its owner and roles; the registry with its workspace
IS_SQLITE = connection.vendor == "sqlite"
FACTS = 1 + 6  # is it listed; epochs, versions, tombstones, what was said, claims, upstreams
DOCUMENT = 2 + 5 + 1  # said by now, still holds; upstream, said, epochs, pins, document; still the same epochs
FILE = 2 + 8 + (8 + 2 if IS_SQLITE else 1 + 4)  # here by now, still holds; what is found under the lock; the version, how it is listed
FRAMES = 2 * (4 if IS_SQLITE else 3)  # BEGIN, COMMIT and how durable it is to be


def test_a_file_that_comes_in_takes_few_statements(team: Team, recorder: Recorder, loopback: None) -> None:
    connect(team, recorder)
    first, second = recorder.offer(pack("left")), recorder.offer(pack("right"))
    assert team.send("rita", "GET", "/left/-/left-1.0.0.tgz").getvalue() == first.tarball  # prepares what is prepared once
    with CaptureQueriesContext(connection) as seen:
        assert team.send("rita", "GET", "/right/-/right-1.0.0.tgz").getvalue() == second.tarball
    statements = [one["sql"] for one in seen.captured_queries]
    assert len(statements) == GATE + FACTS + DOCUMENT + FILE + FRAMES, "\n".join(statements)
    assert File.objects.count() == 2
