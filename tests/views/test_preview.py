"""The page that shows what a model sees of a trajectory, and which of it is trained on."""

import html
import json
import re
import sys
from dataclasses import replace

import pytest
from django.urls import reverse

from tests.factories import make_batch, make_owner, make_trajectory, team_of
from writ_app.engine.export.chat_templates import FAMILIES
from writ_app.models.review import ReviewItem
from writ_app.services import preview as service
from writ_app.services.preview import PREVIEWED, record_from

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_owner(name="ada")


@pytest.fixture
def made(owner):
    """Makes an item."""
    batch = make_batch(team=team_of(owner), by=owner)

    def make(**more):
        return ReviewItem.objects.get(trajectory=make_trajectory(batch=batch, **more))

    return make


@pytest.fixture
def item(made):
    return made()


@pytest.fixture
def signed_in(client, owner):
    client.force_login(owner)
    return client


def shown(client, item, **asked) -> str:
    response = client.get(reverse("preview", args=[item.pk]), asked)
    assert response.status_code == 200
    return response.content.decode()


def trained(page: str) -> list[str]:
    parts = re.findall(r'<mark class="trained">(.*?)</mark>', page, re.DOTALL)[1:]
    return [html.unescape(part) for part in parts]  # after the legend


class TestPreview:
    @pytest.mark.parametrize("family", FAMILIES)
    @pytest.mark.parametrize("slug", PREVIEWED)
    def test_shows_every_format_to_every_family(self, signed_in, item, slug, family):
        page = shown(signed_in, item, format=slug, family=family, greeting="drop")
        parts = trained(page)
        assert parts
        for part in parts:
            assert part.rstrip("\n").endswith(("<|im_end|>", "<|eot_id|>"))
        last = item.stored_content["messages"][-2]["content"]
        if slug != "turns":
            assert last.strip() in parts[-1]

    def test_marks_the_calls_and_texts_of_the_assistant_alone(self, signed_in, item):
        messages = item.stored_content["messages"]
        spoken = [m for m in messages[1:-1] if m["role"] == "assistant"]
        parts = trained(shown(signed_in, item, greeting="drop"))
        assert len(parts) == len(spoken)
        for message, part in zip(spoken, parts, strict=True):
            for call in message["tool_calls"]:
                assert call["name"] in part
            assert message["content"] in part

    def test_counts_tokens_and_names_what_it_counts_with(
        self, signed_in, item, monkeypatch
    ):
        # tests of trainers may have put their packages there, vocabularies among them
        own = [place for place in sys.path if not place.endswith("trainers")]
        monkeypatch.setattr(sys, "path", own)
        page = shown(signed_in, item)
        assert "cl100k_base" in page
        assert "own vocabulary is not installed here" in page
        numbers = re.findall(r"<dd>(\d+)", page)
        whole, some = int(numbers[0]), int(numbers[1])
        assert 3000 < whole < 30_000
        assert 50 < some < whole / 4

    def test_shows_a_row_per_turn_one_by_one(self, signed_in, item):
        first = shown(signed_in, item, format="turns")
        last = shown(signed_in, item, format="turns", row="9999")
        total = int(re.search(r"row 1 of (\d+)", first)[1])
        assert f"row {total} of {total}" in last
        assert len(trained(first)) == len(trained(last)) == 1
        assert trained(first) != trained(last)

    def test_tells_that_llama_takes_a_greeting_for_the_users_words(
        self, signed_in, item
    ):
        page = shown(signed_in, item, format="trl", family="llama3_1", greeting="keep")
        assert "The template shows this message of the assistant as the user" in page

    def test_tells_what_trl_does_otherwise(self, signed_in, item):
        assert "TRL refuses" in shown(signed_in, item, format="trl", family="llama3_1")
        assert "TRL refuses" not in shown(
            signed_in, item, format="verl", family="llama3_1"
        )
        assert "shows thinking in every turn" in shown(signed_in, item, family="qwen3")
        assert "TRL trains Qwen3" not in shown(signed_in, item)

    def test_says_why_there_is_no_row(self, signed_in, made):
        page = shown(signed_in, made(hostile="Hi<|im_end|>"))
        assert "There is no row of it in this format" in page
        assert "control token" in page
        assert not trained(page)

    def test_takes_nonsense_in_the_address_for_not_asked(self, signed_in, item):
        page = shown(
            signed_in, item, format="'; drop", family="x", greeting="y", row="-4"
        )
        assert page.count("<option") == shown(signed_in, item).count("<option")
        assert trained(page) == trained(shown(signed_in, item))

    def test_tells_which_texts_the_template_leaves_out(
        self, signed_in, item, monkeypatch
    ):
        def thoughtful(one):
            """What was made, with a thought before the assistant's first words."""
            record = record_from(one)
            messages = [dict(message) for message in record.messages]
            first = next(m for m in messages if m["role"] == "assistant")
            first["content"] = (
                f"<think>\nWho is <b>it</b>?\n</think>\n\n{first['content']}"
            )
            return replace(record, messages=messages)

        monkeypatch.setattr(service, "record_from", thoughtful)
        asked = {"format": "trl", "reasoning": "keep"}

        left_out = shown(signed_in, item, family="qwen3", **asked)
        whole = shown(signed_in, item, family="qwen3_instruct", **asked)

        assert "is not shown 1 text of this row" in left_out
        assert "<li>&lt;think&gt;" in left_out
        assert "Who is &lt;b&gt;it&lt;/b&gt;?" in left_out
        assert "is not shown" not in whole

    def test_shows_the_row_of_the_file_on_demand(self, signed_in, item):
        assert "parallel_tool_calls" not in shown(signed_in, item, format="openai_chat")
        page = shown(signed_in, item, format="openai_chat", show_row="1")
        assert "parallel_tool_calls" in page
        response = signed_in.get(
            reverse("preview_raw", args=[item.pk]), {"format": "openai_chat"}
        )
        assert response["Content-Type"].startswith("text/plain")
        assert response["Content-Disposition"].startswith("attachment")
        assert json.loads(response.content)["parallel_tool_calls"] is False

    def test_escapes_what_a_model_wrote(self, signed_in, made):
        evil = '<script>alert(1)</script>"\u202e'
        page = shown(signed_in, made(hostile=evil), show_row="1")
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)" in page
        assert "U+202E" in page

    def test_is_not_there_for_another_team(self, client, item):
        client.force_login(make_owner(name="eve"))
        for name in ("preview", "preview_raw"):
            assert client.get(reverse(name, args=[item.pk])).status_code == 404

    def test_is_led_to_from_the_trajectory(self, signed_in, item):
        page = signed_in.get(reverse("trajectory", args=[item.pk])).content.decode()
        assert reverse("preview", args=[item.pk]) in page
