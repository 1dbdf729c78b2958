"""Rows of every format, rendered with the published templates: nothing is lost, doubled or printed that nobody said."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.engine.export.made import record
from tests.engine.talks import designer
from tests.trainers.installed import needs_trainers, render, stock_template
from tests.trainers.reading import calls, turns
from tests.trainers.test_chat_templates import STOCK, TOOLS, USER, made, said
from writ_app.engine.export.chat_templates import FAMILIES, Family
from writ_app.engine.export.fixed import Row
from writ_app.engine.export.formats import FORMATS
from writ_app.engine.export.mask import RULES, segments, tools_of
from writ_app.engine.export.mask import turns as told
from writ_app.engine.export.options import Options
from writ_app.engine.export.records import Record

pytestmark = needs_trainers

ARCHETYPES = list(designer().archetypes)
WHOLE = [slug for slug in RULES if slug != "turns"]


def options_for(family: Family) -> Options:
    """Llama 3.1 takes the first message for the user's, so a greeting has no place there."""
    return Options(greeting="drop" if family.slug == "llama3_1" else "target")


def rows_of(slug: str, one: Record, options: Options) -> list[Row]:
    rows = FORMATS[slug].rows(one, options)
    return [json.loads(json.dumps(row, ensure_ascii=False)) for row in rows]


def published(family: Family, row: Row, slug: str) -> str:
    messages = [turn.message for turn in told(row, RULES[slug])]
    return render(
        stock_template(STOCK[family.slug]),
        messages,
        tools_of(row),
        bos_token="<|begin_of_text|>",
    )[0]


def canonical_calls(one: Record) -> list[tuple[str, Any]]:
    return [
        (call["name"], {k: v for k, v in call["arguments"].items() if v is not None})
        for message in one.messages
        for call in message.get("tool_calls", ())
    ]


def texts(one: Record, options: Options) -> Iterator[tuple[str, str]]:
    """(role, text) of everything said, in order, without the stop; without the greeting where it is dropped."""
    spoken = [m for m in one.messages if "###" not in m.get("content", "")]
    if options.greeting == "drop":
        spoken = spoken[1:]
    for message in spoken:
        if message.get("content"):
            yield message["role"], message["content"]


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.slug)
@pytest.mark.parametrize("slug", WHOLE)
class TestRows:
    def test_say_to_a_model_what_the_record_says(
        self, slug: str, family: Family
    ) -> None:
        options = options_for(family)
        for archetype in ARCHETYPES:
            one = record(archetype)
            [row] = rows_of(slug, one, options)
            text = published(family, row, slug)
            shown = segments(row, slug, family)
            assert "".join(part.text for part in shown) == text
            assert calls(text) == canonical_calls(one)
            assert "None" not in text.replace(one.world.system, "")
            assert '": null' not in "".join(
                t.text for t in turns(text) if t.role == "assistant"
            )
            at = 0
            dropping = slug.startswith("llama_factory")
            said_there = Options(greeting="drop") if dropping else options
            for role, content in texts(one, said_there):
                quoted = role == "tool" and family.slug == "llama3_1"
                said = json.dumps(content, ensure_ascii=False) if quoted else content
                at = text.index(said.strip(), at) + len(said.strip())

    def test_name_every_tool_once(self, slug: str, family: Family) -> None:
        one = record()
        [row] = rows_of(slug, one, options_for(family))
        text = published(family, row, slug)
        for tool in one.world.tools:
            indent = 4 if family.slug == "llama3_1" else None
            schema = json.dumps(tool, ensure_ascii=False, indent=indent)
            assert text.count(schema) == 1
        assert text.count(one.world.system.strip()) == 1

    def test_are_trained_on_to_the_end_of_each_turn(
        self, slug: str, family: Family
    ) -> None:
        one = record("W1")
        [row] = rows_of(slug, one, options_for(family))
        trained = [part for part in segments(row, slug, family) if part.trained]
        assert len(trained) >= len(canonical_calls(one)) + 1
        for part in trained:
            assert part.role == "assistant"
            assert part.text.rstrip("\n").endswith(("<|im_end|>", "<|eot_id|>"))


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.slug)
class TestRowsOfTurns:
    def test_train_on_each_turn_once_after_all_that_came_before(
        self, family: Family
    ) -> None:
        one = record("W1")
        rows = rows_of("turns", one, Options(greeting="drop"))
        learned = []
        for row in rows:
            shown = segments(row, "turns", family)
            assert "".join(part.text for part in shown) == published(
                family, row, "turns"
            )
            [last] = [part for part in shown if part.trained]
            assert shown[-1] == last
            learned.append(last.text)
        [whole] = rows_of("trl", one, Options(greeting="drop"))
        every = [p.text for p in segments(whole, "trl", family) if p.trained]
        if family.slug == "qwen3":
            # Every turn is the last one once, and has the empty thinking that a model writes there.
            assert all(text.startswith("<think>\n\n</think>\n\n") for text in learned)
            every = [text.removeprefix("<think>\n\n</think>\n\n") for text in every]
            learned = [text.removeprefix("<think>\n\n</think>\n\n") for text in learned]
        assert learned == every


