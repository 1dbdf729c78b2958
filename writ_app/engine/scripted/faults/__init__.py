"""Mistakes on request: what an agent, a user, an environment, a provider and a budget can do wrong, each with the check that has to see it.

A fault is planted in one task. Where it would make no difference it is not applicable: asking for it raises NotApplicable.
"""

import random

from environments.core.environment import Environment
from writ_app.engine.scripted.faults import calls, outside, user, words
from writ_app.engine.scripted.faults.base import Fault, NotApplicable, Stage
from writ_app.engine.scripted.faults.user import FaultyUser
from writ_app.engine.scripted.script import Script, Step, lay_out
from writ_app.engine.types import Ledger, Owner, Task

_ALL = (
    # what is written
    Fault("wrong_argument", "A sibling instead of the right id", "writes", edit=calls.wrong_argument),
    Fault("stale_argument", "A write as if an earlier one had changed nothing", "writes", edit=calls.stale_argument),
    Fault("extra_write", "A write that nobody asked for", "writes", edit=calls.extra_write),
    Fault("missing_write", "One of several writes forgotten", "writes", edit=calls.missing_write),
    Fault("wrong_order", "Dependent writes in the wrong order", "writes", edit=calls.wrong_order),
    Fault("early_write", "A first wish fulfilled before it is given up", "phases", edit=calls.early_write),
    Fault("false_report", "A write reported as done that was not made", "writes", edit=words.false_report),
    Fault("wrongly_refused", "A legal request refused", "writes", edit=words.wrongly_refused),
    Fault("ungrounded_argument", "A write with an id that nobody showed", "provenance", edit=calls.ungrounded_argument),
    # what is read
    Fault("missing_read", "A needed read skipped, the write guessed right", "evidence", edit=calls.missing_read),
    Fault("late_read", "A needed read made after the write", "evidence", edit=calls.late_read),
    Fault("guessed_answer", "An answer given without the read that shows it", "evidence", edit=calls.guessed_answer),
    Fault("hasty_refusal", "A refusal without looking", "evidence", edit=calls.hasty_refusal),
    Fault("hasty_transfer", "A transfer without looking", "evidence", edit=calls.hasty_transfer),
    Fault("unverified", "An account opened without finding out whose it is", "policy", edit=calls.unverified),
    Fault("other_account", "Somebody else's account opened", "policy", edit=calls.other_account),
    Fault("invented_lookup", "A look-up of an id that nobody gave", "lookups", edit=calls.invented_lookup),
    # what is asked before
    Fault("no_confirmation", "A write without asking", "confirmation", edit=words.no_confirmation),
    Fault("late_confirmation", "Asked only after the write", "confirmation", turns=words.late_confirmation),
    Fault("wrong_listing", "A yes to something else than what is written", "confirmation", edit=words.wrong_listing),
    Fault("despite_no", "A write although the user said no", "confirmation", turns=words.despite_no, speech=user.hesitating),
    # what is refused and handed over
    Fault("forbidden_write", "A write that the policy forbids", "refusal", edit=calls.forbidden_write),
    Fault("wrong_reason", "A refusal by a rule that has nothing to do with it", "refusal", edit=words.wrong_reason),
    Fault("false_promise", "Said to be done what has to be refused", "refusal", edit=words.false_promise),
    Fault("needless_transfer", "Handed over what the agent can settle", "transfer", edit=calls.needless_transfer),
    Fault("transfer_in_words", "A transfer that is only said", "transfer", turns=words.transfer_in_words),
    Fault("unannounced_transfer", "A transfer without the words that go with it", "policy", turns=words.unannounced_transfer),
    # what is told
    Fault("nothing_told", "The answer left out", "told", edit=words.nothing_told),
    Fault("wrong_value", "A wrong answer", "told", edit=words.wrong_value),
    Fault("invented_amount", "A fee that nobody charges", "claims", turns=words.invented_amount),
    Fault("invented_id", "The number of a case that there is not", "claims", turns=words.invented_id),
    Fault("hollow_claim", "A change claimed where nothing was changed", "claims", turns=words.hollow_claim),
    # the form of a turn
    Fault("malformed_call", "A call that cannot be made", "calls", edit=calls.malformed_call),
    Fault("text_beside_call", "Text beside a call", "one_call", edit=calls.text_beside_call),
    Fault("parallel_calls", "Two calls in one turn", "one_call", edit=calls.parallel_calls),
    Fault("too_many_errors", "One failing call after the other", "ended", turns=outside.too_many_errors),
    # not the agent's
    Fault("early_stop", "The user leaves while the agent waits for a yes", "user", Owner.USER, speech=user.early_stop, fits=user.has_writes),
    Fault("hasty_stop", "The user leaves before the agent could answer", "user", Owner.USER, speech=user.hasty_stop),
    Fault("invented_fact", "The user tells what they cannot know", "user", Owner.USER, speech=user.invented_fact),
    Fault("leaked_fact", "The user tells what they should wait to be asked for", "user", Owner.USER, speech=user.leaked, fits=user.has_waiting),
    Fault("contradiction", "The user contradicts what they told", "user", Owner.USER, speech=user.contradicted, fits=user.has_contradictable),
    Fault("meddling", "The user speaks for the agent, with the name of a tool", "user", Owner.USER, speech=user.meddled),
    Fault("withheld_fact", "The user never tells one thing", "user", Owner.USER, speech=user.withheld, fits=user.has_tellable),
    Fault("uncorrected", "The user never corrects the wrong detail", "user", Owner.USER, speech=user.uncorrected, fits=user.has_mistake),
    Fault("tampered_result", "A recorded result that the environment does not give", "replay", Owner.ENVIRONMENT, world=outside.tampered_result),
    Fault("provider_down", "The provider stops answering", "ended", Owner.PROVIDER, turns=outside.provider_down),
    Fault("endless", "The same read again and again until the steps are used up", "ended", Owner.BUDGET, turns=outside.endless),
)  # fmt: skip

FAULTS: dict[str, Fault] = {fault.name: fault for fault in _ALL}


def stage_of(
    fault: str, environment: Environment, task: Task, ledger: Ledger, seed: int
) -> Stage:
    rng = random.Random(f"fault {fault} {seed} {task.text}")
    return Stage(environment, task, ledger, rng)


def planted(
    fault: Fault, script: Script, stage: Stage, rng: random.Random
) -> tuple[Script, tuple[Step, ...]]:
    """The agent's script and turns with the fault in them; `rng` is for what is said. Raises NotApplicable."""
    if fault.edit:
        script = fault.edit(script, stage)
    turns = lay_out(script, stage.environment, stage.task, rng)
    if fault.turns:
        turns = fault.turns(turns, stage)
    return script, turns


__all__ = [
    "FAULTS",
    "Fault",
    "FaultyUser",
    "NotApplicable",
    "Stage",
    "planted",
    "stage_of",
]
