"""Batches of simulations, and what came of them."""

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from writ_app.models.accounts import Team, User
from writ_app.models.catalog import Environment, Task
from writ_app.models.fields import OrderedJSONField


class ModelEndpoint(models.Model):
    """A chat model behind a provider or any OpenAI-compatible address. Never holds a key, only the name of its variable."""

    name = models.SlugField(max_length=60, unique=True)
    model = models.CharField(max_length=200)
    """As litellm names it, e.g. `openai/some-model`."""
    base_url = models.URLField(blank=True)
    key_variable = models.CharField(max_length=80, blank=True)
    parameters = models.JSONField(default=dict, blank=True)
    """Sampling: temperature, max_tokens, timeout (seconds), …"""
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return self.name


class BatchStatus(models.TextChoices):
    DESIGNING = "DESIGNING", "designing tasks"
    RUNNING = "RUNNING", "simulating"
    DONE = "DONE", "done"
    CANCELLED = "CANCELLED", "cancelled"


class BatchQuerySet(models.QuerySet["Batch"]):
    def visible_to(self, user: User) -> "BatchQuerySet":
        return self.filter(team__memberships__user=user)

    def in_progress(self) -> "BatchQuerySet":
        return self.filter(status__in=[BatchStatus.DESIGNING, BatchStatus.RUNNING])


class Batch(models.Model):
    """Simulations ordered together. `mix` is {archetype: weight}, `plans` the behaviour plans to draw from.

    With a `grid` the mix says how gladly each archetype is taken, and the grid how many tasks lie where.
    """

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="batches")
    name = models.CharField(max_length=120)
    environment = models.ForeignKey(
        Environment, on_delete=models.PROTECT, related_name="batches"
    )
    seed = models.BigIntegerField()
    ordered = models.PositiveIntegerField()
    """How many simulations."""
    mix = OrderedJSONField(default=dict)
    grid = OrderedJSONField(null=True)
    """The engine's Grid that is to be filled; null: archetypes in turn, by their weight in the mix."""
    plans = models.JSONField(default=list)
    """Slugs of the plans to draw from; empty: all that were enabled."""
    repertoire = OrderedJSONField(default=dict)
    """The engine's personas and plans as they were when this was ordered."""
    plans_per_task = models.PositiveSmallIntegerField(default=1)
    """Simulations of each task, each under another plan: paired data."""
    fault_share = models.FloatField(default=0.0)
    """Share of simulations whose scripted agent or user is asked to make a mistake; 0 with other models."""
    agent = models.ForeignKey(
        ModelEndpoint, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    """Null: the scripted agent."""
    user_simulator = models.ForeignKey(
        ModelEndpoint, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    status = models.CharField(
        max_length=10, choices=BatchStatus, default=BatchStatus.DESIGNING
    )
    design_report = OrderedJSONField(default=dict)
    """Counts of the design stage: proposals, refusals by reason, tasks by archetype."""
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    objects = BatchQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]

    def __str__(self) -> str:
        return self.name

    @property
    def tasks_wanted(self) -> int:
        return -(-self.ordered // self.plans_per_task)


class SimulationStatus(models.TextChoices):
    PENDING = "PENDING", "waiting"
    RUNNING = "RUNNING", "running"
    DONE = "DONE", "done"
    CANCELLED = "CANCELLED", "cancelled"


class SimulationQuerySet(models.QuerySet["Simulation"]):
    def pending(self) -> "SimulationQuerySet":
        return self.filter(status=SimulationStatus.PENDING)

    def unfinished(self) -> "SimulationQuerySet":
        return self.filter(
            status__in=[SimulationStatus.PENDING, SimulationStatus.RUNNING]
        )

    def stale(self, before: datetime) -> "SimulationQuerySet":
        """Running since before that moment: the worker that claimed them is taken for dead."""
        return self.filter(status=SimulationStatus.RUNNING, started_at__lt=before)

    def claim(self, pk: int) -> bool:
        """Take a waiting simulation; False if somebody else has it, or it is done."""
        return (
            self.filter(pk=pk)
            .pending()
            .update(
                status=SimulationStatus.RUNNING,
                started_at=Now(),
                attempt=F("attempt") + 1,
            )
            == 1
        )

    def requeue(self) -> int:
        return self.update(status=SimulationStatus.PENDING, started_at=None)

    def finish(self, pk: int, attempt: int) -> bool:
        """End a simulation that still runs under the same attempt; False if a successor took over."""
        return (
            self.filter(pk=pk, attempt=attempt, status=SimulationStatus.RUNNING).update(
                status=SimulationStatus.DONE, finished_at=Now()
            )
            == 1
        )


class Simulation(models.Model):
    """One attempt at a task under a behaviour plan."""

    batch = models.ForeignKey(
        Batch, on_delete=models.PROTECT, related_name="simulations"
    )
    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="simulations")
    plan = models.CharField(max_length=40)
    persona = models.CharField(max_length=40, blank=True)
    behaviour = models.JSONField(default=dict)
    """Dimension → value, as requested."""
    ledger = OrderedJSONField(null=True)
    """The engine's Ledger; null for simulations older than that: theirs follows from task, plan and seed."""
    seed = models.BigIntegerField()
    fault = models.CharField(max_length=40, blank=True)
    status = models.CharField(
        max_length=10, choices=SimulationStatus, default=SimulationStatus.PENDING
    )
    attempt = models.PositiveSmallIntegerField(default=0)
    """Counts claims, so that a worker thought dead cannot overwrite its successor."""
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    started_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    objects = SimulationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["batch", "task", "plan", "seed"], name="simulation_ordered_once"
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["batch", "status"], name="simulation_by_batch"),
            # requeue_stale looks for these every half minute
            models.Index(
                fields=["started_at"],
                condition=Q(status="RUNNING"),
                name="simulation_running",
            ),
        ]

    def __str__(self) -> str:
        return f"simulation {self.pk}"


