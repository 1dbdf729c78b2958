"""What differs between two releases, and nothing else."""

import pytest

from tests.factories import judge, make_trajectory, make_version
from tests.releases import NOW
from writ_app.models.review import ReviewItem, Verdict
from writ_app.services.release import Recipe, freeze_release
from writ_app.services.release.diff import compare

pytestmark = pytest.mark.django_db


def frozen(team, owner, **fields):
    return freeze_release(team=team, name="first", by=owner, at=NOW, **fields)


class TestCompare:
    def test_of_the_same_is_nothing(self, release, team, owner):
        found = compare(release, frozen(team, owner))

        assert found.nothing
        assert found.same == 3
        assert all(not one.difference for one in found.cells)

    def test_names_what_came_went_and_was_edited(
        self, release, approved, batch, team, owner
    ):
        version = make_version(of=approved[0], by=owner, reason="Warmer.")
        ReviewItem.objects.filter(pk=version.pk).update(status="APPROVED")
        new = make_trajectory(batch=batch, number=4)
        judge(new, Verdict.APPROVE, owner)

        found = compare(release, frozen(team, owner, excluded=[approved[1].pk]))

        assert found.added == (new.pk,)
        assert found.removed == (approved[1].pk,)
        (edited,) = found.changed
        assert (edited.trajectory, edited.before, edited.after) == (
            approved[0].pk,
            approved[0].pk,
            version.pk,
        )
        assert found.same == 1
        assert sum(one.difference for one in found.cells) == 0
        assert not found.nothing

    def test_names_what_is_in_another_split_and_what_it_was_made_with(
        self, release, team, owner
    ):
        split = frozen(
            team,
            owner,
            recipe=Recipe(shares={"train": 0.5, "test": 0.5}),
            licence="MIT",
        )

        found = compare(release, split)

        tested = set(
            split.members.filter(split="test").values_list("item_id", flat=True)
        )
        assert {one.item for one in found.moved} == tested
        assert {(one.before, one.after) for one in found.moved} == {("train", "test")}
        assert {name: (a, b) for name, a, b in found.splits} == {
            "test": (0, len(tested)),
            "train": (3, 3 - len(tested)),
        }
        assert "Recipe, shares: train 1.0 → train 0.5, test 0.5." in found.made_with
        assert "Licence: none → MIT." in found.made_with

    def test_names_policies_tools_and_prompts_that_changed(self, release, team, owner):
        other = frozen(team, owner)
        (world,) = other.manifest["environments"]
        world.update(policy_sha256="p", tools_sha256="t")
        world["tools"] = [*world["tools"][1:], "wave"]
        other.manifest["prompts"]["agent_template_sha256"] = "a"
        other.manifest["counts"]["agent"] = {"openai/new": 3}

        told = "\n".join(compare(release, other).made_with)

        assert "policy of retail/sample is another" in told
        assert "without calculate; now with wave" in told
        assert "template of the agent's system prompt is another" in told
        assert "Models as agents: without scripted; now with openai/new" in told

    def test_is_plain_json_too(self, release, team, owner):
        told = compare(release, frozen(team, owner, excluded=[])).as_json

        assert (told["before"], told["after"]) == ("first v1", "first v2")
        assert told["splits"] == {"train": {"before": 3, "after": 3}}
