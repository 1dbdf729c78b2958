"""What there is to review, who judges what, and what was judged.

An item is one version of a trajectory: as it was simulated, edited by somebody, or corrupted on purpose (a canary). The
database itself files an item for every trajectory, fills in what lists and queues look at, and opens its slots
(migration 0014), so that nobody who writes trajectories has to know of reviews.
"""

from datetime import datetime
from itertools import groupby
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, F, Func, OuterRef, Q, TextField, Value
from django.db.models.functions import MD5, Left, Now

from writ_app.models.accounts import Membership, Team, User
from writ_app.models.catalog import Task
from writ_app.models.fields import ComputedField, OrderedJSONField
from writ_app.models.synthesis import Batch, Trajectory


class ReviewPolicy(models.Model):
    """How a team reviews. A team without a row has the defaults."""

    team = models.OneToOneField(
        Team, on_delete=models.CASCADE, related_name="review_policy"
    )
    second_share = models.FloatField(
        default=0.0, validators=[MinValueValidator(0), MaxValueValidator(1)]
    )
    """Share of items that two people judge without seeing each other's verdict."""
    canary_share = models.FloatField(
        default=0.0, validators=[MinValueValidator(0), MaxValueValidator(0.2)]
    )
    """Canaries planted, as a share of the items there are to review."""
    lease_seconds = models.PositiveIntegerField(
        default=90, validators=[MinValueValidator(30), MaxValueValidator(3600)]
    )
    """How long an item stays in somebody's hands without a sign of life."""
    ahead = models.PositiveSmallIntegerField(
        default=2, validators=[MaxValueValidator(5)]
    )
    """Items leased beforehand, besides the one on screen."""

    def __str__(self) -> str:
        return f"review policy of {self.team}"


class ItemStatus(models.TextChoices):
    OPEN = "OPEN", "to review"
    APPROVED = "APPROVED", "approved"
    REJECTED = "REJECTED", "rejected"
    FIX = "FIX", "needs a fix"
    DISPUTED = "DISPUTED", "disputed"


def _own_edit(user: User, item: str) -> Q:
    """Of rows with a team and an `item`: whether the user edited that item, and is not alone in the team.

    Without a join: an update with one would not look again at what another transaction has just changed.
    """
    edited = ReviewItem.objects.filter(pk=OuterRef(item), edited_by=user)
    others = Membership.objects.filter(team=OuterRef("team")).exclude(user=user)
    return Q(Exists(edited), Exists(others))


class ItemQuerySet(models.QuerySet["ReviewItem"]):
    def visible_to(self, user: User) -> "ItemQuerySet":
        return self.filter(team__in=user.team_ids)

    def as_simulated(self) -> "ItemQuerySet":
        """Without edited versions and canaries."""
        return self.filter(number=1, canary="")

    def releasable(self) -> "ItemQuerySet":
        """Approved by people, not rejected by a later version of the verification, and no canary; of several versions the last."""
        approved = Q(status=ItemStatus.APPROVED, accepted=True, canary="")
        later = ReviewItem.objects.filter(
            approved, trajectory=OuterRef("trajectory"), number__gt=OuterRef("number")
        )
        return self.filter(approved, ~Exists(later))

    def for_eyes_of(self, user: User) -> "ItemQuerySet":
        """Without the user's own edits, which somebody else has to judge if there is anybody else."""
        return self.exclude(_own_edit(user, "pk"))

    def approved_but_rejected(self) -> "ItemQuerySet":
        """Approved by people, and rejected by a later version of the verification."""
        return self.filter(status=ItemStatus.APPROVED, accepted=False, canary="")

    def narrow(self) -> "ItemQuerySet":
        """Without what may be megabytes."""
        return self.defer("content", "verification", "changes", "words", "search")


FACETS = (
    "environment",
    "archetype",
    "task_class",
    "plan",
    "agent",
    "ended_by",
    "batch",
    "writes",
    "burden",
    "scripted",
    "accepted",
    "reason",
    "status",
    "canary",
    "number",
    "failed",
    "kinds",
)
"""Columns of an item that lists are narrowed and counted by."""
TOOLS_CALLED = Func(
    F("skeleton"),
    Value(" "),
    function="string_to_array",
    output_field=ArrayField(TextField()),
)
"""Of an item: names of the tools, as the index has them."""
SKELETON_SHAPE = Left(MD5("skeleton"), 12)
"""Of an item: stands for the same tools in the same order, in addresses."""


