"""Batches of simulations, and what came of them."""

from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from writ_app.models.accounts import Team, User
from writ_app.models.catalog import Environment, Task
from writ_app.models.endpoint_rules import (
    check_base_url,
    check_key_variable,
    check_model,
    check_name,
    check_parameters,
)
from writ_app.models.fields import OrderedJSONField

MINUTES = timedelta(minutes=15)
"""How long who runs a single simulation, and gives no signs of life, may take."""


class ModelEndpointQuerySet(models.QuerySet["ModelEndpoint"]):
    def offered(self) -> "ModelEndpointQuerySet":
        """Those that a new batch may choose."""
        return self.filter(enabled=True).order_by("name")

    def of_team(self, team: Team) -> "ModelEndpointQuerySet":
        """The team's own, and the site's."""
        return self.filter(Q(team=None) | Q(team=team))

    def visible_to(self, user: User) -> "ModelEndpointQuerySet":
        return self.filter(Q(team=None) | Q(team__in=user.team_ids))

    def changeable_by(self, user: User) -> "ModelEndpointQuerySet":
        """Those of the user's team. The site's are changed by its administration."""
        return self.filter(team__in=user.team_ids)


class ModelEndpoint(models.Model):
    """A chat model behind a provider or any OpenAI-compatible address. Never holds a key, only the name of its variable.

    A batch pins what it was ordered with (`Batch.played_by`), so editing a row changes batches of later, not those there are.
    """

    team = models.ForeignKey(
        Team,
        on_delete=models.PROTECT,
        related_name="endpoints",
        null=True,
        blank=True,
        editable=False,
    )
    """Who may order with it, and pays; null: every team of the site."""
    name = models.SlugField(max_length=60, unique=True, validators=[check_name])
    model = models.CharField(max_length=200, validators=[check_model])
    """As litellm names it, e.g. `openai/some-model`."""
    base_url = models.CharField(max_length=200, blank=True, validators=[check_base_url])
    key_variable = models.CharField(
        max_length=80, blank=True, validators=[check_key_variable]
    )
    parameters = models.JSONField(
        default=dict, blank=True, validators=[check_parameters]
    )
    """Sampling: temperature, max_tokens, timeout (seconds), …"""
    max_in_flight = models.PositiveIntegerField(
        default=64, validators=[MinValueValidator(1), MaxValueValidator(2000)]
    )
    """Requests at the same time, per process that simulates; how many it bears is found out below that."""
    prompt_price = models.FloatField(
        null=True, blank=True, validators=[MinValueValidator(0)]
    )
    """US dollars per million tokens, as `completion_price`. Null: as litellm's price table has it."""
    completion_price = models.FloatField(
        null=True, blank=True, validators=[MinValueValidator(0)]
    )
    enabled = models.BooleanField(default=True)
    """Whether new batches may choose it; batches that there are go on with it."""
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = ModelEndpointQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class EndpointHealth(models.Model):
    """How an endpoint does as seen by one process that asks it; the process writes it every few seconds."""

    endpoint = models.ForeignKey(
        ModelEndpoint, on_delete=models.CASCADE, related_name="health"
    )
    process = models.CharField(max_length=80)
    """Host and process."""
    in_flight = models.PositiveIntegerField(default=0)
    limit = models.FloatField(default=0)
    """Requests at the same time that it bears at present, as far as was found out."""
    busy = models.PositiveIntegerField(default=0)
    """Answers of the kind "slow down" (429) since the process began; as the next two."""
    timeouts = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    """Other answers that were none."""
    last_error = models.TextField(blank=True)
    last_error_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["endpoint", "process"], name="health_once_per_process"
            )
        ]

    def __str__(self) -> str:
        return f"{self.endpoint} as seen by {self.process}"


class BatchStatus(models.TextChoices):
    DESIGNING = "DESIGNING", "designing tasks"
    RUNNING = "RUNNING", "simulating"
    PAUSED = "PAUSED", "paused"
    DONE = "DONE", "done"
    CANCELLED = "CANCELLED", "cancelled"


