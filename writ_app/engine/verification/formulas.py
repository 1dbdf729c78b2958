"""Numbers that come of other numbers by a step or two of arithmetic, with the formula in words."""

from collections.abc import Iterable

from environments.core.arithmetic import cents

MOST = 120
"""At most so many different numbers are combined."""
TIMES = range(2, 100)
"""How many of something there may be."""


def formula(value: float, numbers: Iterable[float]) -> tuple[str, tuple[float, ...]]:
    """("284 + 30", its numbers) if up to three of the numbers make the value, to the cent; ("", ()) if they do not.

    Of the simplest formulas the one whose numbers come first. A number that takes itself away again proves nothing.
    """
    wanted = cents(value)
    known: dict[int, float] = {}
    for number in numbers:
        known.setdefault(cents(number), number)
        if len(known) >= MOST:
            break
    known.pop(0, None)
    if not wanted or not known:
        return "", ()
    found = _of_two(wanted, known) or _of_three(wanted, known)
    if found is None:
        return "", ()
    signs, parts = found
    figures = tuple(known.get(part, part / 100) for part in parts)
    words = [figure(figures[0])]
    for sign, number in zip(signs, figures[1:], strict=True):
        words += [sign, figure(number)]
    return " ".join(words), figures


type _Formula = tuple[tuple[str, ...], tuple[int, ...]]
"""Signs, and the numbers (in cents) between which they stand."""


def _of_two(wanted: int, known: dict[int, float]) -> _Formula | None:
    for one in known:
        if wanted - one in known:
            return ("+",), (one, wanted - one)
        if one - wanted in known:
            return ("−",), (one, one - wanted)
        times, rest = divmod(wanted, one)
        if not rest and times in TIMES and times * 100 in known:
            return ("×",), (one, times * 100)
    return None


def _of_three(wanted: int, known: dict[int, float]) -> _Formula | None:
    numbers = list(known)
    for n, one in enumerate(numbers):
        for other in numbers[n:]:
            if wanted - one - other in known:
                return ("+", "+"), (one, other, wanted - one - other)
            rest = one + other - wanted
            if rest in known and rest != one and rest != other:
                return ("+", "−"), (one, other, rest)
            if one - other - wanted in known:
                return ("−", "−"), (one, other, one - other - wanted)
            if other - one - wanted in known:
                return ("−", "−"), (other, one, other - one - wanted)
            product, cent = divmod(one * other, 100)
            if not cent and wanted - product in known and 100 not in (one, other):
                return ("×", "+"), (one, other, wanted - product)
    return None


def figure(number: float) -> str:
    """A number as people write it: 284, 30.5, 1204.99."""
    return str(int(number)) if number == int(number) else f"{number:.2f}".rstrip("0")
