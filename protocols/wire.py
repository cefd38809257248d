"""What every package-client door shares: who asks, under which base address, and answers that are files."""

from pathlib import Path

from django.http import HttpRequest, HttpResponseBase

from tokens.services.authenticate import actor_for
from workspaces.access import Actor


def actor(request: HttpRequest) -> Actor:
    """Who sent the request. Raises CredentialsInvalid (401 everywhere), LoginThrottled."""
    return actor_for(request.headers.get("Authorization", ""), client_ip(request))


def client_ip(request: HttpRequest) -> str:
    """The caller's address; the entry has already applied TRUSTED_PROXIES."""
    return str(request.META.get("REMOTE_ADDR", ""))


def registry_url(request: HttpRequest, workspace: str, registry: str) -> str:
    """The registry's base URL on the host the client asked, without a trailing slash.

    Raises DisallowedHost (400) for a host that is not served here.
    """
    return f"{request.scheme}://{request.get_host()}/{workspace}/r/{registry}"


class FileAnswer(HttpResponseBase):
    """A whole file as the body; the entry hands `path` to the server (http.response.pathsend)."""

    streaming = True

    def __init__(self, path: Path, size: int, headers: dict[str, str]) -> None:
        super().__init__(headers=headers)
        self.path = path
        self.headers["Content-Length"] = str(size)
