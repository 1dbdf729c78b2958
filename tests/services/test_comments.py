from datetime import UTC, datetime

import pytest

from tests.factories import (
    make_batch,
    make_owner,
    make_reviewer,
    make_slot,
    make_trajectory,
    team_of,
)
from writ_app.models.curation import Comment, Mention
from writ_app.models.review import ReviewEvent, ReviewItem, Verdict
from writ_app.services.review.blind import may_see_others
from writ_app.services.review.comments import (
    CannotComment,
    add_comment,
    comments_of,
    count_unread,
    list_mentions,
    see_mentions,
    talk_about,
    withdraw_comment,
)
from writ_app.services.review.page import build_review_page

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def ada():
    return make_owner(name="ada")


@pytest.fixture
def bob(ada):
    return make_reviewer(team=team_of(ada), name="bob.b")


@pytest.fixture
def item(ada) -> ReviewItem:
    row = make_trajectory(batch=make_batch(team=team_of(ada), by=ada))
    return ReviewItem.objects.get(pk=row.pk)


def make_blind(item: ReviewItem) -> None:
    ReviewItem.objects.filter(pk=item.pk).update(wanted=2)
    item.refresh_from_db()


class TestComments:
    def test_stand_in_threads_of_one_level(self, item, ada, bob):
        first = add_comment(item=item, author=ada, body="Why?", message=3, pointer="/a")
        reply = add_comment(item=item, author=bob, body="Because.", parent=first)
        add_comment(item=item, author=ada, body="I see.", parent=reply)
        add_comment(item=item, author=ada, body="Other.")

        talk = talk_about(item, ada)

        assert [
            (thread.first.body, [one.body for one in thread.replies])
            for thread in talk.threads
        ] == [("Why?", ["Because.", "I see."]), ("Other.", [])]
        assert talk.count == 4
        assert {one.pointer for one in Comment.objects.exclude(message=None)} == {"/a"}

    def test_tell_the_step_that_they_are_about_as_the_desk_counts(self, item, ada):
        steps = build_review_page(item_id=item.pk).steps
        last_read = [step for step in steps if step.kind == "read"][-1]
        for message in (last_read.message, last_read.answer):
            add_comment(item=item, author=ada, body="Look.", message=message)
        add_comment(item=item, author=ada, body="All of it.")

        threads = talk_about(item, ada).threads

        assert [one.step for one in threads] == [last_read.number] * 2 + [None]
        assert last_read.number != last_read.message

    def test_answer_nothing_about_another_item(self, item, ada):
        other = make_trajectory(batch=make_batch(team=team_of(ada), by=ada), number=1)
        foreign = add_comment(
            item=ReviewItem.objects.get(pk=other.pk), author=ada, body="x"
        )

        with pytest.raises(CannotComment, match="another trajectory"):
            add_comment(item=item, author=ada, body="y", parent=foreign)

    def test_say_something(self, item, ada):
        with pytest.raises(CannotComment, match="Write something"):
            add_comment(item=item, author=ada, body=" \n ")

    def test_are_withdrawn_by_their_author_and_kept_for_the_audit(self, item, ada, bob):
        comment = add_comment(item=item, author=ada, body="Nonsense.")
        with pytest.raises(CannotComment, match="Only who wrote"):
            withdraw_comment(comment=comment, user=bob, at=NOW)

        withdraw_comment(comment=comment, user=ada, at=NOW)

        assert talk_about(item, ada).threads == ()
        assert Comment.objects.get().body == "Nonsense."

    def test_withdrawn_ones_stay_as_places_of_their_answers(self, item, ada, bob):
        first = add_comment(item=item, author=ada, body="Nonsense.")
        add_comment(item=item, author=bob, body="Indeed.", parent=first)

        withdraw_comment(comment=first, user=ada, at=NOW)

        (thread,) = talk_about(item, bob).threads
        assert thread.first.withdrawn_at
        assert [one.body for one in thread.replies] == ["Indeed."]
        assert talk_about(item, bob).count == 1

    def test_of_a_selection_leave_out_what_was_withdrawn(
        self, item, ada, django_assert_num_queries
    ):
        gone = add_comment(item=item, author=ada, body="x")
        add_comment(item=item, author=ada, body="y")
        withdraw_comment(comment=gone, user=ada, at=NOW)

        with django_assert_num_queries(1):
            told = [
                (one.body, one.author.username)
                for one in comments_of(ReviewItem.objects.all())
            ]

        assert told == [("y", "ada")]


