"""Addresses of source code as npm writes them: what stands in for `user/repository`. Pure.

npm publishes `repository.url`, `bugs` and `homepage` of the well-known hosts in one spelling (hosted-git-info 7
to 9), so that a package.json with the short form and its document say the same.
"""

import re
from dataclasses import dataclass

HOSTS = {"github": "github.com", "gitlab": "gitlab.com", "bitbucket": "bitbucket.org"}
SHORT = re.compile(
    r"(?:(?P<host>github|gitlab|bitbucket):)?(?P<user>[^\s:@%/.#-][^\s:@%/#]*)/(?P<project>[^\s:@%/#]+?)(?:\.git)?(?P<rest>#.*)?"
)
LONG = re.compile(
    r"(?:(?P<scheme>git\+https|git\+http|git\+ssh|git|ssh|https|http)://)?(?:(?P<auth>[^\s@/]+)@)?(?:www\.)?"
    r"(?P<domain>github\.com|gitlab\.com|bitbucket\.org)(?:[:/]{1,2})(?P<user>[^\s/:#?]+)/(?P<project>[^\s/#?]+?)(?:\.git)?/?"
    r"(?P<rest>[/#?].*)?",
    re.IGNORECASE,
)
LENGTH = 2048  # characters; longer ones are no addresses


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository at a known host. `committish` with its `#`."""

    domain: str
    user: str
    project: str
    committish: str
    form: str  # "short", "ssh", "git" or "https": how it was written
    auth: str = ""

    @property
    def url(self) -> str:
        """The spelling npm publishes."""
        path = f"{self.user}/{self.project}.git{self.committish}"
        if self.form == "ssh":
            return f"git+ssh://git@{self.domain}/{path}"
        if self.form == "git" and self.domain == HOSTS["github"]:
            return f"git://{self.domain}/{path}"
        return f"git+https://{self.auth}{self.domain}/{path}"

    @property
    def page(self) -> str:
        """The repository's own page."""
        return f"https://{self.domain}/{self.user}/{self.project}"


def known(text: object) -> Repository | None:
    """The repository an address or short form means, if its host is a well-known one."""
    if not isinstance(text, str) or "/" not in text or len(text) > LENGTH:
        return None
    if found := LONG.fullmatch(text.strip()):
        rest = found["rest"] or ""
        scheme = (found["scheme"] or "ssh").lower()
        form = {"git": "git", "git+ssh": "ssh", "ssh": "ssh"}.get(scheme, "https")
        auth = f"{found['auth']}@" if found["auth"] and form == "https" else ""
        return Repository(found["domain"].lower(), found["user"], found["project"], rest if rest[:1] == "#" else "", form, auth)
    if found := SHORT.fullmatch(text.strip()):
        return Repository(HOSTS[found["host"] or "github"], found["user"], found["project"], found["rest"] or "", "short")
    return None


def short_form(text: str) -> str:
    """A dependency's `user/repository` as npm publishes it, `github:user/repository`; anything else as it is."""
    found = SHORT.fullmatch(text)
    return f"github:{text}" if found and not found["host"] else text
