"""Quality of the review: how the team reviews, planted errors found, agreement, disputes settled, lots approved by a sample."""

import secrets
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.urls import path
from rest_framework import serializers

from writ_app.api.endpoint import Endpoint, MemberRequest, found, operation
from writ_app.api.fields import (
    Body,
    Choice,
    Coded,
    Document,
    Flag,
    Key,
    Number,
    PageQuery,
    Query,
    Text,
    Whole,
)
from writ_app.api.paging import Page, page, page_of
from writ_app.api.problems import Conflict, check
from writ_app.api.review import GivenLine, LeaseLine, VerdictBody, give
from writ_app.forms.quality import LotForm, OrderForm, PolicyForm
from writ_app.models import clock
from writ_app.models.accounts import Role
from writ_app.models.curation import PlanStatus, SamplingPlan
from writ_app.models.review import ItemStatus, ReviewItem, ReviewSlot, Verdict
from writ_app.services.access import Access
from writ_app.services.review import policy_of
from writ_app.services.review.quality import disputes, sampling
from writ_app.services.review.quality.canaries import (
    detection,
    plant_canaries,
    wanted_canaries,
)
from writ_app.services.review.quality.judges import calibrations
from writ_app.services.review.quality.opinions import agreement_of
from writ_app.services.review.quality.policy import change_policy, policy_facts

TAG = "Quality"
ONE_OF_THEM = "One of the two opinions is yours: somebody else settles it."


# --- policy, detection, agreement -----------------------------------------------------------------------------------------------


class PolicyLine(serializers.Serializer[Any]):
    second_share = serializers.FloatField(
        help_text="Share of new items that two judge without seeing each other's verdict."
    )
    canary_share = serializers.FloatField(
        help_text="Planted errors, as a share of the items to review."
    )
    lease_seconds = serializers.IntegerField()
    ahead = serializers.IntegerField(help_text="Items that a page leases beforehand.")


class PolicyBody(Body):
    second_share = Number(min_value=0, max_value=1)
    canary_share = Number(min_value=0, max_value=0.2)
    lease_seconds = Whole(min_value=30, max_value=3600)
    ahead = Whole(min_value=0, max_value=5)


class PlantBody(Body):
    count = Whole(
        required=False,
        min_value=1,
        max_value=500,
        help_text="Without: what the team's share asks for.",
    )


class PlantedAnswer(serializers.Serializer[Any]):
    planted = serializers.IntegerField(source="total")
    wanted = serializers.IntegerField()


class Policy(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.CURATOR)

    @operation("get_review_policy", answer=PolicyLine)
    def get(self, request: MemberRequest) -> Any:
        """How the team reviews."""
        return policy_of(request.team)

    @operation("replace_review_policy", body=PolicyBody, answer=PolicyLine)
    def put(self, request: MemberRequest, body: dict[str, Any]) -> Any:
        """Change how the team reviews. A larger share of second opinions holds for what waits, too."""
        policy = policy_of(request.team)
        before = policy_facts(policy)  # the form fills the row as it is checked
        percent = {name: 100 * body[name] for name in ("second_share", "canary_share")}
        form = PolicyForm({**body, **percent}, instance=policy)
        check(form)
        change_policy(policy=form.instance, before=before)
        return form.instance


class Canaries(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.CURATOR)

    @operation("get_detection", answer=Document)
    def get(self, request: MemberRequest) -> Any:
        """How many of the planted errors were found, by class: of everybody for curators, else of yourself and of all together."""
        only = None if request.membership.curates else request.user
        found = detection(request.team, only=only)
        return {**asdict(found), "wanted": wanted_canaries(request.team)}

    @operation(
        "plant_errors", body=PlantBody, answer=PlantedAnswer, status=201, atomic=False
    )
    def post(self, request: MemberRequest, body: dict[str, Any]) -> Any:
        """Plant errors among what is to be reviewed. Nobody is told where."""
        return plant_canaries(
            team=request.team, seed=secrets.randbelow(2**31), count=body.get("count")
        )


class AgreementNow(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.CURATOR)

    @operation("get_agreement", answer=Document)
    def get(self, request: MemberRequest) -> Any:
        """How far those agree who judged the same without knowing of each other, and what both may have missed."""
        return asdict(agreement_of(request.team))


class Judges(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.CURATOR)

    @operation("get_judge_calibration", answer=Document)
    def get(self, request: MemberRequest) -> Any:
        """How far the notes of judge models agree with people."""
        return {"judges": [asdict(one) for one in calibrations(request.team)]}


# --- disputes -------------------------------------------------------------------------------------------------------------------


class OpinionLine(serializers.Serializer[Any]):
    reviewer = serializers.CharField(source="event.reviewer.username")
    verdict = Coded(Verdict, source="event.verdict")
    reason = serializers.CharField(source="event.reason")
    note = serializers.CharField(source="event.note")
    place = serializers.CharField(help_text="What was pointed at, in words.")