class ReviewItem(models.Model):
    """One version of a trajectory, with what it is found by. The one as simulated has the trajectory's own key."""

    trajectory = models.ForeignKey(
        Trajectory, on_delete=models.PROTECT, related_name="items"
    )
    number = models.PositiveSmallIntegerField(default=1)
    """1: as simulated; above: edited, or a canary."""
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="versions"
    )
    """The version that this one was made from; null for the one as simulated."""
    canary = models.CharField(max_length=40, blank=True, db_default="")
    """Class of the corruption; "" for everything that is meant seriously."""
    content = OrderedJSONField(null=True)
    """The engine's Trajectory of an edited or corrupted version; null: the simulated one's."""
    verification = OrderedJSONField(null=True)
    """The engine's Verification of that content."""
    judged_by = models.CharField(max_length=20, db_default="", editable=False)
    """The version of the verification that made it. The database takes it from there; "" for the one as simulated."""
    edited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    edit_reason = models.TextField(blank=True, max_length=2000, db_default="")
    changes = OrderedJSONField(null=True)
    """What an edit or a corruption changed."""

    # Everything from here to `search` is filled in by the database.
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+")
    batch = models.ForeignKey(
        Batch, on_delete=models.PROTECT, related_name="review_items"
    )
    task = models.ForeignKey(
        Task, on_delete=models.PROTECT, related_name="review_items"
    )
    environment = models.CharField(max_length=60)
    """Name of the world."""
    archetype = models.CharField(max_length=100)
    task_class = models.CharField(max_length=20)
    plan = models.CharField(max_length=40)
    agent = models.CharField(max_length=200)
    """Name of the model that played the agent."""
    writes = models.PositiveSmallIntegerField()
    burden = models.PositiveSmallIntegerField()
    steps = models.PositiveSmallIntegerField()
    ended_by = models.CharField(max_length=30)
    scripted = models.BooleanField()
    accepted = models.BooleanField()
    """By the verification of this version."""
    ready = models.BooleanField()
    """Whether people are to judge it: it was accepted, or is a canary."""
    reason = models.CharField(max_length=40, blank=True)
    owner = models.CharField(max_length=20, blank=True)
    failed = ArrayField(models.CharField(max_length=40), default=list)
    """Names of the checks that failed."""
    kinds = ArrayField(models.CharField(max_length=20), default=list)
    """Kinds of provenance among the arguments that were written."""
    skeleton = models.TextField(blank=True)
    """Names of the tools in the order of the calls, with spaces between them."""
    cluster = ComputedField(
        expression=Func(
            "environment",
            "task_class",
            "skeleton",
            "kinds",
            "failed",
            function="writ_cluster",
        ),
        output_field=models.CharField(max_length=32, db_collation="C"),
        db_persist=True,
    )
    """MD5 (hex) of what makes items alike: the skeleton, the class, the kinds of provenance, the failed checks."""
    outline = models.JSONField(default=list)
    """The steps: ["u" or "s", characters] for what was said, ["c" or "e", characters, tool] for a call, "e" if it failed."""
    uncertainty = models.FloatField(default=0.0)
    """Share of the arguments that nobody said and no read shows as they are: 0 to 1."""
    words = models.TextField(blank=True)
    """What was said and what the calls asked for: the text that is searched, 30,000 characters at most."""
    search = SearchVectorField(null=True)

    wanted = models.PositiveSmallIntegerField(default=1)
    """How many people are to judge it."""
    status = models.CharField(max_length=10, choices=ItemStatus, blank=True)
    """Follows from the slots; "" if there is nothing to judge."""
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = ItemQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["trajectory", "number"],
                condition=Q(canary=""),
                name="review_item_number_once",
            ),
            models.CheckConstraint(
                condition=Q(
                    number=1, canary="", parent__isnull=True, content__isnull=True
                )
                | Q(
                    number__gt=1,
                    parent__isnull=False,
                    content__isnull=False,
                    verification__isnull=False,
                ),
                name="review_item_own_content_iff_made_from_another",
            ),
        ]
        indexes: ClassVar = [
            # a list's order, and all that its facets count: read without the rows themselves
            models.Index(fields=["team", "-id"], include=FACETS, name="item_facets"),
            models.Index(fields=["team", "status", "-id"], name="item_by_status"),
            models.Index(fields=["team", "archetype", "-id"], name="item_by_archetype"),
            models.Index(fields=["team", "writes", "burden"], name="item_by_cell"),
            # neediest cell first: what is open in one cell, however much of it is closed
            models.Index(
                fields=["team", "writes", "burden", "id"],
                condition=Q(status="OPEN"),
                name="item_open_by_cell",
            ),
            models.Index(fields=["batch", "-id"], name="item_by_batch"),
            models.Index(fields=["task", "-id"], name="item_of_task"),
            # found however few they are
            models.Index(
                fields=["team", "-id"],
                condition=Q(accepted=False),
                name="item_rejected",
            ),
            # the few that statistics of quality are about
            models.Index(
                fields=["team"], condition=~Q(canary=""), name="item_canaries"
            ),
            models.Index(
                fields=["team", "-id"], condition=Q(wanted__gt=1), name="item_twice"
            ),
            models.Index(fields=["team", "-uncertainty", "-id"], name="item_by_doubt"),
            models.Index(fields=["team", "-burden", "-id"], name="item_by_burden"),
            models.Index(SKELETON_SHAPE, name="item_by_shape"),
            # the few that are judged apart from their trajectory
            models.Index(
                fields=["team", "judged_by", "id"],
                condition=Q(parent__isnull=False),
                name="item_made_judged_by",
            ),
            GinIndex(TOOLS_CALLED, name="item_tools"),
            GinIndex(fields=["failed"], name="item_failed"),
            models.Index(
                fields=["team", "cluster", "-id"],
                include=[
                    "status",
                    "environment",
                    "batch",
                    "accepted",
                    "number",
                    "writes",
                    "burden",
                    "plan",
                    "archetype",
                ],
                condition=Q(canary=""),
                name="item_by_cluster",
            ),
            GinIndex(fields=["kinds"], name="item_kinds"),
            GinIndex(fields=["search"], name="item_search"),
        ]

    def __str__(self) -> str:
        return f"item {self.pk}"

    @property
    def skeleton_in_short(self) -> str:
        """Tools in order, repeated ones counted: `find_user → get_order ×3 → cancel`."""
        runs = ((tool, len(list(run))) for tool, run in groupby(self.skeleton.split()))
        return " → ".join(f"{tool} ×{n}" if n > 1 else tool for tool, n in runs)

    @property
    def looks_accepted(self) -> bool:
        """Whether lists say so: a planted error passes for what it was made from."""
        return self.accepted or bool(self.canary)

    @property
    def looks_edited(self) -> bool:
        """Whether a person made it, as far as pages say."""
        return self.number > 1 and not self.canary

    @property
    def stored_content(self) -> dict[str, Any]:
        """The engine's Trajectory of this version."""
        return self.trajectory.content if self.content is None else self.content

    @property
    def stored_verification(self) -> dict[str, Any]:
        if self.verification is None:
            return self.trajectory.verification
        return self.verification


