"""The schema and its page."""

import re

from django.core.management import call_command
from django.test import Client

from api.urls import urlpatterns


def test_the_schema_is_valid_and_whole(db: None) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", "/dev/null")
    schema = Client().get("/api/schema/?format=json").json()
    documented = set(schema["paths"])
    assert "/api/v1/workspaces/{ws}/registries/{reg}/packages/{format}/{name}/versions/{version}/" in documented
    assert len(documented) == len(urlpatterns) - 3  # schema, docs, and the address of nothing
    assert set(schema["components"]["schemas"]["VersionShown"]["properties"]) == {
        "version", "internal", "origin", "upstream", "integrity", "size", "created_at", "published_by", "deprecated", "yanked",
        "differences", "sha256",
    }  # fmt: skip


def test_invalid_credentials_are_401_here_too(db: None) -> None:
    assert Client(headers={"Authorization": "Bearer gth_bad"}).get("/api/schema/").status_code == 401


def test_the_page_loads_local_assets_only(db: None) -> None:
    page = Client().get("/api/docs/")
    assert page.status_code == 200
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.content.decode())
    assert loaded
    assert all(one.startswith(("/static/", "/api/docs/")) for one in loaded)
    policy = page.headers["Content-Security-Policy"]
    assert "'unsafe-inline'" in policy.split("style-src", 1)[1].split(";")[0]
    assert "'unsafe-inline'" not in policy.split("script-src", 1)[1].split(";")[0]
    script = Client().get(next(one for one in loaded if one.startswith("/api/docs/")).replace("&amp;", "&"))
    assert (script.status_code, script.headers["Content-Type"]) == (200, "application/javascript")
    assert "unsafe-inline" not in Client().get("/api/v1/whoami/").headers["Content-Security-Policy"]
