"""Every address of the installation, most specific door first (CONTRACT.md section 3)."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/", include("api.urls")),
    path("", include("protocols.urls")),
    path("", include("web.urls")),
]
