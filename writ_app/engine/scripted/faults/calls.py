"""Mistakes in what the agent calls."""

import itertools
from dataclasses import replace

from environments.core.tools import ToolCall
from writ_app.engine.scripted.faults.base import (
    NotApplicable,
    Stage,
    ids,
    made_before,
    needed,
    same_reads,
    siblings,
    unknown,
    with_id,
    write_of,
    writing,
)
from writ_app.engine.scripted.first_wish import first_wish
from writ_app.engine.scripted.script import Script, after_gold, with_round

# --- writes --------------------------------------------------------------------------------------------------------------------


def wrong_argument(script: Script, stage: Stage) -> Script:
    """A sibling of the right id, preferably one that the tool accepts."""
    numbers = writing(script)
    for number in reversed(numbers):
        write = write_of(script, number)
        before = [write_of(script, n) for n in numbers if n < number]
        for name, place, value in ids(write):
            for other in siblings(stage, script, value):
                wrong = with_id(write, name, place, other)
                session = stage.environment.session()
                session.replay(before)
                if not session.call(wrong).error and not _same(stage, wrong, write):
                    return with_round(script, number, write=wrong)
    number = _first_with_ids(script)
    write = write_of(script, number)
    name, place, value = ids(write)[0]
    wrong = with_id(write, name, place, unknown(value, stage.rng))
    return with_round(script, number, write=wrong)


def _same(stage: Stage, one: ToolCall, other: ToolCall) -> bool:
    canonical = stage.environment.domain.canonical_write
    return canonical(one) == canonical(other)


def _first_with_ids(script: Script) -> int:
    found = (n for n in writing(script) if ids(write_of(script, n)))
    number = next(found, None)
    if number is None:
        raise NotApplicable("No write names an id.")
    return number


def stale_argument(script: Script, stage: Stage) -> Script:
    """A later write as if an earlier one had changed nothing: it uses once more what that one used up."""
    if not stage.task.dependent:
        raise NotApplicable("The writes do not depend on each other.")
    first, *later = writing(script)
    used = write_of(script, first).arguments
    for number in later:
        write = write_of(script, number)
        for name, value in write.arguments.items():
            if name in used and used[name] != value and type(used[name]) is type(value):
                stale = {**write.arguments, name: used[name]}
                wrong = ToolCall(name=write.name, arguments=stale)
                return with_round(script, number, write=wrong)
    raise NotApplicable("The later writes use nothing that the first one used up.")


def extra_write(script: Script, stage: Stage) -> Script:
    """A write that nobody asked for, or the last write once more, if the tools let it through."""
    number = writing(script)[-1]
    last = write_of(script, number)
    state = after_gold(stage.environment, stage.task)
    unasked = stage.environment.domain.words.unasked_write(last, state)
    for extra in filter(None, (unasked, last)):
        if not stage.environment.session(over=state).call(extra).error:
            return with_round(script, number, after=(extra,))
    raise NotApplicable("Every write too many is refused.")


def missing_write(script: Script, stage: Stage) -> Script:
    """One of several writes is forgotten."""
    numbers = writing(script)
    if len(numbers) < 2:
        raise NotApplicable("There is only one write.")
    return with_round(script, stage.rng.choice(numbers), write=None)


def wrong_order(script: Script, stage: Stage) -> Script:
    """Writes that depend on each other change places."""
    numbers = writing(script)
    if not stage.task.dependent or len(numbers) < 2:
        raise NotApplicable("The order makes no difference.")
    for one, other in reversed(list(itertools.pairwise(numbers))):
        first, second = write_of(script, one), write_of(script, other)
        if not _same(stage, first, second):
            return with_round(with_round(script, one, write=second), other, write=first)
    raise NotApplicable("The writes are all the same.")


def ungrounded_argument(script: Script, stage: Stage) -> Script:
    """Before the right write, one with an id that nobody showed."""
    number = _first_with_ids(script)
    write = write_of(script, number)
    name, place, value = ids(write)[0]
    wrong = with_id(write, name, place, unknown(value, stage.rng))
    if not stage.environment.session().call(wrong).error:
        raise NotApplicable("The invented id happens to be one.")
    return with_round(script, number, before=(wrong,))


def forbidden_write(script: Script, stage: Stage) -> Script:
    """What the policy forbids is tried before it is refused; where the tool does not stand in the way, it is done."""
    if not stage.task.declined:
        raise NotApplicable("Nothing is forbidden.")
    reads = [read.call for read in stage.task.certificate]
    forbidden = stage.environment.domain.words.forbidden_write(
        stage.task.declined, reads, stage.environment.session().state
    )
    if forbidden is None:
        raise NotApplicable(
            f"No write of {stage.environment.name} breaks {stage.task.declined}."
        )
    return with_round(script, -1, before=(forbidden,))


def early_write(script: Script, stage: Stage) -> Script:
    """A first wish is fulfilled before the user has said which wish counts."""
    first = first_wish(stage.environment, stage.ledger)
    if first is None or first.write is None:
        raise NotApplicable("There is no first wish to fulfil.")
    if stage.environment.session().call(first.write).error:
        raise NotApplicable("The tools refuse the first wish.")
    lines = [line for line in stage.ledger.lines if line.phase != "second"]
    at_once = all(line.release == "opening" for line in lines if line.kind != "shift")
    turn = next(line for line in lines if line.kind == "shift")
    if turn.release == "details_told" and not at_once:
        raise NotApplicable("The user may turn to the other wish while being asked.")
    return replace(script, hasty=True)


