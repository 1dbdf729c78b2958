"""Clauses of the airline policy that a program can judge, over what happened in a conversation.

Calls that failed are not breaches by themselves: the tools refused them. The tools check almost none of the policy's rules, so most
of what is judged here is what they let through. A reservation is judged as it stood just before the call: the tools answer a write
with the reservation as it is afterwards. `NOT_JUDGED` has the clauses that no judge here looks at, with the reason.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any

from environments.airline.tools import NOW
from environments.core.policy import Breach, Event, PolicyCheck, PolicyTrace
from environments.core.state import Record

HOLD = "YOU ARE BEING TRANSFERRED TO A HUMAN AGENT. PLEASE HOLD ON."
FREE_BAGS: Mapping[str, Mapping[str, int]] = {
    "regular": {"basic_economy": 0, "economy": 1, "business": 2},
    "silver": {"basic_economy": 1, "economy": 2, "business": 3},
    "gold": {"basic_economy": 2, "economy": 3, "business": 4},
}
"""3.3: membership → cabin → free bags per passenger."""
MOST_PASSENGERS = 5
MOST_METHODS = {"certificate": 1, "credit_card": 1, "gift_card": 3}
FOR_CANCELLED, FOR_DELAYED = 100, 50
"""6.3, 6.4: dollars per passenger."""
FLOWN = ("landed", "flying")
"""Statuses of a flight that has left."""

_BAGS = re.compile(r"\b(?:bags?|baggages?|luggage|suitcases?)\b")
_COMPENSATION = re.compile(
    r"compensat|certificate|voucher|goodwill|make (?:it )?up for|make (?:it|this|things) right|for the (?:trouble|inconvenience)"
)
_NO_INSURANCE = re.compile(
    r"\b(?:no|without|skip|not|(?:don't|do not) (?:want|need))(?: any| the)?(?: travel)? insurance\b"
)
_HEALTH_OR_WEATHER = re.compile(
    r"\b(?:sick|sickness|ill|illness|unwell|health|medical|doctors?|hospital\w*|surgery|injur\w+|broke my|flu|fever|"
    r"weather|storms?|hurricane|tornado|blizzard|snow\w*|flood\w*)\b"
)
_REASON = re.compile(
    r"\b(?:because|since|reason|why|due to|plans?|cancel+ed|no longer|don't need|can't make|cannot make|mistake|"
    r"changed my mind|emergency|family|work|meeting)\b"
)
_ASKS_WHY = re.compile(r"\b(?:why|reason|what made)\b", re.IGNORECASE)


# --- who and what --------------------------------------------------------------------------------------------------------------


def _written(
    trace: PolicyTrace, *names: str
) -> Iterator[tuple[Event, Mapping[str, Any]]]:
    """Writes of these tools that were made, with their arguments."""
    for event in trace.calls:
        assert event.call is not None
        if event.wrote and event.call.name in names:
            yield event, event.call.arguments


def _reservation(trace: PolicyTrace, key: Any, before: int) -> Record | None:
    """The reservation as it stood before that message."""
    if not isinstance(key, str):
        return None
    found = trace.start.get("reservations", key)
    for event in trace.calls:
        if event.index < before and event.wrote:
            after = _result(event)
            if after is not None and after.get("reservation_id") == key:
                found = after
    return found


def _result(event: Event) -> Record | None:
    """A result that is an object."""
    assert event.result is not None
    return _object(event.result.content)


@lru_cache(maxsize=256)
def _object(text: str) -> Record | None:
    """Every clause asks for those of the same few results; nobody changes them."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _owner(trace: PolicyTrace, event: Event) -> str | None:
    """Whose profile or reservation the call is about; None if nobody's."""
    assert event.call is not None
    arguments = event.call.arguments
    if "user_id" in arguments:
        return str(arguments["user_id"])
    found = _reservation(trace, arguments.get("reservation_id"), event.index)
    return None if found is None else str(found["user_id"])


def _ids_said(trace: PolicyTrace, before: int) -> set[str]:
    """User ids in what the user said before that message, with blanks for underscores allowed."""
    said = _like_ids(trace.said_by_user(before))
    return {key for key in said if trace.start.get("users", key) is not None}


