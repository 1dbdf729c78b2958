"""Choosing values that go together: by a plan and a persona, within the room that a task leaves."""

from collections.abc import Callable, Mapping, Sequence

from writ_app.engine.behaviour.dimensions import DIMENSIONS
from writ_app.engine.behaviour.rules import go_together

type Choices = Mapping[str, Sequence[str]]
"""Dimension → values to choose from, the preferred first."""


def offered(room: Choices, allowed: Choices) -> dict[str, tuple[str, ...]]:
    """The room of a task within what plan and persona allow, in the order that they name.

    What they allow but the task has no room for gives way to the plainest value that there is room for. Values that are only played
    on request are not offered unasked.
    """
    found = {}
    for slug, values in room.items():
        if slug in allowed:
            fitting = tuple(value for value in allowed[slug] if value in values)
            if slug == "identity":  # the order is the task's: its own knowledge first
                fitting = tuple(value for value in values if value in allowed[slug])
            found[slug] = fitting or (values[0],)
        else:
            known = DIMENSIONS[slug]
            found[slug] = tuple(v for v in values if not known.value(v).on_request)
    return found


def lacking(room: Choices, allowed: Choices) -> list[str]:
    """Dimensions in which the task has room for none of the values that plan or persona ask for."""
    return [
        slug
        for slug, values in allowed.items()
        if slug in DIMENSIONS
        and not set(values) & set(room.get(slug, ()))
        and DIMENSIONS[slug].plain not in values
    ]


def assign(
    choices: Choices,
    order: Sequence[str],
    ranked: Callable[[str, Sequence[str], Mapping[str, str]], Sequence[str]],
) -> dict[str, str] | None:
    """One value per dimension, so that all go together; None if that cannot be.

    Dimensions are taken in `order`; `ranked` sorts what is left of a dimension's values, given what is chosen so far.
    """
    return _assign({slug: tuple(choices[slug]) for slug in order}, {}, ranked)


def _assign(
    left: dict[str, tuple[str, ...]],
    chosen: dict[str, str],
    ranked: Callable[[str, Sequence[str], Mapping[str, str]], Sequence[str]],
) -> dict[str, str] | None:
    if not left:
        return chosen
    slug = next((s for s, values in left.items() if len(values) == 1), next(iter(left)))
    for value in ranked(slug, left[slug], chosen):
        rest = _narrowed(left, slug, value)
        if rest is not None:
            found = _assign(rest, {**chosen, slug: value}, ranked)
            if found is not None:
                return found
    return None


def _narrowed(
    left: Mapping[str, tuple[str, ...]], slug: str, value: str
) -> dict[str, tuple[str, ...]] | None:
    """The other dimensions' values that go with this one; None if a dimension has none left."""
    rest = {
        other: tuple(v for v in values if go_together((slug, value), (other, v)))
        for other, values in left.items()
        if other != slug
    }
    return rest if all(rest.values()) else None


def first_playable(room: Choices, allowed: Choices) -> dict[str, str]:
    """The plainest behaviour that plan and persona allow. What cannot be played together gives way to what can."""
    choices = offered(room, allowed)
    for slug in reversed([*allowed]):
        found = assign(choices, [*choices], lambda _, values, __: values)
        if found is not None:
            return found
        if slug in choices:
            choices[slug] = tuple(dict.fromkeys([*choices[slug], *room[slug]]))
    found = assign(dict(room), [*room], lambda _, values, __: values)
    return found or {slug: values[0] for slug, values in room.items()}
