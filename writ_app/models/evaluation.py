"""Evaluation runs: what a model was measured on, and what came of each trial.

Tables of their own, which no review item, release or report can point to: what a benchmark's tasks made is never trained on.
"""

from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from writ_app.models.accounts import Team, User
from writ_app.models.catalog import Environment, ReferenceTask, Task
from writ_app.models.fields import OrderedJSONField
from writ_app.models.synthesis import ModelEndpoint
from writ_app.models.uploads import Upload, UploadPart, UploadQuerySet


class RunStatus(models.TextChoices):
    """Codes are those of batches, so that runners treat both alike."""

    RUNNING = "RUNNING", "running"
    PAUSED = "PAUSED", "paused"
    DONE = "DONE", "done"
    CANCELLED = "CANCELLED", "cancelled"


class RunSource(models.TextChoices):
    """Where the tasks are from."""

    BENCHMARK = "BENCHMARK", "imported benchmark"
    BATCH = "BATCH", "batch"
    RELEASE = "RELEASE", "release"
    VIEW = "VIEW", "saved view"
    FILE = "FILE", "results file"


class RunQuerySet(models.QuerySet["EvaluationRun"]):
    def visible_to(self, user: User) -> "RunQuerySet":
        return self.filter(team__in=user.team_ids)

    def in_progress(self) -> "RunQuerySet":
        return self.filter(status=RunStatus.RUNNING)


class EvaluationRun(models.Model):
    """One agent on one set of tasks, each tried so many times. Everything that decides the outcome is pinned when it is ordered."""

    team = models.ForeignKey(
        Team, on_delete=models.PROTECT, related_name="evaluation_runs"
    )
    name = models.CharField(max_length=120)
    source = models.CharField(max_length=10, choices=RunSource)
    chosen = OrderedJSONField(default=dict)
    """How the tasks were chosen, in words and keys: split, subset, cells, seed."""
    trials = models.PositiveSmallIntegerField()
    """Of each task."""
    seed = models.BigIntegerField()
    limits = OrderedJSONField(default=dict)
    """The engine's Limits."""
    agent = models.ForeignKey(
        ModelEndpoint, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    """Null: a script, or it was played elsewhere."""
    script = models.CharField(max_length=10, blank=True)
    """Which script plays the agent; "" with an endpoint."""
    user_simulator = models.ForeignKey(
        ModelEndpoint, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    judge = models.ForeignKey(
        ModelEndpoint, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    """For assertions in words that count. Null: they stay open, and only the reading without them is told."""
    played_by = models.JSONField(default=dict)
    """Role → what its endpoint was when the run was ordered."""
    told = OrderedJSONField(default=dict)
    """Versions of prompts; of a file what it says of itself (its `info`)."""
    hard = OrderedJSONField(default=list)
    """The engine's HardSubsets: fixed, with their hashes, before the first trial."""
    tasks_hash = models.CharField(max_length=64)
    """SHA-256 (hex) of what was asked: the keys and contents of all tasks."""
    status = models.CharField(
        max_length=10, choices=RunStatus, default=RunStatus.RUNNING
    )
    stopped_by = models.TextField(blank=True)
    """Of a paused run: why, in words for its owner."""
    max_cost = models.DecimalField(
        max_digits=12, decimal_places=4, null=True, blank=True
    )
    """US dollars, the judge's included; null: no cap."""
    max_tokens = models.BigIntegerField(null=True, blank=True)
    cost = models.DecimalField(
        max_digits=18, decimal_places=9, default=0, editable=False
    )
    """US dollars spent on conversations; as the tokens, it moves with the turns."""
    prompt_tokens = models.BigIntegerField(default=0, editable=False)
    completion_tokens = models.BigIntegerField(default=0, editable=False)
    turns = models.BigIntegerField(default=0, editable=False)
    judge_cost = models.DecimalField(
        max_digits=18, decimal_places=9, default=0, editable=False
    )
    judge_tokens = models.BigIntegerField(default=0, editable=False)
    content_hash = models.CharField(max_length=64, blank=True)
    """Of an imported file: SHA-256 (hex) of its bytes."""
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(agent=None) | Q(script=""),
                name="run_agent_or_script",
            ),
            models.UniqueConstraint(
                fields=["team", "content_hash"],
                condition=~Q(content_hash=""),
                name="run_file_once_per_team",
            ),
        ]

    def __str__(self) -> str:
        return f"evaluation {self.pk}: {self.name}"

    @property
    def is_live(self) -> bool:
        return self.status == RunStatus.RUNNING

    @property
    def imported(self) -> bool:
        return self.source == RunSource.FILE

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens + self.judge_tokens

    @property
    def spent(self) -> float:
        """US dollars, the judge's included."""
        return float(self.cost + self.judge_cost)

    @property
    def agent_name(self) -> str:
        """As pages and files call who played the agent."""
        if self.script:
            return f"scripted ({self.script})"
        return str(self.played_by.get("agent", {}).get("name", "unknown"))

    @property
    def user_name(self) -> str:
        return str(self.played_by.get("user", {}).get("name", "scripted"))


class EvaluationTask(models.Model):
    """One task of a run, as it was when the run was ordered: `content` is in the benchmark's form, whatever it was made from."""

    run = models.ForeignKey(
        EvaluationRun, on_delete=models.CASCADE, related_name="tasks"
    )
    position = models.PositiveIntegerField()
    key = models.CharField(max_length=200)
    """Name within the run: the environment's and the task's."""
    task_id = models.CharField(max_length=200)
    """As files name it."""
    environment = models.ForeignKey(
        Environment, on_delete=models.PROTECT, related_name="+"
    )
    reference = models.ForeignKey(
        ReferenceTask, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    own = models.ForeignKey(Task, on_delete=models.PROTECT, null=True, related_name="+")
    """Of our own: with its certificate, so that conversations are verified, too."""
    ledger = OrderedJSONField(null=True)
    """Of our own: what the user may say and when, as the engine's Ledger."""
    content = OrderedJSONField()
    content_hash = models.CharField(max_length=64)
    """SHA-256 (hex) of the content: only what was asked alike can be compared."""
    writes = models.PositiveSmallIntegerField()
    burden = models.PositiveSmallIntegerField(null=True)
    burden_source = models.CharField(max_length=10)
    """How the burden is known: proved, listed or unknown."""

    class Meta:
        ordering: ClassVar = ["run_id", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "key"], name="evaluation_task_once")
        ]

    def __str__(self) -> str:
        return self.key


