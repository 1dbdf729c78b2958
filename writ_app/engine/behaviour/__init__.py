"""Behaviour of users: plans of how a request is revealed, ledgers of what may be said when, and the audit of what was said.

A plan never changes what is wanted, only how it is told (knowledge of user behaviour, dimensions B1, B2, B4, B13). A ledger is a plan
made concrete for one task. The audit reads the user's side of any conversation, scripted or not, against the ledger.
"""

from writ_app.engine.behaviour.audit import UserAudit, UserFinding, audit_user
from writ_app.engine.behaviour.plans import PLANS, instructions, make_ledger, phrase
from writ_app.engine.behaviour.reading import (
    STOP,
    STOP_TOKENS,
    asks,
    asks_confirmation,
    asks_identity,
    mentions,
    offers_more,
    plain,
    reports_nothing_found,
    says_yes,
    was_said,
    was_told,
    was_told_wrong,
    wrong_values,
)

__all__ = [
    "PLANS",
    "STOP",
    "STOP_TOKENS",
    "UserAudit",
    "UserFinding",
    "asks",
    "asks_confirmation",
    "asks_identity",
    "audit_user",
    "instructions",
    "make_ledger",
    "mentions",
    "offers_more",
    "phrase",
    "plain",
    "reports_nothing_found",
    "says_yes",
    "was_said",
    "was_told",
    "was_told_wrong",
    "wrong_values",
]
