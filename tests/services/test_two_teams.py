"""One person in two teams, with a role in each: what is done in one takes nothing from the other, also in jobs that run later."""

import json
from datetime import UTC, datetime

import pytest

from tests.factories import (
    judge,
    make_batch,
    make_owner,
    make_team,
    make_trajectory,
)
from writ_app.models.accounts import Role, SeveralTeams, User
from writ_app.models.report import Report, ReportKind
from writ_app.models.review import ReviewItem, ReviewSlot, Verdict
from writ_app.services.accounts import add_member, membership_of, remove_member
from writ_app.services.release import (
    Recipe,
    choose_members,
    draft_release,
    order_choice,
)
from writ_app.services.reports.scopes import items_of
from writ_app.services.review import lease_next, submit_verdict
from writ_app.services.review.bulk import CannotApply, chosen_ids
from writ_app.services.review.listing import found_by
from writ_app.services.review.queue import count_today, let_go
from writ_app.services.review.selection import json_lines, selected_ids
from writ_app.services.review.verdicts import (
    CannotUndo,
    last_standing,
    look_back,
    undo_last,
)

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)


class Case:
    """`ada` owns A and reviews in B; each team has an approved and an open trajectory."""

    def __init__(self) -> None:
        self.ada = make_owner(name="ada")
        self.a = self.ada.memberships.get().team
        self.b = make_team(name="B")
        add_member(team=self.b, user=self.ada, role=Role.REVIEWER)
        self.approved = {}
        for team in (self.a, self.b):
            batch = make_batch(team=team, by=make_owner(team=team))
            done = make_trajectory(batch=batch, number=0)
            make_trajectory(batch=batch, number=1)
            judge(done, Verdict.APPROVE, make_owner(team=team))
            self.approved[team.pk] = done.pk

    def again(self) -> User:
        """The person as a job, or the next request, loads them: nothing is known of their teams yet."""
        return User.objects.get(pk=self.ada.pk)

    def working_in(self, team) -> User:
        user = self.again()
        membership_of(user, team.pk)
        return user

    def teams_of(self, items) -> set[int]:
        return set(items.values_list("team", flat=True))


@pytest.fixture
def case():
    return Case()


class TestAPersonOfTwoTeams:
    def test_sees_nothing_before_it_is_said_in_which(self, case):
        with pytest.raises(SeveralTeams):
            _ = case.again().team_ids

    def test_sees_the_rows_of_the_team_they_work_in_alone(self, case):
        for team in (case.a, case.b):
            items = ReviewItem.objects.visible_to(case.working_in(team))
            assert case.teams_of(items) == {team.pk}

    def test_has_the_role_of_that_team(self, case):
        assert membership_of(case.again(), case.a.pk).owns
        assert not membership_of(case.again(), case.b.pk).curates

    def test_sees_nothing_within_a_team_they_left(self, case):
        remove_member(team=case.b, user=case.ada)

        assert case.again().within(case.b).team_ids == []


class TestARelease:
    def test_is_chosen_from_its_team_by_a_job_that_knows_no_request(self, case):
        draft = draft_release(team=case.a, name="first", by=case.ada, recipe=Recipe())

        choose_members(release_id=draft.pk, revision=order_choice(draft))

        draft.refresh_from_db()
        chosen = ReviewItem.objects.filter(memberships__release=draft)
        assert draft.trouble == ""
        assert chosen.get().trajectory_id == case.approved[case.a.pk]


class TestAReport:
    def test_of_a_list_finds_it_in_its_team(self, case):
        for team in (case.a, case.b):
            row = Report(
                team=team, created_by=case.again(), kind=ReportKind.VIEW, filters={}
            )
            assert case.teams_of(items_of(row)) == {team.pk}


class TestAnExport:
    def test_has_the_rows_of_the_team_alone(self, case):
        for team in (case.a, case.b):
            user = case.working_in(team)
            rows = [
                json.loads(line)
                for line in json_lines(selected_ids(user=user, filters={}))
            ]
            assert len(rows) == 2
            assert case.teams_of(
                ReviewItem.objects.filter(pk__in=selected_ids(user=user, filters={}))
            ) == {team.pk}


class TestABulkAction:
    def test_finds_nothing_of_the_other_team(self, case):
        found = found_by({}, user=case.working_in(case.b))

        assert len(chosen_ids(found, case.b)) == 2
        with pytest.raises(CannotApply):
            chosen_ids(found, case.a)


class TestTheQueue:
    def test_hands_out_what_is_the_teams_also_with_something_of_the_other_in_hand(
        self, case
    ):
        first = lease_next(user=case.working_in(case.b), at=NOW)
        second = lease_next(user=case.working_in(case.a), at=NOW)

        assert (first.team_id, second.team_id) == (case.b.pk, case.a.pk)

    def test_lets_go_of_what_is_the_teams_alone(self, case):
        held = lease_next(user=case.working_in(case.b), at=NOW)

        let_go(user=case.working_in(case.a))

        held.refresh_from_db()
        assert held.leased_by == case.ada

    def test_takes_back_and_looks_back_in_the_team_alone(self, case):
        slot = lease_next(user=case.working_in(case.b), at=NOW)
        submit_verdict(
            slot=slot,
            token=slot.token,
            reviewer=case.ada,
            verdict=Verdict.APPROVE,
            at=NOW,
        )
        elsewhere, there = case.working_in(case.a), case.working_in(case.b)

        assert last_standing(reviewer=elsewhere) is None
        assert look_back(reviewer=elsewhere, at=NOW) is None
        assert count_today(user=elsewhere, at=NOW) == 0
        with pytest.raises(CannotUndo):
            undo_last(reviewer=elsewhere, at=NOW)
        assert count_today(user=there, at=NOW) == 1
        assert undo_last(reviewer=there, at=NOW).pk == slot.pk

    def test_takes_from_who_leaves_what_they_held_there_and_nowhere_else(self, case):
        here = lease_next(user=case.working_in(case.a), at=NOW)
        there = lease_next(user=case.working_in(case.b), at=NOW)

        remove_member(team=case.b, user=case.ada)

        here.refresh_from_db()
        there = ReviewSlot.objects.get(pk=there.pk)
        assert here.leased_by == case.ada
        assert there.leased_by is None
        assert there.token == 2, "a page that is still open cannot judge any more"


def test_reports_of_two_teams_are_listed_apart(case):
    for team in (case.a, case.b):
        Report.objects.create(
            team=team, created_by=case.ada, kind=ReportKind.VIEW, filters={}
        )

    seen = Report.objects.visible_to(case.working_in(case.b))

    assert [row.team_id for row in seen] == [case.b.pk]
