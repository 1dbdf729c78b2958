"""Kinds of airline requests: how to draw one, its query, its words. Slugs follow the catalogue of archetypes."""

from environments.airline.archetypes import booking
from environments.airline.archetypes.lexicon import LEXICON
from environments.airline.archetypes.named import named, people_in
from environments.core.domain import Archetype

ARCHETYPES: tuple[Archetype, ...] = (*booking.ARCHETYPES,)

__all__ = ["ARCHETYPES", "LEXICON", "named", "people_in"]
