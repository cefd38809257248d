"""Uploading a file over REST: the same pipeline as the format's own client, with origin `uploaded`."""

from dataclasses import replace
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from packages.blobs import IN_MEMORY, Staging
from packages.formats.npm.publish import publication_from_tarball
from packages.formats.npm.versions import check_tag
from packages.models import Version
from packages.services.publish import Published, publish
from registries.gate import registry_for
from registries.models import Registry
from workspaces.access import Action, Actor, Target


def registry_for_upload(actor: Actor, workspace: str, registry: str, format: str) -> Registry:  # noqa: A002 - the address's own word
    """The gate before the name is known: the role must allow publishing; scopes are asked again with the name."""
    registry_for(actor, workspace, registry, Action.READ, Target(format))
    if actor.grant is not None and actor.grant.scopes is not None:
        actor = replace(actor, grant=replace(actor.grant, scopes=None))
    return registry_for(actor, workspace, registry, Action.PUBLISH)


def publish_file(actor: Actor, registry: Registry, file: "UploadedFile[Any]", tag: str) -> Published:
    """Stage the file, read what it says of itself, publish. Raises what the format and the service raise."""
    check_tag(tag)
    with Staging(limit=settings.FILE_LIMIT, memory=IN_MEMORY) as staging:
        for chunk in file.chunks():
            staging.write(chunk)
        publication = publication_from_tarball(staging.finish(), tag)
        return publish(actor=actor, registry=registry, publication=publication, origin=Version.Origin.UPLOADED)
