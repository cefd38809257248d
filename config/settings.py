"""Django's settings, composed from the environment of CONTRACT.md section 2."""

from datetime import timedelta

from config.env import BASE_DIR, read

ENVIRONMENT = read()

# --- identity -------------------------------------------------------------------------------------
GATEHOUSE_ENV = ENVIRONMENT.mode
DEBUG = False
SECRET_KEY = ENVIRONMENT.session_secret
DATA_DIR = ENVIRONMENT.data_dir
EXTERNAL_HOST = ENVIRONMENT.external_host
WORKSPACE_DOMAIN = ENVIRONMENT.workspace_domain
TRUSTED_PROXIES = ENVIRONMENT.trusted_proxies
ALLOWED_PRIVATE_NETWORKS = ENVIRONMENT.allowed_private_networks
NPM_UPSTREAM_URL = ENVIRONMENT.npm_upstream_url
OAUTH_PASSWORD = ENVIRONMENT.oauth_password
METRICS_TOKEN = ENVIRONMENT.metrics_token
ADMIN_USERNAME = ENVIRONMENT.admin_username
ADMIN_PASSWORD = ENVIRONMENT.admin_password
FILE_SERVING = ENVIRONMENT.file_serving
LATENCY_ERROR_MS = ENVIRONMENT.latency_error_ms
REDIS_URL = ENVIRONMENT.redis_url

# --- limits: bytes and seconds ---------------------------------------------------------------------
# Slow clients are cut within 30 s (threats.md R2): heads by the web server (`serve` tells it), bodies by protocols/bodies.py.
HEAD_LIMIT = 20.0  # seconds for the head of a request, and for the pause before the next one on a connection
BODY_GRACE, BODY_IDLE = 10.0, 20.0  # seconds before a body's minimum rate counts; and between two pieces of it
PUBLISH_LIMIT = 1024 * 1024 * 1024  # body of a publish: base64 of the tarball and the document
SMALL_BODY_LIMIT = 1024 * 1024  # every other body a package client or REST sends
LOCK_BODY_LIMIT = 24 * 1024 * 1024  # JSON with a lock file in it
AUDIT_LIMIT = 12 * 1024 * 1024  # an audit, before and after decompression: the lock tree of a very large project
BAD_TOKENS_PER_ADDRESS = 300  # a minute; a valid one is never counted, so others behind the same address go on
REST_PER_MINUTE = {"token": 1200, "user": 600, "address": 120}  # requests, by whoever asks
FILE_LIMIT = 768 * 1024 * 1024  # one tarball
METADATA_LIMIT = 96 * 1024 * 1024  # an upstream's metadata after decompression
GIT_LIMIT = 2 * 1024**3  # the mirror of one repository
METADATA_FRESH = timedelta(minutes=5)  # how long an upstream's answer is served as it stands
NEGATIVE_FRESH = timedelta(seconds=60)  # how long its "not here" is believed
UPSTREAM_VARIABLES = ENVIRONMENT.upstream_variables
UPSTREAM_CONNECT_TIMEOUT = 10.0
UPSTREAM_READ_TIMEOUT = 20.0  # between two bytes
UPSTREAM_TOTAL_TIMEOUT = 300.0  # one whole answer
MIRROR_AT_ONCE = 8  # downloads of mirror jobs at one upstream, in the whole installation
MIRROR_SLICE = 20.0  # seconds a worker stays with one job before others have their turn
MIRROR_SILENCE = timedelta(seconds=45)  # a worker that gave no sign of life for so long is dead, and its job is gone on with
MIRROR_PAUSE = 10.0  # seconds, at most, that a job waits before it tries again what did not answer

# --- hosts ----------------------------------------------------------------------------------------
_own_host = ENVIRONMENT.external_host.split("://", 1)[1].rsplit(":", 1)[0] if ENVIRONMENT.external_host else ""
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", _own_host, *ENVIRONMENT.allowed_hosts]
if WORKSPACE_DOMAIN:
    ALLOWED_HOSTS.append(f".{WORKSPACE_DOMAIN}")
USE_X_FORWARDED_HOST = False  # the entry rewrites the scope itself, for TRUSTED_PROXIES only
_https = ENVIRONMENT.external_host.startswith("https://")
CSRF_TRUSTED_ORIGINS = [ENVIRONMENT.external_host]

# --- applications ---------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "workspaces",
    "registries",
    "packages",
    "tokens",
    "upstreams",
    "webhooks",
    "protocols",
    "api",
    "web",
    "config",
]
AUTH_USER_MODEL = "workspaces.User"
# The full stack is for people; package clients go through LEAN_MIDDLEWARE (config/asgi.py).
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "web.visits.VisitMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
LEAN_MIDDLEWARE: list[str] = []
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ],
        },
    },
]

# --- database, cache, storage -----------------------------------------------------------------------
_sqlite = ENVIRONMENT.database["ENGINE"] == "django.db.backends.sqlite3"
DATABASES = {"default": dict(ENVIRONMENT.database)}
if _sqlite:
    DATABASES["default"] |= {
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            # synchronous=FULL: what was acknowledged survives a power cut too, not only a kill.
            "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA mmap_size=134217728;"
            "PRAGMA journal_size_limit=27103364;PRAGMA cache_size=2000;",
        },
    }