class ArgumentSource(models.Model):
    """Where one leaf of a write's arguments comes from. The database files these with every verification."""

    item = models.ForeignKey(
        ReviewItem, on_delete=models.CASCADE, related_name="sources"
    )
    side = models.CharField(max_length=6)
    """`actual`, `gold`, or `read`: an argument of a read that nothing before it shows."""
    write = models.PositiveSmallIntegerField()
    pointer = models.CharField(max_length=400)
    """JSON pointer into the arguments."""
    kind = models.CharField(max_length=20)
    message = models.PositiveIntegerField(null=True)
    """Index of the message that shows it."""
    source_pointer = models.CharField(max_length=400, blank=True)
    """JSON pointer into that message, if it is a result."""
    value = models.CharField(max_length=200, blank=True)
    detail = models.CharField(max_length=400, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["kind", "item"], name="argument_source_by_kind")
        ]

    def __str__(self) -> str:
        return f"{self.pointer} of {self.item_id}: {self.kind}"


class SlotStatus(models.TextChoices):
    OPEN = "OPEN", "to review"
    APPROVED = "APPROVED", "approved"
    REJECTED = "REJECTED", "rejected"
    FIX = "FIX", "needs a fix"


class SlotQuerySet(models.QuerySet["ReviewSlot"]):
    def visible_to(self, user: User) -> "SlotQuerySet":
        return self.filter(team__in=user.team_ids)

    def open(self) -> "SlotQuerySet":
        return self.filter(status=SlotStatus.OPEN)

    def approved(self) -> "SlotQuerySet":
        return self.filter(status=SlotStatus.APPROVED)

    def leased_to(self, user: User, at: datetime) -> "SlotQuerySet":
        return self.open().filter(leased_by=user, leased_until__gt=at)

    def for_eyes_of(self, user: User) -> "SlotQuerySet":
        """Without the user's own edits, which somebody else has to judge if there is anybody else."""
        return self.exclude(_own_edit(user, "item"))

    def free(self, at: datetime) -> "SlotQuerySet":
        """Open, in nobody's hands, and of what people are to judge."""
        free = Q(leased_until=None) | Q(leased_until__lte=at)
        return self.open().filter(free, ready=True)


