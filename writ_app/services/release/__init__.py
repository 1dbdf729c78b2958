"""Releases: drafted by a recipe, frozen for good; every file of one can be made again, byte for byte."""

from writ_app.services.release.dataset import DatabaseDataset, ReleaseDamaged
from writ_app.services.release.draft import (
    CannotRelease,
    StaleDraft,
    change_draft,
    choose_members,
    discard_draft,
    draft_release,
    order_choice,
)
from writ_app.services.release.freeze import freeze_draft, freeze_release
from writ_app.services.release.manifest import write_manifest
from writ_app.services.release.recipe import (
    BadRecipe,
    Recipe,
    dump_recipe,
    read_recipe,
)
from writ_app.services.release.standing import released_but_rejected

__all__ = [
    "BadRecipe",
    "CannotRelease",
    "DatabaseDataset",
    "Recipe",
    "ReleaseDamaged",
    "StaleDraft",
    "change_draft",
    "choose_members",
    "discard_draft",
    "draft_release",
    "dump_recipe",
    "freeze_draft",
    "freeze_release",
    "order_choice",
    "read_recipe",
    "released_but_rejected",
    "write_manifest",
]
