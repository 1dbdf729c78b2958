"""How the rental shop's records are shown to people."""

from environments.core.display import Display, RecordView

DISPLAY = Display(
    views=(
        RecordView(
            "booking",
            ("booking_id", "unit_id"),
            "booking_id",
            ("status", "model", "depot", "pickup_date"),
        ),
        RecordView(
            "customer", ("customer_id", "membership"), "customer_id", ("membership",)
        ),
        RecordView("unit", ("unit_id", "category"), "unit_id", ("model", "depot")),
    ),
    dollars=frozenset({"amount", "balance", "daily_rate", "deposit"}),
)
