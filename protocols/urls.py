"""The addresses of package clients, one folder per protocol (CONTRACT.md section 3)."""

from django.urls import include, re_path

from protocols.metrics import metrics

# The second `{ws}/r/{reg}` is a doubled prefix that some clients make of a tarball's address (reference/npm.md, rule 15);
# the first one alone decides.
REGISTRY = r"^(?P<ws>[^/]+)/r/(?P<reg>[^/]+)(?:/[^/]+/r/[^/]+(?=/))?(?:/|\Z)"

urlpatterns = [
    re_path(r"^metrics/?\Z", metrics),
    re_path(REGISTRY, include("protocols.npm.urls")),
]
