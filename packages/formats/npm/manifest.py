"""The manifest of a version as we keep it: what the client sent, cleaned, with measurements of our own. Pure.

Nothing a client says about itself, about trust or about addresses is kept; `dist.tarball` is added when a
document is rendered, for the address it is asked under. `readme` stays in the stored manifest for the
package's page; rendering leaves it out of each version.
"""

from collections.abc import Mapping

import orjson

from packages.formats.errors import DocumentInvalid
from packages.formats.npm.tarball import Inspected
from packages.formats.publication import StagedFile
from workspaces.errors import TooLarge

README_LIMIT = 64 * 1024  # bytes of UTF-8
MANIFEST_LIMIT = 2 * 1024 * 1024  # every install reads all manifests of a package
KEPT_PRIVATE = frozenset({"_id", "_nodeVersion", "_npmVersion", "_hasShrinkwrap"})
# Said by the server alone, or handled elsewhere (`deprecated` is a column: it changes, manifests do not).
DROPPED = frozenset({"internal", "trusted", "access", "deprecated", "dist", "readme", "readmeFilename", "hasInstallScript"})
INSTALL_SCRIPTS = ("preinstall", "install", "postinstall")
README_NAME_LIMIT = 200


def stored_manifest(
    sent: Mapping[str, object], *, name: str, version: str, file: StagedFile, inspected: Inspected, readme: object = None
) -> bytes:
    """The manifest as JSON bytes. Raises DocumentInvalid, TooLarge."""
    kept: dict[str, object] = {key: value for key, value in sent.items() if key not in DROPPED and (key[:1] != "_" or key in KEPT_PRIVATE)}
    kept |= {"_id": f"{name}@{version}", "name": name, "version": version}
    if has_install_script(inspected):
        kept["hasInstallScript"] = True
    kept["dist"] = {
        "integrity": file.integrity,
        "shasum": file.sha1,
        "fileCount": inspected.file_count,
        "unpackedSize": inspected.unpacked_size,
    }
    kept |= _readme(sent, readme)
    try:
        data = orjson.dumps(kept)
        orjson.dumps([[[[[[[[kept]]]]]]]])  # with room for the document it will stand in
    except (orjson.JSONEncodeError, RecursionError):
        raise DocumentInvalid("The version's manifest cannot be stored.", fields={"versions": "manifest"}) from None
    if len(data) > MANIFEST_LIMIT:
        raise TooLarge(f"The version's manifest is larger than {MANIFEST_LIMIT // 1024**2} MiB.")
    return data


def has_install_script(inspected: Inspected) -> bool:
    """Whether installing runs code: an install script, or a binding.gyp that npm builds on its own."""
    scripts = inspected.package.get("scripts")
    named = scripts if isinstance(scripts, dict) else {}
    if any(named.get(script) for script in INSTALL_SCRIPTS):
        return True
    return inspected.has_binding_gyp and inspected.package.get("gypfile") is not False


NO_README = "ERROR: No README data found!"  # what npm 6 to 12 send for a package without one


def _readme(sent: Mapping[str, object], other: object) -> dict[str, str]:
    """The README text, cut to its limit at a whole character, and its file's name."""
    text = sent.get("readme") or other
    if not isinstance(text, str) or not text or text == NO_README:
        return {}
    found = {"readme": text.encode()[:README_LIMIT].decode("utf-8", "ignore")}
    filename = sent.get("readmeFilename")
    if isinstance(filename, str):
        found["readmeFilename"] = filename[:README_NAME_LIMIT]
    return found