class TrialStatus(models.TextChoices):
    PENDING = "PENDING", "waiting"
    RUNNING = "RUNNING", "running"
    DONE = "DONE", "done"
    CANCELLED = "CANCELLED", "cancelled"


class JudgeStatus(models.TextChoices):
    NONE = "NONE", "not needed"
    OPEN = "OPEN", "nobody was asked"
    WAITING = "WAITING", "waiting for the judge"
    ASKED = "ASKED", "being judged"
    DONE = "DONE", "judged"
    FAILED = "FAILED", "the judge gave no usable answer"


class TrialQuerySet(models.QuerySet["EvaluationTrial"]):
    def visible_to(self, user: User) -> "TrialQuerySet":
        return self.filter(run__team__in=user.team_ids)

    def pending(self) -> "TrialQuerySet":
        return self.filter(status=TrialStatus.PENDING)

    def unfinished(self) -> "TrialQuerySet":
        return self.filter(status__in=[TrialStatus.PENDING, TrialStatus.RUNNING])

    def done(self) -> "TrialQuerySet":
        return self.filter(status=TrialStatus.DONE)

    def expired(self) -> "TrialQuerySet":
        """Running, but whoever claimed them has not been heard of in time, by the database's clock."""
        return self.filter(status=TrialStatus.RUNNING, lease_until__lt=Now())

    def hold(self, *, runner: str, lease: timedelta) -> int:
        return self.update(
            status=TrialStatus.RUNNING,
            started_at=Now(),
            lease_until=Now() + lease,
            runner=runner,
            attempt=F("attempt") + 1,
        )

    def requeue(self) -> int:
        return self.update(
            status=TrialStatus.PENDING, started_at=None, lease_until=None
        )

    def to_be_judged(self) -> "TrialQuerySet":
        """Those for which a judge is to be asked, and those that somebody left behind being asked."""
        return self.filter(
            Q(judge_status=JudgeStatus.WAITING)
            | Q(judge_status=JudgeStatus.ASKED, judge_lease_until__lt=Now()),
            run__status=RunStatus.RUNNING,
        )

    def narrow(self) -> "TrialQuerySet":
        """Without what was said."""
        return self.defer("messages", "reward_info", "verification", "content")


