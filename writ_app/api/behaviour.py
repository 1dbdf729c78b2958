"""Personas and behaviour plans: who speaks, and how a request is revealed."""

from typing import Any

from django.urls import path
from django.utils.datastructures import MultiValueDict
from rest_framework import serializers

from writ_app.api.endpoint import Endpoint, MemberRequest, found, operation
from writ_app.api.fields import Body, EnabledBody, PageQuery, Text, Words
from writ_app.api.paging import Page, page, page_of
from writ_app.api.problems import Refused, check
from writ_app.engine.behaviour import DIMENSIONS
from writ_app.forms.behaviour import ConductForm
from writ_app.models.accounts import Role
from writ_app.models.behaviour import BehaviourPlan, Conduct, Persona
from writ_app.services.access import Access
from writ_app.services.synthesis import save_conduct, set_enabled, uses_of

TAG = "Behavior"


class ConductLine(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    slug = serializers.CharField()
    title = serializers.CharField()
    text = serializers.CharField()
    dimensions = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        help_text="Dimension → values that it allows; one that is not named is open.",
    )
    built_in = serializers.BooleanField()
    enabled = serializers.SerializerMethodField(
        help_text="Whether new batches of the team draw it."
    )
    created_at = serializers.DateTimeField()

    def get_enabled(self, row: Any) -> bool:
        return bool(row.enabled)


class ConductDetail(ConductLine):
    uses = serializers.IntegerField(help_text="Simulations of the team with it.")


class ConductBody(Body):
    title = Text(max_length=80)
    slug = Text(max_length=40, help_text="Short and stable: it stands in exports.")
    text = Words(max_length=1000, help_text="A model that plays the user is told this.")
    dimensions = serializers.DictField(
        child=serializers.ListField(child=Text(max_length=40), max_length=50),
        required=False,
        help_text="Dimension → values that it allows.",
    )


class DimensionValue(serializers.Serializer[Any]):
    slug = serializers.CharField()
    title = serializers.CharField()


class DimensionLine(serializers.Serializer[Any]):
    slug = serializers.CharField()
    title = serializers.CharField()
    side = serializers.CharField(help_text="persona or plan.")
    values = DimensionValue(many=True)


class Dimensions(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.OWNER)

    @operation("list_dimensions", answer=page_of(DimensionLine))
    def get(self, request: MemberRequest) -> Page:
        """Dimensions of behavior and their values, on one page."""
        return {"items": list(DIMENSIONS.values()), "cursor": None, "next": None}


class _Conducts(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.CURATOR)
    model: type[Conduct]

    def listed(self, request: MemberRequest, query: dict[str, Any]) -> Page:
        rows = self.model.objects.visible_to(request.user)
        return page(request, rows.with_enabled(request.team), query, order=["pk"])

    def made(self, request: MemberRequest, body: dict[str, Any]) -> Conduct:
        return _save(request, self.model(), body)


class _Conduct(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.CURATOR)
    model: type[Conduct]

    def row(self, request: MemberRequest, pk: int) -> Any:
        return found(self.model.objects.visible_to(request.user), pk=pk)


class Personas(_Conducts):
    model = Persona

    @operation("list_personas", query=PageQuery, answer=page_of(ConductLine))
    def get(self, request: MemberRequest, query: dict[str, Any]) -> Page:
        """Personas, built-in ones and the team's, oldest first."""
        return self.listed(request, query)

    @operation("create_persona", body=ConductBody, answer=ConductDetail, status=201)
    def post(self, request: MemberRequest, body: dict[str, Any]) -> Conduct:
        """Describe a new persona."""
        return self.made(request, body)


class OnePersona(_Conduct):
    model = Persona

    @operation("get_persona", answer=ConductDetail)
    def get(self, request: MemberRequest, pk: int) -> Conduct:
        """One persona."""
        return _detail(request, self.row(request, pk))

    @operation("replace_persona", body=ConductBody, answer=ConductDetail)
    def put(self, request: MemberRequest, pk: int, body: dict[str, Any]) -> Conduct:
        """Describe a persona of the team anew. Batches that were ordered before stay as they are."""
        return _save(request, self.row(request, pk), body)


