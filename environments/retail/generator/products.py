"""Products with their variants: which options are made, what they cost, what is in stock."""

import math
from collections.abc import Sequence
from random import Random

from environments.core.chance import Json, Source
from environments.retail.generator.assortment import ASSORTMENT, ProductType
from environments.retail.generator.money import to_dollars

FEWEST_VARIANTS, MOST_VARIANTS = 6, 20
FEWEST_AVAILABLE = 4
AVAILABLE_SHARE = 0.64
PRICE_NOISE = 0.03


def make_products(source: Source) -> list[Json]:
    """Every product type once, with a choice of its variants."""
    return [
        {
            "name": kind.name,
            "product_id": source.number("", 10),
            "variants": {v["item_id"]: v for v in _make_variants(source, kind)},
        }
        for kind in ASSORTMENT
    ]


def _make_variants(source: Source, kind: ProductType) -> list[Json]:
    combinations = math.prod(len(values) for values in kind.options.values())
    count = source.rng.randint(FEWEST_VARIANTS, min(MOST_VARIANTS, combinations))
    chosen = [_options(kind, n) for n in source.rng.sample(range(combinations), count)]
    prices = _prices(source.rng, kind, chosen)
    stock = _stock(source.rng, count)
    return [
        {
            "item_id": source.number("", 10),
            "options": options,
            "available": available,
            "price": to_dollars(price),
        }
        for options, available, price in zip(chosen, stock, prices, strict=True)
    ]


def _options(kind: ProductType, number: int) -> Json:
    """The combination with this number, counting as in a mixed-radix numeral."""
    options: Json = {}
    for name, values in kind.options.items():
        number, position = divmod(number, len(values))
        options[name] = list(values)[position]
    return options


def _prices(rng: Random, kind: ProductType, chosen: Sequence[Json]) -> list[int]:
    """Prices in cents: what the options cost, a little noise, and a gap between any two."""
    level = rng.uniform(0.9, 1.1)
    prices = []
    for options in chosen:
        extra = sum(kind.options[name][value] for name, value in options.items())
        noise = rng.uniform(1 - PRICE_NOISE, 1 + PRICE_NOISE)
        prices.append(round((kind.base + extra) * level * noise * 100))
    floor = 0
    for position in sorted(range(len(prices)), key=prices.__getitem__):
        prices[position] = max(prices[position], floor)
        floor = prices[position] + rng.randint(51, 79)
    return prices


def _stock(rng: Random, count: int) -> list[bool]:
    """Which variants are available; if too few are, the shelf is filled up."""
    available = [rng.random() < AVAILABLE_SHARE for _ in range(count)]
    empty = [position for position, there in enumerate(available) if not there]
    rng.shuffle(empty)
    for position in empty[: max(0, FEWEST_AVAILABLE - sum(available))]:
        available[position] = True
    return available
