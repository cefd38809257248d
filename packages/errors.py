"""What goes wrong with packages."""

from workspaces.errors import Conflict, Denied, NotFound, TooLarge, Unavailable


class PackageNotFound(NotFound):
    """No such package here."""

    code = "package_not_found"


class VersionNotFound(NotFound):
    """No such version here."""

    code = "version_not_found"


class TagNotFound(NotFound):
    """No such tag here."""

    code = "tag_not_found"


class FileNotHere(NotFound):
    """No such file inside the version, or its bytes are not here."""

    code = "file_not_found"


class VersionExists(Conflict):
    """The number is taken by other bytes; versions are immutable."""

    code = "version_exists"


class VersionRetired(Denied):
    """The number was used and deleted; it is never given out again."""

    code = "version_retired"


class PackageChanged(Conflict):
    """Somebody wrote to the package since the caller read it."""

    code = "package_changed"


class LatestTagNeeded(Conflict):
    """`latest` always points somewhere."""

    code = "latest_tag_needed"


class LastMaintainer(Conflict):
    """A package keeps at least one maintainer."""

    code = "last_maintainer"


class RegistryPrivate(Denied):
    """A package cannot be public in a registry that is not."""

    code = "registry_private"


class BodyTooLarge(TooLarge):
    """More bytes than the limit."""

    code = "body_too_large"


class FileDamaged(Unavailable):
    """The storage has lost a file's bytes, or some of them; an operator has to look."""

    code = "file_damaged"


class StorageFull(Unavailable):
    """No room left to store bytes (HTTP 507)."""

    code = "storage_full"
    status = 507
