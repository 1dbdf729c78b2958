"""Ordering an evaluation run, and choosing two to be compared."""

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict

from writ_app.engine.evaluation.players import Script
from writ_app.engine.evaluation.repeats import SEED
from writ_app.engine.types import BURDEN_BANDS, WRITE_BANDS
from writ_app.forms.synthesis import CapsForm
from writ_app.models.accounts import Team, User
from writ_app.models.catalog import Environment
from writ_app.models.curation import SavedView
from writ_app.models.evaluation import EvaluationRun, RunSource
from writ_app.models.release import Release
from writ_app.models.synthesis import Batch, ModelEndpoint
from writ_app.services import evaluation
from writ_app.services.evaluation.ordering import MOST_TRIALS
from writ_app.services.evaluation.sets import BASE, BadRun, TaskSet

SCRIPTS = {
    Script.GOLD: "script: does what the gold does",
    Script.IDLE: "script: does nothing",
}
SOURCES = [one for one in RunSource if one != RunSource.FILE]
WANTED = {
    RunSource.BENCHMARK: "environments",
    RunSource.BATCH: "batch",
    RunSource.RELEASE: "release",
    RunSource.VIEW: "view",
}
"""Source → the field without which there are no tasks."""


class RunForm(CapsForm):
    """On what, who plays, how often, for how much."""

    name = forms.CharField(max_length=120)
    source = forms.ChoiceField(
        choices=[(one.value, one.label) for one in SOURCES],
        widget=forms.RadioSelect,
        initial=RunSource.BENCHMARK,
        label="Tasks of",
    )
    environments = forms.ModelMultipleChoiceField(
        queryset=Environment.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Imported with",
    )
    split = forms.ChoiceField(required=False, label="Split")
    ids = forms.CharField(
        required=False,
        max_length=20_000,
        label="Only these tasks",
        help_text="Ids with commas between them. Empty: the whole split.",
    )
    batch = forms.ModelChoiceField(queryset=Batch.objects.none(), required=False)
    release = forms.ModelChoiceField(queryset=Release.objects.none(), required=False)
    release_split = forms.CharField(
        required=False,
        max_length=20,
        label="Split of the release",
        help_text="Such as test. Empty: all of it.",
    )
    view = forms.ModelChoiceField(
        queryset=SavedView.objects.none(), required=False, label="Saved view"
    )
    cells = forms.MultipleChoiceField(
        required=False,
        choices=[(f"{w}/{b}", f"{w}/{b}") for w in WRITE_BANDS for b in BURDEN_BANDS],
        widget=forms.CheckboxSelectMultiple,
        label="Only these cells",
    )
    agent = forms.ChoiceField(
        label="Agent", help_text="Scripts are controls: their results are known."
    )
    user_simulator = forms.ModelChoiceField(
        queryset=ModelEndpoint.objects.none(),
        required=False,
        empty_label="scripted",
        label="User",
        help_text="A model as the agent on a benchmark needs a model as the user.",
    )
    judge = forms.ModelChoiceField(
        queryset=ModelEndpoint.objects.none(),
        required=False,
        empty_label="nobody",
        label="Judge",
        help_text="For assertions in words that count. Without one they stay open, and only the rest is told.",
    )
    trials = forms.IntegerField(
        min_value=1,
        max_value=MOST_TRIALS,
        initial=4,
        label="Trials of each task",
    )
    seed = forms.IntegerField(
        min_value=0,
        max_value=2**31 - 1,
        initial=SEED,
        help_text="The seeds of the trials follow from it.",
    )
    hard = forms.RegexField(
        r"^\s*\d{1,3}(\s*,\s*\d{1,3})*\s*$",
        required=False,
        initial=",".join(map(str, evaluation.HARD)),
        label="Hard from a burden of",
        help_text="One subset for each number. Fixed when you order.",
    )

    def __init__(
        self, data: QueryDict | None = None, *, team: Team, user: User
    ) -> None:
        super().__init__(data)
        self._team, self._user = team, user
        held = evaluation.benchmark_environments()
        keys = [one.pk for one in held]
        offered = ModelEndpoint.objects.offered().of_team(team)
        known: dict[str, Any] = {
            "environments": Environment.objects.filter(pk__in=keys).defer("state", "policy").order_by("name", "-pk"),
            "batch": Batch.objects.filter(team=team),
            "release": Release.objects.filter(team=team),
            "view": SavedView.objects.visible_to(user).filter(team=team),
            "user_simulator": offered,
            "judge": offered,
        }  # fmt: skip
        for name, rows in known.items():
            self.fields[name].queryset = rows  # type: ignore[attr-defined]
        names = evaluation.splits_of(held)
        self.fields["split"].choices = [(n, n) for n in names] or [("", "all")]  # type: ignore[attr-defined]
        self.fields["agent"].choices = [  # type: ignore[attr-defined]
            *((f"endpoint:{one.pk}", one.name) for one in offered),
            *((one.value, words) for one, words in SCRIPTS.items()),
        ]
        self._offered = {f"endpoint:{one.pk}": one for one in offered}
        newest: dict[str, int] = {}
        for one in held:
            newest.setdefault(one.name, one.pk)
        self.initial.setdefault("environments", list(newest.values()))
        self.initial.setdefault("split", BASE)
        self.has_benchmarks = bool(held)

    def cell_rows(self) -> Iterator[tuple[str, list[Any]]]:
        """(band of writes, a box for each band of burden)."""
        boxes = self["cells"].subwidgets
        for place, writes in enumerate(WRITE_BANDS):
            width = len(BURDEN_BANDS)
            yield writes, boxes[place * width : (place + 1) * width]

    @property
    def burdens(self) -> list[str]:
        return list(BURDEN_BANDS)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        source = cleaned.get("source")
        wanted = WANTED.get(RunSource(source)) if source else None
        if wanted and wanted not in self.errors and not cleaned.get(wanted):
            self.add_error(wanted, "Choose one: these are the tasks.")
        return cleaned

    def task_set(self) -> TaskSet:
        """Raises BadRun."""
        given = self.cleaned_data
        cells = {tuple(one.split("/")) for one in given["cells"]}
        match given["source"]:
            case RunSource.BATCH:
                return evaluation.batch_set(given["batch"], cells=cells)
            case RunSource.RELEASE:
                return evaluation.release_set(
                    given["release"], split=given["release_split"], cells=cells
                )
            case RunSource.VIEW:
                return evaluation.view_set(
                    given["view"], by=self._user, team=self._team, cells=cells
                )
        ids = [one.strip() for one in given["ids"].split(",") if one.strip()]
        return evaluation.benchmark_set(
            list(given["environments"]), split=given["split"], ids=ids
        )

    def order(self) -> EvaluationRun:
        """Raises BadRun."""
        given = self.cleaned_data
        agent = self._offered.get(given["agent"])
        names = ("name", "trials", "seed", "user_simulator", "judge")
        return evaluation.order_run(
            team=self._team,
            by=self._user,
            tasks=self.task_set(),
            agent=agent,
            script="" if agent else given["agent"],
            hard=[int(one) for one in given["hard"].split(",") if one.strip()],
            max_cost=given["max_cost"],
            max_tokens=given["max_tokens"],
            **{name: given[name] for name in names},
        )


