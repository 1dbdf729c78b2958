"""Money in whole cents, so that sums never drift."""


def to_dollars(cents: int) -> float:
    return cents / 100


def to_cents(dollars: float) -> int:
    return round(dollars * 100)
