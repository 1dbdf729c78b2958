"""The review queue: places leased, kept, judged under their token, given back, and acts taken back."""

from typing import Any

from django.http import Http404
from django.urls import path
from django.utils.datastructures import MultiValueDict
from rest_framework import serializers

from writ_app.api.endpoint import Endpoint, MemberRequest, found, operation
from writ_app.api.fields import (
    Body,
    Choice,
    Coded,
    Document,
    Key,
    Query,
    Text,
    Whole,
    Words,
)
from writ_app.api.problems import Conflict, check
from writ_app.forms.review import HELD, QueueForm, VerdictForm
from writ_app.models import clock
from writ_app.models.accounts import Role
from writ_app.models.review import (
    RejectReason,
    ReviewEvent,
    ReviewItem,
    ReviewSlot,
    Verdict,
)
from writ_app.services.access import Access
from writ_app.services.review import (
    ORDERS,
    Order,
    PartOfBulk,
    count_queue,
    find_slot,
    give_back,
    lease_item,
    lease_next,
    look_back,
    queue_facets,
    renew_lease,
    submit_verdict,
    undo_last,
)
from writ_app.services.review import Choice as Wanted
from writ_app.services.review.bands import BURDEN_BANDS, WRITE_BANDS
from writ_app.services.review.bulk import undo_bulk
from writ_app.services.review.quality.canaries import Revealed, reveal
from writ_app.services.review.quality.disputes import ADJUDICATION

TAG = "Review"
GIVEN = [(one.value.lower(), one.label) for one in Verdict if one != Verdict.WITHDRAW]


# --- what is told ---------------------------------------------------------------------------------------------------------------


class LeaseLine(serializers.Serializer[Any]):
    """A place on a trajectory, in the hands of whoever knows its token."""

    slot = serializers.IntegerField(source="pk")
    token = serializers.IntegerField(help_text="Goes up with every lease of the place.")
    trajectory = serializers.IntegerField(source="item_id")
    leased_until = serializers.DateTimeField(
        allow_null=True, help_text="Renew it before then."
    )


class LeaseAnswer(serializers.Serializer[Any]):
    lease = LeaseLine(allow_null=True, help_text="Null: there is none to be had.")


class UndoneAnswer(LeaseAnswer):
    items = serializers.IntegerField(
        help_text="Trajectories that are as they were: one, or all of a bulk action."
    )


class RevealedLine(serializers.Serializer[Any]):
    title = serializers.CharField()
    changed = serializers.CharField()
    caught = serializers.BooleanField()


class VerdictLine(serializers.Serializer[Any]):
    event = serializers.IntegerField(source="pk")
    trajectory = serializers.IntegerField(source="slot.item_id")
    verdict = Coded(Verdict)
    reason = serializers.CharField()
    note = serializers.CharField()
    message = serializers.IntegerField(allow_null=True)
    pointer = serializers.CharField()
    write = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()


class GivenLine(VerdictLine):
    planted = RevealedLine(
        allow_null=True,
        help_text="Of a planted error, what whoever has judged it may know.",
    )


class LookBackLine(VerdictLine):
    earlier = serializers.IntegerField(allow_null=True)
    later = serializers.IntegerField(allow_null=True)


class QueueLine(serializers.Serializer[Any]):
    waiting = serializers.IntegerField()
    approved = serializers.IntegerField()
    rejected = serializers.IntegerField()
    fix = serializers.IntegerField()
    deferred = serializers.IntegerField()
    releasable = serializers.IntegerField()
    today = serializers.IntegerField(help_text="Your verdicts of today that stand.")


# --- what is asked --------------------------------------------------------------------------------------------------------------


class NextBody(Body):
    """Which part of the queue, and in which order."""

    order = Choice(
        required=False,
        default=Order.PLAIN.value,
        choices=[(order.value, words) for order, words in ORDERS.items()],
    )
    environment = Text(required=False, max_length=60)
    archetype = Text(required=False, max_length=100)
    plan = Text(required=False, max_length=40)
    writes = Choice(required=False, choices=[band.slug for band in WRITE_BANDS])
    burden = Choice(required=False, choices=[band.slug for band in BURDEN_BANDS])
    batch = Key(required=False)
    held = serializers.ListField(
        child=Key(),
        required=False,
        max_length=HELD,
        help_text="Slots that you have already and want to keep: another one is handed out.",
    )


