"""The one Django app of the project."""

from typing import Any

from django.apps import AppConfig
from django.contrib.admin import apps as administration
from django.db.models.signals import post_migrate


class WritConfig(AppConfig):
    name = "writ_app"
    verbose_name = "WRIT"

    def ready(self) -> None:
        # Web processes enqueue too: without this import their tasks would go to
        # Celery's default app, which knows no broker.
        import writ_app.celery
        import writ_app.services.operations.checks  # noqa: F401

        post_migrate.connect(make_built_in, sender=self)


class AdministrationConfig(administration.AdminConfig):
    default = False
    default_site = "writ_app.views.administration.Administration"


def make_built_in(**kwargs: Any) -> None:
    """After every migrate, so that a new version's personas and plans are there; nothing while their tables are not."""
    from django.db import connections

    from writ_app.services.synthesis import sync_built_in

    tables = connections[kwargs["using"]].introspection.table_names()
    if "writ_app_behaviourplan" in tables:
        sync_built_in()
