"""Kinds of retail requests: how to draw one, its query, its words.

Orders are described by what is in them, not by number: a customer rarely knows the number, and a number would give the account
away (an order's details name its owner), so that nothing would force the look-up by email. Slugs follow the catalogue of archetypes.
"""

from environments.retail.archetypes.addresses import R11, R12
from environments.retail.archetypes.branches import R20, R21
from environments.retail.archetypes.exchanges import R1, R2, R13, R14, R15
from environments.retail.archetypes.floor import named
from environments.retail.archetypes.information import I1, I2, I3
from environments.retail.archetypes.pending import R3, R6, R9, R10, R22
from environments.retail.archetypes.people import people_in
from environments.retail.archetypes.refusals import N1, N2, N7, N11, N12, R25, R26
from environments.retail.archetypes.refused_changes import (
    N3,
    N4,
    N5,
    N6,
    N8,
    N9,
    N10,
    N14,
    N15,
    R27,
)
from environments.retail.archetypes.returns import N13, R5, R7, R19, R23
from environments.retail.archetypes.several import W1, W2, W3, W4
from environments.retail.archetypes.transfers import T1, T2
from environments.retail.archetypes.versions import R4, R8, R16, R17, R18, R24
from environments.retail.archetypes.wording import LEXICON

READ_HEAVY = (
    *(R1, R2, R3, R4, R5, R6, R7, R8, R9, R10, R11, R12),
    *(R13, R14, R15, R16, R17, R18, R19, R20, R21, R22, R23, R24),
    *(R25, R26, R27),
)
WRITE_INTENSIVE = (W1, W2, W3, W4)
REFUSALS = (N1, N2, N3, N4, N5, N6, N7, N8, N9, N10, N11, N12, N13, N14, N15)
INFORMATION = (I1, I2, I3)
TRANSFERS = (T1, T2)

ARCHETYPES = (*READ_HEAVY, *WRITE_INTENSIVE, *REFUSALS, *INFORMATION, *TRANSFERS)

__all__ = ["ARCHETYPES", "LEXICON", "named", "people_in"]
