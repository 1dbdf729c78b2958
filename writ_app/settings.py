"""Django's settings, read from the environment.

Three moods, chosen by WRIT_ENV: `local` (default: embedded services, loopback, a secret
key made at first start), `test` (local with a cheap password hasher), `production`
(refuses to start without explicit hosts and key).
"""

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP

from writ_app.adapters.caches import shared_cache
from writ_app.adapters.embedded.layout import Layout
from writ_app.adapters.logs import logging_settings
from writ_app.adapters.secret_key import keep_secret_key


def env_text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def env_bool(name: str, default: bool = False) -> bool:
    text = env_text(name).lower()
    if text not in {"", "0", "1", "false", "true", "no", "yes", "off", "on"}:
        raise ImproperlyConfigured(f"{name} is {text!r}: use 1 or 0.")
    return text in {"1", "true", "yes", "on"} if text else default


def env_int(name: str, default: int) -> int:
    text = env_text(name, str(default))
    try:
        return int(text)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {text!r}: use a whole number.") from None


def env_list(name: str) -> list[str]:
    """Values separated by commas."""
    return [part.strip() for part in env_text(name).split(",") if part.strip()]


def production_text(name: str, meaning: str) -> str:
    text = env_text(name)
    if not text:
        raise ImproperlyConfigured(f"WRIT_ENV=production needs {name}: {meaning}.")
    return text


def mailer(url: str) -> dict[str, Any]:
    """Django's settings of a mail server: `smtp://` (with `?tls=1`: STARTTLS) or `smtps://`, as in user:password@host:port."""
    parts = urlsplit(url)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ImproperlyConfigured("WRIT_EMAIL_URL: use smtp://host or smtps://host.")
    return {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "OPTIONS": {
            "host": parts.hostname,
            "port": parts.port or (465 if parts.scheme == "smtps" else 25),
            "username": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
            "use_ssl": parts.scheme == "smtps",
            "use_tls": parse_qs(parts.query).get("tls") == ["1"],
            "timeout": 10,
        },
    }


BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env_text("WRIT_VAR_DIR", str(BASE_DIR / "var"))).expanduser().resolve()

MOOD = env_text("WRIT_ENV", "local")
if MOOD not in {"local", "test", "production"}:
    raise ImproperlyConfigured(f"WRIT_ENV is {MOOD!r}: use local, test or production.")
PRODUCTION = MOOD == "production"

DEBUG = env_bool("WRIT_DEBUG")
if DEBUG and PRODUCTION:
    raise ImproperlyConfigured(
        "WRIT_DEBUG shows secrets on error pages: unset it in production."
    )

# Whether the key is one that this host made for itself.
SECRET_KEY_MADE = not env_text("WRIT_SECRET_KEY")
if PRODUCTION:
    SECRET_KEY = production_text(
        "WRIT_SECRET_KEY", "a long random text that stays the same"
    )
    production_text("WRIT_ALLOWED_HOSTS", "the host names served, separated by commas")
    ALLOWED_HOSTS = env_list("WRIT_ALLOWED_HOSTS")
    if "*" in ALLOWED_HOSTS:
        raise ImproperlyConfigured(
            "WRIT_ALLOWED_HOSTS must name hosts: * would accept any."
        )
else:
    SECRET_KEY = env_text("WRIT_SECRET_KEY") or keep_secret_key(VAR_DIR / "secret_key")
    ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", *env_list("WRIT_ALLOWED_HOSTS")]
CSRF_TRUSTED_ORIGINS = env_list("WRIT_TRUSTED_ORIGINS")

# --- services ---------------------------------------------------------------------------

# Addresses of embedded services follow from VAR_DIR, so no process has to start them to
# know them. What has an address of its own is external and never started by the app.
EMBEDDED = Layout(VAR_DIR)
EMBEDDED_SERVICES = [
    name
    for name, variable in {
        "postgres": "DATABASE_URL",
        "valkey": "CELERY_BROKER_URL",
    }.items()
    if not env_text(variable)
]

