"""How the shop's records are shown to people."""

from environments.core.display import Display, RecordView

DISPLAY = Display(
    views=(
        RecordView(
            "order", ("order_id", "payment_history"), "order_id", ("status", "user_id")
        ),
        RecordView("customer", ("user_id", "payment_methods"), "user_id", ("email",)),
        RecordView("product", ("product_id", "variants"), "name", ("product_id",)),
        RecordView("version", ("item_id", "available"), "item_id", ("available",)),
    ),
    dollars=frozenset({"price", "amount", "balance", "exchange_price_difference"}),
)
