"""Designed tasks, with their proofs, whose witnesses can be tried."""

from dataclasses import asdict
from typing import Any

from django.http import QueryDict
from django.urls import path
from rest_framework import serializers

from writ_app.api.catalog import EnvironmentRef
from writ_app.api.endpoint import Endpoint, MemberRequest, found, operation
from writ_app.api.fields import Body, Choice, Document, Key, PageQuery, Text, Whole
from writ_app.api.paging import Page, as_page, number_after, page_of
from writ_app.api.problems import check, refused_content
from writ_app.engine.types import Task as TaskValue
from writ_app.forms.tasks import TaskFilter
from writ_app.models.accounts import Role
from writ_app.models.catalog import Task
from writ_app.services.access import Access
from writ_app.services.catalog import load_environment
from writ_app.services.review.bands import BURDEN_BANDS, WRITE_BANDS
from writ_app.services.tasks import (
    CannotTry,
    find_tasks,
    task_facets,
    try_witness,
    visible_tasks,
)

TAG = "Tasks"
refused_content(CannotTry)
YES_NO = [("yes", "yes"), ("no", "no")]


class TaskLine(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    slug = serializers.CharField()
    environment = EnvironmentRef()
    archetype = serializers.CharField()
    title = serializers.CharField()
    task_class = serializers.CharField()
    writes = serializers.IntegerField()
    burden = serializers.IntegerField(
        help_text="Reads that one needs before the arguments can be known."
    )
    lift = serializers.IntegerField()
    existential = serializers.BooleanField()
    dependent = serializers.BooleanField()
    proved = serializers.BooleanField()
    text = serializers.CharField()
    content_hash = serializers.CharField()
    created_at = serializers.DateTimeField()


class TaskDetail(TaskLine):
    content = serializers.DictField(
        help_text="The task as the engine has it: query, gold, certificate, witnesses."
    )


class TaskQuery(PageQuery):
    environment = Text(required=False, max_length=120, help_text="name/version.")
    archetype = Text(required=False, max_length=200, help_text="name/slug.")
    task_class = Text(required=False, max_length=40)
    writes = Choice(required=False, choices=[band.slug for band in WRITE_BANDS])
    burden = Choice(required=False, choices=[band.slug for band in BURDEN_BANDS])
    existential = Choice(required=False, choices=YES_NO)
    dependent = Choice(required=False, choices=YES_NO)
    proved = Choice(required=False, choices=YES_NO)
    batch = Key(required=False)


class WitnessBody(Body):
    read = Whole(
        min_value=1, max_value=99_999, help_text="Number in the certificate, from 1."
    )


class Tasks(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.VIEWER)

    @operation("list_tasks", query=TaskQuery, answer=page_of(TaskLine))
    def get(self, request: MemberRequest, query: dict[str, Any]) -> Page:
        """Tasks of the team's batches, newest first."""
        before = number_after(query)
        sent = QueryDict(mutable=True)
        for name, value in query.items():
            if name not in ("after", "limit"):
                sent[name] = str(value)
        facets = task_facets(user=request.user, batch=query.get("batch"))
        form = TaskFilter(sent, facets=facets)
        check(form)
        limit = query["limit"]
        rows = find_tasks(
            user=request.user, filters=form.chosen(), before=before, most=limit + 1
        )
        more, rows = len(rows) > limit, rows[:limit]
        return as_page(request, rows, str(rows[-1].pk) if more else None)


class OneTask(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.VIEWER)

    @operation("get_task", answer=TaskDetail)
    def get(self, request: MemberRequest, pk: int) -> Task:
        """One task, with its proof."""
        return _found(request, pk)


class TryWitness(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.VIEWER)

    @operation("try_witness", body=WitnessBody, answer=Document, once=False)
    def post(
        self, request: MemberRequest, pk: int, body: dict[str, Any]
    ) -> dict[str, Any]:
        """Try the witness of a read: patch a scratch database, and see that the answer is another. Changes nothing.

        The answer tells whether it `holds`, the read and others before and after, and both answers.
        """
        row = _found(request, pk)
        tried = try_witness(
            load_environment(row.environment),
            TaskValue.model_validate(row.content),
            body["read"],
        )
        told = {**vars(tried), "witness": tried.witness.model_dump(mode="json")}
        plain = {
            name: [asdict(one) for one in value] if isinstance(value, tuple) else value
            for name, value in told.items()
        }
        return {**plain, "own": asdict(tried.own), "holds": tried.holds}


def _found(request: MemberRequest, pk: int) -> Task:
    rows = visible_tasks(request.user).select_related("environment")
    return found(rows.defer("environment__state", "environment__policy"), pk=pk)


urlpatterns = [
    path("tasks", Tasks.as_view(), name="tasks"),
    path("tasks/<int:pk>", OneTask.as_view(), name="task"),
    path("tasks/<int:pk>/try", TryWitness.as_view(), name="task_try"),
]
