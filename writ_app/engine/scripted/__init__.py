"""Scripted chat models: an agent that follows a task's proof and a user that follows a ledger, with mistakes on request.

Both are deterministic: what they say depends on the task, the ledger, the seed and the messages so far, and on nothing else.
What they make is for demonstration, tests and load; it is labelled with the name `scripted`.
"""

from writ_app.engine.scripted.agent import ScriptedAgent
from writ_app.engine.scripted.cast import Cast, applicable, cast
from writ_app.engine.scripted.faults import FAULTS, Fault, NotApplicable
from writ_app.engine.scripted.user import ScriptedUser

__all__ = [
    "FAULTS",
    "Cast",
    "Fault",
    "NotApplicable",
    "ScriptedAgent",
    "ScriptedUser",
    "applicable",
    "cast",
]
