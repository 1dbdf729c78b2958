"""The built-in plans: how a request is revealed. What a plan does not name is open, and filled by the covering design."""

from writ_app.engine.behaviour.dimensions import PLAN_DIMENSIONS
from writ_app.engine.types import BehaviourPlan

_KNOWN = ("email", "name_zip", "user_id")
"""Every way of being right at once about who one is."""
_PLAIN: dict[str, str | tuple[str, ...]] = {
    **{d.slug: (d.plain,) for d in PLAN_DIMENSIONS},
    "identity": _KNOWN,
    "packaging": ("at_once", "one_by_one"),
}
"""Nothing out of the ordinary."""


def _plan(
    slug: str, title: str, instruction: str, **dimensions: str | tuple[str, ...]
) -> BehaviourPlan:
    named = {
        name: (values,) if isinstance(values, str) else values
        for name, values in dimensions.items()
    }
    return BehaviourPlan(
        slug=slug, title=title, instruction=instruction, dimensions=named
    )


PLANS: dict[str, BehaviourPlan] = {
    plan.slug: plan
    for plan in (
        _plan(
            "upfront",
            "Everything at once",
            "Say everything in your first message: what you want, every detail of it, and who you are.",
            **_PLAIN,
        ),
        _plan(
            "incremental",
            "Only when asked",
            (
                "In your first message say only what it is about. Tell who you are, and every further detail, "
                "only when the agent asks for it, and no more than was asked."
            ),
            **{**_PLAIN, "disclosure": "asked"},
        ),
        _plan(
            "corrected",
            "Wrong at first, then corrected",
            (
                "Say everything in your first message, with the one wrong detail that is marked below. Believe it to be right "
                "until the agent repeats it back to you or reports that nothing was found; then correct it."
            ),
            **{**_PLAIN, "correction": ("wrong_detail", "wrong_id")},
        ),
        _plan(
            "bit-by-bit",
            "One thing after the other",
            "Come out with your request piece by piece, one more piece in every message.",
            disclosure="incremental",
        ),
        _plan(
            "backwards",
            "The details before the goal",
            "Begin with the circumstances and conditions. Only then say what you want done.",
            disclosure="reversed",
        ),
        _plan(
            "guarded",
            "Careful with personal details",
            "You do not like to tell a company more than it needs. Yield where it is needed.",
            cooperation=("reluctant", "refuses_optional"),
        ),
        _plan(
            "doubtful",
            "Wants to be sure",
            "You have had bad experiences: make sure that what was promised is done.",
            cooperation="sceptical",
            confirmation=("recap", "conditional"),
        ),
        _plan(
            "second-thoughts",
            "Another wish on the way",
            "What you want changes once, before anything is changed for you. From then on only the new wish counts.",
            goal_shift=("add", "replace", "drop", "threshold"),
        ),
        _plan(
            "last-minute",
            "Changes one condition at the confirmation",
            "You are about to agree when it strikes you that one condition should be another one.",
            confirmation="changes_mind",
        ),
        _plan(
            "by-the-way",
            "Gets off the subject",
            "You get off the subject once, and come back to it without being asked.",
            distractor=("small_talk", "irrelevant", "policy_question"),
        ),
        _plan(
            "pushing",
            "Pushes against the rules",
            "You try whether the rules can be bent. When they cannot, you take what you can get.",
            policy_pressure=("forbidden_first", "appeals"),
        ),
        _plan(
            "between-the-lines",
            "Speaks in hints",
            "You speak of things without naming them plainly; whoever looks things up can tell which you mean.",
            reference=("pronoun", "description", "vague"),
        ),
        _plan(
            "forgetful",
            "Unsure which e-mail it was",
            "You are not sure which e-mail you once signed up with.",
            identity="wrong_email",
        ),
        _plan(
            "afterthought",
            "One condition late, one request after the other",
            "The most important thing tends to occur to you last.",
            constraint_order="hard_late",
        ),
        _plan(
            "one-more-thing",
            "A second request after the first",
            "You keep your other requests to yourself until the first one is done.",
            packaging="hidden_second",
        ),
        _plan(
            "open",
            "Anything goes",
            "Reveal your request as the notes below say.",
        ),
    )
}
