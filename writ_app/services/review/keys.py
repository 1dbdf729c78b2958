"""Keys of the review pages: what they do, and how a person may change them.

Data only: a page (the desk, a list) gets a map of key → name of an action, and the scripts of the page own what each name does.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from writ_app.engine.errors import WritError
from writ_app.models.accounts import ReviewerKeys, User


class BadKeys(WritError):
    """Keys that cannot be; `wrong` says of each action what is the matter."""

    def __init__(self, wrong: Mapping[str, str]):
        super().__init__("; ".join(f"{name}: {why}" for name, why in wrong.items()))
        self.wrong = dict(wrong)


@dataclass(frozen=True)
class Action:
    name: str
    key: str
    """By default."""
    title: str


type Groups = Mapping[str, tuple[Action, ...]]

DESK: Groups = {
    "Judge": (
        Action("approve", "a", "approve"),
        Action("reject", "x", "reject, then 1–9 for the reason"),
        Action("fix", "f", "needs a fix"),
        Action("defer", "s", "defer: comes last"),
        Action("undo", "u", "undo your last act"),
        Action("comment", "c", "write a note or a comment"),
        Action("edit", "E", "edit it"),
        Action("judge", "J", "judge the one that is open"),
    ),
    "Evidence": (
        Action("next_write", "w", "next argument of a write"),
        Action("prev_write", "W", "previous argument"),
        Action("next_read", "r", "next read"),
        Action("prev_read", "R", "previous read"),
        Action("walk_evidence", "e", "walk the evidence of an argument"),
        Action("siblings", "S", "same task, other plans and models"),
    ),
    "Conversation": (
        Action("conversation", "t", "whole conversation"),
        Action("next_step", "j", "next step"),
        Action("prev_step", "k", "previous step"),
        Action("first", "g g", "first step"),
        Action("last", "G", "last step"),
        Action("goto", "Ctrl+g", "go to a step"),
        Action("find", "/", "find"),
        Action("focus_mode", "z", "this step alone"),
        Action("raw", "v", "raw or rendered"),
    ),
    "Items": (
        Action("prev_item", "[", "what you judged before"),
        Action("next_item", "]", "forward again"),
        Action("key_sheet", "?", "this sheet"),
    ),
}
LIST: Groups = {
    "Lists": (
        Action("next_row", "j", "next row"),
        Action("prev_row", "k", "previous row"),
        Action("tick", "x", "tick the row"),
        Action("search", "/", "search"),
        Action("list_sheet", "?", "this sheet"),
    ),
}
PAGES: Mapping[str, Groups] = {"desk": DESK, "list": LIST}
"""A key means one thing on a page, and may mean another on another."""
GROUPS: Groups = {**DESK, **LIST}
ACTIONS = {action.name: action for group in GROUPS.values() for action in group}
DEFAULTS = {name: action.key for name, action in ACTIONS.items()}

ARROWS = "ArrowLeft ArrowRight ArrowUp ArrowDown"
NAMED = frozenset(
    f"Space Backspace Delete Insert Home End PageUp PageDown {ARROWS} F2 F4 F7 F8 F9 F10".split()
)
"""Keys that print nothing and mean nothing to every browser; Enter, Escape and Tab keep what they do."""
BROWSERS = frozenset("acnprtvwxz")
"""Letters that with Ctrl belong to the browser."""


def keys_of(user: User) -> dict[str, str]:
    """Action → key: the user's own where there is one that still can be. Who is signed in has brought them (`sessions`)."""
    own: ReviewerKeys | None = getattr(user, "review_keys", None)
    return _as_far_as_valid(own.keys) if own else dict(DEFAULTS)


def _as_far_as_valid(own: Mapping[str, object]) -> dict[str, str]:
    """Own keys over the defaults, without those that became wrong since they were kept: a new action may have taken one.

    Each that goes may put a default in the way of another of them; without any the defaults are left, which are right.
    """
    kept = {name: str(own[name]) for name in DEFAULTS if name in own}
    while wrong := _in_the_way(kept):
        kept = {name: key for name, key in kept.items() if name not in wrong}
    return DEFAULTS | kept


