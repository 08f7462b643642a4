"""One settings file, driven by the environment. `docs/operators.md` lists every variable."""

from pathlib import Path

from csp.constants import NONE, SELF

from mim.env import env, runtime_database_url, runtime_redis_url, secret_key

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.str("MIM_VAR_DIR", default=str(BASE_DIR / "var")))

# --- Where we are -----------------------------------------------------------------------
DEBUG = False
SECRET_KEY = secret_key(VAR_DIR)
PUBLIC_URL = env.str("MIM_PUBLIC_URL", default="http://127.0.0.1:8000").rstrip("/")
IS_HTTPS = PUBLIC_URL.startswith("https://")
ALLOWED_HOSTS = env.list("MIM_ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
# Empty: the stream is served under the same origin at /live/ (a proxy routes it).
STREAM_ORIGIN = env.str("MIM_STREAM_ORIGIN", default="")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_htmx",
    "incidents",
    "notifications",
    "metrics",
    "mim",
]

MIDDLEWARE = [
    "mim.middleware.DatabaseAway",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "mim.middleware.AccessEnded",
    "mim.middleware.GuestDoor",
    "mim.middleware.ReaderZone",
]

ROOT_URLCONF = "mim.urls"
WSGI_APPLICATION = "mim.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEST_RUNNER = "mim.test_runner.PytestRunner"

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
                "mim.frame.frame",
            ],
        },
    },
]

# --- Data -------------------------------------------------------------------------------
DATABASES = {"default": env.db_url_config(runtime_database_url(VAR_DIR))}
DATABASES["default"]["ENGINE"] = "mim.database"
DATABASES["default"]["CONN_MAX_AGE"] = env.int("MIM_CONN_MAX_AGE", default=600)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"].setdefault("OPTIONS", {})["connect_timeout"] = 2
# Compiling a statement takes PostgreSQL longer (a second and more) than running any statement here.
DATABASES["default"]["OPTIONS"].setdefault("options", "-c jit=off")
REDIS_URL = runtime_redis_url(VAR_DIR)
# A frozen Redis must never hold a web thread: every socket has a short time-out.
REDIS_TIMEOUTS = {"socket_timeout": 1.0, "socket_connect_timeout": 1.0}

MEDIA_ROOT = VAR_DIR / "media"  # outside the web root; served only by a view that checks
STATUS_DIR = VAR_DIR / "status"  # the written status page: read without a database
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
ATTACHMENT_MAX_BYTES = 10 * 1024 * 1024

# --- Worker -----------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 120
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_PUBLISH_RETRY = False  # the sweep does it; the request does not wait
CELERY_BROKER_TRANSPORT_OPTIONS = {
    **REDIS_TIMEOUTS,
    "visibility_timeout": 150,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
}

# --- Sign-in ----------------------------------------------------------------------------
AUTH_USER_MODEL = "incidents.User"
SILENCED_SYSTEM_CHECKS = ["auth.W004"]  # addresses are unique whatever their case, by a constraint the check cannot see
AUTHENTICATION_BACKENDS = [
    "rules.permissions.ObjectPermissionBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_MODEL_EMAIL_FIELD = "email"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_ADAPTER = "mim.accounts.InvitedOnlyAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"  # an invitation by mail is the verification
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_RATE_LIMITS = {
    "login": "60/m/ip",
    "login_failed": "20/m/ip,8/5m/key",
    "reset_password": "20/m/ip,5/m/key",
    "status_webhook": "60/h/ip",  # each asks a name server; what is really asked for has stricter limits of its own
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "MIM"

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_AGE = 14 * 24 * 3600
SECURE_SSL_REDIRECT = IS_HTTPS and env.bool("MIM_SSL_REDIRECT", default=True)
SECURE_HSTS_SECONDS = 31536000 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = IS_HTTPS
BEHIND_PROXY = env.bool("MIM_BEHIND_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
ALLAUTH_TRUSTED_PROXY_COUNT = int(BEHIND_PROXY)  # limits per address count clients, not the proxy
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
CSRF_FAILURE_VIEW = "mim.pages.csrf_failure"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "connect-src": [SELF, *([STREAM_ORIGIN] if STREAM_ORIGIN else [])],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    },
}

MESSAGE_TAGS = {25: "good", 30: "warn", 40: "bad"}  # success, warning, error: the tones of the stylesheet

# --- Words, time, files -----------------------------------------------------------------
LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "mim.static_files.StaticFiles"},
}

# --- Mail -------------------------------------------------------------------------------
EMAIL_BACKEND = "notifications.queued_mail.QueueBackend"  # sign-in and invitations; a worker sends them
vars().update(env.email_url("MIM_EMAIL_URL", default="smtp://127.0.0.1:2525"))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("MIM_MAIL_FROM", default="Service desk <servicedesk@localhost>")
# Where answers go, when not to MIM_MAIL_FROM; and whether that mailbox takes desk+anything@… for desk@…
MAIL_REPLY_TO = env.str("MIM_MAIL_REPLY_TO", default="")
MAIL_PLUS_ADDRESSES = env.bool("MIM_MAIL_PLUS_ADDRESSES", default=True)
MAIL_MAX_BYTES = env.int("MIM_MAIL_MAX_BYTES", default=25 * 1024 * 1024)  # of one mail that comes in
MAIL_CATCHER_DIR = env.str("MIM_MAIL_CATCHER_DIR", default="")  # set by `up` when no SMTP server is configured

# --- Requests to other hosts ------------------------------------------------------------
OUTGOING_HTTP = env.bool("MIM_OUTGOING_HTTP", default=False)  # https only unless an administrator says otherwise
OUTGOING_NETWORKS = env.list("MIM_OUTGOING_NETWORKS", default=[])  # private ranges that may be asked, as CIDR

# --- API --------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "incidents.api.authentication.ApiKeyAuthentication",
        "incidents.api.authentication.BrowserSession",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["incidents.api.permissions.SignedInWithScope"],
    "DEFAULT_RENDERER_CLASSES": ["incidents.api.renderers.JsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["incidents.api.parsers.StrictJsonParser"],
    "DEFAULT_PAGINATION_CLASS": "incidents.api.pagination.KeysetPages",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "incidents.api.errors.problem_response",
    "COERCE_DECIMAL_TO_STRING": False,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "MIM, major incident management",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "POSTPROCESSING_HOOKS": [],  # every list of values stands where it is used, whatever room it comes from
    "PREPROCESSING_HOOKS": ["incidents.api.schema.without_slashed_twins"],
    "PATH_CONVERTER_OVERRIDES": {
        "number": {"type": "integer", "minimum": 1, "maximum": 10**18 - 1},
        "email": {"type": "string", "format": "email"},
        "ticket": {"type": "string", "pattern": "^INC-[0-9]{1,18}$"},
        "incident": {"type": "string", "pattern": "^MI-[0-9]{1,18}$"},
        "candidate": {"type": "string", "pattern": "^CAN-[0-9]{1,18}$"},
        "problem": {"type": "string", "pattern": "^PRB-[0-9]{1,18}$"},
        "change": {"type": "string", "pattern": "^CHG-[0-9]{1,18}$"},
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "mim.logs.JsonLines"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": env.str("MIM_LOG_LEVEL", default="INFO")},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "celery": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
        "mail.log": {"level": "WARNING"},
    },
}
