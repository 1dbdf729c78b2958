"""Clusters: who is alike, how varied the whole is, and what stands out in one."""

import pytest

from tests.factories import make_batch, make_owner, make_trajectory, team_of
from writ_app.models.review import ReviewItem, ReviewSlot, SlotStatus
from writ_app.services.review.clusters import Variety, build_cluster, list_clusters
from writ_app.services.review.outliers import profile, shape

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def counted_anew(monkeypatch):
    monkeypatch.setattr("writ_app.services.review.kept.SECONDS", 0)


@pytest.fixture
def owner():
    return make_owner()


@pytest.fixture
def batch(owner):
    return make_batch(team=team_of(owner), by=owner)


def item(trajectory) -> ReviewItem:
    return ReviewItem.objects.get(pk=trajectory.pk)


def judge(trajectory, status: str) -> None:
    """As a verdict leaves it: the database settles the item."""
    slot = ReviewSlot.objects.get(item=trajectory.pk)
    slot.status = status
    slot.save()


def listed(owner, **options):
    return list_clusters(user=owner, filters={}, **options)


class TestListClusters:
    def test_puts_together_what_is_alike(self, owner, batch):
        for _ in range(3):
            make_trajectory(batch=batch)
        make_trajectory(batch=batch, fault="wrong_argument")

        found = listed(owner)

        assert [line.cluster.size for line in found.lines] == [3, 1]
        assert found.variety.items == 4

    def test_counts_verdicts_and_takes_the_oldest_approved_as_exemplar(
        self, owner, batch
    ):
        first, second, third, _ = (make_trajectory(batch=batch) for _ in range(4))
        judge(first, SlotStatus.REJECTED)
        judge(second, SlotStatus.APPROVED)
        judge(third, SlotStatus.FIX)

        (line,) = listed(owner).lines

        one = line.cluster
        assert (one.approved, one.rejected, one.open) == (1, 2, 1)
        assert line.item.pk == second.pk

    def test_leaves_out_canaries_and_other_teams(self, owner, batch):
        original = item(make_trajectory(batch=batch))
        ReviewItem.objects.create(
            trajectory=original.trajectory,
            number=2,
            parent=original,
            canary="swapped",
            content=original.stored_content,
            verification=original.stored_verification,
        )
        make_trajectory()

        assert listed(owner).variety.items == 1

    def test_can_be_ordered_by_what_is_judged_differently(self, owner, batch):
        for _ in range(3):
            make_trajectory(batch=batch)
        short = [make_trajectory(batch=batch, number=3) for _ in range(2)]
        judge(short[0], SlotStatus.APPROVED)
        judge(short[1], SlotStatus.REJECTED)

        sizes = [one.cluster.size for one in listed(owner, order="mixed").lines]

        assert sizes == [2, 3]

    def test_goes_on_page_by_page(self, owner, batch, monkeypatch):
        monkeypatch.setattr("writ_app.services.review.clusters.PAGE_SIZE", 1)
        make_trajectory(batch=batch)
        make_trajectory(batch=batch, fault="wrong_argument")

        first = listed(owner)
        second = listed(owner, start=first.more)

        assert len(first.lines) == len(second.lines) == 1
        assert first.lines[0].cluster.key != second.lines[0].cluster.key
        assert second.more is None

    def test_costs_a_few_queries_whatever_their_number(
        self, owner, batch, django_assert_max_num_queries
    ):
        for number in range(4):
            make_trajectory(batch=batch, number=number)

        with django_assert_max_num_queries(4):
            listed(owner)


class TestKept:
    def test_is_counted_once_for_a_team_and_its_filters(
        self, owner, batch, monkeypatch
    ):
        monkeypatch.setattr("writ_app.services.review.kept.SECONDS", 60)
        make_trajectory(batch=batch)
        listed(owner)
        make_trajectory(batch=batch)

        assert listed(owner).variety.items == 1
        other = list_clusters(user=owner, filters={"batch": batch.pk})
        assert other.variety.items == 2
        assert listed(make_owner()).variety.items == 0