def _in_the_way(own: Mapping[str, str]) -> Collection[str]:
    """The actions whose own keys are wrong by themselves, or of a default or of each other."""
    keys = {**DEFAULTS, **own}
    wrong = _faults(keys)
    blamed = own.keys() & wrong.keys()
    for page in PAGES:
        names = names_on(page)
        missed = {keys[name] for name in names if name in wrong}
        missed |= {key.partition(" ")[0] for key in missed}
        blamed |= {name for name in names if own.get(name) in missed}
    return blamed


def change_keys(*, user: User, keys: Mapping[str, str]) -> None:
    """Keep a person's keys by action; what is not named has its default. Raises BadKeys."""
    unknown = keys.keys() - DEFAULTS.keys()
    merged = {**DEFAULTS, **{name: tidy(key) for name, key in keys.items()}}
    wrong = _faults(merged) | dict.fromkeys(unknown, "there is no such action")
    if wrong:
        raise BadKeys(wrong)
    own = {name: key for name, key in merged.items() if key != DEFAULTS[name]}
    if own:
        ReviewerKeys.objects.update_or_create(user=user, defaults={"keys": own})
    else:
        ReviewerKeys.objects.filter(user=user).delete()
    user._state.fields_cache.pop("review_keys", None)  # as they were


def tidy(key: str) -> str:
    """As people write it → as it is kept: `ctrl + G` is `Ctrl+g`, `gg` is `g g`, a blank is `Space`."""
    if key == " ":
        return "Space"
    key = key.strip()
    parts = [part.strip() for part in key.split("+")] if len(key) > 1 else [key]
    if len(parts) == 2 and parts[0].lower() in ("ctrl", "cmd", "meta"):
        return f"Ctrl+{parts[1].lower()}"
    by_name = {name.lower(): name for name in NAMED}
    if key.lower() in by_name:
        return by_name[key.lower()]
    chord = key.split()
    if len(key) == 2 and len(chord) == 1:
        chord = list(key)
    return " ".join(chord)


def _faults(keys: Mapping[str, str]) -> dict[str, str]:
    """Action → what is wrong with its key."""
    wrong = {name: why for name, key in keys.items() if (why := _fault(key))}
    for page in PAGES:
        wrong |= _clashes({name: keys[name] for name in names_on(page)}, wrong)
    return wrong


def names_on(page: str) -> tuple[str, ...]:
    """The actions of one of the PAGES."""
    return tuple(action.name for group in PAGES[page].values() for action in group)


def _clashes(keys: Mapping[str, str], faulty: Collection[str]) -> dict[str, str]:
    """The same for keys of one page that get in each other's way; not said of those that are faulty anyway."""
    wrong: dict[str, str] = {}
    holders: dict[str, str] = {}
    for name, key in keys.items():
        if key in holders and name not in faulty:
            wrong[name] = f"“{key}” is taken by “{ACTIONS[holders[key]].title}”"
        holders.setdefault(key, name)
    for name, key in keys.items():
        first, _, second = key.partition(" ")
        if second and first in holders and name not in {*wrong, *faulty}:
            taken = ACTIONS[holders[first]].title
            wrong[name] = f"begins with “{first}”, which is “{taken}” already"
    return wrong


def _fault(key: str) -> str:
    if key in NAMED:
        return ""
    if key.startswith("Ctrl+") and len(key) > 5:
        letter = key.removeprefix("Ctrl+")
        if not _one_character(letter):
            return "after Ctrl comes one character"
        return f"{key} belongs to the browser" if letter in BROWSERS else ""
    parts = key.split(" ")
    if len(parts) > 2 or not all(map(_one_character, parts)):
        return "one character, two in a row, Ctrl with one, or a named key"
    if any(part in "0123456789" for part in parts):
        return "digits give the reason of a rejection"
    return ""


def _one_character(text: str) -> bool:
    """That a keyboard types and a page shows."""
    return len(text) == 1 and text.isprintable() and not text.isspace()