class BatchQuerySet(models.QuerySet["Batch"]):
    def visible_to(self, user: User) -> "BatchQuerySet":
        return self.filter(team__in=user.team_ids)

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
    paraphraser = models.ForeignKey(
        ModelEndpoint, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    """Null: the user says what the task's own words say."""
    judge = models.ForeignKey(
        ModelEndpoint, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    """Writes notes on trajectories and decides nothing. Null: no notes."""
    played_by = models.JSONField(default=dict)
    """Role → what its endpoint was when the batch was ordered; a role without one is scripted, or not played."""
    status = models.CharField(
        max_length=10, choices=BatchStatus, default=BatchStatus.DESIGNING
    )
    stopped_by = models.TextField(blank=True)
    """Of a paused batch: why, in words for its owner."""
    max_cost = models.DecimalField(
        max_digits=12, decimal_places=4, null=True, blank=True
    )
    """US dollars; null: no cap. Once `cost` reaches it, no further call is sent."""
    max_tokens = models.BigIntegerField(null=True, blank=True)
    """Prompt and completion together; null: no cap."""
    cost = models.DecimalField(
        max_digits=18, decimal_places=9, default=0, editable=False
    )
    """US dollars spent so far, on everything that was answered: drafts and useless answers too. Moves with the turns."""
    prompt_tokens = models.BigIntegerField(default=0, editable=False)
    completion_tokens = models.BigIntegerField(default=0, editable=False)
    turns = models.BigIntegerField(default=0, editable=False)
    """Answers of endpoints so far; scripted ones are not counted."""
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
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    @property
    def tasks_wanted(self) -> int:
        return -(-self.ordered // self.plans_per_task)

    @property
    def endpoints(self) -> list[ModelEndpoint]:
        """Those that play a role, each once."""
        roles = (self.agent, self.user_simulator, self.paraphraser, self.judge)
        return list(dict.fromkeys(endpoint for endpoint in roles if endpoint))


class SimulationStatus(models.TextChoices):
    PENDING = "PENDING", "waiting"
    RUNNING = "RUNNING", "running"
    DONE = "DONE", "done"
    CANCELLED = "CANCELLED", "cancelled"


def not_retried(simulation: str) -> Combinable:
    """Condition: the simulation at that path was not tried again. As NOT EXISTS, which Postgres estimates better than a join."""
    return ~Exists(Simulation.objects.filter(retry_of=OuterRef(simulation)))


class SimulationQuerySet(models.QuerySet["Simulation"]):
    def pending(self) -> "SimulationQuerySet":
        return self.filter(status=SimulationStatus.PENDING)

    def unfinished(self) -> "SimulationQuerySet":
        return self.filter(
            status__in=[SimulationStatus.PENDING, SimulationStatus.RUNNING]
        )

    def current(self) -> "SimulationQuerySet":
        """Without those that were tried again."""
        return self.filter(not_retried("pk"))

    def expired(self) -> "SimulationQuerySet":
        """Running, but whoever claimed them has not been heard of in time, by the database's clock."""
        return self.filter(status=SimulationStatus.RUNNING, lease_until__lt=Now())

    def claim(self, pk: int, *, runner: str = "", lease: timedelta = MINUTES) -> bool:
        """Take a waiting simulation; False if somebody else has it, or it is done."""
        return self.filter(pk=pk).pending().hold(runner=runner, lease=lease) == 1

    def hold(self, *, runner: str, lease: timedelta) -> int:
        """Make these simulations the runner's, under a new attempt."""
        return self.update(
            status=SimulationStatus.RUNNING,
            started_at=Now(),
            lease_until=Now() + lease,
            runner=runner,
            attempt=F("attempt") + 1,
        )

    def requeue(self) -> int:
        return self.update(
            status=SimulationStatus.PENDING, started_at=None, lease_until=None
        )

    def finish(self, pk: int, attempt: int) -> bool:
        """End a simulation that still runs under the same attempt; False if a successor took over."""
        return (
            self.filter(pk=pk, attempt=attempt, status=SimulationStatus.RUNNING).update(
                status=SimulationStatus.DONE, finished_at=Now(), lease_until=None
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
    runner = models.CharField(max_length=80, blank=True)
    """Who claimed it last: host and process."""
    lease_until = models.DateTimeField(null=True, editable=False)
    """While it runs: when it may be given to somebody else, unless the runner is heard of before."""
    setbacks = models.PositiveSmallIntegerField(default=0)
    """How often it was put back because of something that may have been its own fault."""
    round = models.PositiveSmallIntegerField(default=0)
    """0: as ordered; above: tried again so many times."""
    retry_of = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="retried_by",
    )
    """The simulation that this one tries again: its outcome stays as it is, and no longer counts."""
    note = models.TextField(blank=True)
    """What happened on the way, for whoever wonders."""
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    started_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    objects = SimulationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["batch", "task", "plan", "seed", "round"],
                name="simulation_ordered_once",
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["batch", "status"], name="simulation_by_batch"),
            # Runners look for these all the time.
            models.Index(
                fields=["batch", "id"],
                condition=Q(status="PENDING"),
                name="simulation_pending",
            ),
            models.Index(
                fields=["lease_until"],
                condition=Q(status="RUNNING"),
                name="simulation_leased",
            ),
        ]

    def __str__(self) -> str:
        return f"simulation {self.pk}"


class Turn(models.Model):
    """One finished answer of an endpoint, or of a scripted model that talks to one. Stored before the next is asked for.

    With them a simulation that was interrupted is brought back to where it was without asking, and paying, again.
    """

    simulation = models.ForeignKey(
        Simulation, on_delete=models.PROTECT, related_name="turns", db_index=False
    )
    """Found by the constraint's index."""
    position = models.PositiveSmallIntegerField()
    """Number in the conversation, of both sides together, from 0."""
    side = models.CharField(max_length=5)
    """agent or user."""
    fingerprint = models.CharField(max_length=32)
    """Hash of everything that led to it. An answer to something else is not used again."""
    completion = OrderedJSONField(null=True)
    """The engine's Completion, reasoning included; null while all drafts so far were rejected."""
    drafts = OrderedJSONField(default=list)
    """The engine's Drafts: answers of the user that were not said, with what was wrong with them."""
    raw = OrderedJSONField(null=True)
    """The provider's payload; null of scripted models."""
    attempt = models.PositiveSmallIntegerField()
    """The simulation's, when this was answered."""
    cost = models.DecimalField(max_digits=18, decimal_places=9, default=0)
    """US dollars; as the tokens, of the answer and its drafts."""
    prompt_tokens = models.PositiveIntegerField(default=0)
    completion_tokens = models.PositiveIntegerField(default=0)
    seconds = models.FloatField(default=0)
    """From asking to having the last answer, waiting for the endpoint's limits included."""
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering: ClassVar = ["simulation", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["simulation", "position"],
                # So that a batch's cost is summed from the index, not from answers of a kilobyte each.
                include=[
                    "side",
                    "cost",
                    "prompt_tokens",
                    "completion_tokens",
                    "created_at",
                ],
                name="turn_answered_once",
            )
        ]

    def __str__(self) -> str:
        return f"turn {self.position} of simulation {self.simulation_id}"


class TrajectoryQuerySet(models.QuerySet["Trajectory"]):
    def visible_to(self, user: User) -> "TrajectoryQuerySet":
        return self.filter(simulation__batch__team__in=user.team_ids)

    def accepted(self) -> "TrajectoryQuerySet":
        return self.filter(accepted=True)

    def rejected(self) -> "TrajectoryQuerySet":
        return self.filter(accepted=False)


class Trajectory(models.Model):
    """What happened in a simulation, written once, and how it was last judged. Earlier judgements are in Judgement."""

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
    """The engine's Verification, by the version that judged last."""
    version = models.CharField(max_length=20, db_default="", editable=False)
    """That version. The database takes it from the verification."""
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