class ResultsForm(forms.Form):
    """A results file that is to become a run."""

    file = forms.FileField(
        help_text="A result file of τ²-bench, with its tasks; not packed."
    )
    name = forms.CharField(
        max_length=120, required=False, help_text="Empty: the file's name."
    )

    def clean_file(self) -> UploadedFile:
        file: UploadedFile = self.cleaned_data["file"]
        if (file.size or 0) > settings.UPLOAD_BYTES:
            raise forms.ValidationError(
                f"Larger than {settings.UPLOAD_BYTES // 1_000_000} MB: use manage.py evaluate --import."
            )
        return file


class RunCapsForm(CapsForm):
    """What a paused run may cost from now on."""

    def __init__(
        self, data: QueryDict | None = None, *, of: EvaluationRun | None = None
    ):
        super().__init__(data)
        if of is not None:
            cost = of.max_cost
            self.initial = {
                "max_cost": None if cost is None else f"{cost.normalize():f}",
                "max_tokens": of.max_tokens,
            }


class CompareForm(forms.Form):
    """Two runs."""

    left = forms.ModelChoiceField(queryset=EvaluationRun.objects.none())
    right = forms.ModelChoiceField(queryset=EvaluationRun.objects.none())

    def __init__(self, data: QueryDict | None = None, *, user: User):
        given: Mapping[str, Any] = data or {}
        super().__init__(data if "left" in given and "right" in given else None)
        self.initial = {name: given.get(name) for name in ("left", "right")}
        runs = EvaluationRun.objects.visible_to(user).order_by("-pk")
        for name in ("left", "right"):
            self.fields[name].queryset = runs  # type: ignore[attr-defined]


__all__ = ["BadRun", "CompareForm", "ResultsForm", "RunCapsForm", "RunForm"]