class LeaseTokenBody(Body):
    token = Whole(min_value=0, max_value=2**31 - 1)


class VerdictBody(LeaseTokenBody):
    verdict = Choice(choices=GIVEN)
    reason = Choice(
        required=False, choices=RejectReason.choices, help_text="Of a rejection."
    )
    note = Words(required=False, allow_blank=True, max_length=4000)
    message = Whole(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=2**31 - 1,
        help_text="Index of the message that it is about.",
    )
    pointer = Words(
        required=False,
        allow_blank=True,
        max_length=400,
        help_text="JSON pointer into that message's call or result.",
    )
    write = Whole(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=2**15 - 1,
        help_text="Number of the write that it is about.",
    )
    seconds = Whole(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=86_400,
        help_text="Time on it, as you measured it.",
    )
    submission = serializers.UUIDField(
        required=False,
        help_text="Your own: the same one again gives what was recorded first.",
    )


class UndoBody(Body):
    event = Key(required=False, help_text="Without: the last one that stands.")


class BackQuery(Query):
    event = Key(required=False, help_text="Without: the latest of today.")


# --- operations -----------------------------------------------------------------------------------------------------------------


class Queue(Endpoint):
    tag = TAG
    access = Access(Role.REVIEWER, Role.REVIEWER)

    @operation("get_queue", answer=QueueLine)
    def get(self, request: MemberRequest) -> Any:
        """How much waits, and what was judged."""
        return count_queue(user=request.user, at=clock.now())


class QueueFacets(Endpoint):
    tag = TAG
    access = Access(Role.REVIEWER, Role.REVIEWER)

    @operation("get_queue_facets", answer=Document)
    def get(self, request: MemberRequest) -> Any:
        """What the queue may be narrowed to now: name of a filter → values, with words for them."""
        return {
            name: [{"value": value, "words": words} for value, words in values]
            for name, values in queue_facets(user=request.user).items()
        }


class NextLease(Endpoint):
    tag = TAG
    access = Access(Role.REVIEWER, Role.REVIEWER)

    @operation("lease_next", body=NextBody, answer=LeaseAnswer)
    def post(self, request: MemberRequest, body: dict[str, Any]) -> Any:
        """Take the next place of the queue into your hands; the one where you stopped comes first.

        The lease ends by itself unless it is renewed. Each lease has a token, under which alone a verdict is taken.
        """
        held = body.pop("held", ())
        typed = {name: str(value) for name, value in body.items()}
        form = QueueForm(typed, facets=queue_facets(user=request.user))
        check(form)
        slot = lease_next(
            user=request.user,
            at=clock.now(),
            choice=Wanted(Order(form.cleaned_data["order"]), form.filters()),
            held=held,
        )
        return {"lease": slot}


class LeaseTrajectory(Endpoint):
    tag = TAG
    access = Access(Role.REVIEWER, Role.REVIEWER)

    @operation("lease_trajectory", answer=LeaseLine)
    def post(self, request: MemberRequest, pk: int) -> ReviewSlot:
        """Take a place on this trajectory, out of turn, by the rules of the queue."""
        rows = ReviewItem.objects.visible_to(request.user).only("status")
        return lease_item(item=found(rows, pk=pk), user=request.user, at=clock.now())


class RenewLease(Endpoint):
    tag = TAG
    access = Access(Role.REVIEWER, Role.REVIEWER)

    @operation("renew_lease", body=LeaseTokenBody, answer=LeaseLine)
    def post(self, request: MemberRequest, pk: int, body: dict[str, Any]) -> ReviewSlot:
        """Keep a lease alive. 409: it was lost, and with it the right to judge under this token."""
        slot = _slot(request, pk)
        kept = renew_lease(
            slot_id=pk,
            token=body["token"],
            user=request.user,
            at=clock.now(),
            show=True,
        )
        if not kept:
            raise Conflict("The lease was lost.")
        slot.refresh_from_db(fields=["leased_until", "token"])
        return slot


