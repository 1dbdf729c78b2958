"""What our tasks share with a benchmark's: people, gold writes, final states, wordings; and how near they come to it.

A task that shares any of these is contaminated: whoever trains on it has seen a part of the benchmark. The policy and the tool
descriptions are shared by design, so that their phrases do not count. Source: knowledge of reports, §7.2, levels 1 to 4.
Knows nothing about databases or files.
"""

from writ_app.engine.decontamination.gate import (
    Reason,
    gate,
    index_conversations,
)
from writ_app.engine.decontamination.index import (
    ALIKE,
    WORDS_LONG,
    WORDS_SHARED,
    BenchmarkIndex,
    Contamination,
    Nearest,
    Shared,
)
from writ_app.engine.decontamination.screen import (
    BINS,
    EXAMPLES,
    Distances,
    Screen,
    Seen,
    Spread,
    distances,
)
from writ_app.engine.decontamination.words import words_of

__all__ = [
    "ALIKE",
    "BINS",
    "EXAMPLES",
    "WORDS_LONG",
    "WORDS_SHARED",
    "BenchmarkIndex",
    "Contamination",
    "Distances",
    "Nearest",
    "Reason",
    "Screen",
    "Seen",
    "Shared",
    "Spread",
    "distances",
    "gate",
    "index_conversations",
    "words_of",
]
