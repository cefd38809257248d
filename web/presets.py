"""What usual upstreams look like: the form begins with it, and everything in it can be changed."""

from collections.abc import Mapping

from django.conf import settings
from django.utils.translation import gettext_lazy as _

Preset = Mapping[str, object]
PRESETS: Mapping[str, tuple[object, Preset]] = {
    "partner": (_("A partner's npm registry"), {"name": "partner", "auth_type": "bearer", "internal": True, "priority": 50}),
    "github": (_("GitHub Packages"), {"name": "github", "url": "https://npm.pkg.github.com", "auth_type": "bearer", "priority": 50}),
    "gitlab": (_("GitLab"), {"name": "gitlab", "url": "https://gitlab.com/api/v4/packages/npm", "auth_type": "bearer", "priority": 50}),
    "artifactory": (_("Artifactory"), {"name": "artifactory", "auth_type": "basic", "priority": 50}),
}


def presets() -> dict[str, tuple[object, Preset]]:
    """By their word; the public registry of this installation comes first, where there is one."""
    public = {"public": (_("The public npm registry"), {"name": "npm", "url": settings.NPM_UPSTREAM_URL, "priority": 100})}
    return {**(public if settings.NPM_UPSTREAM_URL else {}), **PRESETS}