class DisputeLine(serializers.Serializer[Any]):
    trajectory = serializers.IntegerField(source="item.pk")
    status = Coded(ItemStatus, source="item.status")
    archetype = serializers.CharField(source="item.archetype")
    opinions = OpinionLine(many=True)
    decision = OpinionLine(allow_null=True)
    may_settle = serializers.BooleanField(
        help_text="Whether you are neither of the two, or an owner."
    )


class DisputeQuery(PageQuery):
    settled = Flag(required=False, default=False, help_text="Those that are settled.")


class Disputes(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.CURATOR)

    @operation("list_disputes", query=DisputeQuery, answer=page_of(DisputeLine))
    def get(self, request: MemberRequest, query: dict[str, Any]) -> Page:
        """Trajectories that two judged differently without knowing of each other, newest first."""
        open_ = disputes.disputed(request.user)
        ever = disputes.ever_disputed(request.user)
        rows = ever.exclude(status=ItemStatus.DISPUTED) if query["settled"] else open_

        def shown(rows: list[ReviewItem]) -> Sequence[disputes.Dispute]:
            same = ReviewItem.objects.filter(pk__in=[row.pk for row in rows])
            return disputes.disputes(same.order_by("-pk"), request.membership)

        return page(request, rows.only("pk"), query, shown=shown)


class OneDispute(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.CURATOR)

    @operation("get_dispute", answer=DisputeLine)
    def get(self, request: MemberRequest, pk: int) -> Any:
        """One dispute, with both opinions."""
        return _dispute(request, pk)


class LeaseDispute(Endpoint):
    tag = TAG
    access = Access(Role.CURATOR, Role.CURATOR)

    @operation("lease_dispute", answer=LeaseLine)
    def post(self, request: MemberRequest, pk: int) -> ReviewSlot:
        """Take the place of whoever settles a dispute into your hands; its token is what `settle_dispute` wants."""
        dispute = _to_settle(request, pk)
        slot = disputes.take_dispute(
            item=dispute.item, user=request.user, at=clock.now()
        )
        if slot is None:
            raise Conflict("It is settled, or somebody else has it in hand.")
        return slot


class SettleDispute(Endpoint):
    tag = TAG
    access = Access(Role.CURATOR, Role.CURATOR)

    @operation("settle_dispute", body=VerdictBody, answer=GivenLine, status=201)
    def post(self, request: MemberRequest, pk: int, body: dict[str, Any]) -> Any:
        """Decide a dispute, under the token of its lease. `undo_verdict` takes it back."""
        dispute = _to_settle(request, pk)
        slot = (
            ReviewSlot.objects.filter(item=dispute.item, number=disputes.ADJUDICATION)
            .select_related("item")
            .first()
        )
        if slot is None:
            raise Http404
        return give(request, slot, body)


def _dispute(request: MemberRequest, pk: int) -> disputes.Dispute:
    item = found(disputes.ever_disputed(request.user).only("pk"), pk=pk)
    return disputes.dispute_on(item, request.membership)


def _to_settle(request: MemberRequest, pk: int) -> disputes.Dispute:
    dispute = _dispute(request, pk)
    if not dispute.may_settle:
        raise Conflict(ONE_OF_THEM)
    return dispute


# --- sampling -------------------------------------------------------------------------------------------------------------------


class OfferLine(serializers.Serializer[Any]):
    limit = serializers.FloatField(help_text="Share of defects that it rules out.")
    size = serializers.IntegerField(help_text="Items to look at.")
    statement = serializers.CharField(help_text="What a clean sample proves.")


class OffersAnswer(serializers.Serializer[Any]):
    lot = serializers.IntegerField(help_text="Items that a plan would approve.")
    offers = OfferLine(many=True)


class PlanLine(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="plan.pk")
    status = Coded(PlanStatus, source="plan.status")
    lot = serializers.IntegerField(source="plan.lot")
    size = serializers.IntegerField(source="plan.size")
    limit = serializers.FloatField(source="plan.limit")
    confidence = serializers.FloatField(source="plan.confidence")
    filters = serializers.DictField(source="plan.filters")
    statement = serializers.CharField(source="plan.statement")
    good = serializers.IntegerField(help_text="Of the sample.")
    bad = serializers.IntegerField(help_text="Of the sample.")
    proves = serializers.CharField(help_text="What is known of the lot by now.")
    in_doubt = serializers.BooleanField(
        help_text="It was approved, and a verdict on the sample changed since."
    )
    by = serializers.CharField(source="plan.by.username")
    created_at = serializers.DateTimeField(source="plan.created_at")


class SamplingPlanLine(PlanLine):
    pass


class SamplingPlanDetail(PlanLine):
    rest = serializers.IntegerField(help_text="Not sampled, and still to be approved.")
    sample = serializers.SerializerMethodField(help_text="Keys of trajectories.")

    def get_sample(self, progress: sampling.Progress) -> list[int]:
        drawn = progress.plan.items.filter(sampled=True).order_by("item_id")
        return list(drawn.values_list("item_id", flat=True))


