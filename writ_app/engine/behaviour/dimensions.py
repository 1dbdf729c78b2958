"""The seventeen dimensions of user behaviour as data: values, and what a model that plays the user is told.

Source: knowledge of user behaviour, §6.2. The first value of a dimension is the plain one. `★` dimensions change the request in two
phases; the task is always the second. What excludes what stands in `rules`; what can be played in a given task is a question for
`room`, what came out one for `realised`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

type Behaviour = Mapping[str, str]
"""Dimension → value."""


@dataclass(frozen=True)
class Value:
    slug: str
    title: str
    instruction: str = ""
    """For a model that plays the user, in the second person; "" if there is nothing to say."""
    on_request: bool = False
    """Only played where a plan or persona names it."""


@dataclass(frozen=True)
class Dimension:
    """One way in which users differ. `side` says whether it belongs to who speaks or to how the request is revealed."""

    number: int
    slug: str
    title: str
    side: Literal["persona", "plan"]
    values: tuple[Value, ...]
    starred: bool = False

    @property
    def plain(self) -> str:
        return self.values[0].slug

    @property
    def code(self) -> str:
        return f"B{self.number}{'★' if self.starred else ''}"

    def value(self, slug: str) -> Value:
        """Raises KeyError for a value that there is not."""
        for value in self.values:
            if value.slug == slug:
                return value
        raise KeyError(slug)


DIMENSIONS: dict[str, Dimension] = {
    dimension.slug: dimension
    for dimension in (
        Dimension(
            1,
            "disclosure",
            "Disclosure",
            "plan",
            (
                Value(
                    "upfront",
                    "everything at once",
                    "Say everything about your request in your first message.",
                ),
                Value(
                    "incremental",
                    "bit by bit",
                    "Begin with what it is about, and add one more detail with every message, asked or not.",
                ),
                Value(
                    "asked",
                    "only when asked",
                    "In your first message say only what it is about. Tell further details only when the agent asks, and no more than was asked.",
                ),
                Value(
                    "reversed",
                    "details before the goal",
                    "In your first message tell the details and conditions first, and only then what you want.",
                ),
            ),
        ),
        Dimension(
            2,
            "correction",
            "Wrong, then corrected",
            "plan",
            (
                Value("none", "none"),
                Value(
                    "wrong_detail",
                    "one wrong detail",
                    "You get one detail of your request wrong at first, as marked below, and correct it when the agent comes back to it.",
                ),
                Value(
                    "wrong_id",
                    "wrong about who it is",
                    "You mistype who you are at first, as marked below, and correct it when the agent comes back to it or finds nothing.",
                ),
            ),
        ),
        Dimension(
            3,
            "cooperation",
            "Cooperation",
            "plan",
            (
                Value("cooperative", "cooperative"),
                Value(
                    "reluctant",
                    "reluctant",
                    "When the agent first asks who you are, ask why that is needed; when asked again, tell it.",
                ),
                Value(
                    "refuses_optional",
                    "keeps something back",
                    "Keep back the one thing that is marked below, and say so; tell everything else.",
                ),
                Value(
                    "sceptical",
                    "sceptical of the result",
                    "When the agent says that it is done, doubt it once and ask whether it really is.",
                ),
            ),
        ),
        Dimension(
            4,
            "verbosity",
            "Verbosity",
            "persona",
            (
                Value("standard", "standard"),
                Value(
                    "minimal", "minimal", "Use as few words as you can in each message."
                ),
                Value(
                    "rambling",
                    "rambling",
                    "Ramble: pad your messages with side remarks about your day that change nothing about the request.",
                ),
            ),
        ),
        Dimension(
            5,
            "tone",
            "Tone",
            "persona",
            (
                Value("neutral", "neutral"),
                Value("polite", "polite", "Be courteous: say please and thank you."),
                Value("curt", "curt", "Be curt: no greeting, no please, no thanks."),
                Value(
                    "angry",
                    "angry",
                    "You are annoyed and show it, without insulting anybody.",
                ),
                Value(
                    "anxious",
                    "anxious",
                    "You are worried that something goes wrong, and show it.",
                ),
            ),
        ),
        Dimension(
            6,
            "reference",
            "References",
            "plan",
            (
                Value("explicit", "explicit"),
                Value(
                    "pronoun",
                    "pronouns",
                    "Once you have named a thing, speak of it with pronouns, as marked below.",
                ),
                Value(
                    "description",
                    "described instead of named",
                    "Do not give the number that the description below stands for: describe the thing.",
                ),
                Value(
                    "vague",
                    "a vague quantity first",
                    "Be vague about the number that is marked below, until the agent asks for it.",
                ),
            ),
        ),
        Dimension(
            7,
            "goal_shift",
            "Goal shift",
            "plan",
            (
                Value("none", "none"),
                Value(
                    "add",
                    "something is added",
                    "Only part of the request comes to your mind at first; add the rest as marked below, before anything is changed.",
                ),
                Value(
                    "replace",
                    "another wish instead",
                    "At first you want something else, marked below; then you give that up for what you really want.",
                ),
                Value(
                    "drop",
                    "something is dropped",
                    "At first you want one more thing, marked below; then you drop it.",
                ),
                Value(
                    "threshold",
                    "a condition changes",
                    "At first one condition of your request is another one, as marked below; then you change it.",
                ),
            ),
            starred=True,
        ),
        Dimension(
            8,
            "distractor",
            "Distractor",
            "plan",
            (
                Value("none", "none"),
                Value("small_talk", "small talk", "Make one remark of small talk."),
                Value(
                    "irrelevant",
                    "something irrelevant",
                    "Mention one thing that has nothing to do with the request.",
                ),
                Value(
                    "policy_question",
                    "a question about something else",
                    "Ask one question about how the company does something else, and do not insist on an answer.",
                ),
            ),
        ),
        Dimension(
            9,
            "impatience",
            "Impatience",
            "persona",
            (
                Value("none", "none"),
                Value(
                    "time_pressure",
                    "under time pressure",
                    "You are short of time; say so once or twice, and go on all the same.",
                ),
                Value(
                    "repeats_demand",
                    "repeats the demand",
                    "Repeat what you want once or twice, impatiently, and go on all the same.",
                ),
                Value(
                    "threatens_to_leave",
                    "threatens to leave",
                    "Threaten once or twice to take your business elsewhere, and go on all the same.",
                ),
            ),
        ),
        Dimension(
            10,
            "language",
            "Language",
            "persona",
            (
                Value("native", "fluent"),
                Value(
                    "learner",
                    "a learner's errors",
                    "English is your second language: drop articles now and then and get some verb forms wrong. Keep names, numbers and codes exact.",
                ),
                Value(
                    "informal",
                    "informal",
                    "Write the way people text: lower case, contractions, gonna and wanna. Keep names, numbers and codes exact.",
                ),
                Value(
                    "code_mix",
                    "mixes in another language",
                    "Mix in a few everyday words of Spanish. Keep names, numbers and codes exact.",
                    on_request=True,
                ),
            ),
        ),
        Dimension(
            11,
            "channel",
            "Channel",
            "persona",
            (
                Value("chat", "chat"),
                Value(
                    "email",
                    "like an e-mail",
                    "Write each message like an e-mail: a salutation, paragraphs, a closing.",
                ),
                Value(
                    "voice",
                    "transcript of speech",
                    "Your messages are transcripts of speech: no punctuation, no capitals, and numbers and codes spelled digit by digit.",
                ),
            ),
        ),
        Dimension(
            12,
            "constraint_order",
            "Order of conditions",
            "plan",
            (
                Value("natural", "as it comes"),
                Value(
                    "hard_first",
                    "firm conditions first",
                    "Tell the firm conditions before the preferences.",
                ),
                Value(
                    "soft_first",
                    "preferences first",
                    "Tell your preferences before the firm conditions.",
                ),
                Value(
                    "hard_late",
                    "one firm condition late",
                    "Come out with the one condition that is marked below only after everything else.",
                ),
            ),
        ),
        Dimension(
            13,
            "identity",
            "Knowing who one is",
            "plan",
            (
                Value("email", "knows the e-mail"),
                Value("name_zip", "knows name and zip code only"),
                Value("user_id", "knows the user id"),
                Value(
                    "wrong_email",
                    "wrong e-mail, then name and zip code",
                    "You first give an e-mail that is not the one on file, as marked below; when nothing is found, give your name and zip code.",
                ),
            ),
        ),
        Dimension(
            14,
            "confirmation",
            "Confirmation",
            "plan",
            (
                Value("plain", "a plain yes"),
                Value(
                    "conditional",
                    "a conditional yes",
                    "Say yes on the condition that is marked below.",
                ),
                Value(
                    "recap",
                    "asks for a recap",
                    "When first asked for a yes, ask the agent to sum up what will change; then say yes.",
                ),
                Value(
                    "changes_mind",
                    "changes mind once",
                    "When first asked for a yes, say no and change one condition as marked below; then say yes to the new proposal.",
                ),
            ),
            starred=True,
        ),
        Dimension(
            15,
            "packaging",
            "Several requests",
            "plan",
            (
                Value(
                    "at_once", "all at once", "Name all your requests together at once."
                ),
                Value(
                    "one_by_one",
                    "one by one",
                    "Name your requests one after the other, one per message.",
                ),
                Value(
                    "hidden_second",
                    "the rest after the first is done",
                    "Name only the first request; come out with the rest when the agent is done with it.",
                ),
            ),
        ),
        Dimension(
            16,
            "policy_pressure",
            "Pressure on the policy",
            "plan",
            (
                Value("none", "none"),
                Value(
                    "forbidden_first",
                    "asks for what is not allowed first",
                    "At first ask for the thing marked below, which the rules do not allow; when it is refused, ask for what you can have.",
                ),
                Value(
                    "appeals",
                    "appeals against the refusal",
                    "When you are refused, object once or twice as marked below; then accept it.",
                ),
            ),
        ),
        Dimension(
            17,
            "literacy",
            "Numbers and choices",
            "persona",
            (
                Value("accepts_ids", "takes ids and numbers as they come"),
                Value(
                    "wants_comparison",
                    "wants the alternatives read out",
                    "Before you say yes, ask once how the choice compares with the next best.",
                ),
                Value(
                    "answer_only",
                    "wants only the answer",
                    "Say once that you want no details and no numbers, only the result.",
                ),
            ),
        ),
    )
}
PLAN_DIMENSIONS = tuple(d for d in DIMENSIONS.values() if d.side == "plan")
