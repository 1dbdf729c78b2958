"""Exchanges of a delivered thing for a version that is described by its options."""

import random
from itertools import combinations
from typing import Any

from environments.core.domain import (
    Archetype,
    Clause,
    Facts,
    Proposal,
    Reading,
    TaskClass,
)
from environments.core.query import (
    Condition,
    Key,
    Query,
    Ref,
    Selection,
    The,
    compare,
    fact,
    ref,
)
from environments.core.state import Record, Session
from environments.retail.archetypes.draws import (
    SOUNDS_LIKE,
    can_be_named,
    changed_options,
    describe,
    draw_source,
    line_called,
    orders_of,
    others_in_stock,
    product_names,
    product_of,
    proposal_for,
    whoever,
)
from environments.retail.archetypes.parts import (
    IN_STOCK,
    best,
    exchange_one,
    item_in,
    number_of_differences,
    only_differs_in,
    option_of,
    orders_where,
    other_variant,
    request,
    the_method,
)
from environments.retail.archetypes.wording import SWAP_WISH, pay
from environments.retail.relations import SIZES, size

# --- R4: the same but for one option -------------------------------------------------------------------------------------------------


def _swap_option(facts: Facts, *, stock: bool = True) -> Query:
    conditions: list[Condition] = [IN_STOCK] if stock else []
    same = only_differs_in("new", "item", fact("option"))
    return request(
        facts,
        item_in("delivered"),
        The(selection=other_variant("item", *conditions, same)),
        the_method("method", fact("payment")),
        exchange_one(),
    )


def _fit_option(session: Session, user: Record, rng: random.Random) -> Proposal | None:
    """Exactly one version in stock differs in that option alone."""
    found, source = describe(session, user, "delivered", rng), draw_source(user, rng)
    if found is None or source is None:
        return None
    line = line_called(*found)
    product = product_of(session, line)
    changes = [changed_options(line, new) for new in others_in_stock(session, line)]
    single = [names[0] for names in changes if len(names) == 1]
    options = [
        name
        for name in dict.fromkeys(single)
        if single.count(name) == 1 and can_be_named(product, name)
    ]
    if not options:
        return None
    option = rng.choice(options)
    wishes = {"product": found[1], "option": option, "payment": source}
    return proposal_for(user, rng, wishes, "wish", "target", "pay")


R4 = Archetype(
    "R4",
    "Exchange one thing for the version that differs in one option alone",
    TaskClass.READ_HEAVY,
    whoever(_fit_option),
    _swap_option,
    (
        SWAP_WISH,
        Clause(
            "target",
            (
                "The new {product} should be the one in stock that differs in nothing but the {option}.",
                "I want the {product} that you have in stock with everything else as before and only another {option}.",
                "Keep all about the {product} as I have had so far, and take the one in stock with a different {option}.",
            ),
        ),
        pay("the {product}"),
    ),
    lambda facts: [
        Reading(
            "sold-out versions count too", _swap_option(facts, stock=False), "target"
        )
    ],
    existential=True,
)


# --- R8: in the color of another thing ------------------------------------------------------------------------------------------------


def _swap_color(facts: Facts, *, stock: bool = True) -> Query:
    conditions: list[Condition] = [IN_STOCK] if stock else []
    called = compare(ref("model.name"), "eq", fact("other_product"))
    model = Selection(
        name="model", relation="items", of=orders_where("model_order"), where=called
    )
    same_color = compare(option_of("new", "color"), "eq", option_of("model", "color"))
    return request(
        facts,
        item_in("delivered"),
        The(selection=model),
        best(other_variant("item", *conditions, same_color)),
        the_method("method", fact("payment")),
        exchange_one(),
    )


def _fit_color(session: Session, user: Record, rng: random.Random) -> Proposal | None:
    """Of two things in different orders: two versions or more of the one are to be had in the color of the other, and some in others."""
    source = draw_source(user, rng)
    if source is None or len(user["orders"]) < 2:
        return None
    orders = orders_of(session, user)
    everything = [name for order in orders for name in product_names(order)]
    pairs = []
    for order in orders:
        for line in order["items"] if order["status"] == "delivered" else ():
            if "color" not in line["options"] or everything.count(line["name"]) > 1:
                continue
            colors = [
                new["options"].get("color") for new in others_in_stock(session, line)
            ]
            pairs += [
                (line["name"], model["name"])
                for other in orders
                if other is not order
                for model in other["items"]
                if everything.count(model["name"]) == 1
                and model["options"].get("color")
                not in (None, line["options"]["color"])
                and 1 < colors.count(model["options"]["color"]) < len(colors)
            ]
    if not pairs:
        return None
    product, other = rng.choice(pairs)
    wishes = {"product": product, "other_product": other, "payment": source}
    return proposal_for(user, rng, wishes, "wish", "target", "pay")


