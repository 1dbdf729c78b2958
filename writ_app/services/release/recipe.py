"""What a release is made by: the same recipe over the same approvals chooses, splits and writes the same."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator

from writ_app.engine.errors import WritError
from writ_app.engine.export.options import Options
from writ_app.engine.export.tokens import tokenizers
from writ_app.engine.types import BURDEN_BANDS, WRITE_BANDS, Frozen
from writ_app.services.review.listing import NAMES

SPLITS = ("train", "validation", "test")
"""Names of the splits, in the order in which files and tables have them."""
LICENCES = (
    "CC-BY-4.0",
    "CC-BY-SA-4.0",
    "CC-BY-NC-4.0",
    "CC-BY-NC-SA-4.0",
    "CC0-1.0",
    "ODC-By-1.0",
    "CDLA-Permissive-2.0",
    "Apache-2.0",
    "MIT",
    "LicenseRef-Proprietary",
)
"""SPDX identifiers that the form offers."""
CELLS = tuple(f"{writes}/{burden}" for writes in WRITE_BANDS for burden in BURDEN_BANDS)
"""Cells of the two axes: band of writes / band of burden."""


class BadRecipe(WritError):
    """A recipe that cannot be followed, with what is wrong in words."""


def _known_filters(filters: dict[str, Any]) -> dict[str, Any]:
    if unknown := sorted(filters.keys() - {*NAMES, "sort"}):
        raise ValueError(f"there is no filter {unknown[0]!r}")
    return {name: value for name, value in filters.items() if name != "sort"}


def _known_cells(caps: dict[str, int]) -> dict[str, int]:
    if unknown := sorted(caps.keys() - set(CELLS)):
        raise ValueError(f"there is no cell {unknown[0]!r}, such as 1/4-6 is one")
    return {cell: caps[cell] for cell in CELLS if cell in caps}


def _known_shares(shares: dict[str, float]) -> dict[str, float]:
    if unknown := sorted(shares.keys() - set(SPLITS)):
        raise ValueError(f"there is no split {unknown[0]!r}: {', '.join(SPLITS)}")
    kept = {name: shares[name] for name in SPLITS if shares.get(name)}
    if any(share < 0 for share in kept.values()):
        raise ValueError("a share is not negative")
    if abs(sum(kept.values()) - 1) > 1e-6:
        raise ValueError(f"the shares make {sum(kept.values()):.6g}, not 1")
    return kept


class Recipe(Frozen):
    """`{}` means: everything that is approved, all of it to train on."""

    view: str = Field(default="", max_length=80)
    """Name of the saved view that the filters came from, for people."""
    filters: Annotated[dict[str, Any], AfterValidator(_known_filters)] = {}
    """As the list of trajectories has them."""
    seed: int = Field(default=1, ge=0, lt=2**31)
    cap: int | None = Field(default=None, ge=0)
    """Most trajectories of one cell of writes × burden; None: all."""
    caps: Annotated[dict[str, int], AfterValidator(_known_cells)] = {}
    """Cell → most of that one, instead of `cap`."""
    shares: Annotated[dict[str, float], AfterValidator(_known_shares)] = {"train": 1.0}
    """Split → share of the trajectories; they sum to 1."""
    max_tokens: int | None = Field(default=None, ge=1)
    """Longer ones are left out, never cut."""
    tokenizer: str = Field(default="", max_length=80)
    gates: tuple[str, ...] = ()
    """What no member may share anything with, as services/release/gates.py names it: an environment (name/version) for the benchmark
    tasks imported into it, `set:` and the first characters of its hash for a reference set."""
    excluded: tuple[int, ...] = ()
    """Items that stay out whatever the filters say."""
    options: Options = Options()
    """For the formats (engine/export)."""

    @model_validator(mode="after")
    def _can_be_counted(self) -> Self:
        if self.max_tokens is not None and not self.tokenizer:
            raise ValueError("a limit of tokens needs a tokenizer to count them with")
        if self.tokenizer and self.tokenizer not in tokenizers():
            raise ValueError(
                f"there is no tokenizer {self.tokenizer!r} here; there are {', '.join(tokenizers())}"
            )
        return self

    def cap_of(self, cell: str) -> int | None:
        return self.caps.get(cell, self.cap)

    @property
    def splits(self) -> tuple[str, ...]:
        return tuple(self.shares)


def read_recipe(values: Mapping[str, Any]) -> Recipe:
    """Raises BadRecipe, which says what is wrong with which part."""
    try:
        return Recipe.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        part = ".".join(map(str, first["loc"]))
        text = re.sub(r"^Value error, ", "", first["msg"])
        raise BadRecipe(f"{part}: {text}" if part else text) from error


def dump_recipe(recipe: Recipe) -> dict[str, Any]:
    """Plain JSON that reads back the same."""
    return recipe.model_dump(mode="json")
