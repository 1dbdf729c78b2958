"""Kinds of airline requests: how to draw one, its query, its words. Slugs follow the catalogue of archetypes."""

from typing import Any

from environments.airline.archetypes.named import named, people_in
from environments.core.domain import Archetype

ARCHETYPES: tuple[Archetype, ...] = ()
LEXICON: dict[str, dict[Any, tuple[str, ...]]] = {}

__all__ = ["ARCHETYPES", "LEXICON", "named", "people_in"]