class EvaluationTrial(models.Model):
    """One try at one task. There is one row for each from the beginning, so that there can never be two results."""

    run = models.ForeignKey(
        EvaluationRun, on_delete=models.CASCADE, related_name="trial_rows"
    )
    task = models.ForeignKey(
        EvaluationTask, on_delete=models.CASCADE, related_name="trials"
    )
    trial = models.PositiveIntegerField()
    """From 0."""
    seed = models.BigIntegerField()
    status = models.CharField(
        max_length=10, choices=TrialStatus, default=TrialStatus.PENDING
    )
    attempt = models.PositiveSmallIntegerField(default=0)
    """Counts claims, so that a worker thought dead cannot overwrite its successor."""
    runner = models.CharField(max_length=80, blank=True)
    lease_until = models.DateTimeField(null=True, editable=False)
    setbacks = models.PositiveSmallIntegerField(default=0)
    """How often it was put back because of something that may have been its own fault."""

    messages = OrderedJSONField(null=True)
    """The engine's messages; null until it is done."""
    ended_by = models.CharField(max_length=120, blank=True)
    """As files name it (tau2 SPEC §9.6)."""
    note = models.TextField(blank=True)
    """What went wrong, in words."""
    reward_info = OrderedJSONField(null=True)
    """As files have it, the judge's part included once it has spoken."""
    reward = models.FloatField(null=True)
    """Null: it rests on a judge who has not spoken."""
    reward_without = models.FloatField(null=True)
    """As if the judge had found everything met."""
    verification = OrderedJSONField(null=True)
    """The engine's Verification; null of tasks without a certificate."""
    grounded = models.BooleanField(null=True)
    """Whether that accepts it."""
    failure = models.CharField(max_length=30, blank=True)
    """Kind of what went wrong."""
    owner = models.CharField(max_length=20, blank=True)
    finding = models.TextField(blank=True)
    agent_tokens = models.BigIntegerField(null=True)
    """That the agent's model wrote; null: nobody counted."""
    user_tokens = models.BigIntegerField(null=True)
    cost = models.DecimalField(max_digits=18, decimal_places=9, default=0)
    """US dollars of the conversation."""
    content = OrderedJSONField(default=dict)
    """Of an imported one: everything else that the file says of it."""
    recorded_reward = models.FloatField(null=True)
    """Of an imported one: what the file says."""

    judge_status = models.CharField(
        max_length=10, choices=JudgeStatus, default=JudgeStatus.NONE
    )
    judge_attempt = models.PositiveSmallIntegerField(default=0)
    judge_lease_until = models.DateTimeField(null=True, editable=False)
    judge_finding = models.TextField(blank=True)
    """Why there is no verdict."""
    judge_cost = models.DecimalField(max_digits=18, decimal_places=9, default=0)
    judge_tokens = models.BigIntegerField(default=0)

    started_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    objects = TrialQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["task_id", "trial"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["task", "trial"], name="evaluation_trial_once"
            ),
            models.CheckConstraint(
                condition=~Q(status="DONE")
                | Q(messages__isnull=False, reward_without__isnull=False),
                name="evaluation_trial_done_with_reward",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["run", "status"], name="evaluation_trial_by_run"),
            models.Index(
                fields=["run", "id"],
                condition=Q(status="PENDING"),
                name="evaluation_trial_pending",
            ),
            models.Index(
                fields=["lease_until"],
                condition=Q(status="RUNNING"),
                name="evaluation_trial_leased",
            ),
            models.Index(
                fields=["run", "id"],
                condition=Q(judge_status__in=["WAITING", "ASKED"]),
                name="evaluation_trial_to_judge",
            ),
        ]

    def __str__(self) -> str:
        return f"trial {self.trial} of {self.task_id}"

    @property
    def scripted(self) -> bool:
        return bool(self.run.script)

    @property
    def parts(self) -> dict[str, Any]:
        """Part of the reward → what it came to; nothing of a conversation that was not evaluated."""
        found: dict[str, Any] = (self.reward_info or {}).get("reward_breakdown") or {}
        return found


class EvaluationTurn(models.Model):
    """One finished answer in a trial, stored before the next is asked for: nothing is asked, and paid, twice (see Turn)."""

    trial = models.ForeignKey(
        EvaluationTrial, on_delete=models.CASCADE, related_name="turns", db_index=False
    )
    position = models.PositiveSmallIntegerField()
    side = models.CharField(max_length=5)
    fingerprint = models.CharField(max_length=32)
    completion = OrderedJSONField(null=True)
    drafts = OrderedJSONField(default=list)
    attempt = models.PositiveSmallIntegerField()
    cost = models.DecimalField(max_digits=18, decimal_places=9, default=0)
    prompt_tokens = models.PositiveIntegerField(default=0)
    completion_tokens = models.PositiveIntegerField(default=0)
    seconds = models.FloatField(default=0)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering: ClassVar = ["trial", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["trial", "position"], name="evaluation_turn_once"
            )
        ]

    def __str__(self) -> str:
        return f"turn {self.position} of trial {self.trial_id}"


class EvaluationImportQuerySet(UploadQuerySet["EvaluationImport"]):
    pass


class EvaluationImport(Upload):
    """An uploaded results file on its way into a run."""

    run = models.ForeignKey(
        EvaluationRun, on_delete=models.SET_NULL, null=True, related_name="imports"
    )

    objects = EvaluationImportQuerySet.as_manager()


class EvaluationImportPart(UploadPart):
    of = models.ForeignKey(
        EvaluationImport, on_delete=models.CASCADE, related_name="parts"
    )

    class Meta(UploadPart.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["of", "number"], name="evaluation_import_part_once"
            )
        ]
