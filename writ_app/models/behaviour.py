"""Personas and behaviour plans: built-in ones, which every team sees, and those of one team."""

from typing import ClassVar

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from writ_app.engine import types
from writ_app.models.accounts import Team, User
from writ_app.models.fields import OrderedJSONField


class ConductQuerySet(models.QuerySet["Conduct"]):
    def visible_to(self, user: User) -> "ConductQuerySet":
        return self.filter(Q(team=None) | Q(team__in=user.team_ids))

    def known_to(self, team: Team) -> "ConductQuerySet":
        return self.filter(Q(team=None) | Q(team=team))

    def with_enabled(self, team: Team) -> "ConductQuerySet":
        """Each with `enabled`: whether new batches of the team may draw it."""
        through = self.model.disabled_by.through._default_manager.filter(team=team)
        own = {f"{self.model._meta.model_name}_id": OuterRef("pk")}
        return self.annotate(enabled=~Exists(through.filter(**own)))

    def enabled_for(self, team: Team) -> "ConductQuerySet":
        return self.known_to(team).exclude(disabled_by=team)


class Conduct(models.Model):
    """What personas and plans have in common. Values are the engine's; a simulation pins what it used."""

    team = models.ForeignKey(
        Team, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    """Null: built in, kept as the engine has it."""
    slug = models.SlugField(max_length=40)
    title = models.CharField(max_length=80)
    text = models.TextField(max_length=1000)
    """For a model that plays the user: who this is, or how to reveal the request."""
    dimensions = OrderedJSONField(default=dict)
    """Dimension → values that it allows; a dimension that is not named is open."""
    disabled_by = models.ManyToManyField(Team, blank=True, related_name="+")
    """Teams that do not want it in new batches."""
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = ConductQuerySet.as_manager()

    class Meta:
        abstract = True
        ordering: ClassVar = [models.F("team").asc(nulls_first=True), "id"]

    def __str__(self) -> str:
        return self.title

    @property
    def built_in(self) -> bool:
        return self.team_id is None

    @property
    def value(self) -> types.Persona | types.BehaviourPlan:
        raise NotImplementedError

    @property
    def values(self) -> dict[str, tuple[str, ...]]:
        return {slug: tuple(values) for slug, values in self.dimensions.items()}


class Persona(Conduct):
    """Who speaks."""

    class Meta(Conduct.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["team", "slug"], name="persona_once", nulls_distinct=False
            )
        ]

    @property
    def value(self) -> types.Persona:
        return types.Persona(
            slug=self.slug, title=self.title, card=self.text, dimensions=self.values
        )


class BehaviourPlan(Conduct):
    """How a request is revealed."""

    class Meta(Conduct.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["team", "slug"], name="plan_once", nulls_distinct=False
            )
        ]

    @property
    def value(self) -> types.BehaviourPlan:
        return types.BehaviourPlan(
            slug=self.slug,
            title=self.title,
            instruction=self.text,
            dimensions=self.values,
        )
