"""The log as a file, and narrowed by day and address."""

import csv
import io
import json
from collections.abc import Iterable
from datetime import timedelta
from typing import cast

from django.http import StreamingHttpResponse
from django.test import Client
from django.utils import timezone

from tests.web.addresses import text
from tests.web.conftest import World
from workspaces.access import Actor
from workspaces.models import Event
from workspaces.services.audit import record

EXPORT = "/acme/activity/export/"


def saved(client: Client, query: str = "") -> str:
    answer = client.get(EXPORT + query)
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="acme-activity.')
    return b"".join(cast("Iterable[bytes]", cast("StreamingHttpResponse", answer).streaming_content)).decode()


def test_what_is_shown_is_what_is_saved(alice: Client, world: World) -> None:
    record(Actor(None, "=HYPERLINK(1)", ip="198.51.100.9"), "tag.set", "@evil", workspace=world.workspace, new={"a": 1})
    rows = list(csv.DictReader(io.StringIO(saved(alice))))
    assert len(rows) == Event.objects.filter(workspace=world.workspace).count()
    assert (rows[0]["actor"], rows[0]["object"], rows[0]["new"]) == ("'=HYPERLINK(1)", "'@evil", '{"a":1}'), "no formulas"
    found = json.loads(saved(alice, "?as=json&ip=198.51.100.9"))
    assert [(one["actor"], one["ip"], one["new"]) for one in found] == [("=HYPERLINK(1)", "198.51.100.9", {"a": 1})]
    assert json.loads(saved(alice, "?as=json&q=no-such-thing")) == []
    assert alice.get(f"{EXPORT}?as=xml").status_code == 400


def test_days_are_whole_and_what_is_none_is_not_asked(alice: Client, world: World) -> None:
    Event.objects.filter(workspace=world.workspace).update(at=timezone.now() - timedelta(days=3))
    record(world.actor("alice"), "tag.set", "fresh", workspace=world.workspace)
    today = timezone.now().date()

    def objects(query: str) -> set[str]:
        return {one["object"] for one in json.loads(saved(alice, f"?as=json&{query}"))}

    assert objects(f"since={today}") == {"fresh"}
    assert objects(f"until={today - timedelta(days=3)}&since={today - timedelta(days=3)}") == objects("") - {"fresh"}
    assert objects("since=9999-99-99") == objects("until=9999-12-31") == objects("")
    page = text(alice, f"/acme/activity/?since={today}")
    assert f'name="since" value="{today}"' in page
    assert f"since={today}&amp;as=csv" in page
    rest = "/api/v1/workspaces/acme/events/"
    assert alice.get(f"{rest}?since={today}T00:00:00Z").json()["count"] == 1
    assert alice.get(f"{rest}?since=yesterday").status_code == 400
