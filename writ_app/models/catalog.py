"""What there is to work with: environments, and tasks designed in them."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from environments.core.domain import TaskClass
from environments.core.tools import Mode
from writ_app.models.accounts import Team, User
from writ_app.models.fields import OrderedJSONField
from writ_app.models.uploads import ImportStatus as ImportStatus
from writ_app.models.uploads import Upload, UploadPart, UploadQuerySet


class Environment(models.Model):
    """One version of a world, complete: whoever has this row can open sessions in it."""

    name = models.SlugField(max_length=40)
    version = models.SlugField(max_length=60)
    policy = models.TextField()
    state = models.BinaryField()
    """The database as zlib-compressed JSON, in the reference's layout."""
    state_hash = models.CharField(max_length=64)
    mode = models.CharField(
        max_length=20,
        choices=[(mode.value, mode.value) for mode in Mode],
        default=Mode.STRICT.value,
    )
    """Whether the reference's known bugs are kept or mended."""
    content_hash = models.CharField(max_length=64)
    """Hash of state, policy, tool schemas and, unless it is strict, the mode."""
    origin = models.CharField(max_length=200)
    """How it came to be, in words: a seed and size, or what was imported."""
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["name", "version"], name="environment_version_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class ReferenceTask(models.Model):
    """A task of an imported benchmark: kept for evaluation, and to keep our own tasks away from it."""

    environment = models.ForeignKey(
        Environment, on_delete=models.PROTECT, related_name="reference_tasks"
    )
    task_id = models.CharField(max_length=120)
    position = models.PositiveIntegerField()
    splits = models.JSONField(default=list)
    content = OrderedJSONField()

    class Meta:
        ordering: ClassVar = ["environment_id", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["environment", "task_id"], name="reference_task_once"
            )
        ]

    def __str__(self) -> str:
        return self.task_id


class Task(models.Model):
    """A designed task. `content` is the engine's value, proof included; the columns beside it are for finding it."""

    environment = models.ForeignKey(
        Environment, on_delete=models.PROTECT, related_name="tasks"
    )
    content_hash = models.CharField(max_length=64)
    slug = models.CharField(max_length=200)
    archetype = models.CharField(max_length=100)
    """Its slug; of a composed task those of all parts, with + between them."""
    title = models.CharField(max_length=1000)
    task_class = models.CharField(
        max_length=20,
        choices=[(kind.value, kind.value.replace("_", " ")) for kind in TaskClass],
    )
    burden = models.PositiveSmallIntegerField()
    writes = models.PositiveSmallIntegerField()
    lift = models.SmallIntegerField(default=0)
    """Burden minus that of the same writes with every argument named."""
    existential = models.BooleanField(default=False)
    dependent = models.BooleanField(default=False)
    proved = models.BooleanField(default=False)
    """Every read of the certificate has a witness, so that the burden is its whole size."""
    text = models.TextField()
    content = OrderedJSONField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["environment", "content_hash"], name="task_once"
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["writes", "burden"], name="task_by_cell")
        ]

    def __str__(self) -> str:
        return self.slug


class ReferenceSetQuerySet(models.QuerySet["ReferenceSet"]):
    def visible_to(self, user: User) -> "ReferenceSetQuerySet":
        """Those of the person's teams, and those that were imported for everybody."""
        return self.filter(Q(team=None) | Q(team__in=user.team_ids))


class ReferenceSet(models.Model):
    """An imported file: somebody else's trajectories, for viewing and calibration, never for training."""

    team = models.ForeignKey(
        Team,
        on_delete=models.PROTECT,
        related_name="reference_sets",
        null=True,
        blank=True,
    )
    """Whose it is; null: everybody's, imported by the command line."""
    name = models.CharField(max_length=200)
    """As it was named, or of the file, without its folder."""
    format = models.CharField(
        max_length=20, default="tau2_results", db_default="tau2_results"
    )
    """Kind of the file's rows (engine/importing/rows.py)."""
    domain = models.CharField(max_length=120)
    """Of the environment, as the file has it; "" if it does not say, or speaks of several."""
    environment = models.ForeignKey(
        Environment,
        on_delete=models.PROTECT,
        related_name="reference_sets",
        null=True,
        blank=True,
    )
    """The version they were made in, if we have it."""
    agent = models.CharField(max_length=200)
    user = models.CharField(max_length=200)
    content_hash = models.CharField(max_length=64)
    """Of the file's bytes: a file comes in once for each team."""
    content = OrderedJSONField()
    """Everything the file says besides its rows."""
    worlds = OrderedJSONField(default=list, db_default=[])
    """[{environment, system, tools}]: what rows share, each once, in the order in which they were met."""
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = ReferenceSetQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["team", "content_hash"],
                name="reference_set_once_per_team",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def system(self) -> str:
        """The system prompt that all rows share; "" if they do not."""
        return self.worlds[0]["system"] if len(self.worlds) == 1 else ""

    @property
    def tools(self) -> list[dict[str, Any]]:
        """The tools that all rows share; none if they do not."""
        return self.worlds[0]["tools"] if len(self.worlds) == 1 else []


class ReferenceTrajectory(models.Model):
    """One conversation of an imported file. `messages` are engine values, `content` the rest as it stood."""

    reference_set = models.ForeignKey(
        ReferenceSet, on_delete=models.CASCADE, related_name="trajectories"
    )
    position = models.PositiveIntegerField()
    simulation_id = models.CharField(max_length=120)
    task_id = models.CharField(max_length=120)
    trial = models.PositiveIntegerField(default=0)
    ended_by = models.CharField(max_length=120)
    reward = models.FloatField(null=True)
    steps = models.PositiveIntegerField()
    """Messages."""
    world = models.PositiveSmallIntegerField(null=True)
    """Place in the set's `worlds`; null: it has none, or its own in `content`."""
    messages = OrderedJSONField()
    content = OrderedJSONField()

    class Meta:
        ordering: ClassVar = ["reference_set_id", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["reference_set", "position"],
                name="reference_trajectory_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.task_id} ({self.trial})"


class ReferenceImportQuerySet(UploadQuerySet["ReferenceImport"]):
    pass


class ReferenceImport(Upload):
    """An uploaded file on its way into a reference set."""

    format = models.CharField(max_length=40, blank=True)
    """As asked; "" to tell it from the first row."""
    replaced = models.PositiveIntegerField(default=0)
    """Conversations in which characters had to be replaced that no text can hold."""
    reference_set = models.ForeignKey(
        ReferenceSet, on_delete=models.SET_NULL, null=True, related_name="imports"
    )

    objects = ReferenceImportQuerySet.as_manager()


class ReferenceImportPart(UploadPart):
    of = models.ForeignKey(
        ReferenceImport, on_delete=models.CASCADE, related_name="parts"
    )

    class Meta(UploadPart.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["of", "number"], name="reference_import_part_once"
            )
        ]
