"""Behaviour of users: dimensions, personas, plans, ledgers of what may be said when, and the audit of what was said.

A behaviour never changes what is wanted in the end, only how it is told (knowledge of user behaviour, §6.2); where a dimension has
two phases, the task is the second. A ledger is a behaviour made concrete for one task. The audit reads the user's side of any
conversation, scripted or not, against the ledger.
"""

from environments.core.policy import holds_back, says_yes
from writ_app.engine.behaviour.asides import phrase
from writ_app.engine.behaviour.audit import (
    UserAudit,
    UserFinding,
    audit_user,
    screen_turn,
)
from writ_app.engine.behaviour.dimensions import DIMENSIONS, Dimension, Value
from writ_app.engine.behaviour.hearing import Heard, Hearing
from writ_app.engine.behaviour.identity import as_known, wrong_lookup
from writ_app.engine.behaviour.instructions import instructions
from writ_app.engine.behaviour.ledger import make_ledger, mistyped
from writ_app.engine.behaviour.personas import PERSONAS
from writ_app.engine.behaviour.plans import PLANS
from writ_app.engine.behaviour.reading import (
    STOP,
    STOP_TOKENS,
    announces_shift,
    asks,
    asks_confirmation,
    asks_identity,
    mentions,
    offers_more,
    plain,
    refuses,
    reports_done,
    reports_nothing_found,
    was_remarked,
    was_said,
    was_told,
    was_told_wrong,
    wrong_values,
)
from writ_app.engine.behaviour.room import Room
from writ_app.engine.behaviour.rules import (
    RULES,
    conflicts,
    contradictions,
    go_together,
)
from writ_app.engine.behaviour.style import rejoined, styled, with_rejoined

__all__ = [
    "DIMENSIONS",
    "PERSONAS",
    "PLANS",
    "RULES",
    "STOP",
    "STOP_TOKENS",
    "Dimension",
    "Heard",
    "Hearing",
    "Room",
    "UserAudit",
    "UserFinding",
    "Value",
    "announces_shift",
    "as_known",
    "asks",
    "asks_confirmation",
    "asks_identity",
    "audit_user",
    "conflicts",
    "contradictions",
    "go_together",
    "holds_back",
    "instructions",
    "make_ledger",
    "mentions",
    "mistyped",
    "offers_more",
    "phrase",
    "plain",
    "refuses",
    "rejoined",
    "reports_done",
    "reports_nothing_found",
    "says_yes",
    "screen_turn",
    "styled",
    "was_remarked",
    "was_said",
    "was_told",
    "was_told_wrong",
    "with_rejoined",
    "wrong_lookup",
    "wrong_values",
]
