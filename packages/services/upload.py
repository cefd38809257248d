"""Publishing a bare file, from REST or a page: the same pipeline as the format's own client, with origin `uploaded`."""

from collections.abc import Iterable

from django.conf import settings

from packages.blobs import IN_MEMORY, Staging
from packages.formats.npm.publish import publication_from_tarball
from packages.formats.npm.versions import check_tag
from packages.models import Version
from packages.services.publish import Published, publish
from registries.models import Registry
from workspaces.access import Actor


def publish_file(*, actor: Actor, registry: Registry, chunks: Iterable[bytes], tag: str) -> Published:
    """Stage the file, read what it says of itself, publish. Raises what the format and the service raise."""
    check_tag(tag)
    with Staging(limit=settings.FILE_LIMIT, memory=IN_MEMORY) as staging:
        for chunk in chunks:
            staging.write(chunk)
        publication = publication_from_tarball(staging.finish(), tag)
        return publish(actor=actor, registry=registry, publication=publication, origin=Version.Origin.UPLOADED)
