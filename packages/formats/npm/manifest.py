"""The manifest of a version as we keep it: the tarball's own package.json after npm's steps, with measurements of our own. Pure.

What the client says beside the tarball counts for nothing but its README and its notes about itself (threat N8);
`dist.tarball` is added when a document is rendered, for the address it is asked under. `readme` stays in the
stored manifest for the package's page; rendering leaves it out of each version.
"""

import re
from collections.abc import Mapping

import orjson

from packages.formats.errors import DocumentInvalid
from packages.formats.npm.tarball import Inspected
from packages.formats.publication import StagedFile
from workspaces.errors import TooLarge

README_LIMIT = 64 * 1024  # bytes of UTF-8
MANIFEST_LIMIT = 2 * 1024 * 1024  # every install reads all manifests of a package
NOTES = ("_nodeVersion", "_npmVersion", "gitHead")  # what clients note of themselves and of the commit they published
NOTE = re.compile(r"[ -~]{1,100}")
# Said by the server alone, or handled elsewhere (`deprecated` is a column: it changes, manifests do not).
DROPPED = frozenset({"internal", "trusted", "access", "deprecated", "dist", "readme", "readmeFilename", "hasInstallScript"})
INSTALL_SCRIPTS = ("preinstall", "install", "postinstall")
README_NAME_LIMIT = 200
DESCRIPTION_LIMIT = 1000  # characters


def stored_manifest(
    truth: Mapping[str, object],
    *,
    name: str,
    version: str,
    file: StagedFile,
    inspected: Inspected,
    sent: Mapping[str, object],
    readme: object = None,
) -> bytes:
    """The manifest as JSON bytes: `truth` is the normalised package.json, `sent` what the client said. Raises DocumentInvalid, TooLarge."""
    kept: dict[str, object] = {key: value for key, value in truth.items() if key not in DROPPED}
    kept |= {"_id": f"{name}@{version}", "name": name, "version": version, **_notes(sent), **_readme(sent, readme)}
    if "description" not in kept and (described := describe(kept.get("readme", ""))):
        kept["description"] = described
    if "npm-shrinkwrap.json" in inspected.files:
        kept["_hasShrinkwrap"] = True
    if has_install_script(inspected):
        kept["hasInstallScript"] = True
    kept["dist"] = {
        "integrity": file.integrity,
        "shasum": file.sha1,
        "fileCount": inspected.file_count,
        "unpackedSize": inspected.unpacked_size,
    }
    return _bounded(kept)


def _bounded(manifest: Mapping[str, object]) -> bytes:
    """The manifest written out, if it is neither too deep nor too large."""
    try:
        data = orjson.dumps(manifest)
        orjson.dumps([[[[[[[[manifest]]]]]]]])  # with room for the document it will stand in
    except (orjson.JSONEncodeError, RecursionError):
        raise DocumentInvalid("The version's manifest cannot be stored.", fields={"versions": "manifest"}) from None
    if len(data) > MANIFEST_LIMIT:
        raise TooLarge(f"The version's manifest is larger than {MANIFEST_LIMIT // 1024**2} MiB.")
    return data


def describe(readme: object) -> str:
    """The first paragraph below the heading, as npm takes it for the description of a package that has none."""
    lines = readme.strip().split("\n") if isinstance(readme, str) else []
    start = next((at for at, line in enumerate(lines) if line.strip() and not line.strip().startswith("#")), len(lines))
    end = next((at for at in range(start, len(lines)) if not lines[at].strip()), len(lines))
    return " ".join(lines[start:end]).strip()[:DESCRIPTION_LIMIT]


def _notes(sent: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key in NOTES if isinstance(value := sent.get(key), str) and NOTE.fullmatch(value)}


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
