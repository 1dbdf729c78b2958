"""Whether a record can be written in every format: asked before a dataset is frozen, so that no file can fail later."""

from collections import deque
from collections.abc import Iterator
from dataclasses import replace

from writ_app.engine.export.formats import FORMATS
from writ_app.engine.export.lint import lint
from writ_app.engine.export.options import Options
from writ_app.engine.export.records import Record
from writ_app.engine.export.unfit import Problem, UnfitRow


def refusals(record: Record, options: Options) -> Iterator[Problem]:
    """What `lint` finds; of a record that it lets pass, what each format says that cannot hold it, named in the text."""
    found = list(lint(record))
    yield from found
    if found:  # every format would say the same
        return
    record = replace(record, linted=True)
    for form in FORMATS.values():
        try:
            deque(form.rows(record, options), maxlen=0)
        except UnfitRow as error:
            yield Problem(error.pitfall, f"{form.title} cannot hold it: {error}")
