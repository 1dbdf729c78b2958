"""What a batch holds by default, and what its design counts."""

from collections import Counter

import pytest

from environments import registry
from environments.core.domain import TaskClass
from writ_app.engine.task_design import Designer
from writ_app.services.synthesis import class_groups, default_mix


@pytest.mark.parametrize("name", ["rental", "retail"])
class TestDefaultMix:
    def test_is_more_than_half_read_heavy_and_leaves_nothing_out(self, name):
        archetypes = registry.world(name).generated(seed=1, users=10).domain.archetypes

        mix = default_mix(archetypes)

        shares: Counter[TaskClass] = Counter()
        for one in archetypes:
            shares[one.task_class] += mix[one.slug]
        assert mix.keys() == {one.slug for one in archetypes}
        assert min(mix.values()) > 0
        assert max(mix.values()) <= 100
        assert shares[TaskClass.READ_HEAVY] > sum(shares.values()) / 2

    def test_weighs_the_archetypes_of_a_class_alike(self, name):
        archetypes = registry.world(name).generated(seed=1, users=10).domain.archetypes
        mix = default_mix(archetypes)

        for _, members in class_groups(archetypes):
            assert len({mix[one.slug] for one in members}) == 1


def test_a_world_without_requests_has_an_empty_mix():
    assert default_mix(()) == {}
    assert class_groups(()) == []


def test_draws_are_counted_by_archetype():
    designer = Designer(registry.world("rental").generated(seed=1, users=20))

    list(designer.design_many({"E1": 1, "N1": 1}, 6, seed=1))

    report = designer.report
    assert report.drawn.keys() == {"E1", "N1"}
    assert sum(report.drawn.values()) == report.draws
    assert all(report.drawn[slug] >= report.designed[slug] for slug in report.drawn)
