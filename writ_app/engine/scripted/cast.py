"""Who plays in a conversation of scripted models, and where: with or without a fault."""

from dataclasses import dataclass

from environments.core.environment import Environment
from writ_app.engine.llm import ChatModel
from writ_app.engine.scripted.agent import ScriptedAgent
from writ_app.engine.scripted.faults import FAULTS, FaultyUser, NotApplicable, stage_of
from writ_app.engine.scripted.user import ScriptedUser
from writ_app.engine.types import Ledger, Task


@dataclass(frozen=True)
class Cast:
    """`environment` is where the conversation is held: another than the task's own only if the fault is the environment's."""

    environment: Environment
    agent: ChatModel
    user: ChatModel


def cast(environment: Environment, task: Task, ledger: Ledger, fault: str = "") -> Cast:
    """Raises KeyError for a fault that there is not, NotApplicable (a ValueError) for one that would make no difference."""
    user = ScriptedUser(task, ledger)
    if not fault:
        return Cast(environment, ScriptedAgent(environment, task, ledger), user)
    kind = FAULTS[fault]
    stage = stage_of(fault, environment, task, ledger, 0)
    return Cast(
        environment=kind.world(stage) if kind.world else environment,
        agent=ScriptedAgent(environment, task, ledger, fault),
        user=FaultyUser(user, kind, stage) if kind.speech else user,
    )


def applicable(
    fault: str, environment: Environment, task: Task, ledger: Ledger
) -> bool:
    """Whether the fault can be made in this task with this user. Raises KeyError for a fault that there is not."""
    try:
        cast(environment, task, ledger, fault)
    except NotApplicable:
        return False
    return True
