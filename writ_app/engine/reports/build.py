"""The one pass over a source from which everything in a report comes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from writ_app.engine.decontamination import BenchmarkIndex
from writ_app.engine.reports.cells import Cells
from writ_app.engine.reports.conduct import Conduct
from writ_app.engine.reports.evidence import Evidence
from writ_app.engine.reports.origins import Origins, Trials
from writ_app.engine.reports.purity import Purity
from writ_app.engine.reports.sizes import CountTokens, Sizes
from writ_app.engine.reports.source import Source
from writ_app.engine.reports.texts import Texts
from writ_app.engine.reports.tools import Tools

VERSION = 2
"""Of the form of a report's JSON and of how its numbers are made."""


@dataclass(frozen=True)
class Options:
    """`count` counts tokens, by the tokenizer that `tokenizer` names. `seed` chooses the samples. `everything`: rejected ones are
    counted like accepted ones, because they are what the report is about."""

    count: CountTokens
    tokenizer: str
    seed: int = 0
    everything: bool = False


def measure(
    source: Source,
    options: Options,
    *,
    indexes: Mapping[str, BenchmarkIndex] | None = None,
    on_step: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Everything that can be said of a source, as plain JSON: the same source and options give the same bytes.

    Of rejected ones (the fact `accepted` is false) only their share, their reasons and their early writes count. `on_step` is
    called after each record.
    """
    sizes = Sizes(options.count, options.tokenizer)
    cells, evidence, trials = Cells(), Evidence(), Trials()
    tools, texts = Tools(source.worlds, options.seed), Texts(options.seed)
    conduct, origins, purity = Conduct(), Origins(), Purity(indexes or {})
    whole = (sizes, tools, texts, conduct, origins, purity)
    if indexes:
        for task in source.tasks():
            purity.add_task(task)
    observed = 0
    for one in source.observed():
        observed += 1
        accepted = one.record.facts.get("accepted") is not False
        counted = accepted or options.everything
        cells.add(one, accepted=accepted, counted=counted)
        evidence.add(one, accepted=accepted)
        trials.add(one, accepted=accepted)
        if counted:
            for part in whole:
                part.add(one)
        on_step()
    return {
        "version": VERSION,
        "seed": options.seed,
        "observed": observed,
        "sizes": sizes.result(),
        "cells": cells.result(),
        "evidence": evidence.result(),
        "tools": tools.result(),
        "texts": texts.result(),
        "conduct": conduct.result(),
        "origins": origins.result(),
        "trials": trials.result(),
        "purity": purity.result() if indexes else None,
    }
