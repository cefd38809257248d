"""A version from an upstream: what its document said against what its tarball is (threat U21). Pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from packages.formats.errors import ContentInvalid
from packages.formats.npm.contents import look_into
from packages.formats.npm.differences import Difference, differences
from packages.formats.npm.manifest import DROPPED, INSTALL_SCRIPTS, has_install_script
from packages.formats.npm.names import Name
from packages.formats.npm.normalise import normalise
from packages.formats.npm.publish import check_inside
from packages.formats.npm.tarball import Inspected
from packages.formats.publication import StagedFile

# What stays the source's word: it says it about the package, not on its behalf.
SOURCES_WORDS = frozenset({"dist", "maintainers", "gitHead", "deprecated", "readme", "readmeFilename", "users"})


def truth_of(name: Name, version: str, document: Mapping[str, Any], file: StagedFile) -> tuple[dict[str, Any], list[Difference]]:
    """The manifest to serve now that the tarball is here, and where it is another than `document` said.

    The document itself when there is no difference. A tarball whose package.json cannot be told for certain is a
    difference of its own; then the document stays. Raises ContentInvalid when it is another package or version.
    """
    try:
        with file.open() as tarball:
            inspected = look_into(tarball)
    except ContentInvalid as error:
        return dict(document), [{"field": "package.json", "document": None, "tarball": error.message}]
    _check_inside(name, version, inspected)
    truth = normalise(inspected.package, inspected.files, inspected.authors)
    found = differences(document, inspected.package, truth)
    if has_install_script(inspected) and not _admits_install_script(document):
        found.append({"field": "hasInstallScript", "document": "false", "tarball": "true"})
    if not found:
        return dict(document), []
    kept = {key: value for key, value in document.items() if key in SOURCES_WORDS or key[:1] == "_"}
    own = {key: value for key, value in truth.items() if key not in DROPPED and key not in SOURCES_WORDS}
    scripts = {"hasInstallScript": True} if has_install_script(inspected) else {}
    return {**kept, **own, "name": name.full, "version": version, **scripts}, found


def _check_inside(name: Name, version: str, inspected: Inspected) -> None:
    """Old packages may leave out their name or version, but none names another."""
    said = {"name": name.full, "version": version, **inspected.package}
    check_inside(name, version, replace(inspected, package=said))


def _admits_install_script(document: Mapping[str, Any]) -> bool:
    scripts = document.get("scripts")
    return bool(document.get("hasInstallScript")) or (isinstance(scripts, dict) and any(scripts.get(key) for key in INSTALL_SCRIPTS))
