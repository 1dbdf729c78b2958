"""What excludes what: values that cannot be played together, and why."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from writ_app.engine.behaviour.dimensions import DIMENSIONS, Behaviour


@dataclass(frozen=True)
class Rule:
    """Values of one dimension that cannot be played together with values of another, and why."""

    one: str
    values: frozenset[str]
    other: str
    others: frozenset[str]
    why: str

    def breaks(self, behaviour: Behaviour) -> bool:
        return (
            behaviour.get(self.one) in self.values
            and behaviour.get(self.other) in self.others
        )


_BEFORE = "what is wanted changes on the way, so that"


def _void(one: str, values: str, other: str, others: str, why: str) -> Rule:
    return Rule(one, frozenset(values.split()), other, frozenset(others.split()), why)


_SHIFTS = "add replace drop threshold"
_TWO_PHASES = (
    ("goal_shift", _SHIFTS),
    ("confirmation", "changes_mind"),
    ("policy_pressure", "forbidden_first"),
)
"""Each needs the first phase for itself."""

RULES: tuple[Rule, ...] = (
    _void(
        *("disclosure", "incremental asked", "packaging", "at_once"),
        "Details that come one by one cannot come with all requests at once.",
    ),
    _void(
        *("disclosure", "asked", "constraint_order", "hard_late"),
        "If everything waits to be asked for, no condition is later than the rest.",
    ),
    _void(
        *("disclosure", "reversed", "constraint_order", "hard_late"),
        "A late condition cannot come before the goal.",
    ),
    _void(
        *("verbosity", "minimal", "channel", "email"),
        "An e-mail has more than a few words.",
    ),
    _void(
        *("verbosity", "minimal", "disclosure", "upfront reversed"),
        "Everything at once takes more than a few words.",
    ),
    _void(
        *("verbosity", "minimal", "packaging", "at_once"),
        "All requests at once take more than a few words.",
    ),
    _void(
        *("verbosity", "minimal", "distractor", "small_talk irrelevant"),
        "Who says as little as possible makes no small talk.",
    ),
    _void(
        *("verbosity", "minimal", "tone", "angry anxious"),
        "Showing feelings takes more than a few words.",
    ),
    _void(
        *("verbosity", "minimal", "impatience", "repeats_demand"),
        "Who says as little as possible does not say it twice.",
    ),
    _void(
        *("verbosity", "rambling", "tone", "curt"),
        "Nobody rambles and is curt at once.",
    ),
    _void(
        *("tone", "curt", "distractor", "small_talk"),
        "Who is curt makes no small talk.",
    ),
    _void(
        *("tone", "curt polite", "impatience", "threatens_to_leave"),
        "A threat is more than curt, and not polite.",
    ),
    _void(
        *("tone", "curt", "channel", "email"),
        "An e-mail with salutation and closing is not curt.",
    ),
    _void(
        *("language", "learner informal code_mix", "channel", "voice"),
        "A transcript of speech hides how one writes, or garbles it.",
    ),
    _void(
        *("correction", "wrong_id", "identity", "wrong_email"),
        "Both get wrong who it is.",
    ),
    _void(
        *("correction", "wrong_id", "cooperation", "reluctant"),
        "Who keeps back who it is should not get it wrong as well.",
    ),
    _void(
        *("cooperation", "reluctant refuses_optional", "identity", "wrong_email"),
        "Who keeps back who it is should not get it wrong as well.",
    ),
    _void(
        *("correction", "wrong_detail", "reference", "description vague"),
        "Both are about how one value is first told.",
    ),
    _void(
        *("correction", "wrong_detail", "constraint_order", "hard_late"),
        "The late condition could be the wrong one.",
    ),
    _void(
        *("disclosure", "reversed", "reference", "pronoun vague"),
        "A pronoun needs its noun first, and a vague number its question.",
    ),
    _void(
        *("reference", "vague", "constraint_order", "hard_late"),
        "Both hold a condition back.",
    ),
    _void(
        *("goal_shift", _SHIFTS, "confirmation", "changes_mind"),
        "The request changes only once.",
    ),
    _void(
        *("goal_shift", _SHIFTS, "policy_pressure", "forbidden_first appeals"),
        "The request changes only once.",
    ),
    _void(
        *("confirmation", "changes_mind", "policy_pressure", "forbidden_first appeals"),
        "The request changes only once.",
    ),
    *(
        _void(one, values, other, others, f"{_BEFORE[0].upper()}{_BEFORE[1:]} {why}")
        for one, values in _TWO_PHASES
        for other, others, why in (
            ("correction", "wrong_detail", "a wrong detail could not be told from it."),
            (
                "reference",
                "pronoun description vague",
                "pronouns and vague words would lose their meaning.",
            ),
            (
                "constraint_order",
                "hard_late",
                "a late condition could not be told from it.",
            ),
            (
                "packaging",
                "one_by_one hidden_second",
                "the requests have to be there before.",
            ),
            (
                "disclosure",
                "incremental asked reversed",
                "the first wish has to be there as a whole.",
            ),
            (
                "verbosity",
                "minimal",
                "the first wish has to be there as a whole, in more than a few words.",
            ),
        )
    ),
)


def conflicts(behaviour: Behaviour) -> list[Rule]:
    """The rules that a behaviour breaks."""
    return [rule for rule in RULES if rule.breaks(behaviour)]


def _void_pairs() -> Iterator[frozenset[tuple[str, str]]]:
    for rule in RULES:
        for value in rule.values:
            for other in rule.others:
                yield frozenset({(rule.one, value), (rule.other, other)})


_VOID = frozenset(_void_pairs())


def go_together(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two (dimension, value) can be played at once."""
    return frozenset({one, other}) not in _VOID


def contradictions(choices: Mapping[str, Collection[str]]) -> list[str]:
    """What is wrong with a plan or persona that allows these values; each a sentence for a person. Empty if it can be played."""
    found = []
    for slug, values in choices.items():
        dimension = DIMENSIONS.get(slug)
        if dimension is None:
            found.append(
                f"There is no dimension {slug}; there is {', '.join(DIMENSIONS)}."
            )
            continue
        known = [value.slug for value in dimension.values]
        if unknown := [value for value in values if value not in known]:
            found.append(
                f"{dimension.title} has no value {', '.join(unknown)}; it has {', '.join(known)}."
            )
        if not values:
            found.append(f"{dimension.title} allows no value: leave it open instead.")
    if found:
        return found
    for one, other in combinations(choices, 2):
        pairs = [((one, a), (other, b)) for a in choices[one] for b in choices[other]]
        if pairs and not any(go_together(a, b) for a, b in pairs):
            (_, a), (_, b) = pairs[0]
            rule = conflicts({one: a, other: b})[0]
            found.append(
                f"{DIMENSIONS[one].title} “{DIMENSIONS[one].value(a).title}” does not go with "
                f"{DIMENSIONS[other].title.lower()} “{DIMENSIONS[other].value(b).title}”: {rule.why}"
            )
    return found