# --- reads ---------------------------------------------------------------------------------------------------------------------


def missing_read(script: Script, stage: Stage) -> Script:
    """One needed read is skipped and the write is guessed right all the same."""
    return _without(script, stage, _needed_by_a_write(stage))


def late_read(script: Script, stage: Stage) -> Script:
    """One needed read comes after all writes."""
    moved = _needed_by_a_write(stage)
    script = _without(script, stage, moved)
    return with_round(script, writing(script)[-1], after=(moved,))


def _needed_by_a_write(stage: Stage) -> ToolCall:
    found = needed(stage, {n for write in stage.task.gold for n in write.needs})
    if not found:
        raise NotApplicable("No write needs a read beyond those of the account.")
    return stage.rng.choice(found)


def guessed_answer(script: Script, stage: Stage) -> Script:
    """A value is told right without the read that shows it."""
    if not stage.task.told or stage.task.gold:
        raise NotApplicable("Nothing but writes is asked for.")
    return _without_any(script, stage)


def hasty_refusal(script: Script, stage: Stage) -> Script:
    """What has to be refused is refused without looking."""
    if not stage.task.declined:
        raise NotApplicable("Nothing is to be refused.")
    return _without_any(script, stage)


def hasty_transfer(script: Script, stage: Stage) -> Script:
    """What is left to a person is handed over without looking."""
    if not stage.task.transferred:
        raise NotApplicable("Nothing is left to a person.")
    return _without_any(script, stage)


def _without_any(script: Script, stage: Stage) -> Script:
    found = needed(stage, range(len(stage.task.certificate)))
    if not found:
        raise NotApplicable("Nothing is read beyond the account.")
    return _without(script, stage, stage.rng.choice(found))


def _without(script: Script, stage: Stage, read: ToolCall) -> Script:
    skipped = same_reads(stage.task, read)
    for n, part in enumerate(script.rounds):
        kept = tuple(call for call in part.reads if call.key not in skipped)
        script = with_round(script, n, reads=kept)
    return script


def unverified(script: Script, stage: Stage) -> Script:
    """The account is opened without finding out whose it is."""
    find = stage.task.certificate[0].call
    identity = next((x for x in stage.ledger.lines if x.kind == "identity"), None)
    told = set(find.arguments.values()) <= set(stage.task.facts.values())
    opens_it = any(stage.task.person in map(str, x.values()) for x in [find.arguments])
    if identity is None or not told or not stage.task.person:
        raise NotApplicable("Nobody says who they are.")
    if stage.ledger.first and identity.release != "opening":
        raise NotApplicable("The second wish waits for the question who it is.")
    if opens_it:
        if identity.release != "asked":
            raise NotApplicable("The customer says at once who they are.")
        return replace(script, verified=False)
    return replace(_without(script, stage, find), verified=False)


def other_account(script: Script, stage: Stage) -> Script:
    """Somebody else's account is opened as well."""
    person = stage.task.person
    others = [key for key in stage.environment.people if key != person]
    for number, part in enumerate(script.rounds):
        for read in part.reads:
            if person and others and person in read.arguments.values():
                other = stage.rng.choice(others)
                arguments = {
                    name: other if value == person else value
                    for name, value in read.arguments.items()
                }
                call = ToolCall(name=read.name, arguments=arguments)
                return with_round(script, number, reads=(*part.reads, call))
    raise NotApplicable("No read opens an account.")


def invented_lookup(script: Script, stage: Stage) -> Script:
    """Something is looked up under an id that nobody gave."""
    for number, part in enumerate(script.rounds):
        for place, read in enumerate(part.reads):
            if ids(read):
                name, inner, value = ids(read)[0]
                wrong = with_id(read, name, inner, unknown(value, stage.rng))
                reads = (*part.reads[:place], wrong, *part.reads[place:])
                return with_round(script, number, reads=reads)
    raise NotApplicable("No read names an id.")


# --- handing over --------------------------------------------------------------------------------------------------------------


def needless_transfer(script: Script, stage: Stage) -> Script:
    """What the agent can settle is handed over to a person."""
    if stage.task.transferred:
        raise NotApplicable("The request is for a person.")
    call = ToolCall(
        name=stage.environment.domain.words.transfer_tool,
        arguments={"summary": "The customer asks for something that I cannot settle."},
    )
    rounds = tuple(replace(part, write=None) for part in script.rounds)
    return replace(script, rounds=rounds, refusal="", transfer=call)


# --- the form of a turn --------------------------------------------------------------------------------------------------------


def malformed_call(script: Script, stage: Stage) -> Script:
    """An answer that cannot be parsed, a call of a tool that there is not, or with an argument that it has not."""
    kinds = ("garbage", "unknown_tool", "unknown_argument")
    return replace(script, malformed=stage.rng.choice(kinds))


def text_beside_call(script: Script, stage: Stage) -> Script:
    _has_fresh_reads(script, stage, 1)
    return replace(script, beside=True)


def parallel_calls(script: Script, stage: Stage) -> Script:
    _has_fresh_reads(script, stage, 2)
    return replace(script, parallel=True)


def _has_fresh_reads(script: Script, stage: Stage, count: int) -> None:
    """Raises NotApplicable unless the longest row of reads ends with so many that were not made for anything before."""
    account = {stage.task.certificate[0].call.key, *made_before(stage)}
    most = max(script.rounds, key=lambda part: len(part.reads))
    last = [read.key for read in most.reads[-count:]]
    if len(last) < count or account & set(last):
        raise NotApplicable("There are not enough reads to make.")
