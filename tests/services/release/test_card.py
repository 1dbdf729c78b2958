"""The dataset card: front matter that the hub reads, and in words what a trainer has to know."""

import copy

import pytest
import yaml

from tests.releases import NOW
from writ_app.engine.export.formats import FORMATS
from writ_app.services.release import Recipe, freeze_release
from writ_app.services.release.card import card_of, write_card

pytestmark = pytest.mark.django_db


def front_matter(card: str) -> dict:
    _, text, _ = card.split("---\n", 2)
    return yaml.safe_load(text)


@pytest.fixture
def split_release(approved, team, owner):
    return freeze_release(
        team=team,
        name="both",
        by=owner,
        at=NOW,
        recipe=Recipe(shares={"train": 0.5, "test": 0.5}, tokenizer="estimate", cap=50),
        licence="CC-BY-4.0",
        description="Conversations\nof a shop.",
    )


class TestFrontMatter:
    def test_names_licence_size_and_every_file_of_every_format(self, split_release):
        head = front_matter(write_card(split_release))

        assert head["pretty_name"] == "both v1"
        assert head["license"] == "cc-by-4.0"
        assert head["language"] == ["en"]
        assert head["task_categories"] == ["text-generation"]
        assert head["size_categories"] == ["n<1K"]
        assert "scripted" in head["tags"]
        configs = {one["config_name"]: one for one in head["configs"]}
        assert set(configs) == {
            slug for slug, form in FORMATS.items() if not form.write
        }
        assert configs["trl"]["data_files"] == [
            {"split": "train", "path": "trl/train.jsonl"},
            {"split": "test", "path": "trl/test.jsonl"},
        ]
        assert [c["config_name"] for c in head["configs"] if c.get("default")] == [
            "parquet"
        ]

    @pytest.mark.parametrize(
        ("licence", "told"),
        [
            ("", {}),
            ("ODC-By-1.0", {"license": "odc-by"}),
            (
                "LicenseRef-Proprietary",
                {"license": "other", "license_name": "LicenseRef-Proprietary"},
            ),
        ],
    )
    def test_says_the_licence_in_the_hubs_words(self, split_release, licence, told):
        manifest = {**split_release.manifest, "licence": licence}

        head = front_matter(card_of(manifest, "x"))

        assert {key: head[key] for key in head if key.startswith("license")} == told

    def test_is_read_by_the_hubs_own_library(self, split_release):
        from huggingface_hub import DatasetCard

        card = DatasetCard(write_card(split_release))

        assert card.data.license == "cc-by-4.0"
        assert card.text.lstrip().startswith("# both v1")


class TestWords:
    def test_say_that_scripted_rows_are_not_for_training(self, release):
        card = write_card(release)

        assert "All 3 trajectories were made by scripted models" in card
        assert "not for training" in card
        assert release.content_hash in card

    def test_say_so_of_a_part_and_of_none(self, release):
        manifest = {**release.manifest, "scripted": 1}
        assert "1 of 3 trajectories were made by scripted" in card_of(manifest, "x")

        manifest["scripted"] = 0
        card = card_of(manifest, "x")
        assert "None was made by a scripted model" in card
        assert "- scripted\n" not in card

    def test_tell_splits_axes_review_limits_loading_and_checking(self, split_release):
        card = write_card(split_release)

        for part in (
            "## Splits",
            "is in one split, never across",
            "## Two axes",
            "## Agents",
            "## Prompts",
            "## Environments",
            "## Review",
            "## Known limits",
            "shared with it by design",
            "## How to load",
            "## How to check and rebuild",
            "release rebuild both-v1",
            "tokens by `estimate`",
            "## Licence",
        ):
            assert part in card
        for form in FORMATS.values():
            assert form.load in card

    def test_print_what_a_sample_proves(self, release):
        plan = {"plan": 4, "items": [1, 2], "statement": "At most 3 are bad."}
        manifest = {**release.manifest, "sampling": [plan]}

        card = card_of(manifest, "x")

        assert "2 by sampling (plan 4): At most 3 are bad." in card
        assert "1 were looked at by a person" in card

    def test_keep_hostile_names_inside_their_cells(self, release):
        manifest = copy.deepcopy(release.manifest)
        manifest["models"]["agent"] = {"x`\n# Title": 3}
        manifest["counts"]["plan"] = {"a | b <script>": 3}

        card = card_of(manifest, "x")

        assert "\n# Title" not in card
        assert "<script>" not in card
        assert "a \\| b" in card
