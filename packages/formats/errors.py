"""What a format refuses. Pure."""

from workspaces.errors import Invalid, Unsupported


class NameInvalid(Invalid):
    """A name outside the format's grammar."""

    code = "name_invalid"


class VersionInvalid(Invalid):
    """A version outside the format's grammar."""

    code = "version_invalid"


class TagInvalid(Invalid):
    """A tag outside the format's grammar."""

    code = "tag_invalid"


class DocumentInvalid(Invalid):
    """A publish document that cannot be read or contradicts itself."""

    code = "document_invalid"


class EncodingUnknown(Invalid):
    """A body is compressed in a way that is not read here."""

    code = "encoding_unknown"


class QueryInvalid(Invalid):
    """A question that cannot be answered as it stands: too long, too deep, or too broad to be answered in time."""

    code = "query_invalid"


class IntegrityMismatch(Invalid):
    """The bytes are not what the document promises."""

    code = "integrity_mismatch"


class ContentInvalid(Invalid):
    """The archive itself is refused: no gzip, a bomb, another name or version inside."""

    code = "content_invalid"


class NotSupported(Unsupported):
    """A part of the format Gatehouse does not take yet."""

    code = "not_supported"


class LockInvalid(Invalid):
    """A lock file that cannot be read, or none at all."""

    code = "lock_invalid"