class TestBlindReview:
    def test_hides_what_others_say_until_one_has_judged(self, item, ada, bob):
        add_comment(item=item, author=ada, body="It is wrong.")
        add_comment(item=item, author=bob, body="Mine.")
        make_blind(item)

        before = talk_about(item, bob)

        assert before.hidden
        assert [thread.first.body for thread in before.threads] == ["Mine."]
        ReviewEvent.objects.create(
            slot=make_slot(trajectory=item.trajectory),
            reviewer=bob,
            verdict=Verdict.APPROVE,
        )
        assert talk_about(item, bob).count == 2

    def test_does_not_take_putting_it_off_for_judging(self, item, bob):
        make_blind(item)
        slot = make_slot(trajectory=item.trajectory)
        ReviewEvent.objects.create(slot=slot, reviewer=bob, verdict=Verdict.DEFER)

        assert not may_see_others(bob, item)

    def test_ends_for_who_takes_their_verdict_back(self, item, bob):
        make_blind(item)
        slot = make_slot(trajectory=item.trajectory)
        event = ReviewEvent.objects.create(
            slot=slot, reviewer=bob, verdict=Verdict.APPROVE
        )
        ReviewEvent.objects.create(
            slot=slot, reviewer=bob, verdict=Verdict.WITHDRAW, withdraws=event
        )

        assert not may_see_others(bob, item)

    def test_hides_nothing_of_items_that_one_person_judges(self, item, bob):
        assert may_see_others(bob, item)

    def test_hides_the_words_of_a_mention(self, item, ada, bob):
        add_comment(item=item, author=ada, body="@bob.b it is wrong")
        make_blind(item)

        (line,), _ = list_mentions(user=bob)

        assert line.hidden


class TestMentions:
    @pytest.mark.parametrize(
        "body",
        [
            "@bob.b look",
            "look @bob.b",
            "(@bob.b)",
            "so, @bob.b.",
            "@bob.b, @bob.b!",
        ],
    )
    def test_reach_who_is_named_once(self, item, ada, bob, body):
        add_comment(item=item, author=ada, body=body)

        assert [one.user for one in Mention.objects.all()] == [bob]
        assert count_unread(bob) == 1

    @pytest.mark.parametrize("body", ["me@bob.b", "@bob", "bob.b", "@ada", "@nobody"])
    def test_reach_nobody_else(self, item, ada, bob, body):
        add_comment(item=item, author=ada, body=body)

        assert not Mention.objects.exists()

    def test_never_leave_the_team(self, item, ada):
        make_owner(name="eve")

        add_comment(item=item, author=ada, body="@eve look at our data")

        assert not Mention.objects.exists()

    def test_have_an_end(self, item, ada):
        names = [
            make_reviewer(team=team_of(ada), name=f"user-{n}").username
            for n in range(25)
        ]

        add_comment(item=item, author=ada, body=" ".join(f"@{name}" for name in names))

        assert Mention.objects.count() == 20

    def test_are_listed_and_marked_as_seen(self, item, ada, bob):
        add_comment(item=item, author=ada, body="@bob.b one")
        second = add_comment(item=item, author=ada, body="@bob.b two")

        lines, more = list_mentions(user=bob)
        assert [line.mention.comment.body for line in lines] == [
            "@bob.b two",
            "@bob.b one",
        ]
        assert more is None
        see_mentions(user=bob, at=NOW, mention=second.mentions.get())
        assert count_unread(bob) == 1
        see_mentions(user=bob, at=NOW)
        assert count_unread(bob) == 0

    def test_of_withdrawn_comments_count_no_more(self, item, ada, bob):
        comment = add_comment(item=item, author=ada, body="@bob.b one")

        withdraw_comment(comment=comment, user=ada, at=NOW)

        assert count_unread(bob) == 0
        assert list_mentions(user=bob) == ([], None)
