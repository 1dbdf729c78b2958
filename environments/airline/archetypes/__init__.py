"""Kinds of airline requests: how to draw one, its query, its words. Slugs follow the catalogue of archetypes."""

from environments.airline.archetypes import (
    booked,
    booking,
    both,
    cabins,
    endings,
    fares,
    lexicon,
    parties,
    questions,
    refusals,
    round_trips,
    trips,
)
from environments.airline.archetypes.named import named, people_in
from environments.core.domain import Archetype

ARCHETYPES: tuple[Archetype, ...] = (
    *booking.ARCHETYPES,
    *parties.ARCHETYPES,
    *round_trips.ARCHETYPES,
    *questions.ARCHETYPES,
    *trips.ARCHETYPES,
    *cabins.ARCHETYPES,
    *fares.ARCHETYPES,
    *endings.ARCHETYPES,
    *both.ARCHETYPES,
    *refusals.ARCHETYPES,
)
LEXICON = lexicon.LEXICON | booked.LEXICON

__all__ = ["ARCHETYPES", "LEXICON", "named", "people_in"]