@lru_cache(maxsize=64)
def _like_ids(said: str) -> frozenset[str]:
    """Words in a row that end in a number, as an id would have them. Every call asks for those of the same few texts."""
    words = re.findall(r"[a-z0-9']+", said.replace("_", " "))
    return frozenset(
        "_".join(words[max(0, n - back) : n + 1])
        for n, word in enumerate(words)
        if word.isdigit()
        for back in range(1, 4)
    )


def _concerns_somebody(event: Event) -> bool:
    assert event.call is not None
    arguments = event.call.arguments
    return event.kind is not None and bool(
        {"user_id", "reservation_id"} & arguments.keys()
    )


def _status(trace: PolicyTrace, segment: Mapping[str, Any]) -> str:
    """Status of a reservation's flight on its day."""
    flight = trace.start.get("flights", segment["flight_number"])
    day = flight["dates"].get(segment["date"]) if flight else None
    return str(day["status"]) if day else ""


def _flown(trace: PolicyTrace, reservation: Record) -> list[str]:
    return [
        f"{segment['flight_number']} on {segment['date']}"
        for segment in reservation["flights"]
        if _status(trace, segment) in FLOWN
    ]


def free_bags(user: Mapping[str, Any], cabin: str, passengers: int) -> int:
    """3.3: bags that a whole reservation has free."""
    return FREE_BAGS[user["membership"]][cabin] * passengers


def makes_the_trip(
    trip: Mapping[str, Any], segments: Sequence[Mapping[str, Any]]
) -> bool:
    """Whether the flights follow each other from `trip`'s origin to its destination and, of a round trip, back."""
    if not segments or segments[0]["origin"] != trip["origin"]:
        return False
    if any(one["destination"] != next_["origin"] for one, next_ in pairwise(segments)):
        return False
    stops = [segment["destination"] for segment in segments]
    if trip["flight_type"] == "one_way":
        return bool(stops[-1] == trip["destination"])
    return bool(stops[-1] == trip["origin"]) and trip["destination"] in stops[:-1]


# --- conduct -------------------------------------------------------------------------------------------------------------------


def asked_who(trace: PolicyTrace) -> Iterator[Breach]:
    """1.1: the customer said their user id before anything that concerns a profile or a reservation."""
    known: set[str | None] = set()
    for event in trace.calls:
        if not _concerns_somebody(event):
            continue
        assert event.call is not None
        owner = _owner(trace, event)
        if owner in known:
            continue  # what was said stays said
        said = _ids_said(trace, event.index)
        spoken = trace.said_by_user(event.index).replace("_", " ")
        unknown = owner is None or trace.start.get("users", owner) is None
        fits = (
            bool(said) or (owner or "\n").lower().replace("_", " ") in spoken
            if unknown
            else owner in said
        )
        if not fits:
            yield Breach(
                f"{event.call.name} was called before the customer said that user id.",
                (event.index,),
            )
            return
        if not unknown:
            known.add(owner)


def one_customer(trace: PolicyTrace) -> Iterator[Breach]:
    """1.1: profile and reservations are those of one customer, the first who was looked up."""
    customer: str | None = None
    for event in trace.calls:
        assert event.call is not None
        owner = _owner(trace, event) if event.made else None
        customer = customer or owner
        if owner and owner != customer:
            yield Breach(
                f"{event.call.name} concerns {owner}, but the customer is {customer}.",
                (event.index,),
            )


def transferred_properly(trace: PolicyTrace) -> Iterator[Breach]:
    """1.6: after a transfer the agent's next message is the fixed sentence, and nothing is called any more."""
    for n, event in enumerate(trace.events):
        if event.call is None or event.call.name != "transfer_to_human_agents":
            continue
        later = [e for e in trace.events[n + 1 :] if e.by == "agent"]
        if event.made and later and HOLD not in later[0].text:
            yield Breach(
                "After the transfer the customer was not told to hold on.",
                (event.index, later[0].index),
            )
            return


# --- booking -------------------------------------------------------------------------------------------------------------------


