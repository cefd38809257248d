"""Versions of unknown names that enter together: one transaction, few statements, and each by itself when one is not plain."""

from collections.abc import Callable

import orjson
import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from packages.formats.npm.names import parse_known
from packages.models import Package, SearchEntry, Version
from packages.services.epochs import bump_name
from registries.models import RestrictedName
from tests.npm.outside import connect
from tests.npm.team import Team
from tests.parts.pack import pack
from tests.parts.recorder import Recorder
from upstreams.clients.heard import Heard
from upstreams.clients.npm import Known, read_packument
from upstreams.models import DocumentFile, Origin, Pin, Rendering, UpstreamDocument
from upstreams.selectors.facts import current_epochs
from upstreams.selectors.unknown import Places
from upstreams.services import sight
from upstreams.services.renderings import HeldFile
from workspaces.models import Event, Workspace

IS_SQLITE = connection.vendor == "sqlite"
FRAME = 4 if IS_SQLITE else 3  # BEGIN, COMMIT and how durable it is to be
LOOK = 5  # the upstream, the names, the rule's epoch, who is for members only, the packages
EACH = 12 if IS_SQLITE else 1  # the rows of a version


class Crowd:
    """Files of names nobody has seen, asked for and heard, but not taken yet."""

    def __init__(self, team: Team, recorder: Recorder) -> None:
        self.team, self.recorder = team, recorder
        connect(team, recorder)
        rule_epoch = Workspace.objects.get(pk=team.space.pk).rule_epoch
        place = Places().read(team.registry.pk, rule_epoch)
        assert place is not None
        self.place = place

    def taking(self, name: str) -> sight.Taking:
        """As the path for unknown names has it when both answers are here."""
        packed, parsed = self.recorder.offer(pack(name)), parse_known(name)
        seen = sight.sighted(self.place, parsed, current_epochs(self.team.registry, "npm", parsed.folded))
        assert seen is not None
        document = self.recorder.document(name)
        said = Heard(200, {}, self.recorder.url, "public", orjson.dumps(document))
        fetched = read_packument(seen.target, said, parsed, Known(), limit=settings.METADATA_LIMIT)
        pull = sight.offered(seen, fetched, "1.0.0")
        assert pull is not None
        return sight.Taking(seen, fetched, pull, Heard(200, {}, pull.offer.tarball, "public", packed.tarball))

    def versions(self) -> list[str]:
        """The names whose version is here with every row it should have."""
        own = Version.objects.filter(package__registry=self.team.registry)
        return sorted(one.package.name for one in own.select_related("package") if self._is_whole(one))

    def _is_whole(self, version: Version) -> bool:
        name, registry = version.package.name, self.team.registry
        filename = parse_known(name).tarball("1.0.0")
        listed = DocumentFile.objects.filter(rendering__registry=registry, rendering__name=name, filename=filename)
        return (
            Origin.objects.filter(version=version, upstream_name="public").exists()
            and SearchEntry.objects.filter(package=version.package, version="1.0.0").exists()
            and Pin.objects.filter(registry=registry, name=name).exists()
            and UpstreamDocument.objects.filter(upstream__registry=registry, name=name, is_present=True).exists()
            and [one.sha256 for one in listed] == [version.files.get().blob.sha256]
            and Event.objects.filter(action="version.pulled", object=f"{registry} npm {name}@1.0.0").count() == 1
        )


@pytest.fixture
def crowd(team: Team, recorder: Recorder, loopback: None) -> Crowd:
    return Crowd(team, recorder)


def test_they_take_one_transaction_and_few_statements(crowd: Crowd) -> None:
    sight.take([crowd.taking("prepares")])
    takings = [crowd.taking(name) for name in ("left", "right", "@scope/middle")]
    with CaptureQueriesContext(connection) as seen:
        taken = sight.take(takings)
    statements = [one["sql"] for one in seen.captured_queries]
    assert len(statements) == FRAME + LOOK + 3 * EACH, "\n".join(statements)
    assert [one.name for one in taken if isinstance(one, HeldFile)] == ["left-1.0.0.tgz", "right-1.0.0.tgz", "middle-1.0.0.tgz"]
    assert crowd.versions() == ["@scope/middle", "left", "prepares", "right"]


def test_names_that_differ_in_their_case_alone_come_in_both(crowd: Crowd) -> None:
    taken = sight.take([crowd.taking("JSONStream"), crowd.taking("jsonstream")])
    assert all(isinstance(one, HeldFile) for one in taken)
    assert crowd.versions() == ["JSONStream", "jsonstream"]


def published_as_internal(crowd: Crowd) -> None:
    assert crowd.team.publish("wanted").status_code == 201


def toggled(crowd: Crowd) -> None:
    bump_name(crowd.team.space.pk, "npm", "wanted")


def heard_of(crowd: Crowd) -> None:
    assert crowd.team.send("rita", "GET", "/wanted").status_code == 200


def pulled_by_somebody_else(crowd: Crowd) -> None:
    assert crowd.team.send("rita", "GET", "/wanted/-/wanted-1.0.0.tgz").getvalue()


@pytest.mark.parametrize("meanwhile", [published_as_internal, toggled, heard_of, pulled_by_somebody_else])
def test_what_happens_to_one_meanwhile_is_no_trouble_of_the_others(crowd: Crowd, meanwhile: Callable[[Crowd], None]) -> None:
    takings = [crowd.taking(name) for name in ("first", "wanted", "last")]
    meanwhile(crowd)
    internal = Version.objects.filter(package__name="wanted", is_internal=True).count()
    before = Event.objects.filter(action="version.pulled", object__contains="wanted").count()
    first, wanted, last = sight.take(takings)
    assert isinstance(first, HeldFile)
    assert isinstance(last, HeldFile)
    assert wanted is None, "whoever asks next goes by what is known now"
    assert {"first", "last"} <= set(crowd.versions())
    assert Version.objects.filter(package__name="wanted", is_internal=True).count() == internal
    assert Event.objects.filter(action="version.pulled", object__contains="wanted").count() == before
    if meanwhile is published_as_internal:
        assert not Version.objects.filter(package__name="wanted", is_internal=False).exists()


def test_what_is_for_members_only_stays_so(crowd: Crowd) -> None:
    takings = [crowd.taking(name) for name in ("open", "closed")]
    RestrictedName.objects.create(registry=crowd.team.registry, format="npm", name="closed")
    assert all(isinstance(one, HeldFile) for one in sight.take(takings))
    assert dict(Rendering.objects.values_list("name", "is_restricted")) == {"open": False, "closed": True}


def test_an_upstream_that_is_gone_leaves_nothing(crowd: Crowd) -> None:
    takings = [crowd.taking(name) for name in ("one", "two")]
    takings[0].seen.upstream.delete()
    assert sight.take(takings) == [None, None]
    assert not Package.objects.exists()
