"""Sets the environment of in-process tests before Django reads its settings.

Loaded by `-p tests.parts.environment`, because pytest-django reads the settings before any conftest.
"""

import atexit
import os
import shutil
import tempfile


def _prepare() -> None:
    """A data folder of the run's own: the suite never touches a developer's `data`."""
    if os.environ.get("GATEHOUSE_ENV") == "testing" and "DATA_DIR" in os.environ:
        return
    folder = tempfile.mkdtemp(prefix="gatehouse-tests-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name in [name for name in os.environ if name.startswith("OAUTH_") or name in FORGOTTEN]:
        del os.environ[name]
    os.environ |= {"GATEHOUSE_ENV": "testing", "DATA_DIR": folder, "DJANGO_ALLOW_ASYNC_UNSAFE": "true"}
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


FORGOTTEN = frozenset(
    {"REDIS_URL", "STORAGE_URL", "CACHE_DIR", "EXTERNAL_HOST", "WORKSPACE_DOMAIN", "NPM_UPSTREAM_URL", "ALLOWED_PRIVATE_NETWORKS"}
)
_prepare()
