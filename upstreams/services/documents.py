"""npm metadata: rendered once per change by the rule's decision, compressed once, served many times."""

import gzip
import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.utils import timezone

from packages.errors import VersionNotFound
from packages.formats.npm.names import Name
from packages.formats.npm.packument import Manifest, Shown, compose, render, render_version
from packages.models import Package
from packages.selectors import named_maintainers, starred_by
from registries.models import Registry
from upstreams.durability import remembered
from upstreams.flight import is_busy, single_flight
from upstreams.memory import give_back
from upstreams.models import Document, Rendering
from upstreams.services.layers import layers
from upstreams.services.renderings import current_rendering, keep_rendering, same_rendering
from upstreams.services.resolve import Resolution, resolve

PATIENCE = 60.0  # seconds to wait for somebody else who renders the same
GRACE = timedelta(seconds=30)  # how long the old document is given while somebody else asks the upstream anew
BYTES = ["etag", "plain_etag", "last_modified", "body"]
BASE_URLS = 8  # documents kept per form: one per host name the registry is asked under


@dataclass(frozen=True)
class Rendered:
    """A document ready to send: its form, gzip bytes, the ETags (without quotes) of both encodings, its time.

    `is_stale`: it stands in for an upstream that is in trouble.
    """

    form: str
    body: bytes
    etag: str
    plain_etag: str
    last_modified: datetime
    is_stale: bool = False

    def plain(self) -> bytes:
        """The identity bytes."""
        return gzip.decompress(self.body)


def packument(registry: Registry, name: Name, form: str, base_url: str) -> Rendered:
    """The packument of `name` in one form ("full", "abbreviated") for one base URL.

    Raises SourceAbsent, UpstreamError subclasses (503 naming the upstream, 502, 504).
    """
    found = _stored(registry, name, form, base_url)
    if found is not None:
        return found
    flight = f"{registry.pk} {name.full}"
    if is_busy("render", flight) and (found := _stored(registry, name, form, base_url, grace=GRACE)) is not None:
        return found
    with single_flight("render", flight, patience=PATIENCE):
        found = _stored(registry, name, form, base_url)
        if found is not None:
            return found
        made = _rendered(resolve(registry, name), form, base_url)
    give_back(len(made.body))
    return made


def home_packument(registry: Registry, name: Name, form: str, base_url: str) -> Rendered:
    """The same from home alone, for questions around a publish; never stored, nobody is asked. Raises SourceAbsent."""
    resolution = resolve(registry, name, home_only=True)
    data = render(composed(resolution), name, form, base_url)
    return _packed(registry, form, base_url, data, timezone.now())


def version_manifest(registry: Registry, name: Name, wanted: str, base_url: str) -> bytes:
    """One version by number or tag, as JSON. Raises VersionNotFound, SourceAbsent, UpstreamError subclasses."""
    manifest = render_version(composed(resolve(registry, name)), name, wanted, base_url)
    if manifest is None:
        raise VersionNotFound(f"{name.full} has no version or tag “{wanted[:80]}”.")
    return manifest


def composed(resolution: Resolution) -> Manifest:
    """The packument this decision allows, without tarball addresses."""
    registry, name = resolution.registry, resolution.name
    package = Package.objects.filter(registry=registry, format="npm", name=name.full).first()
    digest = hashlib.sha256(f"{resolution.epochs} {resolution.decision.answering}".encode())
    for _, said in resolution.answered():
        digest.update((said.document.digest if said.document else "").encode())
    shown = Shown(
        name=name,
        revision=f"{package.revision if package else 0}-{digest.hexdigest()[:16]}",
        layers=layers(resolution),
        maintainers=named_maintainers(package) if package else (),
        stargazers=starred_by(package) if package and not registry.is_public else (),  # members alone know who starred
    )
    return compose(shown)


def _stored(registry: Registry, name: Name, form: str, base_url: str, grace: timedelta = timedelta()) -> Rendered | None:
    """The document rendered under the present epochs, while it is fresh, or for `grace` after.

    The grace never outlives what bounds the decision itself (an internal upstream's earlier "not here").
    """
    rendering, now = current_rendering(registry, name), timezone.now()
    if rendering is None or rendering.fresh_until + grace <= now or rendering.files_until <= now:
        return None
    row = Document.objects.filter(rendering=rendering, form=form, base_url=base_url).first()
    return _kept(row, rendering) if row is not None else None


def _kept(row: Document, rendering: Rendering) -> Rendered:
    return Rendered(row.form, bytes(row.body), row.etag, row.plain_etag, row.last_modified, rendering.is_stale)


def _rendered(resolution: Resolution, form: str, base_url: str) -> Rendered:
    rendering = keep_rendering(resolution)
    row = Document.objects.filter(rendering__in=same_rendering(rendering), form=form, base_url=base_url).first()
    if row is not None:  # nothing changed: the same bytes, fresh again
        return _kept(row, rendering)
    data = render(composed(resolution), resolution.name, form, base_url)
    packed = replace(_packed(resolution.registry, form, base_url, data, rendering.rendered_at), is_stale=resolution.is_stale)
    with remembered():
        if not same_rendering(rendering).select_for_update().exists():
            return packed  # the row tells of a newer decision by now: these bytes are answered once, and not kept
        document = Document(
            rendering=rendering,
            form=form,
            base_url=base_url,
            etag=packed.etag,
            plain_etag=packed.plain_etag,
            last_modified=packed.last_modified,
            body=packed.body,
        )
        Document.objects.bulk_create(
            [document], update_conflicts=True, unique_fields=["rendering", "form", "base_url"], update_fields=BYTES
        )
        extra = Document.objects.filter(rendering=rendering, form=form).order_by("-pk").values_list("pk", flat=True)[BASE_URLS:]
        Document.objects.filter(pk__in=list(extra)).delete()
    return packed


def _packed(registry: Registry, form: str, base_url: str, data: bytes, at: datetime) -> Rendered:
    """Compress once; each encoding has a strong ETag of its own, bound to registry, form and base URL."""
    body = gzip.compress(data, compresslevel=6, mtime=0)
    etags = [
        hashlib.sha256(f"{registry.pk}\n{form}\n{base_url}\n{encoding}\n".encode() + content).hexdigest()[:40]
        for encoding, content in (("gzip", body), ("identity", data))
    ]
    return Rendered(form, body, etags[0], etags[1], at)
