"""Clauses of the rental policy that a program can judge, over what happened in a conversation, and those that none can.

Every clause is here, in READER_JUDGED, or enforced by the tools: a test holds the three together.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from environments.core.policy import (
    Breach,
    Event,
    PolicyCheck,
    PolicyTrace,
    says_yes,
)
from environments.rental.state import FIRST_CANCELLABLE, LONGEST_FOR

_FIND = ("find_customer_by_email", "find_customer_by_name_zip")
_PUBLIC = ("search_units", "get_unit", "transfer_to_human")
_ID = re.compile(r"\b(?:[UB]\d{4,}|(?:card|credit)_\d+|[a-z]+_[a-z]+_\d{4})\b")
_SAID_AS = {
    "book_unit": ("book", "hire", "rent", "reserv"),
    "swap_unit": ("swap", "exchang", "replac", "chang"),
    "extend_booking": ("longer", "exten", "add"),
    "add_insurance": ("insur",),
    "cancel_booking": ("cancel",),
}
"""Write → stems of words that speak of it."""
_HOLD_ON = "You are being transferred to a person, please hold on."
_DAMAGE = re.compile(r"\b(?:damage[ds]?|broke|broken)\b")


def account_first(trace: PolicyTrace) -> Iterator[Breach]:
    """1.1: the account is found before anything in an account is read or changed."""
    for event in trace.calls:
        assert event.call is not None
        if event.call.name in _FIND and event.made:
            return
        if event.kind is not None and event.call.name not in (*_FIND, *_PUBLIC):
            text = f"{event.call.name} was called before the account was found."
            yield Breach(text, (event.index,))
            return


def one_customer(trace: PolicyTrace) -> Iterator[Breach]:
    """1.2: reads and writes concern the customer found first."""
    customer = ""
    for event in trace.calls:
        assert event.call is not None
        if not event.made or event.result is None:
            continue
        owner = (
            event.result.content if event.call.name in _FIND else _owner(trace, event)
        )
        customer = customer or owner
        if owner and owner != customer:
            text = f"{event.call.name} concerns {owner}, not {customer}."
            yield Breach(text, (event.index,))


def _owner(trace: PolicyTrace, event: Event) -> str:
    assert event.call is not None
    arguments = event.call.arguments
    booking = _booking(trace, event)
    if booking is not None:
        return str(booking["customer_id"])
    return str(arguments.get("customer_id", ""))


def _booking(trace: PolicyTrace, event: Event) -> Any:
    """The booking that the call names, as it was at the start; one made since is not there."""
    assert event.call is not None
    key = event.call.arguments.get("booking_id")
    return trace.start.get("bookings", key) if isinstance(key, str) else None


def yes_before_writing(trace: PolicyTrace) -> Iterator[Breach]:
    """2.1: the user's last word before a write is a yes, and what the agent had listed before it names what is changed.

    One yes may be for several writes, if all of them were listed.
    """
    listed, answer = "", ""
    for event in trace.events:
        if event.call is None:
            if event.by == "user":
                answer = event.text
            elif event.text:
                listed, answer = event.text, ""
        elif event.wrote:
            text = f"{event.call.name} was called without a yes to it."
            if not says_yes(answer) or not _names(listed, event, trace):
                yield Breach(text, (event.index,))


def _names(listed: str, event: Event, trace: PolicyTrace) -> bool:
    """Whether the text says what is done, and names the booking or unit of the write, by its id or by its model."""
    assert event.call is not None
    if not any(stem in listed.lower() for stem in _SAID_AS[event.call.name]):
        return False
    for name, collection in (
        ("booking_id", "bookings"),
        ("unit_id", "units"),
        ("new_unit_id", "units"),
    ):
        key = event.call.arguments.get(name)
        if key is None:
            continue
        row = trace.start.get(collection, key) or {}
        if key not in listed and row.get("model", key) not in listed:
            return False
    return True


def one_thing_per_turn(trace: PolicyTrace) -> Iterator[Breach]:
    """2.2: a message of the agent is a text or one call."""
    seen: set[int] = set()
    for event in trace.events:
        if event.by != "agent" or (event.call is None and not event.text.strip()):
            continue
        if event.index in seen:
            yield Breach("Two things in one turn.", (event.index,))
        seen.add(event.index)


def known_ids_only(trace: PolicyTrace) -> Iterator[Breach]:
    """2.3, as far as a program can tell: the agent names no id that neither a tool nor the user has named before."""
    known: set[str] = set()
    for event in trace.events:
        if event.result is not None:
            known |= _ids(event.result.content)
        elif event.by == "user":
            known |= _ids(event.text)
        else:
            made_up = sorted(_ids(event.text) - known)
            if made_up:
                text = f"Nothing had shown {', '.join(made_up)}."
                yield Breach(text, (event.index,))


@lru_cache(maxsize=2048)
def _ids(text: str) -> frozenset[str]:
    """Every id in a text. Searches show the same units to many."""
    return frozenset(_ID.findall(text))


def length_allowed(trace: PolicyTrace) -> Iterator[Breach]:
    """4.3: how long a hire may last, booked or made longer, however many steps it takes."""
    lengths: dict[str, int] = {}
    for event in trace.calls:
        if event.call is None or not event.wrote:
            continue
        arguments, booking = event.call.arguments, _booking(trace, event)
        if event.call.name == "book_unit":
            days, key = arguments["days"], arguments["customer_id"]
            lengths[_number(arguments["unit_id"], arguments["pickup_date"])] = days
        elif event.call.name == "extend_booking":
            number = arguments["booking_id"]
            before = lengths.get(number, booking["days"] if booking else 0)
            days = lengths[number] = before + arguments["extra_days"]
            key = booking["customer_id"] if booking else _found(trace)
        else:
            continue
        customer = trace.start.get("customers", key)
        if customer and days > LONGEST_FOR[customer["membership"]]:
            text = f"A {customer['membership']} member was given {days} days."
            yield Breach(text, (event.index,))


def _number(unit_id: str, day: str) -> str:
    """The number that a booking made in the conversation has."""
    return f"B{unit_id[1:]}{day[5:7]}{day[8:10]}"


def _found(trace: PolicyTrace) -> str:
    """Whose account was found first; "" if none was."""
    found = (
        event.result.content
        for event in trace.calls
        if event.call and event.call.name in _FIND and event.made and event.result
    )
    return next(found, "")


def cancelled_in_time(trace: PolicyTrace) -> Iterator[Breach]:
    """6.1: no cancellation when the pickup is close."""
    for event in _cancellations(trace):
        assert event.call is not None
        number = event.call.arguments["booking_id"]
        day = (_booking(trace, event) or {}).get("pickup_date", _day(number))
        if day < FIRST_CANCELLABLE:
            text = f"{number} is picked up on {day}, too soon to be cancelled."
            yield Breach(text, (event.index,))


def _day(number: str) -> str:
    """Day of pickup of a booking that was made in the conversation: its number ends with it."""
    return f"{FIRST_CANCELLABLE[:4]}-{number[-4:-2]}-{number[-2:]}"


def cancelled_once(trace: PolicyTrace) -> Iterator[Breach]:
    """6.3: one cancellation in a season, those before the conversation included."""
    gone = {
        key
        for event in trace.calls
        if (booking := _booking(trace, event))
        for key in (trace.start.get("customers", booking["customer_id"]) or {}).get(
            "bookings", ()
        )
        if (trace.start.get("bookings", key) or {}).get("status") == "cancelled"
    }
    for event in _cancellations(trace):
        assert event.call is not None
        if gone:
            text = f"{event.call.arguments['booking_id']} was cancelled after {sorted(gone)[0]} was."
            yield Breach(text, (event.index,))
        gone.add(event.call.arguments["booking_id"])


def _cancellations(trace: PolicyTrace) -> Iterator[Event]:
    for event in trace.calls:
        if event.call and event.call.name == "cancel_booking" and event.wrote:
            yield event


def damage_handed_over(trace: PolicyTrace) -> Iterator[Breach]:
    """7.1: before a transfer because of damage the hire is looked up, and after it the fixed sentence is said."""
    for event in _damage_transfers(trace):
        if not _returned(trace, event.index):
            text = "Transferred for damage without a look at the returned hire."
            yield Breach(text, (event.index,))
        said = (e for e in trace.events if e.index > event.index and e.by == "agent")
        after = next(said, None)
        if after is not None and _HOLD_ON not in after.text:
            text = "After the transfer the customer was not told to hold on."
            yield Breach(text, (event.index, after.index))


def damage_insured(trace: PolicyTrace) -> Iterator[Breach]:
    """7.2: nobody is transferred because of damage to a hire without insurance."""
    for event in _damage_transfers(trace):
        hires = _returned(trace, event.index)
        if hires and not any(hire["insured"] for hire in hires):
            text = "Transferred for damage to a hire that was not insured."
            yield Breach(text, (event.index,))


def _damage_transfers(trace: PolicyTrace) -> Iterator[Event]:
    for event in trace.calls:
        if event.call and event.call.name == "transfer_to_human" and event.made:
            told = trace.said_by_user(event.index)
            yield from [event] if _DAMAGE.search(told) else []


def _returned(trace: PolicyTrace, before: int) -> list[Any]:
    """Returned hires that were looked up, of the categories that the user speaks of where there are such."""
    seen = [
        _booking(trace, event)
        for event in trace.calls
        if event.index < before
        and event.made
        and event.call
        and event.call.name == "get_booking"
    ]
    over = [row for row in seen if row and row["status"] == "returned"]
    told = trace.said_by_user(before)
    return [row for row in over if row["category"] in told] or over


POLICY_CHECKS = (
    PolicyCheck("1.1", "The account is found first", account_first),
    PolicyCheck("1.2", "Only this customer's bookings", one_customer),
    PolicyCheck("2.1", "A yes before every write", yes_before_writing),
    PolicyCheck("2.2", "One text or one call per turn", one_thing_per_turn),
    PolicyCheck("2.3", "No made-up ids", known_ids_only),
    PolicyCheck("4.3", "Long hires are for plus members", length_allowed),
    PolicyCheck("6.1", "No cancellation close to the pickup", cancelled_in_time),
    PolicyCheck("6.3", "One cancellation in a season", cancelled_once),
    PolicyCheck("7.1", "Damage is looked up, and handed over", damage_handed_over),
    PolicyCheck("7.2", "Damage without insurance is not transferred", damage_insured),
)

READER_JUDGED = {
    "2.4": "What the tools cannot do has no list: whether the user asked for such a thing only a reader can tell.",
}
"""Clause → why neither a tool nor a program decides it. Part of 2.3 is a reader's too: any sentence may state a fact."""
