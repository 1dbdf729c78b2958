"""What corrected mode does otherwise at the airline (tau2 SPEC §14.1); everything else is alike in both modes."""

from environments.core.tools import TAKEN_BACK, Correction

CORRECTIONS = (
    TAKEN_BACK,
    Correction(
        "any list",
        "is stored as it comes if one of its elements is no object",
        "such a list is refused, and so is an empty one of flights or passengers",
    ),
    Correction(
        "numbers",
        "bags and amounts may be whatever compares with numbers",
        "they are whole: no bags below 0, no more paid bags than bags, no money below 1",
    ),
    Correction("gift cards", "amounts drift as floats do", "they are kept to the cent"),
    Correction(
        "booking",
        "a certificate listed twice fails after its first use",
        "it is refused before anything changes",
    ),
    Correction(
        "booking",
        "a gift card listed twice may go below zero",
        "its entries are checked together",
    ),
    Correction(
        "booking, change of flight",
        "a flight listed twice takes its seats twice",
        "it is refused",
    ),
    Correction(
        "change of flight",
        "seats stay where they were",
        "they are given back and taken anew",
    ),
    Correction(
        "change of flight",
        "without flights any text is stored as cabin",
        "the cabin must be one that there is",
    ),
    Correction(
        "cancelling",
        "seats and money stay where they are",
        "seats are free again; gift cards and certificates get back what they paid (credit cards are refunded outside)",
    ),
    Correction(
        "after cancelling",
        "a reservation can be cancelled again, and changed",
        "both are refused",
    ),
    Correction(
        "one-stop search",
        "the next day is written without its zero, and only found within May",
        "it is the calendar's",
    ),
    Correction(
        "one-stop search",
        "a departure at 01:30:00 counts as before an arrival at 01:30:00+1",
        "times are compared without the mark of the next day",
    ),
    Correction("searches", "null stands for any airport", "null names no airport"),
    Correction(
        "new ids",
        "there are three bookings per database and three certificates per user",
        "there are as many as wanted; the first three are the same",
    ),
    Correction(
        "list of airports",
        "is the reference's twenty",
        "is our own, grouped by city",
    ),
)