def few_passengers(trace: PolicyTrace) -> Iterator[Breach]:
    """3.1: at most five passengers."""
    for event, arguments in _written(trace, "book_reservation"):
        count = len(arguments["passengers"])
        if count > MOST_PASSENGERS:
            yield Breach(f"A booking for {count} passengers.", (event.index,))


def booked_the_trip(trace: PolicyTrace) -> Iterator[Breach]:
    """3.1: the flights are those of the trip: from origin to destination, and back if it is a round trip."""
    for event, arguments in _written(trace, "book_reservation"):
        booked = _result(event)
        if booked is not None and not makes_the_trip(booked, booked["flights"]):
            trip = f"{arguments['origin']} to {arguments['destination']}"
            yield Breach(
                f"The flights do not make a {arguments['flight_type']} trip from {trip}.",
                (event.index,),
            )


def few_methods(trace: PolicyTrace) -> Iterator[Breach]:
    """3.2: at most one certificate, one credit card and three gift cards."""
    for event, arguments in _written(trace, "book_reservation"):
        user: Record = trace.start.get("users", arguments["user_id"]) or {}
        methods = user.get("payment_methods", {})
        used = {payment["payment_id"] for payment in arguments["payment_methods"]}
        kinds = Counter(
            methods[key]["source"] if key in methods else key.rpartition("_")[0]
            for key in used
        )
        for kind, most in MOST_METHODS.items():
            if kinds[kind] > most:
                name = kind.replace("_", " ")
                yield Breach(
                    f"{kinds[kind]} {name}s pay for one booking.", (event.index,)
                )


def bags_charged_right(trace: PolicyTrace) -> Iterator[Breach]:
    """3.3: what is above the free bags is paid, and nothing else, whether booked or added.

    Bags that were paid for once may stay paid when a change of cabin has made them free since.
    """
    for event, arguments in _written(
        trace, "book_reservation", "update_reservation_baggages"
    ):
        before = _reservation(trace, arguments.get("reservation_id"), event.index)
        about: Any = before or arguments
        user = trace.start.get("users", about["user_id"])
        if user is None:
            continue
        free = free_bags(user, about["cabin"], len(about["passengers"]))
        needed = max(0, arguments["total_baggages"] - free)
        paid = before["nonfree_baggages"] if before else 0
        given = arguments["nonfree_baggages"]
        if not needed <= given <= max(needed, paid):
            yield Breach(
                f"{given} of {arguments['total_baggages']} bags are non-free, but {free} are free, so {needed} should be.",
                (event.index,),
            )


def bags_asked_for(trace: PolicyTrace) -> Iterator[Breach]:
    """3.3: bags are added only if the customer speaks of bags."""
    for event, arguments in _written(
        trace, "book_reservation", "update_reservation_baggages"
    ):
        if arguments["total_baggages"] and not _BAGS.search(
            trace.said_by_user(event.index)
        ):
            yield Breach("The customer never asked for bags.", (event.index,))


def insurance_asked_about(trace: PolicyTrace) -> Iterator[Breach]:
    """3.4: before a booking somebody spoke of travel insurance, and nobody gets it who said no to it."""
    for event, arguments in _written(trace, "book_reservation"):
        told = trace.said_by_user(event.index)
        asked = any(
            e.by == "agent" and e.index < event.index and "insur" in e.text.lower()
            for e in trace.events
        )
        if "insur" not in told and not asked:
            yield Breach(
                "The customer was not asked about travel insurance.", (event.index,)
            )
        rest, refused = _NO_INSURANCE.subn("", told)
        if arguments["insurance"] == "yes" and refused and "insur" not in rest:
            yield Breach("The customer wanted no insurance.", (event.index,))


# --- changes -------------------------------------------------------------------------------------------------------------------


def _flight_changes(
    trace: PolicyTrace,
) -> Iterator[tuple[Event, Mapping[str, Any], Record]]:
    """Changes of flights or cabin, with the reservation before."""
    for event, arguments in _written(trace, "update_reservation_flights"):
        before = _reservation(trace, arguments["reservation_id"], event.index)
        if before is not None:
            yield event, arguments, before


def _named(flights: Iterable[Mapping[str, Any]]) -> list[tuple[Any, Any]]:
    return [(flight["flight_number"], flight["date"]) for flight in flights]


