"""The desk's frame over HTTP: verdicts, what comes next, leases, the queue's page, looking back, keys."""

import json
import re
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import (
    make_batch,
    make_owner,
    make_reviewer,
    make_team,
    make_trajectory,
    team_of,
)
from writ_app.models.accounts import ReviewerKeys
from writ_app.models.review import (
    BulkAction,
    ReviewEvent,
    ReviewItem,
    ReviewPolicy,
    ReviewSlot,
    SlotStatus,
    Verdict,
)
from writ_app.models.synthesis import Trajectory
from writ_app.services.review.bulk import apply_bulk
from writ_app.services.review.keys import DEFAULTS

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_owner(name="ada")


@pytest.fixture
def signed_in(client, owner):
    client.force_login(owner)
    return client


@pytest.fixture
def batch(owner):
    return make_batch(team=team_of(owner), by=owner)


def text_of(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


def opened(client, row) -> dict[str, int]:
    """Open the page, which shows that row, and give what its form says of the lease."""
    assert f"#{row.pk}" in text_of(client.get(reverse("review")))
    slot = ReviewSlot.objects.get(item=row.pk)
    return {"slot": slot.pk, "token": slot.token}


class TestReview:
    def test_takes_a_fixed_number_of_queries(
        self, signed_in, batch, django_assert_num_queries
    ):
        for number in range(3):
            make_trajectory(batch=batch, number=number)
        signed_in.get(reverse("review"))

        with django_assert_num_queries(12):
            signed_in.get(reverse("review"))

    def test_keeps_a_verdict_and_leads_on_without_javascript(self, signed_in, batch):
        first, second = (make_trajectory(batch=batch, number=n) for n in range(2))
        signed_in.get(reverse("review"))
        slot = ReviewSlot.objects.get(item=first.pk)

        response = signed_in.post(
            reverse("review"),
            {"slot": slot.pk, "token": slot.token, "verdict": "APPROVE"},
        )

        assert response.headers["Location"] == reverse("review")
        assert f"#{second.pk}" in text_of(signed_in.get(reverse("review")))
        slot.refresh_from_db()
        assert slot.status == SlotStatus.APPROVED

    def test_answers_scripts_in_short_and_the_same_to_the_same_twice(
        self, signed_in, batch
    ):
        row = make_trajectory(batch=batch)
        given = opened(signed_in, row) | {"verdict": "REJECT", "reason": "policy"}
        given["submission"] = str(uuid4())
        short = {"Accept": "application/json"}

        first, again = (
            signed_in.post(reverse("review"), given, headers=short).json()
            for _ in range(2)
        )

        event = ReviewEvent.objects.get()
        assert first == again
        assert first == {
            "event": event.pk,
            "verdict": "REJECT",
            "last": f"reject of #{row.pk}",
            "told": None,
        }

    def test_leaves_a_note_empty_that_was_not_sent(self, signed_in, batch):
        row = make_trajectory(batch=batch)
        given = opened(signed_in, row) | {"verdict": "REJECT"}

        response = signed_in.post(reverse("review"), given)

        assert response.status_code == 422
        assert ">None</textarea>" not in response.content.decode()

    def test_tells_scripts_what_is_wrong(self, signed_in, batch):
        row = make_trajectory(batch=batch)
        given = opened(signed_in, row)
        short = {"Accept": "application/json"}

        asked = signed_in.post(
            reverse("review"), given | {"verdict": "REJECT"}, headers=short
        )
        lost = signed_in.post(
            reverse("review"),
            given | {"verdict": "APPROVE", "token": given["token"] + 1},
            headers=short,
        )

        assert asked.status_code == 422
        assert asked.json()["errors"] == ["Reason: Say why: pick one of the nine."]
        assert lost.status_code == 409
        assert "no longer yours" in lost.json()["error"]

    def test_keeps_where_a_reason_points(self, signed_in, batch):
        row = make_trajectory(batch=batch)
        place = {"message": 7, "pointer": "/items/0", "write": 1, "focus": "w1-a2"}

        signed_in.post(
            reverse("review"),
            opened(signed_in, row)
            | {"verdict": "REJECT", "reason": "ungrounded", **place},
        )

        event = ReviewEvent.objects.get()
        assert {name: getattr(event, name) for name in place} == place

    def test_cannot_be_approved_while_a_check_fails(self, signed_in, batch):
        row = make_trajectory(batch=batch)
        given = opened(signed_in, row) | {"verdict": "APPROVE"}
        Trajectory.objects.filter(pk=row.pk).update(
            accepted=False, reason="evidence", owner="agent"
        )

        page = text_of(signed_in.post(reverse("review"), given, follow=True))

        assert "cannot be approved" in page
        assert not ReviewEvent.objects.exists()

    @pytest.mark.parametrize(
        "given",
        [
            {"verdict": "REJECT"},
            {"verdict": "REJECT", "reason": "other"},
            {"verdict": "REJECT", "reason": "nonsense"},
            {"verdict": "WITHDRAW"},
            {},
        ],
    )
    def test_asks_again_for_a_verdict_that_is_not_complete(
        self, signed_in, batch, given
    ):
        row = make_trajectory(batch=batch)
        signed_in.get(reverse("review"))
        slot = ReviewSlot.objects.get(item=row.pk)

        response = signed_in.post(
            reverse("review"),
            {"slot": slot.pk, "token": slot.token, "note": "", **given},
        )

        assert response.status_code == 422
        assert b'role="alert"' in response.content
        assert not ReviewEvent.objects.exists()

    def test_says_that_a_lease_was_lost_and_goes_on(self, signed_in, batch):
        row = make_trajectory(batch=batch)
        signed_in.get(reverse("review"))
        slot = ReviewSlot.objects.get(item=row.pk)
        signed_in.get(reverse("review"))  # another tab

        response = signed_in.post(
            reverse("review"),
            {"slot": slot.pk, "token": slot.token, "verdict": "APPROVE"},
            follow=True,
        )

        assert "Your verdict was not saved" in text_of(response)
        assert not ReviewEvent.objects.exists()

    def test_takes_the_last_verdict_back(self, signed_in, batch):
        row = make_trajectory(batch=batch)
        signed_in.get(reverse("review"))
        slot = ReviewSlot.objects.get(item=row.pk)
        signed_in.post(
            reverse("review"),
            {"slot": slot.pk, "token": slot.token, "verdict": "APPROVE"},
        )

        page = text_of(signed_in.post(reverse("review_undo"), follow=True))

        assert "is open again" in page
        assert f"/trajectories/{row.pk}/" in page

    def test_takes_an_earlier_verdict_back_by_name_once(self, signed_in, batch):
        for number in range(2):
            row = make_trajectory(batch=batch, number=number)
            signed_in.post(
                reverse("review"), opened(signed_in, row) | {"verdict": "APPROVE"}
            )
        first = ReviewEvent.objects.earliest("pk")

        for _ in range(2):  # the answer was lost, so it is asked for again
            signed_in.post(reverse("review_undo"), {"event": first.pk})

        withdrawal = ReviewEvent.objects.get(verdict="WITHDRAW")
        assert withdrawal.withdraws == first

    def test_takes_a_bulk_action_back_as_a_whole(self, signed_in, owner, batch):
        rows = [make_trajectory(batch=batch, number=number) for number in range(3)]
        apply_bulk(
            items=[row.pk for row in rows],
            user=owner,
            team=batch.team,
            verdict=Verdict.FIX,
            at=timezone.now(),
        )

        page = text_of(signed_in.post(reverse("review_undo"), follow=True))

        assert "3 items are as they were" in page
        assert not ReviewItem.objects.exclude(status="OPEN").exists()
        assert BulkAction.objects.get().undone_at is not None


class TestAhead:
    def test_brings_the_next_desk_without_disturbing_what_is_on_screen(
        self, signed_in, batch
    ):
        rows = [make_trajectory(batch=batch, number=number) for number in range(2)]
        given = opened(signed_in, rows[0])
        held = {"held": f"{given['slot']}:{given['token']}"}

        page = text_of(signed_in.post(reverse("review_ahead"), held))

        assert page.strip().startswith("<main")
        assert f"/trajectories/{rows[1].pk}/" in page
        slots = {slot.item_id: slot for slot in ReviewSlot.objects.all()}
        assert slots[rows[0].pk].token == given["token"]
        assert slots[rows[0].pk].shown_at is not None
        assert slots[rows[1].pk].shown_at is None
        held["held"] = [held["held"], f"{slots[rows[1].pk].pk}:1"]
        assert signed_in.post(reverse("review_ahead"), held).status_code == 204

    def test_takes_a_fixed_number_of_queries(
        self, signed_in, batch, django_assert_num_queries
    ):
        for number in range(4):
            make_trajectory(batch=batch, number=number)
        given = opened(signed_in, ReviewItem.objects.earliest("pk"))
        held = {"held": f"{given['slot']}:{given['token']}"}
        held["page"] = "a page"
        signed_in.post(reverse("review_ahead"), held)

        with django_assert_num_queries(10):
            signed_in.post(reverse("review_ahead"), held)

    @pytest.mark.parametrize("page", ["this page", "another"])
    def test_brings_nothing_to_a_page_that_was_closed_meanwhile(
        self, signed_in, owner, batch, page
    ):
        for number in range(3):
            make_trajectory(batch=batch, number=number)
        given = opened(signed_in, ReviewItem.objects.earliest("pk"))
        asked = {"held": f"{given['slot']}:{given['token']}", "page": "this page"}
        signed_in.post(reverse("review_release"), {**asked, "page": page})

        answer = signed_in.post(reverse("review_ahead"), asked)

        leased = ReviewSlot.objects.leased_to(owner, timezone.now()).count()
        assert (answer.status_code, leased) == {
            "this page": (204, 0),
            "another": (200, 2),
        }[page]

    def test_remembers_few_closed_pages(self, signed_in):
        for number in range(9):
            signed_in.post(reverse("review_release"), {"page": f"{number}" * 50})

        closed = signed_in.session["review_closed"]

        assert closed == [f"{number}" * 20 for number in range(4, 9)]


class TestLease:
    def test_is_kept_by_signs_of_life_and_given_back_with_the_page(
        self, signed_in, owner, batch
    ):
        given = opened(signed_in, make_trajectory(batch=batch))
        held = {"held": f"{given['slot']}:{given['token']}"}
        stale = {"held": f"{given['slot']}:{given['token'] - 1}"}

        kept = signed_in.post(reverse("review_lease"), held).json()
        lost = signed_in.post(reverse("review_lease"), stale).json()

        assert (kept["lost"], kept["today"], kept["waiting"]) == ([], 0, 1)
        assert lost["lost"] == [given["slot"]]
        colleague = Client()
        colleague.force_login(make_reviewer(team=batch.team))
        assert "queue is empty" in text_of(colleague.get(reverse("review")))
        signed_in.post(reverse("review_release"), stale)
        assert "queue is empty" in text_of(colleague.get(reverse("review")))

        signed_in.post(reverse("review_release"), held)

        assert "Gold writes" in text_of(colleague.get(reverse("review")))

    def test_of_a_stranger_stays_as_it_is(self, signed_in, batch):
        given = opened(signed_in, make_trajectory(batch=batch))
        held = {"held": f"{given['slot']}:{given['token']}"}
        stranger = Client()
        stranger.force_login(make_owner())

        stranger.post(reverse("review_release"), held)

        assert stranger.post(reverse("review_lease"), held).json()["lost"]
        assert signed_in.post(reverse("review_lease"), held).json()["lost"] == []

    @pytest.mark.parametrize("held", ["", "x", "1:", ":2", "-1:1", "9" * 30 + ":1"])
    def test_survives_what_cannot_be_read(self, signed_in, held):
        for name in ("review_lease", "review_ahead", "review_release"):
            response = signed_in.post(reverse(name), {"held": held})
            assert response.status_code in (200, 204)


class TestQueue:
    def test_narrows_and_orders_what_is_reviewed_next(self, signed_in, batch):
        other = make_batch(team=batch.team)
        first = make_trajectory(batch=batch)
        rows = [make_trajectory(batch=other, number=number) for number in (1, 2)]
        assert f"#{first.pk}" in text_of(signed_in.get(reverse("review")))

        chosen = {"order": "newest", "batch": other.pk}
        page = text_of(signed_in.post(reverse("review_queue"), chosen, follow=True))

        assert f"#{rows[1].pk}" in page
        assert "narrowed" in page

    def test_takes_nothing_but_what_is_offered(self, signed_in, batch):
        make_trajectory(batch=batch)
        for nonsense in (
            {"order": "random"},
            {"order": "plain", "batch": make_batch(team=make_team()).pk},
            {"order": "plain", "environment": "' OR 1=1"},
        ):
            response = signed_in.post(reverse("review_queue"), nonsense)
            assert response.status_code == 422

    def test_shows_who_is_at_what(self, signed_in, batch):
        row = make_trajectory(batch=batch)
        colleague = Client()
        colleague.force_login(make_reviewer(team=batch.team, name="rosa"))
        colleague.get(reverse("review"))

        assert re.search(
            rf"rosa.*#{row.pk}<", text_of(signed_in.get(reverse("review_queue")))
        )
        assert "reviewed by rosa" in text_of(
            signed_in.get(reverse("trajectory", args=[row.pk]))
        )


class TestLookingBack:
    def test_walks_through_what_was_judged_today(self, signed_in, batch):
        rows = [make_trajectory(batch=batch, number=number) for number in range(2)]
        for row in rows:
            signed_in.post(
                reverse("review"), opened(signed_in, row) | {"verdict": "FIX"}
            )
        first, second = ReviewEvent.objects.order_by("pk")

        latest = text_of(signed_in.get(reverse("review_back")))
        earlier = reverse("review_back_to", args=[first.pk])

        assert f"/trajectories/{rows[1].pk}/" in latest
        assert f'href="{earlier}"' in latest
        assert 'name="verdict"' not in latest
        page = text_of(signed_in.get(earlier))
        assert f"/trajectories/{rows[0].pk}/" in page
        assert reverse("review_back_to", args=[second.pk]) in page

    def test_finds_nothing_of_others(self, signed_in, batch):
        row = make_trajectory(batch=batch)
        signed_in.post(reverse("review"), opened(signed_in, row) | {"verdict": "FIX"})
        colleague = Client()
        colleague.force_login(make_reviewer(team=batch.team))

        named = reverse("review_back_to", args=[ReviewEvent.objects.get().pk])

        response = colleague.get(named, follow=True)
        assert "nothing of today" in text_of(response)


class TestKeys:
    def test_can_be_changed_and_reset(self, signed_in, batch):
        make_trajectory(batch=batch)
        keys = DEFAULTS | {"approve": "p", "first": "hh", "goto": "ctrl + J"}

        signed_in.post(reverse("review_keys"), keys)

        page = text_of(signed_in.get(reverse("review")))
        assert '"p": "approve"' in page
        assert '"h h": "first"' in page
        assert '"Ctrl+j": "goto"' in page
        assert "Approve <kbd>p</kbd>" in page
        signed_in.post(reverse("review_keys"), {"reset": "1"})
        assert "Approve <kbd>a</kbd>" in text_of(signed_in.get(reverse("review")))

    def test_say_at_the_field_what_cannot_be(self, signed_in):
        hostile = "</script><b>"
        response = signed_in.post(
            reverse("review_keys"), DEFAULTS | {"approve": "x", "fix": hostile}
        )

        page = response.content.decode()
        assert response.status_code == 422
        assert "is taken by" in page
        assert hostile not in page
        assert not ReviewerKeys.objects.exists()


class TestJudgingWhatIsOpen:
    """An item that was opened from a list, taken out of turn."""

    def judge(self, client, row):
        return client.post(reverse("trajectory_judge", args=[row.pk]))

    def test_puts_that_one_on_screen_in_the_queue(self, signed_in, batch):
        first, second = (make_trajectory(batch=batch, number=n) for n in range(2))
        assert f"#{first.pk}" in text_of(signed_in.get(reverse("review")))
        page = text_of(signed_in.get(reverse("trajectory", args=[second.pk])))
        assert reverse("trajectory_judge", args=[second.pk]) in page

        response = self.judge(signed_in, second)

        assert response.url == reverse("review")
        fields = opened(signed_in, second)
        signed_in.post(reverse("review"), {**fields, "verdict": "APPROVE"})
        assert ReviewEvent.objects.get().slot.item_id == second.pk

    def test_says_why_not_while_somebody_else_has_it(self, signed_in, batch, owner):
        row = make_trajectory(batch=batch)
        other = Client()
        other.force_login(make_reviewer(team=team_of(owner)))
        text_of(other.get(reverse("review")))

        response = self.judge(signed_in, row)

        there = reverse("trajectory", args=[row.pk])
        assert response.url == there
        assert "Somebody else is looking at" in text_of(signed_in.get(there))

    def test_gives_nobody_two_places_on_one_item(self, signed_in, batch, owner):
        ReviewPolicy.objects.create(team=team_of(owner), second_share=1)
        row = make_trajectory(batch=batch)
        fields = opened_first(signed_in, row)
        signed_in.post(reverse("review"), {**fields, "verdict": "APPROVE"})

        self.judge(signed_in, row)

        page = text_of(signed_in.get(reverse("trajectory", args=[row.pk])))
        assert "is for somebody else" in page
        assert not ReviewSlot.objects.filter(leased_by=owner).exists()

    def test_takes_the_second_place_while_a_colleague_has_the_first(
        self, signed_in, batch, owner
    ):
        ReviewPolicy.objects.create(team=team_of(owner), second_share=1)
        row = make_trajectory(batch=batch)
        other = Client()
        other.force_login(make_reviewer(team=team_of(owner)))
        text_of(other.get(reverse("review")))

        assert self.judge(signed_in, row).url == reverse("review")
        assert ReviewSlot.objects.get(leased_by=owner).number == 2

    def test_says_that_it_has_its_verdict_or_has_none_to_get(self, signed_in, batch):
        row = make_trajectory(batch=batch)
        failing = make_trajectory(batch=batch, number=1, fault="wrong_argument")
        fields = opened(signed_in, row)
        signed_in.post(reverse("review"), {**fields, "verdict": "APPROVE"})

        for one, words in ((row, "has its verdict"), (failing, "is not up for review")):
            self.judge(signed_in, one)
            page = text_of(signed_in.get(reverse("trajectory", args=[one.pk])))
            assert words in page
            assert reverse("trajectory_judge", args=[one.pk]) not in page

    def test_shows_nothing_of_other_teams(self, signed_in):
        assert self.judge(signed_in, make_trajectory()).status_code == 404


def opened_first(client, row) -> dict[str, int]:
    """As `opened`, of an item with two places."""
    assert f"#{row.pk}" in text_of(client.get(reverse("review")))
    slot = ReviewSlot.objects.get(item=row.pk, leased_by__isnull=False)
    return {"slot": slot.pk, "token": slot.token}


class TestPlantedErrors:
    def test_can_be_approved_like_anything_else(self, signed_in, batch):
        row = make_trajectory(batch=batch)
        wrong = make_trajectory(batch=batch, number=1, fault="wrong_argument")
        item = ReviewItem.objects.create(
            trajectory=row,
            parent_id=row.pk,
            number=2,
            canary="sibling_id",
            content=wrong.content,
            verification=wrong.verification,
            changes={"message": 0, "changed": "an id"},
        )
        item.refresh_from_db()
        assert item.failed
        signed_in.post(reverse("trajectory_judge", args=[item.pk]))

        page = text_of(signed_in.get(reverse("review")))

        assert f"#{item.pk}" in page
        assert 'data-action="approve"' in page
        assert 'value="APPROVE" disabled' not in page
        assert '<span class="no" title=' not in page
        raw = json.loads(
            text_of(signed_in.get(reverse("trajectory_raw", args=[item.pk])))
        )
        assert all(check["passed"] for check in raw["verification"]["checks"])
        opened_page = text_of(signed_in.get(reverse("trajectory", args=[item.pk])))
        assert '<span class="badge ok">accepted</span>' in opened_page
        listed = text_of(signed_in.get(reverse("trajectories")))
        assert listed.count('<span class="badge ok">accepted</span>') == 2
