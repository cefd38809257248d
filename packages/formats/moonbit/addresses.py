"""Where a MoonBit registry has its index and its packages. Pure."""

import re
from urllib.parse import quote

from packages.formats.errors import DocumentInvalid
from packages.formats.moonbit.names import Name

USUAL = "${url}/user/${username}/${name}/${version}.zip"
VARIABLE = re.compile(r"\$\{([^}]*)\}")
KNOWN = frozenset({"url", "username", "name", "version"})


class PatternInvalid(DocumentInvalid):
    """A pattern of addresses that names no version's own address."""

    code = "pattern_invalid"


def check_pattern(pattern: str) -> str:
    """A pattern of package addresses. Raises PatternInvalid."""
    used = set(VARIABLE.findall(pattern))
    if strange := sorted(used - KNOWN):
        raise PatternInvalid(f"“${{{strange[0][:40]}}}” is not known here: only ${{url}}, ${{username}}, ${{name}} and ${{version}}.")
    if not {"name", "version"} <= used or "username" not in used:
        raise PatternInvalid("The pattern has to hold ${username}, ${name} and ${version}, or all packages would have one address.")
    if not pattern.startswith(("${url}", "http://", "https://")):
        raise PatternInvalid("The pattern has to begin with ${url}, or with http:// or https:// and a host.")
    if not pattern.isprintable() or " " in pattern or "#" in pattern:
        raise PatternInvalid("The pattern is an address without spaces and fragment.")
    host = pattern.removeprefix("${url}") if pattern.startswith("${url}") else pattern.partition("://")[2]
    authority = host.partition("/")[0]
    if "$" in authority or "@" in authority or (pattern.startswith("${url}") and authority):
        raise PatternInvalid("The pattern's host is fixed: after ${url} follows a slash, and no variable stands in the host.")
    return pattern


def package_url(pattern: str, url: str, name: Name, version: str) -> str:
    """The address of a version's zip; '' is the usual pattern."""
    values = {"url": url.rstrip("/"), "username": quote(name.username, safe=""), "name": quote(name.bare, safe="")}
    values["version"] = quote(version, safe="")
    return VARIABLE.sub(lambda found: values[found[1]], pattern or USUAL)


def index_url(url: str, index: str, index_type: str) -> str:
    """Where the index is; '' is its usual place below `url`."""
    if index:
        return index.rstrip("/")
    return f"{url.rstrip('/')}/git/index" if index_type == "git" else url.rstrip("/")


def entry_url(url: str, index: str, name: Name) -> str:
    """Where an index over HTTP has one module's versions."""
    return f"{index_url(url, index, 'http')}/{quote(name.index_path)}"
