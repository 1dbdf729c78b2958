"""Kinds of airline requests: how to draw one, its query, its words. Slugs follow the catalogue of archetypes."""

from typing import Any

from environments.airline.archetypes.booked import LEXICON as BOOKED_LEXICON
from environments.airline.archetypes.both import BOTH
from environments.airline.archetypes.endings import ENDINGS
from environments.airline.archetypes.fares import FARES
from environments.airline.archetypes.named import named, people_in
from environments.airline.archetypes.refusals import INFORMATION, REFUSALS, TRANSFERS
from environments.airline.archetypes.trips import TRIPS
from environments.core.domain import Archetype

ARCHETYPES: tuple[Archetype, ...] = (
    *TRIPS,
    *FARES,
    *ENDINGS,
    *BOTH,
    *REFUSALS,
    *TRANSFERS,
    *INFORMATION,
)
LEXICON: dict[str, dict[Any, tuple[str, ...]]] = {**BOOKED_LEXICON}

__all__ = ["ARCHETYPES", "LEXICON", "named", "people_in"]
