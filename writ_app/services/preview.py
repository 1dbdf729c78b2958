"""What a model would be shown of one trajectory, and which of it would be trained on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any

from writ_app.engine.export.chat_templates import FAMILIES, CannotRender, Family
from writ_app.engine.export.fixed import Row
from writ_app.engine.export.formats import FORMATS, Format
from writ_app.engine.export.mask import (
    OF_TEMPLATE,
    RULES,
    Rule,
    Segment,
    segments,
    tokens,
    unseen,
)
from writ_app.engine.export.options import Options
from writ_app.engine.export.records import Record, World, record_of, world_of
from writ_app.engine.export.tokens import Tokenizer, counter, tokenizers
from writ_app.engine.export.unfit import UnfitRow
from writ_app.engine.types import Task, Trajectory
from writ_app.models.catalog import Environment
from writ_app.models.review import ReviewItem
from writ_app.services.catalog import load_environment

LONG = 1500
"""Characters of a turn that nothing of is trained on, above which a page folds it."""
OTHERWISE = ("cl100k_base", "estimate")
"""Tokenizers to count with where the family's own is not installed, best first."""

PREVIEWED: dict[str, Format] = {slug: FORMATS[slug] for slug in RULES}


@dataclass(frozen=True)
class ShownTurn:
    """One turn as the model reads it."""

    role: str
    segments: Sequence[Segment]

    @property
    def trained(self) -> bool:
        return any(part.trained for part in self.segments)

    @property
    def why(self) -> str:
        """Every reason once, without the template's own words beside a message's."""
        reasons = dict.fromkeys(part.why for part in self.segments)
        said = [reason for reason in reasons if reason not in OF_TEMPLATE]
        return " ".join(said or reasons)

    @property
    def characters(self) -> int:
        return sum(len(part.text) for part in self.segments)

    @property
    def folded(self) -> bool:
        return not self.trained and self.characters > LONG


@dataclass(frozen=True)
class Preview:
    """One row of one format, as models of one family are shown it. `refusal` tells why there is no such row or text."""

    form: Format
    rule: Rule
    family: Family
    tokenizer: Tokenizer
    rows: int = 0
    row: Row | None = None
    turns: Sequence[ShownTurn] = ()
    tokens: int = 0
    trained: int = 0
    unseen: Sequence[str] = ()
    """Texts of the row that the template leaves out."""
    refusal: str = ""

    @property
    def own_tokenizer(self) -> bool:
        return self.tokenizer.slug == self.family.tokenizer


def preview(
    item: ReviewItem, *, slug: str, family: str, options: Options, number: int = 1
) -> Preview:
    """The item's row with this number (from 1; the last one if there are fewer). Slugs are keys of `PREVIEWED` and `FAMILIES`."""
    form, model = PREVIEWED[slug], FAMILIES[family]
    empty = Preview(form, RULES[slug], model, _tokenizer(model))
    try:
        rows = list(form.rows(record_from(item), options))
    except UnfitRow as error:
        return _with(empty, refusal=str(error))
    if not rows:
        return _with(empty, refusal="Nothing of it would be trained on.")
    row = rows[min(number, len(rows)) - 1]
    try:
        parts = segments(row, slug, model)
    except CannotRender as error:
        return _with(empty, rows=len(rows), row=row, refusal=str(error))
    whole, trained = tokens(parts, model, counter(empty.tokenizer.slug))
    return _with(
        empty,
        rows=len(rows),
        row=row,
        turns=list(_turns(parts)),
        unseen=unseen(row, slug, model),
        tokens=whole,
        trained=trained,
    )


def _with(made: Preview, **more: Any) -> Preview:
    return Preview(**{**vars(made), **more})


def _turns(parts: Sequence[Segment]) -> Iterator[ShownTurn]:
    for role, some in groupby(parts, key=lambda part: part.role):
        yield ShownTurn(role, list(some))


def _tokenizer(family: Family) -> Tokenizer:
    here = tokenizers()
    return next(here[s] for s in (family.tokenizer, *OTHERWISE) if s in here)


def record_from(item: ReviewItem) -> Record:
    """The item's version of the trajectory as a dataset would hold it. Raises ChangedEnvironment."""
    environment = item.task.environment
    return record_of(
        _world(environment.pk, environment.content_hash),
        Task.model_validate(item.task.content),
        Trajectory.model_validate(item.stored_content),
    )


@cache
def _world(pk: int, content_hash: str) -> World:
    """The hash is part of the question: an environment that changed is another world."""
    row = Environment.objects.get(pk=pk)
    return world_of(load_environment(row))
