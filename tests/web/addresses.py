"""The pages' addresses, and how a test reads one."""

from django.test import Client

MAIN = "/acme/registries/main/"
HTTP = f"{MAIN}npm/@acme/http/"
PAGES = (
    "/",
    "/account/",
    "/account/second-factor/",
    "/account/sessions/",
    "/account/guides/",
    "/account/guides/internal-packages",
    "/acme/",
    "/acme/settings/",
    "/acme/people/",
    "/acme/people/invitations/",
    "/acme/claims/",
    "/acme/secrets/",
    "/acme/webhooks/",
    "/acme/tokens/",
    "/acme/activity/",
    "/acme/alerts/",
    "/acme/tombstones/",
)
VERSION = f"{HTTP}v/1.0.0/"
PACKAGE_PAGES = (
    MAIN,
    f"{MAIN}upstreams/",
    f"{MAIN}mirrors/",
    f"{MAIN}settings/",
    f"{MAIN}upload/",
    HTTP,
    f"{HTTP}versions/",
    f"{HTTP}dependents/",
    f"{HTTP}resolution/",
    VERSION,
    f"{VERSION}dependencies/",
    f"{VERSION}files/",
    f"{VERSION}files/README.md",
)


def text(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    return answer.content.decode()
