"""Keys of one's own: what can be one, what is taken, what is kept."""

import pytest

from tests.factories import make_user
from writ_app.models.accounts import ReviewerKeys
from writ_app.services.review.keys import (
    DEFAULTS,
    PAGES,
    BadKeys,
    change_keys,
    keys_of,
    names_on,
    tidy,
)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("a", "a"),
        ("A", "A"),
        (" ", "Space"),
        ("gg", "g g"),
        ("g  G", "g G"),
        ("ctrl + G", "Ctrl+g"),
        ("cmd+.", "Ctrl+."),
        ("pagedown", "PageDown"),
        ("+", "+"),
        ("é", "é"),
    ],
)
def test_keys_are_kept_in_one_form(written, kept):
    assert tidy(written) == kept


def test_defaults_are_as_they_may_be():
    for page in PAGES:
        keys = [DEFAULTS[name] for name in names_on(page)]
        assert len(set(keys)) == len(keys)
    assert sum(len(names_on(page)) for page in PAGES) == len(DEFAULTS)


@pytest.mark.django_db
class TestChangeKeys:
    def test_keeps_what_differs_and_forgets_it_on_reset(self):
        user = make_user()

        change_keys(user=user, keys={"approve": "p", "fix": DEFAULTS["fix"]})

        assert ReviewerKeys.objects.get().keys == {"approve": "p"}
        assert keys_of(user) == DEFAULTS | {"approve": "p"}
        assert keys_of(make_user()) == DEFAULTS
        change_keys(user=user, keys={})
        assert not ReviewerKeys.objects.exists()

    def test_lets_two_actions_trade_their_keys(self):
        user = make_user()

        change_keys(user=user, keys={"approve": "x", "reject": "a"})

        assert keys_of(user)["reject"] == "a"

    def test_lets_a_key_mean_one_thing_on_the_desk_and_another_in_a_list(self):
        user = make_user()

        change_keys(user=user, keys={"tick": "a"})

        assert (keys_of(user)["tick"], keys_of(user)["approve"]) == ("a", "a")

    @pytest.mark.parametrize(
        ("action", "key", "why"),
        [
            ("approve", "x", "is taken by"),
            ("tick", "j", "is taken by “next row”"),
            ("approve", "g", "begins with"),
            ("approve", "x y", "begins with"),
            ("approve", "1", "digits"),
            ("approve", "Ctrl+w", "belongs to the browser"),
            ("approve", "Ctrl+", "one character"),
            ("approve", "Enter", "one character"),
            ("approve", "", "one character"),
            ("approve", "\u202e", "one character"),
            ("approve", "</script>", "one character"),
            ("nonsense", "p", "no such action"),
        ],
    )
    def test_refuses_what_cannot_be_and_says_why(self, action, key, why):
        user = make_user()

        with pytest.raises(BadKeys, match=why):
            change_keys(user=user, keys={action: key})

        assert keys_of(user) == DEFAULTS

    @pytest.mark.parametrize(
        ("own", "left"),
        [
            ({"approve": "J", "fix": "p"}, {"fix": "p"}),
            ({"approve": "J", "reject": "a", "fix": "p"}, {"fix": "p"}),
            ({"next_step": "g", "fix": "p"}, {"fix": "p"}),
            ({"approve": "g x", "goto": "g x", "fix": "p"}, {"fix": "p"}),
            ({"tick": "J", "approve": "J"}, {"tick": "J"}),
            ({"gone": "a", "fix": "p"}, {"fix": "p"}),
        ],
    )
    def test_gives_up_only_what_a_new_action_or_another_key_is_in_the_way_of(
        self, own, left
    ):
        user = make_user()
        ReviewerKeys.objects.create(user=user, keys=own)

        assert keys_of(user) == DEFAULTS | left

    def test_takes_nothing_from_a_row_that_is_not_valid(self):
        user = make_user()
        ReviewerKeys.objects.create(user=user, keys={"approve": "<script>", "fix": 7})

        assert keys_of(user) == DEFAULTS