_DATABASE = dj_database_url.parse(
    env_text("DATABASE_URL", EMBEDDED.database_url),
    conn_max_age=60,
    conn_health_checks=True,
    engine="writ_app.adapters.database",
)
# What is asked with every key press is planned once per connection (writ_app/models/prepared.py), unless a pooler between forbids it.
OWN_CONNECTIONS = env_bool("WRIT_PREPARE", True)
_PREPARE = 1 if OWN_CONNECTIONS else None
# How long one statement of a request may take; 0: as long as the server lets it.
STATEMENT_SECONDS = env_int("WRIT_STATEMENT_SECONDS", 60)
# How long `migrate` waits for a table that others use: whoever comes after it waits as long.
MIGRATE_LOCK_SECONDS = env_int("WRIT_MIGRATE_LOCK_SECONDS", 5)
# A host that went away without a word would otherwise hold a request for as long as the system tries: two hours, or for ever.
_PATIENCE = {
    "connect_timeout": 5,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
DATABASES = {
    "default": {
        **_DATABASE,
        "OPTIONS": {
            **_PATIENCE,
            **_DATABASE.get("OPTIONS", {}),
            "prepare_threshold": _PREPARE,
        },
    }
}

CELERY_BROKER_URL = env_text("CELERY_BROKER_URL", EMBEDDED.broker_url)
CACHES = {
    "default": shared_cache(CELERY_BROKER_URL),
    "process": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
}

CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # workers wait for it as long as it takes
# A page that orders something waits so long at most: what cannot be sent now, the clock sends later.
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1}
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
# Rows hold the results; a message only says which row to look at.
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Who simulates waits for models nearly all the time, so it has workers of its own.
# Designs and re-verifications take minutes of computing, releases, reports and imports minutes of reading: each has a queue, so
# that none holds up the other, and neither the clock's short jobs, which are what is left on `celery`.
CELERY_TASK_QUEUES = {
    name: {"routing_key": name}
    for name in ("celery", "simulations", "designs", "results", "webhooks")
}
CELERY_TASK_ROUTES = {
    "writ_app.jobs.synthesis.run_simulations": {"queue": "simulations"},
    "writ_app.jobs.synthesis.design_batch": {"queue": "designs"},
    "writ_app.jobs.verification.reverify": {"queue": "designs"},
    "writ_app.jobs.release.choose_members": {"queue": "results"},
    "writ_app.jobs.release.freeze_draft": {"queue": "results"},
    "writ_app.jobs.release.make_push": {"queue": "results"},
    "writ_app.jobs.reports.make_report": {"queue": "results"},
    "writ_app.jobs.catalog.import_upload": {"queue": "results"},
    "writ_app.jobs.evaluation.import_results": {"queue": "results"},
    "writ_app.jobs.evaluation.run_trials": {"queue": "simulations"},
    "writ_app.jobs.evaluation.judge_trials": {"queue": "simulations"},
    # Hosts of others may take ten seconds each to answer.
    "writ_app.jobs.webhooks.send_webhook": {"queue": "webhooks"},
}
CELERY_TASK_SOFT_TIME_LIMIT = env_int("WRIT_JOB_SECONDS", 900)
CELERY_TASK_TIME_LIMIT = CELERY_TASK_SOFT_TIME_LIMIT + 60
# A message not acknowledged by then is delivered again, so this must outlast every job.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 2 * CELERY_TASK_TIME_LIMIT,
    "socket_connect_timeout": 2,
    "socket_timeout": 10,
    "socket_keepalive": True,
}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "seal-audit": {
        "task": "writ_app.jobs.audit.seal_audit",
        "schedule": 5.0,
        "options": {"expires": 5},
    },
    "check-audit": {
        "task": "writ_app.jobs.audit.check_all_chains",
        "schedule": 24 * 3600.0,
        "options": {"expires": 3600},
    },
    "send-unfinished": {
        "task": "writ_app.jobs.synthesis.send_unfinished",
        "schedule": 15.0,
        "options": {"expires": 15},
    },
    "send-unfinished-runs": {
        "task": "writ_app.jobs.evaluation.send_unfinished_runs",
        "schedule": 15.0,
        "options": {"expires": 15},
    },
    "resume-reverifications": {
        "task": "writ_app.jobs.verification.resume_reverifications",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "resume-reports": {
        "task": "writ_app.jobs.reports.resume_reports",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "resume-imports": {
        "task": "writ_app.jobs.catalog.resume_imports",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "resume-results": {
        "task": "writ_app.jobs.evaluation.resume_results",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "resume-drafts": {
        "task": "writ_app.jobs.release.resume_drafts",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "resume-webhooks": {
        "task": "writ_app.jobs.webhooks.resume_webhooks",
        "schedule": 5.0,
        "options": {"expires": 5},
    },
    "forget-deliveries": {
        "task": "writ_app.jobs.webhooks.forget_deliveries",
        "schedule": 24 * 3600.0,
        "options": {"expires": 3600},
    },
    "resume-pushes": {
        "task": "writ_app.jobs.release.resume_pushes",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
}
# Largest file that may be uploaded; the command line takes larger ones.
UPLOAD_BYTES = env_int("WRIT_UPLOAD_MB", 200) * 1_000_000
# Conversations that one process holds at a time. Endpoints have bounds of their own.
SIMULATIONS_IN_FLIGHT = env_int("WRIT_IN_FLIGHT", 256)
# How long a simulation stays with a runner that gives no sign of life.
SIMULATION_LEASE_SECONDS = env_int("WRIT_LEASE_SECONDS", 30)
# How long calls in flight may take to come back when a runner is told to stop.
STOP_SECONDS = env_int("WRIT_STOP_SECONDS", 2)

# Who shows it may read /metrics; empty: nobody, and nothing is counted.
METRICS_TOKEN = env_text("WRIT_METRICS_TOKEN")
if METRICS_TOKEN and len(METRICS_TOKEN) < 16:
    raise ImproperlyConfigured(
        "WRIT_METRICS_TOKEN is too short to keep anybody out: use 16 letters or more."
    )

# Hosts that an endpoint's base URL may name; empty: any (but see writ_app/models/endpoint_rules.py).
MODEL_HOSTS = env_list("WRIT_MODEL_HOSTS")
# Hosts of one's own network that a webhook may lead to (writ_app/adapters/egress.py); to all others only public addresses count.
WEBHOOK_HOSTS = [host.lower() for host in env_list("WRIT_WEBHOOK_HOSTS")]
# litellm would otherwise fetch a price table from the internet when it is imported.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

# --- the app ----------------------------------------------------------------------------

INSTALLED_APPS = [
    "writ_app",
    "whitenoise.runserver_nostatic",
    "writ_app.apps.AdministrationConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "django_htmx",
    # Second factors and OpenID Connect; their pages are ours (writ_app/views/accounts.py).
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
]

MIDDLEWARE = [
    # Answers probes, which know no host name and no TLS, before anything asks for them.
    "writ_app.views.health.Operations",
    *(["writ_app.views.metrics.Measured"] if METRICS_TOKEN else []),
    "writ_app.views.requests.RequestId",
    "django.middleware.security.SecurityMiddleware",
    "writ_app.views.headers.Isolation",
    # Tokens are masked anew in every page, and Django pads what it compresses by chance, so that lengths tell nothing of them.
    "django.middleware.gzip.GZipMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "writ_app.views.limits.StatementLimit",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.csp",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

ROOT_URLCONF = "writ_app.urls"
WSGI_APPLICATION = "writ_app.wsgi.application"
ASGI_APPLICATION = "writ_app.asgi.application"

# --- people -----------------------------------------------------------------------------

AUTH_USER_MODEL = "writ_app.User"
AUTHENTICATION_BACKENDS = ["writ_app.services.sessions.Backend"]
SESSION_ENGINE = "writ_app.services.sessions"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
if MOOD == "test":
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
_VALIDATORS = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_VALIDATORS}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_VALIDATORS}.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": f"{_VALIDATORS}.CommonPasswordValidator"},
]

# How long a password or a second factor opens what needs a fresh one: files of data, tokens, roles.
REAUTH_SECONDS = 60 * env_int("WRIT_REAUTH_MINUTES", 15)
# A session that is not used ends by itself.
SESSION_COOKIE_AGE = 3600 * env_int("WRIT_SESSION_HOURS", 14 * 24)
INVITATION_HOURS = env_int("WRIT_INVITATION_HOURS", 72)
# Failed attempts to sign in within five minutes: on one account, and from one address.
SIGN_IN_TRIES = (
    env_int("WRIT_SIGN_IN_TRIES", 10),
    env_int("WRIT_SIGN_IN_TRIES_PER_ADDRESS", 50),
)
PASSWORD_RESET_TIMEOUT = 3600 * 24

ACCOUNT_ADAPTER = "writ_app.services.accounts.allauth.AccountAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_NOTIFICATIONS = False
# Wrong one-time codes; wrong passwords are counted by writ_app/services/accounts/attempts.py.
ACCOUNT_RATE_LIMITS = {"login_failed": "10/5m/key"}
SOCIALACCOUNT_ADAPTER = "writ_app.services.accounts.allauth.ProviderAdapter"
ACCOUNT_UNIQUE_EMAIL = False  # nobody signs in by address
# A form could not lead to the provider: the pages' policy keeps forms on the site.
SOCIALACCOUNT_LOGIN_ON_GET = True
SOCIALACCOUNT_STORE_TOKENS = False
_OIDC: dict[str, Any] = {"OAUTH_PKCE_ENABLED": True, "APPS": []}
SOCIALACCOUNT_PROVIDERS = {"openid_connect": _OIDC}
MFA_ADAPTER = "writ_app.services.accounts.allauth.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "WRIT"
MFA_TOTP_TOLERANCE = 1
MFA_RECOVERY_CODES_SHOW_ONCE = True
# `writ_app.views.access` asks for a fresh sign-in, as it does elsewhere.
MFA_REAUTHENTICATION_REQUIRED = False
if OIDC_SERVER := env_text("WRIT_OIDC_SERVER"):
    _OIDC["APPS"] = [
        {
            "provider_id": "oidc",
            "name": env_text("WRIT_OIDC_NAME", "OpenID Connect"),
            "client_id": env_text("WRIT_OIDC_CLIENT"),
            "secret": env_text("WRIT_OIDC_SECRET"),
            "settings": {"server_url": OIDC_SERVER},
        }
    ]
# Name of the team that people whom the provider knows join by themselves, as viewers; empty: only who is invited comes in.
OIDC_AUTO_TEAM = env_text("WRIT_OIDC_AUTO_TEAM")

# smtp://user:password@host:587?tls=1 (smtps:// from the first byte on); none: links are shown to be copied.
EMAIL_URL = env_text("WRIT_EMAIL_URL")
_NO_MAIL = {"BACKEND": "django.core.mail.backends.dummy.EmailBackend"}
MAILERS = {"default": mailer(EMAIL_URL) if EMAIL_URL else _NO_MAIL}
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env_text("WRIT_EMAIL_FROM", "writ@localhost")

# --- what browsers may do ---------------------------------------------------------------

# The pages show text written by models: nothing in it may load, frame or post anything.
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF, CSP.NONCE],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
    # Text becomes markup in one place alone, which static/js/trusted.js is.
    "require-trusted-types-for": ["'script'"],
    "trusted-types": ["default"],
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True  # htmx takes the token from the page, not from the cookie.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = PRODUCTION
# A proxy that always sets or strips X-Forwarded-Proto, X-Forwarded-For and X-Request-ID itself.
BEHIND_PROXY = env_bool("WRIT_BEHIND_PROXY")
if PRODUCTION:
    SECURE_HSTS_SECONDS = env_int("WRIT_HSTS_SECONDS", 3600)
    if BEHIND_PROXY:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- the API ----------------------------------------------------------------------------

# What else the API is made of is said where it is made: writ_app/api/endpoint.py.
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "writ_app.adapters.openapi.AutoSchema",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "WRIT",
    "DESCRIPTION": "Tasks with proof, simulated, verified, reviewed, released: all that the pages do, for programs.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": ["writ_app.adapters.openapi.finish"],
}
# Requests of one token, or of one person with a session, in a minute.
API_PER_MINUTE = env_int("WRIT_API_PER_MINUTE", 600)

# --- files, time, words, logs -----------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"] if (BASE_DIR / "static").is_dir() else []
_STATIC = (
    "whitenoise.storage.CompressedManifestStaticFilesStorage"
    if PRODUCTION
    else "django.contrib.staticfiles.storage.StaticFilesStorage"
)
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": VAR_DIR / "files", "file_permissions_mode": 0o600},
    },
    "staticfiles": {"BACKEND": _STATIC},
}
# Without collectstatic, files are served from where they are.
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_AUTOREFRESH = DEBUG

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"
USE_I18N = False

LOG_FORMAT = env_text("WRIT_LOG_FORMAT", "text")
if LOG_FORMAT not in {"text", "json"}:
    raise ImproperlyConfigured(f"WRIT_LOG_FORMAT is {LOG_FORMAT!r}: use text or json.")
LOGGING = logging_settings(LOG_FORMAT, env_text("WRIT_LOG_LEVEL", "INFO"))
