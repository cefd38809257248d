"""A module in REST, on pages and in `manage.py explain`, its name's slash plain and encoded."""

import base64
import hashlib
import io
import json
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client

from packages.models import File, Version
from registries.models import Registry
from tests.moonbit.modules import mirror, publish_module, source
from tests.npm.team import Team
from tests.parts.moonbit import MoonRegistry


def rest(team: Team, method: str, path: str, body: object = None) -> Any:
    caller = Client(headers={"Authorization": f"Bearer {team.tokens['alice']}"})
    return caller.generic(
        method, f"/api/v1/workspaces/{team.slug}/registries/main/packages/moonbit/{path}", body or b"", "application/json"
    )


@pytest.mark.parametrize("name", ["acme/core", "acme%2Fcore"])
def test_rest_knows_modules(team: Team, moon: MoonRegistry, name: str) -> None:
    moon.add("acme/core", "0.1.0", "0.10.0", "0.9.0")
    mirror(team, source(team, moon), "acme/core")
    assert rest(team, "GET", f"{name}/").json()["name"] == "acme/core"
    assert {one["version"] for one in rest(team, "GET", f"{name}/versions/").json()["results"]} == {"0.1.0", "0.9.0", "0.10.0"}
    shown, module = rest(team, "GET", f"{name}/versions/0.9.0/").json(), moon.modules["acme/core", "0.9.0"]
    digest = hashlib.sha512(module.content).digest()
    assert (shown["sha256"], shown["integrity"]) == (json.loads(module.line())["checksum"], f"sha512-{base64.b64encode(digest).decode()}")
    trace = rest(team, "GET", f"{name}/resolution/").json()
    assert (trace["internal"], list(trace["versions"])) == (False, ["0.1.0", "0.9.0", "0.10.0"])
    assert [one["answer"] for one in trace["sources"]] == ["has", "has"]
    assert rest(team, "PATCH", f"{name}/versions/0.1.0/", '{"internal": true}').json()["internal"] is True
    trace = rest(team, "GET", f"{name}/resolution/").json()
    assert trace["internal"] is True
    assert set(trace["shadowed"]) == {"0.9.0", "0.10.0"}
    assert "rule 2" in trace["sources"][1]["clause"]
    assert rest(team, "DELETE", f"{name}/versions/0.1.0/").status_code == 204
    assert rest(team, "GET", f"{name}/tombstone/").status_code == 200
    assert rest(team, "GET", "acme/resolution/").status_code == 404


def test_deleting_what_is_shadowed_frees_its_number(team: Team, moon: MoonRegistry) -> None:
    moon.add("acme/core", "0.1.0")
    upstream = source(team, moon)
    mirror(team, upstream, "acme/core")
    publish_module(team, "acme/core", "0.2.0")
    assert rest(team, "DELETE", "acme/core/versions/0.1.0/").status_code == 204
    publish_module(team, "acme/core", "0.1.0")
    assert Version.objects.get(version="0.1.0").is_internal


def test_ask_asks_and_explain_tells(team: Team, moon: MoonRegistry) -> None:
    moon.add("acme/core")
    source(team, moon)
    assert rest(team, "GET", "acme/core/resolution/").json()["outcome"] == "ask"
    assert rest(team, "GET", "acme/core/resolution/?ask=true").json()["versions"] == {"0.1.0": "moon"}
    out = io.StringIO()
    call_command("explain", f"{team.slug}/main", "acme/core", stdout=out)
    assert "acme/core: public" in out.getvalue(), "no name of npm looks so"
    assert "0.1.0 from moon" in out.getvalue()


def test_explain_tells_who_stands_in_the_way(team: Team, moon: MoonRegistry) -> None:
    moon.demand("bearer", secret="another-secret")
    source(team, moon, "partner", internal=True)
    out = io.StringIO()
    call_command("explain", f"{team.slug}/main", "acme/core", ask=True, stdout=out)
    assert "blocked by partner: an install gets 503" in out.getvalue()
    assert "→" not in out.getvalue()


def test_pages(team: Team, moon: MoonRegistry) -> None:
    moon.add("acme/core", "0.1.0", "0.2.0")
    mirror(team, source(team, moon), "acme/core")
    page = Client()
    page.force_login(team.people["alice"])
    base = f"/{team.slug}/registries/main/"
    assert f"{base}moonbit/acme/core/" in page.get(base).content.decode()
    text = page.get(f"{base}moonbit/acme/core/").content.decode()
    assert "moon add acme/core" in text
    assert f"/{team.slug}/m/main</code>" in text, "what moon is given as its registry"
    assert "moon sends no credentials" in text, "the registry is private"
    assert "npm install" not in text
    assert "Dist-tags" not in text
    assert "yanked" not in text
    moon.yank("acme/core", "0.1.0")
    mirror(team, team.registry.upstreams.get(), "acme/core")
    assert "yanked" in page.get(f"{base}moonbit/acme/core/versions/").content.decode()
    version = page.get(f"{base}moonbit/acme/core/v/0.1.0/").content.decode()
    checksum = File.objects.get(version__version="0.1.0").blob.sha256
    assert f'data-copy="{checksum}"' in version
    assert "sha512" not in version
    assert "every install" not in version
    assert f"export MOONCAKES_REGISTRY={settings.EXTERNAL_HOST}/{team.slug}/m/main" in page.get(base).content.decode()
    assert "moon sends no credentials" in page.get(base).content.decode()
    Registry.objects.filter(pk=team.registry.pk).update(visibility="public")
    assert "moon sends no credentials" not in page.get(base).content.decode()
    assert "public" in page.get(f"{base}moonbit/acme/core/resolution/").content.decode()
    assert page.get(f"{base}moonbit/acme/none/", headers={"accept": "text/html"}).status_code == 404
    assert page.get(f"{base}upstreams/").status_code == 200
    upstream = team.registry.upstreams.get()
    assert page.get(f"{base}upstreams/{upstream.pk}/").status_code == 200


def test_a_moonbit_registry_is_added_and_changed_on_the_page(team: Team, loopback: None) -> None:
    page = Client()
    page.force_login(team.people["alice"])
    address = f"/{team.slug}/registries/main/upstreams/"
    assert "Add a MoonBit registry" in page.get(address).content.decode()
    wish = {
        "kind": "moonbit",
        "name": "moon",
        "url": "https://registry.example.org",
        "priority": "50",
        "auth_type": "none",
        "enabled": "on",
    }
    refused = page.post(address, {**wish, "index_type": "git", "package_url_pattern": "${url}/x"})
    assert refused.status_code == 400
    assert "would have one address" in refused.content.decode()
    assert page.post(address, {**wish, "index_type": "http"}).status_code == 302
    upstream = team.registry.upstreams.get()
    assert (upstream.format, upstream.kind, upstream.index_type) == ("moonbit", "url", "http")
    one = f"{address}{upstream.pk}/"
    assert 'name="index_url"' in page.get(one).content.decode()
    sent = {**wish, "index_type": "git", "index_url": "https://registry.example.org/index", "priority": "60"}
    assert page.post(one, sent).status_code == 302
    upstream.refresh_from_db()
    assert (upstream.index_url, upstream.index_type, upstream.priority, upstream.format) == (sent["index_url"], "git", 60, "moonbit")