class ReviewSlot(models.Model):
    """One place for one reviewer on one item: leased while somebody looks at it, closed by a verdict."""

    item = models.ForeignKey(ReviewItem, on_delete=models.PROTECT, related_name="slots")
    number = models.PositiveSmallIntegerField(default=1)
    """From 1 on: reviewers who do not see each other's verdicts. 0: who settles a dispute between them."""
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+")
    ready = models.BooleanField(default=True)
    """Whether it may be handed out. Kept by the database, as the team is: the item is ready, and disputed for number 0."""
    uncertainty = models.FloatField(default=0.0)
    """The item's."""
    status = models.CharField(
        max_length=10, choices=SlotStatus, default=SlotStatus.OPEN
    )
    """Follows from the last event that stands."""
    leased_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    leased_until = models.DateTimeField(null=True)
    token = models.PositiveIntegerField(default=0)
    """Fencing: goes up with every lease; a verdict under an older token is refused."""
    shown_at = models.DateTimeField(null=True)
    """Since when the one who leased it has it on screen; null: leased ahead."""
    deferred_at = models.DateTimeField(null=True)
    """Put off: these come last."""
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = SlotQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["item", "number"], name="slot_number_once")
        ]
        indexes: ClassVar = [
            # the next slot to hand out: plain, and the least certain first
            models.Index(
                "team",
                F("deferred_at").asc(nulls_first=True),
                "id",
                condition=Q(status="OPEN", ready=True),
                name="slot_open",
            ),
            models.Index(
                "team",
                F("uncertainty").desc(),
                "id",
                condition=Q(status="OPEN", ready=True),
                name="slot_open_uncertain",
            ),
            models.Index(
                fields=["leased_by", "leased_until"],
                condition=Q(status="OPEN", leased_by__isnull=False),
                name="slot_leased",
            ),
        ]

    def __str__(self) -> str:
        return f"slot {self.number} of {self.item_id}"


class Verdict(models.TextChoices):
    APPROVE = "APPROVE", "approve"
    REJECT = "REJECT", "reject"
    FIX = "FIX", "needs a fix"
    DEFER = "DEFER", "defer"
    WITHDRAW = "WITHDRAW", "withdraw"


class RejectReason(models.TextChoices):
    """Numbered by the digit that gives it."""

    WRONG_WRITE = "wrong_write", "wrong write"
    UNGROUNDED = "ungrounded", "argument not grounded"
    MISSING_READ = "missing_read", "needed read missing"
    POLICY = "policy", "against the policy"
    NO_CONFIRMATION = "no_confirmation", "no clear confirmation"
    UNCLEAR_REQUEST = "unclear_request", "request unclear or has two answers"
    UNNATURAL_USER = "unnatural_user", "user is not believable"
    UNNATURAL_AGENT = "unnatural_agent", "agent's words are poor"
    OTHER = "other", "other (say which)"


class BulkAction(models.Model):
    """One verdict on many items at once. Undone as a whole, by withdrawing its events."""

    team = models.ForeignKey(
        Team, on_delete=models.PROTECT, related_name="bulk_actions"
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    verdict = models.CharField(max_length=10, choices=Verdict)
    filters = models.JSONField(default=dict)
    """What chose the items, as the list's form has it."""
    note = models.TextField(blank=True, max_length=4000)
    """Why; of a sampling plan, what its sample proves."""
    total = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    undone_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.verdict} of {self.total}"


class ReviewEvent(models.Model):
    """An act of a reviewer. Never changed or deleted: undoing is another event that withdraws this one."""

    slot = models.ForeignKey(
        ReviewSlot, on_delete=models.PROTECT, related_name="events"
    )
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="review_events"
    )
    verdict = models.CharField(max_length=10, choices=Verdict)
    reason = models.CharField(max_length=20, choices=RejectReason, blank=True)
    note = models.TextField(blank=True, max_length=4000)
    focus = models.CharField(max_length=200, blank=True)
    """What the reviewer pointed at on the page: an argument or a step, by its element id."""
    message = models.PositiveIntegerField(null=True)
    """The same in the trajectory: index of the message, as the next two a label of one step."""
    pointer = models.CharField(max_length=400, blank=True, db_default="")
    """JSON pointer into that message's call or result."""
    write = models.PositiveSmallIntegerField(null=True)
    """Number of the write."""
    bulk = models.ForeignKey(
        BulkAction, on_delete=models.PROTECT, null=True, related_name="events"
    )
    withdraws = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="withdrawn_by"
    )
    seconds = models.PositiveIntegerField(null=True)
    """Time on the item, as the page measured it."""
    submission = models.UUIDField(null=True, unique=True)
    """Made with the form: the same sent again is the same event. Null for what no form sent."""
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [
            models.Index(fields=["reviewer", "-id"], name="review_event_latest")
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(verdict="WITHDRAW", withdraws__isnull=False)
                | (~Q(verdict="WITHDRAW") & Q(withdraws__isnull=True)),
                name="review_event_withdraws_iff_withdrawal",
            ),
            models.CheckConstraint(
                condition=Q(verdict="REJECT") & ~Q(reason="")
                | ~Q(verdict="REJECT") & Q(reason=""),
                name="review_event_reason_iff_rejection",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} {self.pk}"
