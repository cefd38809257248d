"""The addresses of package clients, one folder per protocol (CONTRACT.md section 3)."""

from django.urls import include, re_path

from protocols.metrics import metrics
from protocols.npm.door import door
from protocols.npm.urls import every
from protocols.npm.views import later

# A second `{ws}/r/{reg}` is a doubled prefix that some clients make of a tarball's address (reference/npm.md, rule 15);
# the first one alone decides, and one that names another workspace is no prefix.
REGISTRY = r"^(?P<ws>[^/]+)/r/(?P<reg>[^/]+)(?:/(?P=ws)/r/[^/]+(?=/))?(?:/|\Z)"
MODULES = r"^(?P<ws>[^/]+)/m/(?P<reg>[^/]+)(?:/|\Z)"

urlpatterns = [
    re_path(r"^-/npm/v1/oidc/token/exchange/package/(?P<name>.+)\Z", door(POST=later.exchange)),
    re_path(r"^-/npm/(?P<rest>.*)\Z", every(later.nothing)),
    re_path(r"^metrics/?\Z", metrics),
    re_path(REGISTRY, include("protocols.npm.urls")),
    re_path(MODULES, include("protocols.moonbit.urls")),
]
