"""The settings of the servers under test: Gatehouse's own, with limits short enough to run into."""

from datetime import timedelta

from config.settings import *  # noqa: F403 - a settings module

PUBLISH_LIMIT = 24 * 1024 * 1024
FILE_LIMIT = 16 * 1024 * 1024
METADATA_LIMIT = 8 * 1024 * 1024
UPSTREAM_CONNECT_TIMEOUT = 2.0
UPSTREAM_READ_TIMEOUT = 2.0
UPSTREAM_TOTAL_TIMEOUT = 6.0
METADATA_FRESH = timedelta(minutes=5)
NEGATIVE_FRESH = timedelta(seconds=60)
BAD_TOKENS_PER_ADDRESS = 1_000_000  # the whole suite comes from one address
REST_PER_MINUTE = dict.fromkeys(("token", "user", "address"), 1_000_000)
MIRROR_SLICE, MIRROR_PAUSE = 3.0, 0.3
MIRROR_SILENCE = timedelta(seconds=5)
CELERY_BEAT_SCHEDULE["attend_mirrors"]["schedule"] = 1.0  # noqa: F405
CELERY_BEAT_SCHEDULE["webhooks"]["schedule"] = 1.0  # noqa: F405
