"""Every address of the API, below `/api/v1/`."""

from django.urls import path, re_path

from writ_app.api import (
    accounts,
    behaviour,
    catalog,
    edits,
    endpoints,
    evaluation,
    insight,
    lists,
    quality,
    references,
    release,
    release_files,
    release_push,
    reports,
    review,
    schema,
    synthesis,
    tasks,
    trajectories,
    verification,
    webhooks,
)
from writ_app.api.endpoint import Nothing

app_name = "api"

urlpatterns = [
    path("schema", schema.schema, name="schema"),
    *accounts.urlpatterns,
    *catalog.urlpatterns,
    *references.urlpatterns,
    *synthesis.urlpatterns,
    *behaviour.urlpatterns,
    *endpoints.urlpatterns,
    *tasks.urlpatterns,
    *verification.urlpatterns,
    *review.urlpatterns,
    *trajectories.urlpatterns,
    *edits.urlpatterns,
    *lists.urlpatterns,
    *insight.urlpatterns,
    *quality.urlpatterns,
    *release.urlpatterns,
    *release_files.urlpatterns,
    *release_push.urlpatterns,
    *reports.urlpatterns,
    *evaluation.urlpatterns,
    *webhooks.urlpatterns,
    re_path(r"", Nothing.as_view(), name="nothing"),
]
