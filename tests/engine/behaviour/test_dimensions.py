import pytest

from writ_app.engine.behaviour import (
    DIMENSIONS,
    PERSONAS,
    PLANS,
    RULES,
    conflicts,
    contradictions,
    go_together,
)
from writ_app.engine.behaviour.realised import VERIFIERS


class TestDimensions:
    def test_are_seventeen_with_a_verifier_each(self) -> None:
        assert [d.number for d in DIMENSIONS.values()] == list(range(1, 18))
        assert VERIFIERS.keys() == DIMENSIONS.keys()
        assert [d.slug for d in DIMENSIONS.values() if d.starred] == [
            "goal_shift",
            "confirmation",
        ]

    def test_tell_a_model_what_to_do_for_every_value_out_of_the_ordinary(self) -> None:
        silent = {
            (d.slug, value.slug)
            for d in DIMENSIONS.values()
            for value in d.values[1:]
            if not value.instruction
        }
        assert silent <= {("identity", "name_zip"), ("identity", "user_id")}

    def test_are_named_rightly_by_the_rules(self) -> None:
        for rule in RULES:
            for slug, values in ((rule.one, rule.values), (rule.other, rule.others)):
                assert values <= {value.slug for value in DIMENSIONS[slug].values}
            assert rule.why.endswith(".")


class TestConflicts:
    @pytest.mark.parametrize(
        "behaviour",
        [
            {"disclosure": "asked", "packaging": "at_once"},
            {"verbosity": "minimal", "channel": "email"},
            {"goal_shift": "replace", "confirmation": "changes_mind"},
        ],
    )
    def test_finds_what_cannot_be_played_at_once(
        self, behaviour: dict[str, str]
    ) -> None:
        assert conflicts(behaviour)
        one, other = behaviour.items()
        assert not go_together(one, other)

    def test_leaves_the_plain_values_in_peace(self) -> None:
        assert not conflicts({d.slug: d.plain for d in DIMENSIONS.values()})


class TestContradictions:
    @pytest.mark.parametrize("rows", [PLANS, PERSONAS])
    def test_are_none_in_what_is_built_in(self, rows: dict[str, object]) -> None:
        assert len(rows) >= 12
        for row in rows.values():
            assert contradictions(row.dimensions) == []  # type: ignore[attr-defined]

    def test_say_which_values_do_not_go_together_and_why(self) -> None:
        [problem] = contradictions({"verbosity": ["minimal"], "channel": ["email"]})
        assert problem == (
            "Verbosity “minimal” does not go with channel “like an e-mail”: "
            "An e-mail has more than a few words."
        )

    def test_allow_values_that_go_together_in_some_way(self) -> None:
        assert not contradictions(
            {"verbosity": ["minimal", "standard"], "channel": ["email"]}
        )

    def test_name_dimensions_and_values_that_there_are_not(self) -> None:
        [dimension] = contradictions({"mood": ["good"]})
        [value] = contradictions({"tone": ["loud"]})
        assert "no dimension mood" in dimension
        assert "Tone has no value loud" in value
