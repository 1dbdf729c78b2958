"""One spelling for writes that mean the same."""

from typing import Any

from environments.core.tools import Mode, ToolCall

_KEYS = {
    "flights": ("flight_number", "date"),
    "passengers": ("first_name", "last_name", "dob"),
    "payment_methods": ("payment_id", "amount"),
}
"""List argument → what the tools keep of each of its elements; the order of the elements is kept too."""


def canonical_write(call: ToolCall, mode: Mode = Mode.STRICT) -> ToolCall:
    """The call with nothing in its lists that the tools drop, and whole dollars as whole numbers where the tools make them so."""
    arguments = dict(call.arguments)
    for name, keys in _KEYS.items():
        if name in arguments:
            arguments[name] = _plain(arguments[name], keys)
    if call.name == "send_certificate" and mode == Mode.STRICT:
        arguments["amount"] = _whole(arguments.get("amount"))
    return ToolCall(name=call.name, arguments=arguments)


def _plain(values: Any, keys: tuple[str, ...]) -> Any:
    if not isinstance(values, list):
        return values
    if not all(isinstance(one, dict) and one.keys() >= set(keys) for one in values):
        return values  # stored or refused as it is, so it is like no other
    return [
        {key: _whole(one[key]) if key == "amount" else one[key] for key in keys}
        for one in values
    ]


def _whole(amount: Any) -> Any:
    return int(amount) if isinstance(amount, float) and amount.is_integer() else amount
