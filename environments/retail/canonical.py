"""One spelling for writes that mean the same."""

from environments.core.tools import Mode, ToolCall


def canonical_write(call: ToolCall, mode: Mode = Mode.STRICT) -> ToolCall:
    """The call with lists sorted where their order has no effect.

    The tools sort the items of returns and exchanges themselves. Of `modify_pending_order_items` the order matters
    in strict mode, since every line takes the last pair's price (tau2 SPEC §14.1 no. 1).
    """
    arguments = dict(call.arguments)
    if not all(isinstance(arguments.get(name, []), list) for name in _LISTS):
        return call
    try:
        if call.name == "return_delivered_order_items":
            arguments["item_ids"] = sorted(arguments["item_ids"])
        elif call.name == "exchange_delivered_order_items" or (
            call.name == "modify_pending_order_items" and mode == Mode.CORRECTED
        ):
            pairs = sorted(
                zip(arguments["item_ids"], arguments["new_item_ids"], strict=True)
            )
            arguments["item_ids"] = [old for old, _ in pairs]
            arguments["new_item_ids"] = [new for _, new in pairs]
    except (KeyError, TypeError, ValueError):
        return call  # not the shape that the tool asks for, so it is like no other
    return ToolCall(name=call.name, arguments=arguments)


_LISTS = ("item_ids", "new_item_ids")
