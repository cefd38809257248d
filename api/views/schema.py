"""/api/schema/ and /api/docs/: the schema for everybody, and Swagger UI from local assets."""

from csp.decorators import csp_update
from django.utils.decorators import method_decorator
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView


class SchemaView(SpectacularAPIView):
    """The OpenAPI document."""


# Swagger UI writes style attributes and one style element; scripts stay on 'self' (the split view has none inline).
@method_decorator(csp_update({"style-src": ["'unsafe-inline'"]}), name="dispatch")
class DocsView(SpectacularSwaggerSplitView):
    """Swagger UI: a page without data, the same for everybody, so it asks nobody who they are."""

    authentication_classes = ()
    url_name = "api-schema"
