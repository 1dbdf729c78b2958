"""What is filed with a trajectory is the same whether it is filed a row at a time, as before, or a statement at a time."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import IntegrityError, connection

from tests.factories import (
    make_batch,
    make_owner,
    make_trajectory,
    team_of,
)
from tests.models.steps import latest, one_by_one
from writ_app.models.review import ReviewPolicy
from writ_app.models.synthesis import Trajectory

BEFORE = ("writ_app", "0019_clusters")
FAULTS = ("", "", "missing_read", "wrong_argument", "")
FILED = ("reviewitem", "argumentsource", "reviewslot", "judgement")


def said(content: str | None, role: str = "assistant", **others: Any) -> dict[str, Any]:
    return {
        "role": role,
        "content": content,
        "tool_calls": [],
        "tool_call_id": "",
        "error": False,
        **others,
    }


def called(
    arguments: Any, name: str | None = "look_up", id: str = "c1"
) -> dict[str, Any]:
    return {"id": id, "name": name, "arguments": arguments}


def answered(
    content: str | None, call: str = "c1", *, error: bool = False
) -> dict[str, Any]:
    return said(content, "tool", tool_call_id=call, error=error)


ODD: list[list[dict[str, Any]]] = [
    [],
    [said(None), said("", "user"), said("")],
    [said("Grüße 👩‍🚀 𝕏 \u202e", "user"), said("", tool_calls=[called({"ä": "𝕏𝕐"}, "𝕏" * 120)]), answered("👩‍🚀" * 9)],
    [said("half a pair \ud83d and NUL \x00 in it", "user"), said("", tool_calls=[called({"a": "\x00b"})]), answered("\udc00")],
    [said("word " * 3000, "user")] * 12 + [said("", tool_calls=[called({"note": "long " * 900})]), answered("x" * 2**20)],
    [said(f"{number}", "user") for number in range(500)],
    [part for number in range(450) for part in (
        said("", tool_calls=[called({"n": number}, f"tool{number % 7}", f"c{number}")]), answered("{}", f"c{number}"))],
    [said("", tool_calls=[called({"a": {"b": ["", "deep", {"c": "deeper"}], "n": 1, "t": True, "z": None}})]),
     answered("no such thing", error=True)],
    [said("beside a call", tool_calls=[called({"a": "b"}, id="x"), called({}, "other", "y")]),
     answered("second", "y"), answered("first", "x", error=True)],
    [said("", tool_calls=[called("text for arguments"), called(None, None), called([1, "two"], "", "")])],
    [said("", tool_calls=None), said("kept", "system", tool_calls=None), {"role": "user", "content": "bare"}, {}],
    [said("answer of nobody's call"), answered("lost", "nowhere")],
    [said('"quoted" \\ back\nline\ttab', "user"), said("", tool_calls=[called({"a": 'x"\\y'}, 'na"me\\')])],
]  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_what_is_filed_is_the_same() -> None:
    owner = make_owner()
    team = team_of(owner)
    ReviewPolicy.objects.update_or_create(team=team, defaults={"second_share": 0.5})
    batch = make_batch(team=team, by=owner)
    for number in range(len(FAULTS) + len(ODD)):
        fault = FAULTS[number] if number < len(FAULTS) else ""
        make_trajectory(batch=batch, number=number, fault=fault)
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE kept AS SELECT * FROM writ_app_trajectory ORDER BY id"
        )
        try:
            make_odd()
            by_statement = dict(filed_anew())
            one_by_one().migrate([BEFORE])
            by_row = dict(filed_anew())
        finally:
            one_by_one().migrate(latest())
            cursor.execute("DROP TABLE kept")

    assert len(by_row["reviewitem"]) == len(FAULTS) + len(ODD)
    assert {row["wanted"] for row in by_row["reviewitem"]} == {1, 2}
    assert by_statement == by_row


def make_odd() -> None:
    """The last ones of those kept have odd messages, and one of them a verification without a word on provenance."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, content, verification FROM kept ORDER BY id DESC")
        for (key, content, verification), messages in zip(
            cursor.fetchmany(len(ODD)), ODD, strict=True
        ):
            content["messages"] = messages
            del content["ended_by"]
            if not messages:
                del verification["provenance"]
            cursor.execute(
                "UPDATE kept SET content = %s, verification = %s WHERE id = %s",
                [json.dumps(content), json.dumps(verification), key],
            )


def filed_anew() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The kept trajectories are written again; what the database files of them, by table."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE writ_app_trajectory CASCADE")
        cursor.execute("INSERT INTO writ_app_trajectory SELECT * FROM kept ORDER BY id")
        for table in FILED:
            cursor.execute(f"SELECT to_json(r) FROM writ_app_{table} AS r ORDER BY id")
            yield table, [comparable(table, row) for (row,) in cursor.fetchall()]


def comparable(table: str, row: dict[str, Any]) -> dict[str, Any]:
    """Without times, counted keys and what later migrations brought; words in any order, and no places of theirs (see the migration)."""
    for later in ("created_at", "judged_by"):
        row.pop(later, None)
    if table == "reviewitem":
        row["words"] = Counter(row["words"].split())
        row["search"] = {place.rpartition(":")[0] for place in row["search"].split()}
    else:
        del row["id"]
    return row


@pytest.mark.django_db
def test_the_texts_of_a_call_are_found_in_their_order() -> None:
    messages = [said("", tool_calls=[called({"a": "one two", "b": ["three", "four"]})])]
    with connection.cursor() as cursor:
        cursor.execute("SELECT words FROM writ_told(%s)", [json.dumps(messages)])
        assert cursor.fetchone() == ("one two three four",)


@pytest.mark.django_db
def test_a_trajectory_of_no_simulation_is_refused_at_once() -> None:
    kept = make_trajectory()
    with pytest.raises(IntegrityError, match="team_id"):
        Trajectory.objects.create(
            simulation_id=kept.simulation_id + 1000,
            content=kept.content,
            verification=kept.verification,
            scripted=True,
            steps=1,
            accepted=True,
        )
