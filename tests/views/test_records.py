"""Records as people read them: fields, tables and short lists, every leaf at its JSON pointer."""

from environments.core.display import Display, RecordView
from environments.core.pointers import at
from environments.retail import generated
from writ_app.templatetags.desk import record
from writ_app.templatetags.records import ROWS, Record, Short, Table, lay_out, leaves_of

PLAIN = Display()


def test_every_leaf_of_a_real_record_stands_at_its_pointer():
    shop = generated(seed=3, users=20)
    display = shop.domain.display
    for collection, noun in (
        ("orders", "order"),
        ("users", "customer"),
        ("products", "product"),
    ):
        value = next(iter(shop.state.collections[collection].values()))

        part = lay_out(value, display)

        assert isinstance(part, Record)
        assert part.noun == noun
        for leaf in leaves_of(part):
            if leaf.kind == "text" and leaf.place:
                found = at(value, leaf.place)
                assert leaf.text == found or found in ([], {}), leaf


def test_objects_that_are_alike_become_columns():
    value = [
        {"n": "A", "prices": {"economy": 5, "business": 9}},
        {"n": "B", "prices": {"economy": 7, "business": 8}, "note": None},
    ]

    part = lay_out(value, Display(dollars=frozenset({"prices"})))

    assert isinstance(part, Table)
    assert part.columns == ("n", "prices.economy", "prices.business", "note")
    assert part.numeric == (False, True, True, False)
    assert [leaf.text for leaf in leaves_of(part)][:3] == ["A", "$5", "$9"]


def test_objects_that_differ_stay_short_lists_in_a_cell():
    value = [{"options": {"color": "blue"}}, {"options": {"size": "M"}}]

    part = lay_out(value, PLAIN)

    assert isinstance(part, Table)
    assert part.columns == ("options",)
    assert all(isinstance(cell, Short) for row in part.rows for cell in row)


def test_keys_become_a_column_unless_they_stand_in_the_row():
    named = lay_out({"a1": {"id": "a1"}, "a2": {"id": "a2"}}, PLAIN)
    bare = lay_out({"a1": {"seats": 1}}, PLAIN)

    assert isinstance(named, Table)
    assert isinstance(bare, Table)
    assert named.columns == ("id",)
    assert bare.columns == ("", "seats")


def test_lists_in_a_list_are_numbered():
    part = lay_out([[{"leg": 1}, {"leg": 2}], [{"leg": 3}]], PLAIN)

    assert isinstance(part, Table)
    assert [[cell.text for cell in row] for row in part.rows] == [
        ["1", "1"],
        ["1", "2"],
        ["2", "3"],
    ]


def test_what_is_too_much_is_counted():
    part = lay_out([{"n": n} for n in range(10_000)], PLAIN)

    assert isinstance(part, Table)
    assert len(part.rows) == ROWS
    assert part.more == 10_000 - ROWS
    deep: object = 1
    for _ in range(50):
        deep = {"in": deep}
    assert len(str(record(deep, PLAIN))) < 4_000


def test_hostile_text_is_escaped_wherever_it_stands():
    view = RecordView("thing", ("id",), "id", ("lead",))
    value = {
        "id": "<b>",
        "lead": "\u202e",
        "<i>": "x",
        "rows": [{"<u>": {"<s>": "<q>"}}],
    }

    printed = str(record(value, Display(views=(view,))))

    for tag in ("<b>", "<i>", "<u>", "<s>", "<q>", "\u202e"):
        assert tag not in printed
    assert "RIGHT-TO-LEFT OVERRIDE" in printed