class TestVariety:
    def test_of_equal_clusters_is_their_number(self):
        even = Variety(items=40, clusters=4, sizes=(10, 10, 10, 10))

        assert even.effective == pytest.approx(4)
        assert even.evenness == pytest.approx(1)

    def test_is_one_if_one_cluster_holds_all(self):
        one = Variety(items=500, clusters=1, sizes=(500,))

        assert one.effective == pytest.approx(1)
        assert one.collapsed

    def test_of_nothing_is_nothing(self):
        none = Variety(items=0, clusters=0, sizes=())

        assert (none.effective, none.top, none.collapsed) == (0.0, 0.0, False)


class TestBuildCluster:
    def test_shows_only_what_differs_from_the_exemplar(self, owner, batch):
        one = make_trajectory(batch=batch)
        other = make_trajectory(batch=batch)
        ReviewItem.objects.filter(pk=other.pk).update(plan="withholding")

        page = build_cluster(user=owner, key=item(one).cluster)

        assert [heading.title for heading in page.headings] == ["plan"]
        assert [cell.value for cell in page.rows[0].cells] == ["withholding"]
        assert ("order_id", one.simulation.task.content["facts"]["order_id"]) in (
            page.constant
        )

    def test_marks_what_is_unlike_the_rest(self, owner, batch):
        rows = [make_trajectory(batch=batch) for _ in range(24)]
        odd = ReviewItem.objects.get(pk=rows[11].pk)
        odd.sources.filter(pointer="/order_id").update(value="W12")
        ReviewItem.objects.filter(pk=rows[7].pk).update(agent="another/model")
        key = item(rows[0]).cluster

        page = build_cluster(user=owner, key=key)
        only = build_cluster(user=owner, key=key, odd_only=True)

        assert {row.item.pk for row in page.rows if row.odd} == {
            rows[7].pk,
            rows[11].pk,
        }
        assert [row.item.pk for row in only.rows] == [rows[11].pk, rows[7].pk]
        assert page.odd == 2

    def test_goes_on_by_key(self, owner, batch, monkeypatch):
        monkeypatch.setattr("writ_app.services.review.clusters.PAGE_SIZE", 2)
        rows = [make_trajectory(batch=batch) for _ in range(4)]
        key = item(rows[0]).cluster

        first = build_cluster(user=owner, key=key)
        second = build_cluster(user=owner, key=key, before=first.before)

        assert [row.item.pk for row in first.rows] == [rows[3].pk, rows[2].pk]
        assert [row.item.pk for row in second.rows] == [rows[1].pk]
        assert second.before is None

    def test_is_none_for_others_and_for_nonsense(self, owner, batch):
        key = item(make_trajectory(batch=batch)).cluster

        assert build_cluster(user=make_owner(), key=key) is None
        assert build_cluster(user=owner, key="nonsense") is None

    def test_names_the_write_that_an_argument_belongs_to(self, owner, batch):
        one, other = make_trajectory(batch=batch), make_trajectory(batch=batch)
        sources = ReviewItem.objects.get(pk=other.pk).sources
        sources.filter(pointer="/order_id").update(value="#W1")

        (heading,) = build_cluster(user=owner, key=item(one).cluster).headings

        assert (heading.title, heading.group) == (
            "order_id",
            "exchange_delivered_order_items",
        )


class TestProfile:
    def test_finds_a_number_far_from_the_others(self):
        usual = profile([*map(str, range(10, 30)), "400"])

        assert usual.odd("400")
        assert not usual.odd("25")

    def test_finds_a_rare_value_among_a_few(self):
        usual = profile(["economy"] * 40 + ["business"] * 10 + ["first"])

        assert usual.odd("first")
        assert usual.odd("never seen")
        assert not usual.odd("business")

    def test_finds_an_id_of_another_shape(self):
        usual = profile([f"#W{n:07}" for n in range(40)] + ["#W12"])

        assert usual.odd("#W12")
        assert not usual.odd("#W9999999")

    def test_finds_a_missing_value(self):
        assert profile(["yes"] * 30 + [""]).odd("")

    def test_calls_nothing_odd_where_nothing_is_the_rule_or_little_is_known(self):
        assert not profile(list("abcdefghij1234567890")).odd("a")
        assert not profile(["x", "x", "y"]).odd("y")

    def test_knows_shapes(self):
        assert shape("#W0123 ab") == "#a9999 a"
