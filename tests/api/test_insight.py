"""Many at once over HTTP: the dashboard, clusters, siblings, and where one was named."""

import pytest

from tests.api.client import Program
from tests.factories import (
    judge,
    make_batch,
    make_owner,
    make_reviewer,
    make_trajectory,
    make_version,
    team_of,
)
from writ_app.models.accounts import Role
from writ_app.models.curation import Mention
from writ_app.models.review import ReviewItem, Verdict
from writ_app.services.review.comments import add_comment

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_owner(name="ada")


@pytest.fixture
def reviewer(owner):
    return make_reviewer(team=team_of(owner), name="ben")


@pytest.fixture
def rows(owner):
    batch = make_batch(team=team_of(owner), by=owner)
    return [make_trajectory(batch=batch, number=number) for number in range(3)]


def people(program):
    told = program.ask("get", "dashboard").json()
    return [one["name"] for one in told["people"]], told["team"]["count"]


class TestTheDashboard:
    def test_shows_people_to_owners_and_to_others_themselves(
        self, owner, reviewer, rows
    ):
        judge(rows[0], Verdict.APPROVE, owner)
        judge(rows[1], Verdict.APPROVE, reviewer)

        assert people(Program(owner)) == (["ada", "ben"], 2)
        assert people(Program(reviewer)) == (["ben"], 2)
        assert people(Program(owner, scope=Role.REVIEWER)) == (["ada"], 2)

    def test_is_of_the_teams_own_batches(self, owner, rows):
        foreign = make_batch(team=team_of(make_owner()))
        program = Program(owner)

        told = program.ask(
            "get", "dashboard", query={"batch": str(rows[0].simulation.batch_id)}
        )
        refused = program.ask("get", "dashboard", query={"batch": str(foreign.pk)})

        assert told.json()["funnel"]["total"]["simulated"] == len(rows)
        assert refused.status_code == 422


class TestClusters:
    def test_are_listed_page_by_page_with_their_variety(self, owner, rows):
        program, found = Program(owner), []
        query = {"limit": "1"}

        while query:
            told = program.ask("get", "clusters", query=query).json()
            found += [one["key"] for one in told["items"]]
            query = told["cursor"] and {"limit": "1", "after": told["cursor"]}

        clusters = {item.cluster for item in ReviewItem.objects.all()}
        assert sorted(found) == sorted(clusters)
        assert told["variety"]["clusters"] == len(clusters)

    def test_show_an_exemplar_and_what_differs(self, owner, rows):
        alike = make_trajectory(batch=rows[0].simulation.batch, number=0)
        key = ReviewItem.objects.get(pk=rows[0].pk).cluster

        told = Program(owner).ask("get", f"clusters/{key}").json()

        assert told["exemplar"]["id"] == rows[0].pk
        assert [one["trajectory"] for one in told["rows"]] == [alike.pk]


class TestSiblings:
    def test_are_aligned_call_by_call(self, owner, rows):
        version = make_version(of=rows[0], by=owner, reason="clearer")
        at = f"trajectories/{rows[0].pk}/siblings"
        program = Program(owner)

        told = program.ask("get", at, query={"beside": [str(version.pk)]}).json()
        refused = program.ask("get", at, query={"beside": [str(rows[1].pk)]})

        assert told["family"] == [version.pk]
        assert told["others"][0]["same_state"]
        assert told["lines"]
        assert all(line["same"] for line in told["lines"])
        assert refused.status_code == 422


class TestMentions:
    def test_are_read_by_who_is_named(self, owner, reviewer, rows):
        item = ReviewItem.objects.get(pk=rows[0].pk)
        add_comment(item=item, author=owner, body="Look here, @ben")
        program = Program(reviewer)

        told = program.ask("get", "mentions").json()["items"]
        before = program.ask("get", "mentions/unread").json()
        after = program.ask("post", "mentions/seen", {"mention": told[0]["id"]}).json()

        assert [(one["author"], one["trajectory"]) for one in told] == [
            ("ada", item.pk)
        ]
        assert (before["unread"], after["unread"]) == (1, 0)
        assert Program(owner).ask("get", "mentions").json()["items"] == []

    def test_of_another_are_not_marked(self, owner, reviewer, rows):
        item = ReviewItem.objects.get(pk=rows[0].pk)
        add_comment(item=item, author=owner, body="Look here, @ben")
        row = Mention.objects.get()

        body = {"mention": row.pk}
        refused = Program(owner).ask("post", "mentions/seen", body)

        assert refused.status_code == 422
        row.refresh_from_db()
        assert row.seen_at is None