def basic_economy_stays(trace: PolicyTrace) -> Iterator[Breach]:
    """4.1: flights of basic economy are not replaced, not even together with the cabin."""
    for event, arguments, before in _flight_changes(trace):
        replaced = _named(arguments["flights"]) != _named(before["flights"])
        if before["cabin"] == "basic_economy" and replaced:
            yield Breach(
                f"Flights of {before['reservation_id']} were replaced, which is in basic economy.",
                (event.index,),
            )


def same_trip(trace: PolicyTrace) -> Iterator[Breach]:
    """4.1: origin, destination and trip type stay."""
    for event, _, before in _flight_changes(trace):
        after = _result(event)
        if after is not None and not makes_the_trip(before, after["flights"]):
            yield Breach(
                f"The new flights of {before['reservation_id']} are not a {before['flight_type']} trip "
                f"from {before['origin']} to {before['destination']}.",
                (event.index,),
            )


def cabin_before_flying(trace: PolicyTrace) -> Iterator[Breach]:
    """4.2: the cabin is not changed once a flight was flown (the tool only looks at the flights that are to stay)."""
    for event, arguments, before in _flight_changes(trace):
        flown = _flown(trace, before)
        if arguments["cabin"] != before["cabin"] and flown:
            yield Breach(
                f"The cabin of {before['reservation_id']} was changed, though {', '.join(flown)} was flown.",
                (event.index,),
            )


def bags_stay(trace: PolicyTrace) -> Iterator[Breach]:
    """4.4: bags are added and not removed."""
    for event, arguments in _written(trace, "update_reservation_baggages"):
        before = _reservation(trace, arguments["reservation_id"], event.index)
        if before and arguments["total_baggages"] < before["total_baggages"]:
            yield Breach(
                f"{before['total_baggages']} bags became {arguments['total_baggages']}.",
                (event.index,),
            )


# --- cancelling ----------------------------------------------------------------------------------------------------------------


def _cancellations(trace: PolicyTrace) -> Iterator[tuple[Event, Record]]:
    for event, arguments in _written(trace, "cancel_reservation"):
        before = _reservation(trace, arguments["reservation_id"], event.index)
        if before is not None:
            yield event, before


def reason_asked(trace: PolicyTrace) -> Iterator[Breach]:
    """5.1: the customer gave a reason, or was asked for one."""
    for event, _ in _cancellations(trace):
        told = trace.said_by_user(event.index)
        ways = [
            way.lower() in told
            for ways in trace.lexicon.get("reason", {}).values()
            for way in ways
        ]
        asked = any(
            e.by == "agent" and e.index < event.index and _ASKS_WHY.search(e.text)
            for e in trace.events
        )
        known = any(ways) or _REASON.search(told) or _HEALTH_OR_WEATHER.search(told)
        if not (known or asked):
            yield Breach(
                "The customer was not asked why the trip is cancelled.", (event.index,)
            )


def nothing_flown(trace: PolicyTrace) -> Iterator[Breach]:
    """5.2: a reservation with a flight that was flown is not cancelled."""
    for event, before in _cancellations(trace):
        flown = _flown(trace, before)
        if flown:
            yield Breach(
                f"{before['reservation_id']} was cancelled, though {', '.join(flown)} was flown.",
                (event.index,),
            )


def may_be_cancelled(trace: PolicyTrace) -> Iterator[Breach]:
    """5.3: booked within 24 hours, cancelled by the airline, business, or insured with a reason of health or weather."""
    for event, before in _cancellations(trace):
        told = trace.said_by_user(event.index)
        insured = before["insurance"] == "yes" and _HEALTH_OR_WEATHER.search(told)
        if not (
            booked_lately(before)
            or any(_status(trace, leg) == "cancelled" for leg in before["flights"])
            or before["cabin"] == "business"
            or insured
        ):
            yield Breach(
                f"No rule lets {before['reservation_id']} be cancelled: {before['cabin']}, booked {before['created_at']}, "
                f"insurance {before['insurance']}.",
                (event.index,),
            )


def booked_lately(reservation: Mapping[str, Any]) -> bool:
    """Within the last 24 hours, the 24th included."""
    now = datetime.fromisoformat(NOW)
    return now - datetime.fromisoformat(reservation["created_at"]) <= timedelta(
        hours=24
    )


