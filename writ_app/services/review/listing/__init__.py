"""Lists of trajectories: filtered by an allow-list of facets, searched, counted, paged by key."""

from writ_app.services.review.listing.facets import TITLES, WORDS, Facet, list_facets
from writ_app.services.review.listing.filters import (
    MANY,
    NAMES,
    ONE,
    Filters,
    argument_name,
    found_by,
    shape_of,
)
from writ_app.services.review.listing.pages import (
    NEWEST,
    ORDERS,
    ItemList,
    ListedItem,
    Order,
    TooSlow,
    at_most,
    list_items,
)
from writ_app.services.review.listing.text import Piece

__all__ = [
    "MANY",
    "NAMES",
    "NEWEST",
    "ONE",
    "ORDERS",
    "TITLES",
    "WORDS",
    "Facet",
    "Filters",
    "ItemList",
    "ListedItem",
    "Order",
    "Piece",
    "TooSlow",
    "argument_name",
    "at_most",
    "found_by",
    "list_facets",
    "list_items",
    "shape_of",
]
