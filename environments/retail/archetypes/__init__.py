"""Kinds of retail requests: how to draw one, its query, its words.

Orders are described by what is in them, not by number: a customer rarely knows the number, and a number would give the account
away (an order's details name its owner), so that nothing would force the look-up by email. Slugs follow the catalogue of archetypes.
"""

from environments.retail.archetypes.exchanges import R1, R2, R13
from environments.retail.archetypes.floor import named
from environments.retail.archetypes.pending import R6, R10
from environments.retail.archetypes.people import people_in
from environments.retail.archetypes.refusals import N1, N2
from environments.retail.archetypes.returns import R5
from environments.retail.archetypes.several import W1, W2, W3, W4
from environments.retail.archetypes.wording import LEXICON

ARCHETYPES = (R1, R2, R5, R6, R10, R13, W1, W2, W3, W4, N1, N2)

__all__ = ["ARCHETYPES", "LEXICON", "named", "people_in"]
