"""Queries that are written out: what comes back is what the ORM would give, and Postgres plans them once."""

import pytest
from django.db import connection

from tests.factories import (
    make_batch,
    make_owner,
    make_trajectory,
    make_user,
    team_of,
)
from writ_app.models.accounts import Membership, ReviewerKeys, Team, User
from writ_app.models.prepared import ALL, Joined, prepared
from writ_app.models.review import ReviewItem
from writ_app.models.synthesis import Trajectory
from writ_app.services.review.reader import load_item

pytestmark = pytest.mark.django_db

TEAMS = Joined(
    """
    FROM writ_app_membership AS membership JOIN writ_app_team AS team ON team.id = membership.team_id
    WHERE membership.user_id = %(user)s
    """,
    {"membership": (Membership, ALL), "team": (Team, "name id")},
)


class TestJoined:
    def test_gives_an_instance_of_each_part(self):
        user = make_owner()

        ((membership, team),) = TEAMS.rows({"user": user.pk})

        assert membership == Membership.objects.get(user=user)
        assert (membership.role, team.name) == ("OWNER", team_of(user).name)
        assert TEAMS.rows({"user": 0}) == []

    def test_reads_what_was_not_named_when_it_is_asked_for(
        self, django_assert_num_queries
    ):
        user = make_owner()
        same = team_of(user)
        ((_, team),) = TEAMS.rows({"user": user.pk})

        with django_assert_num_queries(1):
            assert team.created_at == same.created_at

    def test_makes_values_of_json_as_the_field_does(self):
        user = make_owner()
        ReviewerKeys.objects.create(user=user, keys={"approve": "p"})
        own = Joined(
            "FROM writ_app_reviewerkeys AS own WHERE own.user_id = %(user)s",
            {"own": (ReviewerKeys, ALL)},
        )

        ((row,),) = own.rows({"user": user.pk})

        assert row.keys == {"approve": "p"}

    def test_gives_none_for_what_an_outer_join_has_not_found(self):
        loner, member = make_user(), make_owner()
        joined = Joined(
            """
            FROM writ_app_user AS person LEFT JOIN writ_app_membership AS place ON place.user_id = person.id
            WHERE person.id = ANY(%(users)s) ORDER BY person.id
            """,
            {"person": (User, "username"), "place": (Membership, "role")},
        )

        first, second = joined.rows({"users": [loner.pk, member.pk]})

        assert first == (loner, None)
        assert second == (member, Membership.objects.get(user=member))

    def test_names_a_column_that_is_not_there(self):
        with pytest.raises(ValueError, match="Team has not all of: id nome"):
            Joined("FROM writ_app_team AS team", {"team": (Team, "id nome")})


class TestPrepared:
    def test_statements_are_planned_once_per_connection(self):
        for number in range(3):
            with prepared() as cursor:
                cursor.execute("SELECT %(n)s::integer + 40", {"n": number})
                assert cursor.fetchone() == (40 + number,)

        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT%%integer + 40'"
            )
            assert cursor.fetchone() == (1,)


def test_an_item_is_read_as_the_orm_reads_it(django_assert_num_queries):
    owner = make_owner()
    made = make_trajectory(batch=make_batch(team=team_of(owner), by=owner))
    same = ReviewItem.objects.select_related(
        "trajectory__simulation", "task__environment", "batch"
    ).get(pk=made.pk)

    with django_assert_num_queries(1):
        row = load_item(made.pk)
        simulation = row.trajectory.simulation
        assert (row.stored_content, row.failed) == (same.stored_content, same.failed)
        assert row.stored_verification == same.stored_verification
        assert row.task.content == same.task.content
        assert row.task.environment.content_hash == same.task.environment.content_hash
        assert (row.batch.name, simulation.seed) == (
            same.batch.name,
            same.trajectory.simulation.seed,
        )
    assert isinstance(row.trajectory, Trajectory)
    with pytest.raises(ReviewItem.DoesNotExist):
        load_item(0)
