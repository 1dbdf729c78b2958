"""Mistakes in what the agent says, and in when it says it."""

from dataclasses import replace

from environments.core.arithmetic import Reckoning, numbers_in
from writ_app.engine.behaviour import phrase
from writ_app.engine.behaviour.listing import listing
from writ_app.engine.scripted import phrases
from writ_app.engine.scripted.faults.base import (
    NotApplicable,
    Stage,
    ids,
    shown,
    siblings,
    unknown,
    with_id,
    write_of,
    writing,
)
from writ_app.engine.scripted.script import Script, Step, make_script, with_round

# --- the question before a write -----------------------------------------------------------------------------------------------


def no_confirmation(script: Script, stage: Stage) -> Script:
    """The last write is made without asking."""
    return with_round(script, writing(script)[-1], confirm=False)


def late_confirmation(turns: tuple[Step, ...], stage: Stage) -> tuple[Step, ...]:
    """The last write is made, and only then the agent asks for it."""
    asked = [n for n, step in enumerate(turns) if step.asks]
    if not asked:
        raise NotApplicable("Nothing is asked for.")
    n = asked[-1]
    return (*turns[:n], turns[n + 1], turns[n], *turns[n + 2 :])


def wrong_listing(script: Script, stage: Stage) -> Script:
    """What the agent lists is about something else than what it then does."""
    session = stage.environment.session()
    words = stage.environment.domain.words
    for number in writing(script):
        write = write_of(script, number)
        needed = listing(stage.environment, write)
        for name, place, value in ids(write):
            others = siblings(stage, script, value) or [unknown(value, stage.rng)]
            for other in others[:3]:
                wrong = with_id(write, name, place, other)
                told = words.describe_write(wrong, session.state)
                if not needed.in_text(told):
                    return with_round(script, number, listed=wrong)
        session.call(write)
    raise NotApplicable("No write has to be listed by an id.")


def despite_no(turns: tuple[Step, ...], stage: Stage) -> tuple[Step, ...]:
    """The user hesitates, and the agent writes all the same."""
    if not any(step.asks for step in turns):
        raise NotApplicable("Nothing is asked for.")
    return tuple(replace(step, asks=False) for step in turns)


# --- refusing ------------------------------------------------------------------------------------------------------------------


def wrongly_refused(script: Script, stage: Stage) -> Script:
    writing(script)
    refusal = phrase(phrases.WRONG_REFUSAL, stage.rng)
    return replace(script, refusal=refusal)


def wrong_reason(script: Script, stage: Stage) -> Script:
    """Refused, but by a rule of the policy that has nothing to do with it."""
    declined = stage.task.declined
    section = declined.partition(".")[0]
    others = [c for c in stage.environment.clauses if c.partition(".")[0] != section]
    if not declined or not others:
        raise NotApplicable("There is no rule to be mistaken about.")
    clause = stage.rng.choice(others)
    return replace(script, refusal=phrase(phrases.BY_RULE, stage.rng, clause=clause))


def false_promise(script: Script, stage: Stage) -> Script:
    """What has to be refused is said to be done, and nothing is done."""
    if not stage.task.declined:
        raise NotApplicable("Nothing is to be refused.")
    return replace(script, refusal=phrase(phrases.PROMISED, stage.rng))


# --- telling -------------------------------------------------------------------------------------------------------------------


def false_report(script: Script, stage: Stage) -> Script:
    """The last write is reported as done, and was not made."""
    return with_round(script, writing(script)[-1], pretended=True)


def hollow_claim(turns: tuple[Step, ...], stage: Stage) -> tuple[Step, ...]:
    """Where nothing was to be changed, the agent says that it has changed something."""
    if stage.task.gold or stage.task.transferred:
        raise NotApplicable("There is something to be changed.")
    return _added(turns, phrase(phrases.HOLLOW, stage.rng))


def nothing_told(script: Script, stage: Stage) -> Script:
    if not stage.task.told:
        raise NotApplicable("Nothing is to be told.")
    return replace(script, told=())


def wrong_value(script: Script, stage: Stage) -> Script:
    """The user is told another value than the right one."""
    for n, one in enumerate(script.told):
        wrong = _another(one.value, stage)
        if wrong is not None:
            told = (*script.told[:n], one.model_copy(update={"value": wrong}))
            return replace(script, told=(*told, *script.told[n + 1 :]))
    raise NotApplicable("There is no value to be mistaken about.")


def _another(value: object, stage: Stage) -> object | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value + stage.rng.randrange(2, 9)
    if isinstance(value, float):
        return round(value + stage.rng.randrange(150, 900) / 100, 2)
    return {"yes": "no", "no": "yes"}.get(str(value))


def invented_amount(turns: tuple[Step, ...], stage: Stage) -> tuple[Step, ...]:
    """A fee that nobody charges: an amount that the numbers seen do not come to."""
    texts = [
        *shown(stage, make_script(stage.environment, stage.task)),
        *(step.text for step in turns),
        stage.environment.policy,
        *map(str, stage.environment.schemas),
        *(f"{line.text} {line.wrong_text}" for line in stage.ledger.lines),
    ]
    reckoning = Reckoning(n for text in texts for n in numbers_in(text))
    for _ in range(40):
        amount = stage.rng.randrange(15, 600) + stage.rng.randrange(1, 100) / 100
        if not reckoning.gives(amount):
            fee = phrase(phrases.FEE, stage.rng, amount=f"${amount:,.2f}")
            return _added(turns, fee)
    raise NotApplicable("Nearly every amount can be reckoned from what is seen.")


def invented_id(turns: tuple[Step, ...], stage: Stage) -> tuple[Step, ...]:
    """A number of a case that there is not."""
    number = stage.rng.randrange(10**8, 10**9)
    return _added(turns, phrase(phrases.CASE, stage.rng, number=number))


def _added(turns: tuple[Step, ...], text: str) -> tuple[Step, ...]:
    """The agent's last words begin with `text`."""
    if _hands_over(turns):
        raise NotApplicable("The last words are fixed.")
    last = turns[-1]
    return (*turns[:-1], replace(last, text=f"{text} {last.text}"))


def _hands_over(turns: tuple[Step, ...]) -> bool:
    return len(turns) > 1 and turns[-2].hands_over


# --- handing over --------------------------------------------------------------------------------------------------------------


def transfer_in_words(turns: tuple[Step, ...], stage: Stage) -> tuple[Step, ...]:
    """The agent says that it hands over, and does not."""
    if not _hands_over(turns):
        raise NotApplicable("Nothing is handed over.")
    return (*turns[:-2], turns[-1])


def unannounced_transfer(turns: tuple[Step, ...], stage: Stage) -> tuple[Step, ...]:
    """The agent hands over, and does not say what the policy wants it to say then."""
    if not _hands_over(turns):
        raise NotApplicable("Nothing is handed over.")
    last = phrase(phrases.HANDED_OVER, stage.rng)
    return (*turns[:-1], replace(turns[-1], text=last))