# --- compensation --------------------------------------------------------------------------------------------------------------


def _certificates(
    trace: PolicyTrace,
) -> Iterator[tuple[Event, Mapping[str, Any], Record, list[Record]]]:
    """Certificates sent: (event, arguments, customer, their reservations as they stood when the conversation began)."""
    for event, arguments in _written(trace, "send_certificate"):
        user = trace.start.get("users", arguments["user_id"])
        if user is not None:
            found = [
                trace.start.get("reservations", key) for key in user["reservations"]
            ]
            yield event, arguments, user, [row for row in found if row is not None]


def _legs(trace: PolicyTrace, reservation: Record, *statuses: str) -> list[Record]:
    return [leg for leg in reservation["flights"] if _status(trace, leg) in statuses]


def _hit(trace: PolicyTrace, reservation: Record) -> bool:
    return bool(_legs(trace, reservation, "cancelled", "delayed"))


def entitled(user: Mapping[str, Any], reservation: Mapping[str, Any]) -> bool:
    """6.2: silver or gold, insured, or in business."""
    return bool(
        user["membership"] != "regular"
        or reservation["insurance"] == "yes"
        or reservation["cabin"] == "business"
    )


def compensation_asked_for(trace: PolicyTrace) -> Iterator[Breach]:
    """6.1: the customer asked for something."""
    for event, *_ in _certificates(trace):
        if not _COMPENSATION.search(trace.said_by_user(event.index)):
            yield Breach("The customer never asked for compensation.", (event.index,))


def facts_confirmed(trace: PolicyTrace) -> Iterator[Breach]:
    """6.1: profile, reservation and the status of one of its flights were looked up before."""
    for event, arguments, _, reservations in _certificates(trace):
        made = [e for e in trace.calls if e.made and e.index < event.index]
        read = [e.call for e in made if e.call is not None]
        seen = {call.arguments.get("reservation_id") for call in read}
        legs = {
            (leg["flight_number"], leg["date"])
            for row in reservations
            if row["reservation_id"] in seen
            for leg in row["flights"]
        }
        statuses = {
            (call.arguments.get("flight_number"), call.arguments.get("date"))
            for call in read
            if call.name == "get_flight_status"
        }
        profile = any(
            call.name == "get_user_details"
            and call.arguments["user_id"] == arguments["user_id"]
            for call in read
        )
        if not (profile and legs & statuses):
            yield Breach(
                "A certificate was sent before profile, reservation and flight status were looked up.",
                (event.index,),
            )


def only_the_entitled(trace: PolicyTrace) -> Iterator[Breach]:
    """6.2: not to regular members without insurance in economy or basic economy, as they flew when they asked."""
    for event, _, user, reservations in _certificates(trace):
        hit = [row for row in reservations if _hit(trace, row)]
        if hit and not any(entitled(user, row) for row in hit):
            yield Breach(
                f"{user['user_id']} is a regular member, neither insured nor in business.",
                (event.index,),
            )


def cancelled_amount(trace: PolicyTrace) -> Iterator[Breach]:
    """6.3: 100 dollars for each passenger of a trip with a cancelled flight."""
    yield from (breach for clause, breach in _not_due(trace) if clause == "6.3")


def delayed_amount(trace: PolicyTrace) -> Iterator[Breach]:
    """6.4: 50 dollars for each passenger of a trip with a delayed flight, after it was changed or cancelled."""
    yield from (breach for clause, breach in _not_due(trace) if clause == "6.4")


def nothing_else_compensated(trace: PolicyTrace) -> Iterator[Breach]:
    """6.5: trips without a cancelled or delayed flight give nothing, and no trip gives twice."""
    yield from (breach for clause, breach in _not_due(trace) if clause == "6.5")


