"""Kinds of problems that the API answers with, as its answers and its documentation name them."""

KINDS = {
    400: ("malformed", "The request is not what the schema describes"),
    401: ("unauthenticated", "Nobody is signed in"),
    403: ("forbidden", "Not with this role or token"),
    404: ("not-found", "There is no such thing, or it is of another team"),
    405: ("method", "The address knows no such method"),
    406: ("not-acceptable", "The answer has another media type"),
    409: ("conflict", "Not in the state that things are in"),
    413: ("too-large", "More than is taken at once"),
    415: ("media-type", "The body has another media type"),
    422: ("refused", "Understood, and against the rules"),
    429: ("too-many", "Too many requests"),
    500: ("failure", "A fault of the server"),
    503: ("unavailable", "Not now"),
}
"""Status → last part of the type, title."""
