"""Words that retail archetypes share: how values are said, and clauses of several kinds of requests."""

from typing import Any

from environments.core.domain import Clause

LEXICON: dict[str, dict[Any, tuple[str, ...]]] = {
    "payment": {
        "gift_card": ("my gift card", "the gift card on my account"),
        "paypal": ("my PayPal account", "my PayPal"),
        "credit_card": ("my credit card", "the credit card on file"),
    },
    "reason": {
        "no longer needed": ("I no longer need it", "it is no longer needed"),
        "ordered by mistake": ("I ordered it by mistake", "it was ordered by mistake"),
    },
}
LEXICON["fallback"] = {
    key: LEXICON["payment"][key] for key in ("paypal", "credit_card")
}


PAY = Clause(
    "pay",
    (
        "[Please put|Put] any difference in price on {payment}.",
        "[If there is|Should there be] a price difference, [use|settle it with] {payment}.",
        "[I'd say that ]{payment} can [cover|take] the difference[|, whichever way it goes].",
        "The difference[| in price] [should|can] go to {payment}.",
        "[For the difference in price|As for the price difference], [|please ]use {payment}.",
    ),
)
REASON = Clause(
    "reason",
    (
        "[The reason is that|Reason:|It's because] {reason}.",
        "[Simply put|Honestly], {reason}.",
        "[Why? Because|As to why:] {reason}.",
    ),
)
IN_TOTAL = Clause(
    "total",
    (
        "[By largest I mean|With largest I mean] the [highest|biggest] amount I paid[|, not the number of things in it].",
        "What counts is [what I paid for the order|the amount paid].",
    ),
)