class ReleaseLease(Endpoint):
    tag = TAG
    access = Access(Role.REVIEWER, Role.REVIEWER)

    @operation("release_lease", body=LeaseTokenBody)
    def post(self, request: MemberRequest, pk: int, body: dict[str, Any]) -> None:
        """Give a place back: others may take it now. A lease that was lost is none to give back, and that is no error."""
        _slot(request, pk)
        give_back(held={pk: body["token"]}, user=request.user, at=clock.now())


class GiveVerdict(Endpoint):
    tag = TAG
    access = Access(Role.REVIEWER, Role.REVIEWER)

    @operation("give_verdict", body=VerdictBody, answer=GivenLine, status=201)
    def post(self, request: MemberRequest, pk: int, body: dict[str, Any]) -> Any:
        """Judge what you have leased: approve, reject with a reason, send to be fixed, or put off.

        409 if the lease was lost, if it was judged already, or if a check fails and it cannot be approved.
        """
        slot = _slot(request, pk)
        if slot.number == ADJUDICATION:
            raise Http404  # a dispute is settled where both opinions are
        return give(request, slot, body)


class Undo(Endpoint):
    tag = TAG
    access = Access(Role.REVIEWER, Role.REVIEWER)

    @operation("undo_verdict", body=UndoBody, answer=UndoneAnswer)
    def post(self, request: MemberRequest, body: dict[str, Any]) -> Any:
        """Take your last act back, or the named one; its place is in your hands again. A bulk action is taken back as a whole."""
        named, at = body.get("event"), clock.now()
        try:
            slot = undo_last(reviewer=request.user, at=at, event_id=named)
        except PartOfBulk as part:
            back = undo_bulk(action=part.action, user=request.user, at=at)
            return {"lease": None, "items": back}
        return {"lease": slot, "items": 1}


class LookBack(Endpoint):
    tag = TAG
    access = Access(Role.REVIEWER, Role.REVIEWER)

    @operation("look_back", query=BackQuery, answer=LookBackLine, refuses=(404,))
    def get(self, request: MemberRequest, query: dict[str, Any]) -> Any:
        """One of your acts of today that stand, with the keys of its neighbors; 404 if there is none."""
        seen = look_back(
            reviewer=request.user, at=clock.now(), event_id=query.get("event")
        )
        if seen is None:
            raise Http404
        event: Any = seen.event
        event.earlier, event.later = seen.earlier, seen.later
        return event


# --- pieces ---------------------------------------------------------------------------------------------------------------------


def _slot(request: MemberRequest, pk: int) -> ReviewSlot:
    slot = find_slot(slot_id=pk, user=request.user)
    if slot is None:
        raise Http404
    return slot


def give(request: MemberRequest, slot: ReviewSlot, body: dict[str, Any]) -> ReviewEvent:
    """The verdict as the web's form takes it."""
    typed = {name: value for name, value in body.items() if value is not None}
    typed["verdict"] = body["verdict"].upper()
    form = VerdictForm(
        MultiValueDict({name: [v] for name, v in typed.items()} | {"slot": [slot.pk]})
    )
    check(form, {"verdict_code": "verdict"})
    event: Any = submit_verdict(
        slot=slot, reviewer=request.user, at=clock.now(), **form.verdict()
    )
    told: Revealed | None = reveal(user=request.user, item=slot.item)
    event.planted = told
    return event


urlpatterns = [
    path("queue", Queue.as_view(), name="queue"),
    path("queue/facets", QueueFacets.as_view(), name="queue_facets"),
    path("queue/next", NextLease.as_view(), name="queue_next"),
    path("queue/undo", Undo.as_view(), name="queue_undo"),
    path("queue/back", LookBack.as_view(), name="queue_back"),
    path("queue/slots/<int:pk>/renew", RenewLease.as_view(), name="lease_renew"),
    path("queue/slots/<int:pk>/release", ReleaseLease.as_view(), name="lease_release"),
    path("queue/slots/<int:pk>/verdict", GiveVerdict.as_view(), name="verdict"),
    path("trajectories/<int:pk>/lease", LeaseTrajectory.as_view(), name="lease"),
]