def _not_due(trace: PolicyTrace) -> Iterator[tuple[str, Breach]]:
    """Certificates that no trip gives a right to, each with the clause that comes nearest. Who is not entitled is left to 6.2."""
    spent: set[str] = set()
    for event, arguments, user, reservations in _certificates(trace):
        amount = arguments["amount"]
        hit = {row["reservation_id"]: row for row in reservations if _hit(trace, row)}
        entitling = {key: row for key, row in hit.items() if entitled(user, row)}
        fresh = {key: row for key, row in entitling.items() if key not in spent}
        due = {key: _due(trace, row, event.index) for key, row in fresh.items()}
        fitting = [key for key, amounts in due.items() if amount in amounts]
        if fitting:
            spent.add(fitting[0])
        elif not hit or (entitling and not fresh):
            text = f"No trip of {user['user_id']} gives a right to another certificate."
            yield "6.5", Breach(text, (event.index,))
        elif fresh:
            cancelled = any(_legs(trace, row, "cancelled") for row in fresh.values())
            unchanged = amount in {
                FOR_DELAYED * len(row["passengers"])
                for row in fresh.values()
                if _legs(trace, row, "delayed")
            }
            clause = "6.3" if cancelled and not unchanged else "6.4"
            amounts = sorted({each for some in due.values() for each in some})
            text = f"{amount} dollars were sent, but due is {amounts or 'nothing yet'}."
            yield clause, Breach(text, (event.index,))


def _due(trace: PolicyTrace, reservation: Record, before: int) -> list[int]:
    """Amounts that may be sent for this reservation, whoever it belongs to."""
    passengers = len(reservation["passengers"])
    found = []
    if _legs(trace, reservation, "cancelled"):
        found.append(FOR_CANCELLED * passengers)
    if _legs(trace, reservation, "delayed"):
        changed = any(
            event.wrote
            and event.index < before
            and event.call is not None
            and event.call.arguments.get("reservation_id")
            == reservation["reservation_id"]
            for event in trace.calls
        )
        if changed:
            found.append(FOR_DELAYED * passengers)
    return found


POLICY_CHECKS = (
    PolicyCheck("1.1", "The customer says who they are first", asked_who),
    PolicyCheck("1.1", "Only this customer's profile and reservations", one_customer),
    PolicyCheck("1.6", "A transfer is announced", transferred_properly),
    PolicyCheck("3.1", "At most five passengers", few_passengers),
    PolicyCheck("3.1", "The flights make the trip", booked_the_trip),
    PolicyCheck("3.2", "At most so many payment methods", few_methods),
    PolicyCheck("3.3", "Bags beyond the free ones are paid", bags_charged_right),
    PolicyCheck("3.3", "Only bags that were asked for", bags_asked_for),
    PolicyCheck("3.4", "Insurance is spoken of", insurance_asked_about),
    PolicyCheck("4.1", "Basic economy flights stay", basic_economy_stays),
    PolicyCheck("4.1", "The trip stays the same", same_trip),
    PolicyCheck("4.2", "No new cabin once flown", cabin_before_flying),
    PolicyCheck("4.4", "Bags are not removed", bags_stay),
    PolicyCheck("5.1", "The reason is asked for", reason_asked),
    PolicyCheck("5.2", "Nothing flown is cancelled", nothing_flown),
    PolicyCheck("5.3", "A rule lets the trip be cancelled", may_be_cancelled),
    PolicyCheck("6.1", "Compensation was asked for", compensation_asked_for),
    PolicyCheck("6.1", "The facts are confirmed", facts_confirmed),
    PolicyCheck("6.2", "Only customers who can be compensated", only_the_entitled),
    PolicyCheck("6.3", "100 dollars for a cancelled flight", cancelled_amount),
    PolicyCheck("6.4", "50 dollars for a delayed flight", delayed_amount),
    PolicyCheck("6.5", "Nothing else is compensated", nothing_else_compensated),
)

NOT_JUDGED: Mapping[str, str] = {
    "1.2": "The engine judges it for every world: each write is listed and answered with a yes.",
    "1.3": "The engine judges it for every world: one call per turn, no text beside it.",
    "1.4": "Whether a sentence is a fact or an opinion only a reader can tell; arguments are traced by the engine.",
    "1.5": "Each rule that a request can go against has its own judge; that the agent says no is judged by the engine.",
    "2.3": "A definition: the judges of 3.3, 4.1 and 5.3 take basic economy as a cabin of its own.",
}
"""Clauses without a judge or tool of their own → why."""
