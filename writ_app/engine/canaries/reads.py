"""Errors in what is read."""

from environments.core.tools import ToolCall
from writ_app.engine.canaries.copying import Canary, Original, saying, without_call
from writ_app.engine.types import CertificateRead


def dropped_read(original: Original) -> Canary | None:
    """A read of the certificate is gone, with everything that tells the same; the answer is right all the same."""
    needed = [
        r for r in original.task.certificate if r.role != "identity" and r.witness
    ]
    for read in original.shuffled(needed):
        keys = _keys(read)
        made = [m for m in original.reads if m.call.key in keys]
        if not made:
            continue
        messages = list(original.messages)
        for one in reversed(made):
            messages = without_call(messages, one)
        renewed = original.replayed(messages)
        if renewed is not None:
            told = f"The read {_brief(read.call)} was taken out, with its result."
            return original.canary(renewed, told, made[0].index)
    return None


def tampered_result(original: Original) -> Canary | None:
    """A result is what it would be in the database that proves the read: there, another answer is right."""
    for read in original.shuffled(original.task.certificate):
        if read.witness is None or not read.witness.patch:
            continue
        keys = _keys(read)
        made = next((m for m in original.reads if m.call.key in keys), None)
        if made is None:
            continue
        session = original.environment.session()
        session.state.apply_patch(read.witness.patch)
        other = session.call(made.call)
        old = original.messages[made.answer]
        if other.error or other.content == old.content:
            continue
        messages = list(original.messages)
        messages[made.answer] = saying(old, other.content)
        told = f"The result of {_brief(made.call)} was changed. {read.witness.note}"
        return original.canary(messages, told, made.answer)
    return None


def _keys(read: CertificateRead) -> set[str]:
    return {read.call.key, *(other.key for other in read.equivalents)}


def _brief(call: ToolCall) -> str:
    return f"{call.name} ({', '.join(map(str, call.arguments.values()))})"