else:
    DATABASES["default"] |= {
        "CONN_MAX_AGE": 0,
        "OPTIONS": {
            **dict(ENVIRONMENT.database["OPTIONS"]),  # type: ignore[call-overload]
            # A backend holds 7 MB of its own; more of them than a process keeps busy only wait. Nobody holds one while waiting for
            # anything else (tests/storage/test_held_up.py).
            "pool": {"min_size": 1, "max_size": 3, "timeout": 20, "max_idle": 60},
            "prepare_threshold": 1,  # not 0: a migration may hold several commands, which cannot be prepared
            "server_side_binding": True,
        },
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    # files, not memory: counters of failed logins are shared by the web processes
    else {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": str(DATA_DIR / "counters"),
        "OPTIONS": {"MAX_ENTRIES": 10000},
    }
}


def _small_transfers() -> object:
    """S3 uploads in few parts at a time: boto3's own ten keep more than 100 MB in memory for each upload."""
    from boto3.s3.transfer import TransferConfig

    transfer = TransferConfig(multipart_chunksize=8 * 1024 * 1024, max_concurrency=2)
    transfer.max_in_memory_upload_chunks = 2  # read ahead of the network; no argument sets it
    return transfer


_manifest = (BASE_DIR / "staticfiles" / "staticfiles.json").exists()
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "blobs": {"BACKEND": "packages.durable.DurableFileStorage", "OPTIONS": {"location": str(ENVIRONMENT.storage.folder)}}
    if ENVIRONMENT.storage.folder
    else {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": ENVIRONMENT.storage.bucket,
            "location": ENVIRONMENT.storage.prefix,
            "endpoint_url": ENVIRONMENT.storage.endpoint,
            "region_name": ENVIRONMENT.storage.region,
            "addressing_style": "path" if ENVIRONMENT.storage.endpoint else None,
            "default_acl": None,
            "file_overwrite": True,
            "max_memory_size": 1024 * 1024,  # bytes of a download kept in memory; the default 0 is all of them
            "transfer_config": _small_transfers(),
        },
    },
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if _manifest
        else "django.contrib.staticfiles.storage.StaticFilesStorage",
    },
}
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = not _manifest
DATA_UPLOAD_MAX_MEMORY_SIZE = SMALL_BODY_LIMIT
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200

# --- people ---------------------------------------------------------------------------------------
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
if GATEHOUSE_ENV == "testing":  # the suite signs in hundreds of times
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
SESSION_COOKIE_AGE = ENVIRONMENT.session_expiry_seconds
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_NAME = "__Host-sessionid" if _https else "sessionid"
CSRF_COOKIE_NAME = "__Host-csrftoken" if _https else "csrftoken"
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "web.views.errors.csrf_failed"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
LOGIN_URL = "/login"
LOGIN_REDIRECT_URL = "/"
SIGNUP = ENVIRONMENT.signup
# GitHub sign-in, in the names that social-auth-core reads (web/github.py). Without a key there is no button.
SOCIAL_AUTH_GITHUB_KEY, SOCIAL_AUTH_GITHUB_SECRET = ENVIRONMENT.github_client, ENVIRONMENT.github_secret
SOCIAL_AUTH_GITHUB_URL, SOCIAL_AUTH_GITHUB_API_URL = ENVIRONMENT.github_url, ENVIRONMENT.github_api_url
SOCIAL_AUTH_GITHUB_SCOPE = ["user:email"]
SOCIAL_AUTH_GITHUB_STATE_LIFETIME = 600  # seconds a person may take at GitHub

# --- browser --------------------------------------------------------------------------------------
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31536000 if _https else 0
SECURE_PROXY_SSL_HEADER = None  # the ASGI entry sets the scheme itself, for TRUSTED_PROXIES only
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    },
}

# --- language and time ----------------------------------------------------------------------------
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

# --- REST -----------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["api.authentication.GatehouseAuthentication", "api.authentication.BrowserSession"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"],  # every view begins with the gate
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_PAGINATION_CLASS": "api.pagination.Pages",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "api.errors.handle",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Gatehouse REST API",
    "DESCRIPTION": "One gate for every package a company uses.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "ENFORCE_NON_BLANK_FIELDS": True,
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "api.openapi.complete"],
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_NAME_OVERRIDES": {
        "MirrorState": "upstreams.models.Mirror.State",
        "DeliveryState": "webhooks.models.Delivery.State",
    },
}

# --- jobs -----------------------------------------------------------------------------------------
_queue = DATA_DIR / "queue"
CELERY_BROKER_URL = REDIS_URL or "filesystem://localhost"  # the host means nothing; without one every process warns
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"visibility_timeout": 3600}
    if REDIS_URL
    else {
        "data_folder_in": str(_queue / "in"),
        "data_folder_out": str(_queue / "in"),
        "control_folder": str(_queue / "control"),
        "polling_interval": 0.2,  # seconds; 0.05 cost 1 % of a processor all day
    }
)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_POOL = "threads"  # also of a worker on another machine: a process of the other pool gives no job back when told to end
CELERY_WORKER_CONCURRENCY = 4
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "upstreams.tasks.sweep", "schedule": 60.0},
    "forget": {"task": "upstreams.tasks.forget", "schedule": 3600.0},
    "attend_mirrors": {"task": "upstreams.tasks.attend_mirrors", "schedule": 60.0},
    # A message that nobody had time for is worth nothing once the next one comes.
    "webhooks": {"task": "webhooks.tasks.attend", "schedule": 5.0, "options": {"expires": 5}},
    "forget_webhooks": {"task": "webhooks.tasks.forget", "schedule": 3600.0},
}
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")

# --- logs -----------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "config.logs.Masked", "format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "filters": {"our_own": {"()": "config.logs.OurOwn"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {"django.request": {"filters": ["our_own"]}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
}
