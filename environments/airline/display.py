"""How the airline's records are shown to people."""

from environments.core.display import Display, RecordView

DISPLAY = Display(
    views=(
        RecordView(
            "reservation",
            ("reservation_id", "flights"),
            "reservation_id",
            ("status", "cabin", "origin", "destination", "flight_type"),
        ),
        RecordView("customer", ("user_id", "membership"), "user_id", ("membership",)),
        RecordView("flight", ("flight_number", "origin"), "flight_number", ("status",)),
    ),
    dollars=frozenset({"price", "prices", "amount"}),
)
