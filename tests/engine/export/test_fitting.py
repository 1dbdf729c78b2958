"""What no file could hold is told before a dataset is frozen, by the format that cannot."""

from dataclasses import replace

from tests.engine.export.made import record
from writ_app.engine.export.fitting import refusals
from writ_app.engine.export.formats import FORMATS
from writ_app.engine.export.options import Options
from writ_app.engine.export.records import Record, spoken


def doubled() -> Record:
    """The assistant's last text in two messages: fit for most, but not where turns have to alternate."""
    one = record()
    end = next(
        n
        for n in range(len(one.messages) - 1, 0, -1)
        if one.messages[n]["role"] == "assistant"
    )
    messages = list(one.messages)
    messages.insert(end, spoken("assistant", "One moment."))
    return replace(one, messages=messages)


def test_a_good_record_is_refused_by_none() -> None:
    assert list(refusals(record(), Options())) == []


def test_what_only_some_formats_cannot_hold_is_told_with_their_names() -> None:
    found = list(refusals(doubled(), Options()))

    told = {one.text.split(" cannot hold it")[0] for one in found}
    assert told == {
        FORMATS[slug].title
        for slug in ("llama_factory_sharegpt", "llama_factory_openai", "ms_swift")
    }


def test_what_none_can_hold_is_told_once() -> None:
    one = record()
    cut = replace(one, messages=one.messages[:2])

    pitfalls = [problem.pitfall for problem in refusals(cut, Options())]

    assert pitfalls == ["last_turn"]


def test_a_record_without_its_times_cannot_be_a_simulation() -> None:
    one = record()
    facts = {name: value for name, value in one.facts.items() if name != "finished_at"}

    (problem,) = refusals(replace(one, facts=facts), Options())

    assert problem.pitfall == "no_times"
    assert FORMATS["tau2_results"].title in problem.text