class EnablePersona(_Conduct):
    access = Access(Role.CURATOR, Role.CURATOR)
    model = Persona

    @operation("enable_persona", body=EnabledBody, answer=ConductDetail)
    def post(self, request: MemberRequest, pk: int, body: dict[str, Any]) -> Conduct:
        """Let new batches of the team draw it, or no longer."""
        return _enable(request, self.row(request, pk), body)


class Plans(_Conducts):
    model = BehaviourPlan

    @operation("list_plans", query=PageQuery, answer=page_of(ConductLine))
    def get(self, request: MemberRequest, query: dict[str, Any]) -> Page:
        """Behavior plans, built-in ones and the team's, oldest first."""
        return self.listed(request, query)

    @operation("create_plan", body=ConductBody, answer=ConductDetail, status=201)
    def post(self, request: MemberRequest, body: dict[str, Any]) -> Conduct:
        """Describe a new behavior plan."""
        return self.made(request, body)


class OnePlan(_Conduct):
    model = BehaviourPlan

    @operation("get_plan", answer=ConductDetail)
    def get(self, request: MemberRequest, pk: int) -> Conduct:
        """One behavior plan."""
        return _detail(request, self.row(request, pk))

    @operation("replace_plan", body=ConductBody, answer=ConductDetail)
    def put(self, request: MemberRequest, pk: int, body: dict[str, Any]) -> Conduct:
        """Describe a plan of the team anew. Batches that were ordered before stay as they are."""
        return _save(request, self.row(request, pk), body)


class EnablePlan(_Conduct):
    access = Access(Role.CURATOR, Role.CURATOR)
    model = BehaviourPlan

    @operation("enable_plan", body=EnabledBody, answer=ConductDetail)
    def post(self, request: MemberRequest, pk: int, body: dict[str, Any]) -> Conduct:
        """Let new batches of the team draw it, or no longer."""
        return _enable(request, self.row(request, pk), body)


# --- pieces ---------------------------------------------------------------------------------------------------------------------


def _detail(request: MemberRequest, row: Any) -> Any:
    rows = type(row).objects.with_enabled(request.team)
    row.enabled = rows.get(pk=row.pk).enabled
    row.uses = uses_of(row, request.team)
    return row


def _save(request: MemberRequest, row: Any, body: dict[str, Any]) -> Any:
    typed: MultiValueDict[str, str] = MultiValueDict()
    for name in ("title", "slug", "text"):
        typed[name] = body[name]
    form = ConductForm(None, model=type(row))
    known = {dimension.slug for dimension in form.dimensions}
    chosen = body.get("dimensions", {})
    if unknown := sorted(set(chosen) - known):
        side = "persona" if isinstance(row, Persona) else "plan"
        raise Refused(
            {f"dimensions.{name}": [f"Not one of a {side}."] for name in unknown[:20]}
        )
    for name, values in chosen.items():
        typed.setlist(f"dimension-{name}", values)
    form = ConductForm(typed, model=type(row))  # type: ignore[arg-type]
    check(form, {f"dimension-{name}": f"dimensions.{name}" for name in known})
    save_conduct(row, team=request.team, **form.described())
    return _detail(request, type(row).objects.get(pk=row.pk))


def _enable(request: MemberRequest, row: Any, body: dict[str, Any]) -> Any:
    set_enabled(row, team=request.team, enabled=body["enabled"])
    return _detail(request, row)


urlpatterns = [
    path("dimensions", Dimensions.as_view(), name="dimensions"),
    path("personas", Personas.as_view(), name="personas"),
    path("personas/<int:pk>", OnePersona.as_view(), name="persona"),
    path("personas/<int:pk>/enabled", EnablePersona.as_view(), name="persona_enabled"),
    path("plans", Plans.as_view(), name="plans"),
    path("plans/<int:pk>", OnePlan.as_view(), name="plan"),
    path("plans/<int:pk>/enabled", EnablePlan.as_view(), name="plan_enabled"),
]
