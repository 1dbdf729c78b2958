"""How tests read words back."""

from collections.abc import Mapping
from typing import Any

from environments.core.domain import Domain
from environments.core.grammar import Understood, apart_from_sisters, understand


def understood_as(
    slug: str, text: str, facts: Mapping[str, Any], domain: Domain
) -> Understood:
    """The one way to understand a text of this archetype, sisters apart; fails if there is none or another."""
    (archetype,) = (one for one in domain.archetypes if one.slug == slug)
    ways = understand(text, domain.archetypes, domain.lexicon)
    told = {name for way in ways for name in way.facts}
    who = {name: value for name, value in facts.items() if name not in told}
    (way,) = apart_from_sisters(
        ways, archetype, archetype.query(facts), who, domain.archetypes
    )
    assert way.archetype == slug, text
    return way
