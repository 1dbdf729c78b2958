"""Values out of a large text, wherever the pieces that are read happen to end."""

import io
import json
from typing import Any

import pytest

from writ_app.adapters import json_stream
from writ_app.adapters.json_stream import JsonStream, StreamError

VALUES: list[Any] = [12345, -1.5e10, 'é🙂\\"\n', {"a": [1, {"b": None}]}, [], True, ""]


def values_of(text: str, most: int = 0) -> list[Any]:
    stream = JsonStream(io.BytesIO(text.encode()), most=most)
    stream.take("[")
    found = []
    while stream.peek() != "]":
        if found:
            stream.take(",")
        found.append(stream.value())
    stream.take("]")
    assert stream.peek() == ""
    return found


@pytest.fixture(params=[1, 2, 3, 7, 1 << 18])
def piece(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "PIECE", request.param)


@pytest.mark.usefixtures("piece")
class TestJsonStream:
    @pytest.mark.parametrize("indent", [None, 1])
    @pytest.mark.parametrize("ascii", [False, True])
    def test_gives_every_value_whatever_the_pieces(
        self, indent: int | None, ascii: bool
    ) -> None:
        text = json.dumps(VALUES, indent=indent, ensure_ascii=ascii)

        assert values_of(text) == VALUES

    def test_a_number_is_not_cut_where_a_piece_ends(self) -> None:
        assert values_of("[1234567890123]") == [1234567890123]

    def test_names_line_and_column_of_what_is_wrong(self) -> None:
        with pytest.raises(StreamError) as error:
            values_of('[\n {"a": 1},\n {"b" 2}\n]')

        assert (error.value.line, error.value.column) == (3, 7)

    def test_tells_every_piece_in_order(self) -> None:
        seen: list[bytes] = []
        stream = JsonStream(io.BytesIO('\ufeff["é", 1] '.encode()), seen.append)
        stream.take("[")
        stream.value()
        stream.take(",")
        stream.value()
        stream.take("]")
        stream.peek()

        assert b"".join(seen).decode() == '["é", 1] '


def test_a_value_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "PIECE", 100)

    with pytest.raises(StreamError, match="larger than 500 characters"):
        values_of(json.dumps(["x" * 2_000]), most=500)


def test_text_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(StreamError, match="is not UTF-8"):
        JsonStream(io.BytesIO(b'["\xff"]')).peek()
