"""Kinds of airline requests: how to draw one, its query, its words. Slugs follow the catalogue of archetypes."""

from environments.airline.archetypes import booking, parties, questions, round_trips
from environments.airline.archetypes.lexicon import LEXICON
from environments.airline.archetypes.named import named, people_in
from environments.core.domain import Archetype

ARCHETYPES: tuple[Archetype, ...] = (
    *booking.ARCHETYPES,
    *parties.ARCHETYPES,
    *round_trips.ARCHETYPES,
    *questions.ARCHETYPES,
)

__all__ = ["ARCHETYPES", "LEXICON", "named", "people_in"]
