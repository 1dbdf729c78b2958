"""Finding a user by what this user knows: of look-ups that tell the same, the one whose arguments the ledger supplies."""

from environments.core.tools import ToolCall
from writ_app.engine.types import CertificateRead, Ledger, LedgerLine, Task


def as_known(task: Task, ledger: Ledger) -> Task:
    """The task with the look-up of its user made by what the ledger tells, e.g. by name and zip code instead of by e-mail."""
    line = next((x for x in ledger.lines if x.kind == "identity"), None)
    if line is None:
        return task
    reads = tuple(_by_known(read, line) for read in task.certificate)
    return task.model_copy(update={"certificate": reads})


def _by_known(read: CertificateRead, line: LedgerLine) -> CertificateRead:
    if read.role != "identity":
        return read
    calls = (read.call, *read.equivalents)
    known = next((c for c in calls if c.arguments.items() <= line.tells.items()), None)
    if known is None or known == read.call:
        return read
    others = tuple(call for call in calls if call != known)
    return read.model_copy(update={"call": known, "equivalents": others})


def wrong_lookup(task: Task, line: LedgerLine) -> ToolCall | None:
    """The look-up with what the line tells wrong at first; None if no look-up takes that."""
    for read in task.certificate:
        for call in (read.call, *read.equivalents):
            if call.arguments and call.arguments.keys() <= line.wrong_tells.keys():
                wrong = {name: line.wrong_tells[name] for name in call.arguments}
                return ToolCall(name=call.name, arguments=wrong)
    return None
