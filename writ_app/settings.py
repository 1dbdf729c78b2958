"""Django's settings, read from the environment.

Three moods, chosen by WRIT_ENV: `local` (default: embedded services, loopback, a secret
key made at first start), `test` (local with a cheap password hasher), `production`
(refuses to start without explicit hosts and key).
"""

import os
from pathlib import Path

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP

from writ_app.adapters.embedded.layout import Layout
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
)
# What is asked with every key press is planned once per connection (writ_app/models/prepared.py), unless a pooler between forbids it.
_PREPARE = 1 if env_bool("WRIT_PREPARE", True) else None
DATABASES = {
    "default": {
        **_DATABASE,
        "OPTIONS": {**_DATABASE.get("OPTIONS", {}), "prepare_threshold": _PREPARE},
    }
}

CELERY_BROKER_URL = env_text("CELERY_BROKER_URL", EMBEDDED.broker_url)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
# Rows hold the results; a message only says which row to look at.
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Who simulates waits for models nearly all the time, so it has workers of its own.
CELERY_TASK_ROUTES = {
    "writ_app.jobs.synthesis.run_simulations": {"queue": "simulations"}
}
CELERY_TASK_SOFT_TIME_LIMIT = env_int("WRIT_JOB_SECONDS", 900)
CELERY_TASK_TIME_LIMIT = CELERY_TASK_SOFT_TIME_LIMIT + 60
# A message not acknowledged by then is delivered again, so this must outlast every job.
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 2 * CELERY_TASK_TIME_LIMIT}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "send-unfinished": {
        "task": "writ_app.jobs.synthesis.send_unfinished",
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
    "resume-drafts": {
        "task": "writ_app.jobs.release.resume_drafts",
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

# Hosts that an endpoint's base URL may name; empty: any (but see writ_app/models/endpoint_rules.py).
MODEL_HOSTS = env_list("WRIT_MODEL_HOSTS")
# litellm would otherwise fetch a price table from the internet when it is imported.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

# --- the app ----------------------------------------------------------------------------

INSTALLED_APPS = [
    "writ_app",
    "whitenoise.runserver_nostatic",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "django_htmx",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
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
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True  # htmx takes the token from the page, not from the cookie.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = PRODUCTION
if PRODUCTION:
    SECURE_HSTS_SECONDS = env_int("WRIT_HSTS_SECONDS", 3600)
    # Only behind a proxy that always sets or strips this header.
    if env_bool("WRIT_BEHIND_PROXY"):
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
}

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

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env_text("WRIT_LOG_LEVEL", "INFO")},
}
