"""What corrected mode does otherwise in the shop (tau2 SPEC §14.1); everything else is alike in both modes."""

from environments.core.tools import TAKEN_BACK, Correction

CORRECTIONS = (
    TAKEN_BACK,
    Correction(
        "item ids",
        "an empty list, or text, passes for a list",
        "it must be a list of one id or more",
    ),
    Correction(
        "the same item twice",
        "both are reckoned at the first one's price",
        "each has its own price",
    ),
    Correction(
        "modifying items",
        "every item takes the last one's price and options",
        "each takes those of its own new variant, so that the order of the pairs means nothing",
    ),
    Correction(
        "modifying items",
        "an item that became one still to be changed may be changed again",
        "what is in the order before the call is changed, once",
    ),
    Correction(
        "modifying items",
        "the difference drifts as floats do",
        "it is kept to the cent",
    ),
    Correction(
        "cancelling",
        "every line is refunded, earlier refunds too",
        "each payment method gets back what it paid less what it got back before",
    ),
    Correction("exchanging", "an item may be exchanged for itself", "that is refused"),
    Correction(
        "exchanging",
        "old and new ids are sorted apart",
        "they are sorted in pairs, by the old id",
    ),
    Correction(
        "orders",
        "no order says when it was placed or delivered",
        "they do in databases made with times",
    ),
)
