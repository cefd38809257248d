"""/api/schema/ and /api/docs/: the schema for everybody, and Swagger UI from local assets."""

from typing import Any, ClassVar

from csp.decorators import csp_update
from django.http import HttpResponse, HttpResponseBase
from django.utils.decorators import method_decorator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response


class SchemaView(SpectacularAPIView):
    """The OpenAPI document, made once: it takes a second, is the same for everybody, and anybody may ask."""

    held: ClassVar[dict[str, bytes]] = {}

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """As YAML or JSON."""
        kind = str(request.accepted_media_type)
        if kind in self.held:
            return HttpResponse(self.held[kind], content_type=kind)
        response: Response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]
        response.add_post_render_callback(lambda rendered: self.held.update({kind: rendered.content}))
        return response


# Swagger UI writes style attributes and one style element; scripts stay on 'self' (the split view has none inline).
@method_decorator(csp_update({"style-src": ["'unsafe-inline'"]}), name="dispatch")
class DocsView(SpectacularSwaggerSplitView):
    """Swagger UI: a page without data, the same for everybody, so it asks nobody who they are."""

    authentication_classes = ()
    url_name = "api-schema"