R8 = Archetype(
    "R8",
    "Exchange one thing for the cheapest version in the color of another",
    TaskClass.READ_HEAVY,
    whoever(_fit_color, 200),
    _swap_color,
    (
        SWAP_WISH,
        Clause(
            "target",
            (
                "The new {product} has to be in the same color as the {other_product} from my other order, and the cheapest other version of that color in stock.",
                "Take the cheapest other version of the {product} in stock whose color is that of the {other_product} I also ordered.",
                "I want a {product} that matches the color of the {other_product} in another order of mine, the cheapest such version in stock.",
            ),
        ),
        pay("the {product}"),
    ),
    lambda facts: [
        Reading(
            "sold-out versions count too", _swap_color(facts, stock=False), "target"
        )
    ],
    existential=True,
)


# --- R16: the largest, then the cheapest ---------------------------------------------------------------------------------------------


def _swap_largest(facts: Facts, *, stock: bool = True, other: bool = True) -> Query:
    size = Ref(name="new", path=("sizes", facts["size"]))
    conditions: list[Condition] = [IN_STOCK] if stock else []
    new = (
        other_variant("item", *conditions, relation="sized_variants")
        if other
        else Selection(
            name="new", relation="sized_variants", of=ref("item"), where=IN_STOCK
        )
    )
    return request(
        facts,
        item_in("delivered"),
        best(new, Key(value=size, direction="desc"), "new.price"),
        the_method("method", fact("payment")),
        exchange_one(),
    )


def _fit_largest(session: Session, user: Record, rng: random.Random) -> Proposal | None:
    """Every version of the product says how large it is, in the same kind of unit, and not all in stock are of one size."""
    found, source = describe(session, user, "delivered", rng), draw_source(user, rng)
    if found is None or source is None:
        return None
    line = line_called(*found)
    options = [
        name
        for name in line["options"]
        if name in SIZES and _comparable(product_of(session, line), name)
    ]
    if not options:
        return None
    option = rng.choice(options)
    in_stock = {new["options"][option] for new in others_in_stock(session, line)}
    if len(in_stock) < 2:
        return None
    wishes = {"product": found[1], "size": option, "payment": source}
    return proposal_for(user, rng, wishes, "wish", "target", "pay")


def _comparable(product: Record, option: str) -> bool:
    sizes = [
        size(new["options"].get(option, "")) for new in product["variants"].values()
    ]
    return all(sizes) and len({found[0] for found in sizes if found}) == 1


R16 = Archetype(
    "R16",
    "Exchange one thing for the largest version in stock, then the cheapest",
    TaskClass.READ_HEAVY,
    whoever(_fit_largest),
    _swap_largest,
    (
        SWAP_WISH,
        Clause(
            "target",
            (
                "[I want|Give me] the other version of the {product} in stock with the {size}. If several have that much, the cheapest of these.",
                "Among the other versions of the {product} in stock, take the one with the {size}. If there is more than one like that, the cheapest of them.",
                "The new {product} should be another one in stock with the {size}, and the cheapest one of that size.",
            ),
        ),
        pay("the {product}"),
    ),
    lambda facts: [
        Reading(
            "sold-out versions count too", _swap_largest(facts, stock=False), "target"
        ),
        Reading(
            "the present version counts too",
            _swap_largest(facts, other=False),
            "target",
        ),
    ],
    existential=True,
)


# --- R17: anything but … ----------------------------------------------------------------------------------------------------------------


def _swap_but(facts: Facts, *, stock: bool = True) -> Query:
    conditions: list[Condition] = [IN_STOCK] if stock else []
    wanted = [
        compare(option_of("new", facts[option]), "ne", fact(value))
        for option, value in (("option", "value"), ("other_option", "other_value"))
    ]
    return request(
        facts,
        item_in("delivered"),
        best(other_variant("item", *conditions, *wanted)),
        the_method("method", fact("payment")),
        exchange_one(),
    )


def _fit_but(session: Session, user: Record, rng: random.Random) -> Proposal | None:
    """Both exclusions matter: each rules out a version that would be cheaper than the answer."""
    found, source = describe(session, user, "delivered", rng), draw_source(user, rng)
    if found is None or source is None:
        return None
    line = line_called(*found)
    product, left = product_of(session, line), others_in_stock(session, line)
    names = [name for name in line["options"] if can_be_named(product, name)]
    if len(names) < 2 or len(left) < 4:
        return None
    wishes: dict[str, Any] = {"product": found[1], "payment": source}
    for prefix, option in zip(("", "other_"), rng.sample(names, 2), strict=True):
        value = left[0]["options"][option]
        wishes |= {f"{prefix}option": option, f"{prefix}value": value}
        left = [new for new in left if new["options"][option] != value]
        if len(left) < 2:
            return None
    return proposal_for(user, rng, wishes, "wish", "target", "but", "nor", "pay")


R17 = Archetype(
    "R17",
    "Exchange one thing for the cheapest version without certain options",
    TaskClass.READ_HEAVY,
    whoever(_fit_but),
    _swap_but,
    (
        SWAP_WISH,
        Clause(
            "target",
            (
                "I'll take the cheapest other version of the {product} in stock that meets two conditions.",
                "Of the other versions of the {product} in stock, find the cheapest that suits me, with two things to avoid.",
                "Find me the cheapest other version of the {product} in stock, except for two things.",
            ),
        ),
        Clause(
            "but",
            (
                "Any {option} of the {product} will do but {value}.",
                "For the {option} of the {product}, anything except {value}.",
            ),
        ),
        Clause(
            "nor",
            (
                "And the {other_option} of the {product} must not be {other_value}.",
                "What I won't have as {other_option} of the {product} is {other_value}.",
            ),
        ),
        pay("the {product}"),
    ),
    lambda facts: [
        Reading("sold-out versions count too", _swap_but(facts, stock=False), "target")
    ],
    existential=True,
)


