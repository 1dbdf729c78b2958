"""The list of trajectories, and what is done from there: views, bulk verdicts, rules, files."""

import csv
import io
import json

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.factories import (
    judge,
    make_batch,
    make_owner,
    make_reviewer,
    make_trajectory,
    make_version,
    team_of,
)
from writ_app.models.curation import Comment, FindRule, SavedView
from writ_app.models.review import BulkAction, ReviewItem, Verdict
from writ_app.services.review import undo_last
from writ_app.services.review.comments import add_comment, withdraw_comment
from writ_app.services.review.selection import csv_lines

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


@pytest.fixture
def two(batch):
    """One that was accepted and one that was not."""
    good = make_trajectory(batch=batch)
    return good, make_trajectory(batch=batch, number=1, fault="missing_read")


def text_of(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


def statuses():
    return list(ReviewItem.objects.order_by("pk").values_list("status", flat=True))


class TestTrajectories:
    def test_can_be_narrowed_by_what_is_allowed_only(self, signed_in, batch):
        make_trajectory(batch=batch)
        bad = make_trajectory(batch=batch, number=1, fault="missing_read")
        address = reverse("trajectories")

        assert "2 found" in text_of(signed_in.get(address))
        assert "2 found" in text_of(
            signed_in.get(address, {"simulation__batch__team": 99, "status": "x"})
        )
        for filters in (
            {"accepted": "no"},
            {"reason": "evidence"},
            {"status": "OPEN"},
            {"batch": batch.pk, "accepted": "no"},
        ):
            page = text_of(signed_in.get(address, filters))
            assert "1 found" in page, filters
            assert (f"/trajectories/{bad.pk}/" in page) == ("status" not in filters)

    def test_say_that_nothing_matches_and_offer_to_clear_in_any_theme(
        self, signed_in, batch
    ):
        make_trajectory(batch=batch)
        signed_in.cookies["theme"] = "dark"

        page = text_of(signed_in.get(reverse("trajectories"), {"accepted": "no"}))

        assert "Nothing matches" in page
        assert ">Clear</a>" in page
        assert 'data-theme="dark"' in page

    def test_are_paged_by_key(self, signed_in, batch, monkeypatch):
        monkeypatch.setattr("writ_app.services.review.listing.pages.PAGE_SIZE", 2)
        rows = [make_trajectory(batch=batch, number=n) for n in range(3)]

        first = text_of(signed_in.get(reverse("trajectories")))
        second = text_of(signed_in.get(reverse("trajectories"), {"after": rows[1].pk}))

        assert f"after={rows[1].pk}" in first
        assert f"/trajectories/{rows[0].pk}/" in second
        assert f"/trajectories/{rows[2].pk}/" not in second

    def test_come_as_a_fragment_for_htmx_and_whole_for_its_history(
        self, signed_in, batch
    ):
        address = reverse("trajectories")
        part = signed_in.get(address, headers={"HX-Request": "true"})
        restored = signed_in.get(
            address,
            headers={"HX-Request": "true", "HX-History-Restore-Request": "true"},
        )

        assert "<html" not in text_of(part)
        assert "<html" in text_of(restored)
        assert "HX-Request" in part.headers["Vary"]

    def test_take_the_same_queries_however_many_there_are(
        self, signed_in, batch, django_assert_max_num_queries
    ):
        for number in range(6):
            make_trajectory(batch=batch, number=number)
        signed_in.get(reverse("trajectories"))

        with django_assert_max_num_queries(15):
            signed_in.get(reverse("trajectories"))

    def test_show_the_filters_as_links_that_take_them_away(self, signed_in, two):
        query = {"archetype": ["R1", "R5"], "q": "swap", "tool": "x"}

        page = text_of(signed_in.get(reverse("trajectories"), query))

        for words in (
            "Archetype: R1",
            "Archetype: R5",
            "Search: swap",
            "Calls the tool",
        ):
            assert f'aria-label="Remove the filter {words}' in page
        assert "?all=yes&amp;archetype=R1&amp;archetype=R5&amp;tool=x" in page

    def test_offer_facets_on_their_own_and_without_scripts_on_the_page(
        self, signed_in, two
    ):
        part = text_of(signed_in.get(reverse("trajectory_facets"), {"plan": "upfront"}))
        whole = text_of(signed_in.get(reverse("trajectories"), {"facets": "yes"}))

        assert 'name="failed" value="evidence"' in part
        assert "<html" not in part
        assert 'name="failed" value="evidence"' in whole

    @pytest.mark.parametrize(
        "query",
        [
            {"q": "\0", "status": "\0", "batch": "9" * 30, "reviewer": "-1"},
            {"after": "x_y", "before": "1" * 70, "sort": "task__text"},
            {"archetype": ["x"] * 500, "shape": "zz", "argument": "%_\\"},
        ],
    )
    def test_take_any_address(self, signed_in, two, query):
        for name in ("trajectories", "trajectory_facets"):
            assert signed_in.get(reverse(name), query).status_code == 200


class TestSavedViews:
    def save(self, client, name="mine", **fields):
        return client.post(
            reverse("saved_views") + "?archetype=R1&plan=upfront&sort=burden",
            {"name": name, **fields},
        )

    def test_are_kept_under_a_name_and_stand_above_the_list(self, signed_in, two):
        self.save(signed_in)

        view = SavedView.objects.get()
        page = text_of(signed_in.get(reverse("trajectories")))

        assert view.filters == {
            "archetype": ["R1"],
            "plan": ["upfront"],
            "sort": "burden",
        }
        assert "?archetype=R1&amp;plan=upfront&amp;sort=burden" in page
        assert (
            "already"
            in self.save(signed_in).wsgi_request._messages._queued_messages[0].message
        )

    def test_open_the_list_for_who_wants_that(self, signed_in, two):
        self.save(signed_in)
        address = reverse("saved_view", args=[SavedView.objects.get().pk])
        signed_in.post(address, {"act": "default"})

        assert "plan=upfront" in signed_in.get(reverse("trajectories")).url
        assert signed_in.get(reverse("trajectories"), {"all": "yes"}).status_code == 200
        signed_in.post(address, {"act": "no_default"})
        assert signed_in.get(reverse("trajectories")).status_code == 200

    def test_are_the_owners_to_change_and_the_teams_to_use_if_shared(
        self, signed_in, batch, client
    ):
        self.save(signed_in, shared="on")
        view = SavedView.objects.get()
        address = reverse("saved_view", args=[view.pk])
        client.force_login(make_reviewer(team=batch.team))

        assert "mine" in text_of(client.get(reverse("saved_views")))
        client.post(address, {"act": "delete"})
        client.post(address, {"act": "default"})
        assert "plan=upfront" in client.get(reverse("trajectories")).url

        client.force_login(view.owner)
        client.post(address, {"act": "change", "name": "renamed"})
        view.refresh_from_db()
        assert (view.name, view.shared) == ("renamed", False)
        client.force_login(make_owner())
        assert client.post(address, {"act": "default"}).status_code == 404


class TestBulk:
    def post(self, client, query="", **fields):
        return client.post(reverse("bulk") + query, fields)

    def test_says_first_what_it_would_do_and_then_does_it(self, signed_in, two):
        asked = text_of(self.post(signed_in, act="APPROVE", scope="all"))

        assert "a check fails" in asked
        assert "Approve: 1 item<" in asked
        assert not BulkAction.objects.exists()

        done = self.post(signed_in, act="APPROVE", scope="all", confirmed="yes")

        assert done.url == reverse("bulk_actions")
        assert statuses() == ["APPROVED", ""]
        action = BulkAction.objects.get()
        assert "Undo" in text_of(signed_in.get(done.url))
        signed_in.post(reverse("bulk_undo", args=[action.pk]))
        assert statuses() == ["OPEN", ""]
        assert "undone" in text_of(signed_in.get(done.url))

    def test_takes_what_is_ticked_or_what_the_filters_find(self, signed_in, batch):
        rows = [make_trajectory(batch=batch, number=number) for number in range(3)]
        fields = {"act": "FIX", "confirmed": "yes"}

        self.post(signed_in, scope="ticked", item=[rows[0].pk], **fields)
        order = rows[1].simulation.task.content["facts"]["order_id"]
        self.post(signed_in, f"?q=%23{order[1:]}", scope="all", **fields)

        assert statuses() == ["FIX", "FIX", "OPEN"]

    def test_asks_for_the_reason_of_a_rejection(self, signed_in, two):
        fields = {"act": "REJECT", "scope": "all", "confirmed": "yes"}

        assert self.post(signed_in, **fields).status_code == 422
        assert self.post(signed_in, reason="other", **fields).status_code == 422
        self.post(signed_in, reason="policy", **fields)

        assert statuses() == ["REJECTED", ""]

    @pytest.mark.parametrize(
        "fields", [{}, {"act": "APPROVE", "scope": "ticked"}, {"act": "DEFER"}]
    )
    def test_sends_back_who_says_nothing(self, signed_in, two, fields):
        assert reverse("trajectories") in self.post(signed_in, **fields).url

    def test_of_others_is_nowhere_to_be_found(self, signed_in, two, client):
        self.post(signed_in, act="APPROVE", scope="all", confirmed="yes")
        client.force_login(make_owner())
        address = reverse("bulk_undo", args=[BulkAction.objects.get().pk])

        assert client.post(address).status_code == 404
        self.post(client, act="WITHDRAW", scope="all", confirmed="yes")
        assert statuses() == ["APPROVED", ""]


class TestRules:
    def test_come_from_a_rejection_and_reopen_what_they_find(
        self, signed_in, owner, batch
    ):
        rows = [make_trajectory(batch=batch, number=number) for number in range(3)]
        event = judge(rows[0], Verdict.REJECT, owner, reason="policy", note="no refund")
        judge(rows[1], Verdict.APPROVE, owner)
        assert f"?event={event.pk}" in text_of(signed_in.get(reverse("rules")))

        page = text_of(signed_in.get(reverse("rule_new"), {"event": event.pk}))
        tried = text_of(
            signed_in.get(
                reverse("rule_new"),
                {"event": event.pk, "tried": "yes", "archetype": "R1"},
                headers={"HX-Request": "true"},
            )
        )

        assert 'name="archetype" value="R1" checked' in page
        assert "3 found" in tried
        assert "<strong>50 %</strong>" in tried
        signed_in.post(
            reverse("rule_new"),
            {"event": event.pk, "name": "all of R1", "archetype": "R1"},
        )
        assert statuses() == ["REJECTED", "OPEN", "OPEN"]
        rule = FindRule.objects.get()
        assert (rule.event, rule.requeued) == (event, 1)
        assert "all of R1" in text_of(signed_in.get(reverse("rules")))

    def test_are_a_link_away_from_a_rejection_on_the_desk_as_long_as_it_stands(
        self, signed_in, owner, two
    ):
        event = judge(two[0], Verdict.REJECT, owner, reason="policy", note="no refund")
        link = f"{reverse('rule_new')}?event={event.pk}"
        pages = [
            reverse("trajectory", args=[two[0].pk]),
            reverse("review_back_to", args=[event.pk]),
        ]

        assert all(link in text_of(signed_in.get(page)) for page in pages)
        assert "no refund" in text_of(signed_in.get(link))
        undo_last(reviewer=owner, at=timezone.now())
        assert link not in text_of(signed_in.get(pages[0]))

    def test_want_a_name_and_something_in_common(self, signed_in, two):
        for fields in ({"name": "x"}, {"archetype": "R1"}):
            assert signed_in.post(reverse("rule_new"), fields).status_code == 422

    def test_are_not_made_from_rejections_of_other_teams(self, signed_in, two, client):
        event = judge(
            two[0],
            Verdict.REJECT,
            make_reviewer(team=two[0].simulation.batch.team),
            reason="policy",
        )
        client.force_login(make_owner())

        response = client.get(reverse("rule_new"), {"event": event.pk})

        assert response.status_code == 404


class TestFiles:
    def lines(self, client, **query):
        response = client.get(reverse("selection_jsonl"), query)
        assert "attachment" in response.headers["Content-Disposition"]
        return [json.loads(line) for line in b"".join(response).splitlines()]

    def test_hold_what_is_stored_with_everything_that_was_said(
        self, signed_in, owner, two
    ):
        judge(two[0], Verdict.REJECT, owner, reason="policy", note="no refund")
        first = ReviewItem.objects.get(pk=two[0].pk)
        edited = make_version(of=two[0], by=owner, reason="a clearer yes")
        make_version(of=two[0], canary="swapped_id")
        for item, body in ((edited, "so be it"), (edited, "gone"), (first, "see it")):
            add_comment(item=item, author=owner, body=body)
        gone = Comment.objects.get(body="gone")
        withdraw_comment(comment=gone, user=owner, at=timezone.now())

        rows = {row["id"]: row for row in self.lines(signed_in)}

        assert set(rows) == {two[0].pk, two[1].pk, edited.pk}
        said = {pk: [c["body"] for c in row["comments"]] for pk, row in rows.items()}
        assert said == {two[0].pk: ["see it"], two[1].pk: [], edited.pk: ["so be it"]}
        first = rows[two[0].pk]
        assert first["trajectory"] == two[0].content
        assert first["verification"] == two[0].verification
        assert first["task"] == two[0].simulation.task.content
        assert first["verdicts"][0]["note"] == "no refund"
        assert rows[edited.pk]["edit"]["reason"] == "a clearer yes"
        assert rows[edited.pk]["edit"]["original"] == two[0].content

    def test_hold_what_the_list_shows(self, signed_in, two):
        assert [row["id"] for row in self.lines(signed_in, accepted="no")] == [
            two[1].pk
        ]

    def test_are_no_formulas_for_a_spreadsheet(self, two):
        ReviewItem.objects.filter(pk=two[0].pk).update(agent="=HYPERLINK(1)")

        rows = list(csv.DictReader(io.StringIO("".join(csv_lines([two[0].pk])))))

        assert rows[0]["agent"] == "'=HYPERLINK(1)"
        assert rows[0]["kinds"] == "exact said"