class TestTraps:
    """What makes the formats' rules necessary, shown with the published templates."""

    def test_qwen3_shows_thinking_in_the_last_turn_only_so_that_history_is_not_as_trained(
        self,
    ) -> None:
        thought = "<think>\nA plan.\n</think>\n\n"
        talk = [
            USER,
            said("assistant", f"{thought}Yes."),
            USER,
            said("assistant", f"{thought}No."),
        ]
        text, _ = render(stock_template("qwen3"), talk, None)
        first, last = (t.text for t in turns(text) if t.role == "assistant")
        assert (first, last) == ("Yes.", f"{thought}No.")
        plain = [USER, said("assistant", "Yes."), USER, said("assistant", "No.")]
        text, _ = render(stock_template("qwen3"), plain, None)
        first, last = (t.text for t in turns(text) if t.role == "assistant")
        assert (first, last) == ("Yes.", "<think>\n\n</think>\n\nNo.")

    def test_the_instruct_template_of_qwen3_shows_history_as_it_is_trained(
        self,
    ) -> None:
        one = record("W1")
        for row in rows_of("turns", one, Options()):
            [whole] = rows_of("trl", one, Options())
            family = FAMILIES["qwen3_instruct"]
            text = published(family, whole, "trl")
            assert text.startswith(published(family, row, "turns"))

    def test_llama_takes_a_greeting_for_the_words_of_the_user(self) -> None:
        one = record("R1")
        [row] = rows_of("trl", one, Options(greeting="keep"))
        greeting = row["messages"][1]["content"]
        assert row["messages"][1]["role"] == "assistant"
        shown = published(FAMILIES["llama3_1"], row, "trl")
        first = next(turn for turn in turns(shown) if turn.role == "user")
        assert first.text.endswith(greeting)
        part = next(
            part
            for part in segments(row, "trl", FAMILIES["llama3_1"])
            if part.text.startswith(greeting)
        )
        assert (part.role, part.trained) == ("user", False)
        assert "the user's" in part.why

    def test_deepseek_wants_arguments_as_text_and_prints_no_tools(self) -> None:
        one = record("R1")
        template = stock_template("deepseekv3")
        [row] = rows_of("trl", one, Options(greeting="drop"))
        with pytest.raises(TypeError):
            render(template, row["messages"], row["tools"], bos_token="")
        [row] = rows_of("openai_chat", one, Options(greeting="drop"))
        messages = [{"content": None, **message} for message in row["messages"]]
        text, _ = render(template, messages, row["tools"], bos_token="")
        made = re.findall(r"<｜tool▁sep｜>(\w+)\n```json\n(.*?)\n```", text)
        assert [(name, json.loads(given)) for name, given in made] == canonical_calls(
            one
        )
        assert one.world.tools[0]["function"]["description"] not in text

    def test_the_text_of_arguments_is_encoded_twice_where_a_template_encodes_it(
        self,
    ) -> None:
        [row] = rows_of("openai_chat", record("R1"), Options(greeting="drop"))
        for name, twice in (("qwen2_5", True), ("llama3_1", True), ("qwen3", False)):
            text, _ = render(
                stock_template(name), _spoken(row), row["tools"], bos_token=""
            )
            arguments = [made for _, made in calls("<|begin_of_text|>" + text)]
            arguments = arguments or [made for _, made in calls(text)]
            assert arguments
            assert all(isinstance(one, str) == twice for one in arguments)

    def test_a_null_among_the_arguments_is_printed_by_every_template(self) -> None:
        call = said("assistant", "", tool_calls=[made("träge", a=None)])
        for name in STOCK.values():
            text, _ = render(
                stock_template(name), [USER, USER, call], TOOLS, bos_token=""
            )
            assert '{"a": null}' in text


def _spoken(row: Row) -> list[dict[str, Any]]:
    return [{"content": "", **message} for message in row["messages"]]