class TrajectoryQuerySet(models.QuerySet["Trajectory"]):
    def visible_to(self, user: User) -> "TrajectoryQuerySet":
        return self.filter(simulation__batch__team__memberships__user=user)

    def accepted(self) -> "TrajectoryQuerySet":
        return self.filter(accepted=True)

    def rejected(self) -> "TrajectoryQuerySet":
        return self.filter(accepted=False)


class Trajectory(models.Model):
    """What happened in a simulation, and how it was judged. Written once."""

    simulation = models.OneToOneField(
        Simulation, on_delete=models.PROTECT, related_name="trajectory"
    )
    content = OrderedJSONField()
    """The engine's Trajectory."""
    content_hash = models.CharField(max_length=64)
    ended_by = models.CharField(max_length=30)
    scripted = models.BooleanField()
    """Made by the scripted models: for demonstration and tests, and labelled so everywhere."""
    steps = models.PositiveSmallIntegerField()
    verification = OrderedJSONField()
    """The engine's Verification."""
    realised = models.JSONField(default=dict)
    """Dimension of behaviour → value as it came out."""
    accepted = models.BooleanField()
    reason = models.CharField(max_length=40, blank=True)
    """Name of the first failed check."""
    owner = models.CharField(max_length=20, blank=True)
    """Who is to answer for it: agent, user, environment, provider, budget."""
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = TrajectoryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "trajectories"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(accepted=True, reason="")
                | (Q(accepted=False) & ~Q(reason="")),
                name="trajectory_rejected_iff_reason",
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["accepted", "id"], name="trajectory_by_accepted")
        ]

    def __str__(self) -> str:
        return f"trajectory {self.pk}"


class Paraphrase(models.Model):
    """A task's request in a model's words, accepted or with the reason why not. `content` is the engine's value."""

    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="paraphrases")
    paraphraser = models.CharField(max_length=200)
    reader = models.CharField(max_length=200)
    """Names of the models."""
    prompt_version = models.CharField(max_length=20)
    seed = models.BigIntegerField()
    content = OrderedJSONField()
    text = models.TextField(blank=True)
    accepted = models.BooleanField()
    reason = models.CharField(max_length=20, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["task", "paraphraser", "reader", "prompt_version", "seed"],
                name="paraphrase_tried_once",
            ),
            models.CheckConstraint(
                condition=Q(accepted=True, reason="")
                | (Q(accepted=False) & ~Q(reason="")),
                name="paraphrase_rejected_iff_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"paraphrase {self.pk}"