class ApprovedAnswer(serializers.Serializer[Any]):
    items = serializers.IntegerField()


class _Lot(serializers.Serializer[Any]):
    batch = Key(required=False)
    environment = Text(required=False, max_length=60)
    archetype = Text(required=False, max_length=100)
    kinds = serializers.ListField(
        child=Choice(choices=[(kind, kind) for kind in sampling.GREEN]),
        required=False,
        max_length=len(sampling.GREEN),
        help_text="Where arguments may be from. Without: all of these.",
    )


class LotQuery(_Lot, Query):
    """What a plan is to approve."""


class PlanBody(_Lot, Body):
    limit = Number(min_value=0, max_value=1, help_text="One of those that are offered.")


class Offers(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.CURATOR)

    @operation("get_sampling_offers", query=LotQuery, answer=OffersAnswer)
    def get(self, request: MemberRequest, query: dict[str, Any]) -> Any:
        """What samples of a lot would prove, before one is ordered."""
        form = LotForm(query, team=request.team)
        check(form)
        lot = sampling.lot_of(request.team, form.filters()).count()
        return {"lot": lot, "offers": sampling.offers(lot)}


class Plans(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.CURATOR)

    @operation("list_sampling_plans", query=PageQuery, answer=page_of(SamplingPlanLine))
    def get(self, request: MemberRequest, query: dict[str, Any]) -> Page:
        """Plans of acceptance sampling, newest first."""
        return page(request, _plans(request), query, shown=sampling.progress_of_all)

    @operation(
        "order_sampling_plan", body=PlanBody, answer=SamplingPlanDetail, status=201
    )
    def post(self, request: MemberRequest, body: dict[str, Any]) -> Any:
        """Put a lot down and draw its sample, which comes to the head of the queue."""
        typed = {**body, "limit": str(body["limit"])}
        form = OrderForm(typed, team=request.team)
        check(form)
        plan = sampling.order_plan(
            team=request.team,
            by=request.user,
            filters=form.filters(),
            limit=form.cleaned_data["limit"],
            seed=secrets.randbelow(2**31),
        )
        return sampling.progress_of(plan)


class OnePlan(Endpoint):
    tag = TAG
    access = Access(Role.VIEWER, Role.CURATOR)

    @operation("get_sampling_plan", answer=SamplingPlanDetail)
    def get(self, request: MemberRequest, pk: int) -> Any:
        """One plan, as its sample stands now."""
        return sampling.progress_of(found(_plans(request), pk=pk))


class ApprovePlan(Endpoint):
    tag = TAG
    access = Access(Role.CURATOR, Role.CURATOR)

    @operation("approve_sampling_plan", answer=ApprovedAnswer)
    def post(self, request: MemberRequest, pk: int) -> Any:
        """Approve what a clean sample stands for."""
        plan = found(_plans(request), pk=pk)
        count = sampling.approve_rest(plan=plan, by=request.user, at=clock.now())
        return {"items": count}


class UndoPlan(Endpoint):
    tag = TAG
    access = Access(Role.CURATOR, Role.CURATOR)

    @operation("undo_sampling_plan", answer=ApprovedAnswer)
    def post(self, request: MemberRequest, pk: int) -> Any:
        """Take a plan back, with the approvals that it gave; tells how many are open again."""
        plan = found(_plans(request), pk=pk)
        count = sampling.undo_plan(plan=plan, by=request.user, at=clock.now())
        return {"items": count}


def _plans(request: MemberRequest) -> QuerySet[SamplingPlan]:
    return SamplingPlan.objects.filter(team=request.team).select_related("by", "bulk")


urlpatterns = [
    path("quality/policy", Policy.as_view(), name="review_policy"),
    path("quality/canaries", Canaries.as_view(), name="canaries"),
    path("quality/agreement", AgreementNow.as_view(), name="agreement"),
    path("quality/judges", Judges.as_view(), name="judges"),
    path("disputes", Disputes.as_view(), name="disputes"),
    path("disputes/<int:pk>", OneDispute.as_view(), name="dispute"),
    path("disputes/<int:pk>/lease", LeaseDispute.as_view(), name="dispute_lease"),
    path("disputes/<int:pk>/settle", SettleDispute.as_view(), name="dispute_settle"),
    path("sampling-plans", Plans.as_view(), name="sampling_plans"),
    path("sampling-plans/offers", Offers.as_view(), name="sampling_offers"),
    path("sampling-plans/<int:pk>", OnePlan.as_view(), name="sampling_plan"),
    path(
        "sampling-plans/<int:pk>/approve",
        ApprovePlan.as_view(),
        name="sampling_plan_approve",
    ),
    path("sampling-plans/<int:pk>/undo", UndoPlan.as_view(), name="sampling_plan_undo"),
]
