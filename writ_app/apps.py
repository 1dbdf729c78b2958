"""The one Django app of the project."""

from django.apps import AppConfig


class WritConfig(AppConfig):
    name = "writ_app"
    verbose_name = "WRIT"

    def ready(self) -> None:
        # Web processes enqueue too: without this import their tasks would go to
        # Celery's default app, which knows no broker.
        import writ_app.celery  # noqa: F401