# --- R18: the closest to what I have -----------------------------------------------------------------------------------------------------


def _swap_closest(facts: Facts, *, stock: bool = True) -> Query:
    changes = Key(value=number_of_differences("new", "item"))
    conditions: list[Condition] = [IN_STOCK] if stock else []
    return request(
        facts,
        item_in("delivered"),
        best(other_variant("item", *conditions), changes, "new.price"),
        the_method("method", fact("payment")),
        exchange_one(),
    )


def _fit_closest(session: Session, user: Record, rng: random.Random) -> Proposal | None:
    """The closest version is not the cheapest anyway."""
    found, source = describe(session, user, "delivered", rng), draw_source(user, rng)
    if found is None or source is None:
        return None
    line = line_called(*found)
    others = others_in_stock(session, line)
    if len(others) < 3 or len(line["options"]) < 2:
        return None
    ranked = sorted(
        others, key=lambda new: (len(changed_options(line, new)), new["price"])
    )
    if ranked[0] is others[0]:
        return None
    wishes = {"product": found[1], "payment": source}
    return proposal_for(user, rng, wishes, "wish", "target", "pay")


R18 = Archetype(
    "R18",
    "Exchange one thing for the version closest to it",
    TaskClass.READ_HEAVY,
    whoever(_fit_closest),
    _swap_closest,
    (
        SWAP_WISH,
        Clause(
            "target",
            (
                "I want the other version in stock that differs from my {product} in the fewest options. If there are several like that, the cheapest of them.",
                "The new {product} should be another one in stock that has as many options in common with mine as possible. Among equals, the cheapest.",
                "Take the other version in stock with the fewest options changed against my {product}, and the cheapest if several tie.",
            ),
        ),
        pay("the {product}"),
    ),
    lambda facts: [
        Reading(
            "sold-out versions count too", _swap_closest(facts, stock=False), "target"
        )
    ],
    existential=True,
)


# --- R24: described by two of its options, in some order or other ------------------------------------------------------------------------


def _swap_described(facts: Facts, *, stock: bool = True) -> Query:
    conditions: list[Condition] = [IN_STOCK] if stock else []
    options = [
        compare(option_of("item", facts[option]), "eq", fact(value))
        for option, value in (("option", "value"), ("other_option", "other_value"))
    ]
    return request(
        facts,
        item_in("delivered", *options),
        best(other_variant("item", *conditions)),
        the_method("method", fact("payment")),
        exchange_one(),
    )


def _fit_described(
    session: Session, user: Record, rng: random.Random
) -> Proposal | None:
    """The customer has several of the product; two options tell which is meant, and one of them alone does not always."""
    source = draw_source(user, rng)
    sounding = orders_of(session, user, *SOUNDS_LIKE["delivered"])
    lines = [(order, line) for order in sounding for line in order["items"]]
    names = [line["name"] for _, line in lines]
    found = []
    for order, line in lines if source else ():
        if order["status"] != "delivered" or names.count(line["name"]) < 2:
            continue
        product = product_of(session, line)
        options = [name for name in line["options"] if can_be_named(product, name)]
        for first, second in combinations(options, 2):
            twins = [
                other
                for _, other in lines
                if other["name"] == line["name"]
                and other["options"].get(first) == line["options"][first]
                and other["options"].get(second) == line["options"][second]
            ]
            if len(twins) == 1 and len(others_in_stock(session, line)) > 1:
                found.append((line, first, second))
    if not found:
        return None
    line, first, second = rng.choice(found)
    wishes = {
        "product": line["name"],
        "option": first,
        "value": line["options"][first],
        "other_option": second,
        "other_value": line["options"][second],
        "payment": source,
    }
    return proposal_for(user, rng, wishes, "wish", "which", "target", "pay")


R24 = Archetype(
    "R24",
    "Exchange one of several things that two options tell apart",
    TaskClass.READ_HEAVY,
    whoever(_fit_described, 300),
    _swap_described,
    (
        SWAP_WISH,
        Clause(
            "which",
            (
                "The {product} I mean has {value} as {option} and {other_value} as {other_option}.",
                "I have more than one {product}, and mean the one with {value} for {option} and {other_value} for {other_option}.",
            ),
        ),
        Clause(
            "target",
            (
                "That {product} should become the cheapest other version that is in stock.",
                "For that {product} I want the cheapest other version you have in stock.",
                "In place of that {product} send me the cheapest other version in stock.",
            ),
        ),
        pay("that {product}"),
    ),
    lambda facts: [
        Reading(
            "sold-out versions count too", _swap_described(facts, stock=False), "target"
        )
    ],
    existential=True,
)
