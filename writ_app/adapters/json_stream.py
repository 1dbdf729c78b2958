"""One large JSON text, value by value: never more of it in memory than the value that is being read, and a piece."""

import codecs
import json
from typing import Any, BinaryIO

from writ_app.engine.importing import limits
from writ_app.engine.importing.strict_json import DECODER, BadJson, check_depth

PIECE = 1 << 18
"""Bytes read at a time, or as many as are held already."""
_SPACE = " \t\n\r"
_AFTER = frozenset(" \t\n\r,:]}")


class StreamError(ValueError):
    """The text is wrong at this place; lines and columns count from 1. `line` 0: the text says where."""

    def __init__(self, text: str, line: int = 0, column: int = 0):
        super().__init__(f"{text} at line {line}, column {column}" if line else text)
        self.text = text
        self.line = line
        self.column = column


class JsonStream:
    """A place in a JSON text, from which values and signs are taken one after the other. Everything raises StreamError.

    `seen` is told every piece of the text, decoded, in order: whoever needs its hash does not read it again.
    """

    def __init__(self, file: BinaryIO, seen: Any = None, most: int = 0):
        self._file = file
        self._seen = seen
        self._most = most or limits.ROW_BYTES
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._text = ""
        self._at = 0
        self._ended = False
        self._line = 1
        """Of the first character held."""
        self._column = 1

    @property
    def line(self) -> int:
        return self._line + self._text.count("\n", 0, self._at)

    def wrong(self, text: str, at: int | None = None) -> StreamError:
        at = self._at if at is None else at
        start = self._text.rfind("\n", 0, at)
        line = self._line + self._text.count("\n", 0, at)
        return StreamError(text, line, at - start if start >= 0 else self._column + at)

    def peek(self) -> str:
        """The next character that is no white space; "" at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _SPACE:
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def take(self, sign: str) -> None:
        if self.peek() != sign:
            raise self.wrong(f"is not JSON: {sign!r} expected")
        self._at += 1

    def value(self) -> Any:
        """The next value, however large its text may be up to the limit."""
        self.peek()
        self._forget()
        while True:
            try:
                value, end = DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if self._more():
                    continue
                raise self.wrong(f"is not JSON: {error.msg}", error.pos) from error
            except BadJson as error:
                raise StreamError(str(error)) from error
            except ValueError as error:  # a number with too many digits
                raise StreamError(str(error)) from error
            except RecursionError as error:
                raise StreamError("is nested too deep") from error
            # A number may go on in the next piece, even where it could end: 1.5 as 1.5e10.
            ended = self._text[end : end + 1] in _AFTER if end < len(self._text) else ""
            if not isinstance(value, (int, float)) or ended or not self._more():
                break
        try:
            check_depth(self._text[self._at : end], value)
        except BadJson as error:
            raise StreamError(str(error)) from error
        self._at = end
        return value

    def _forget(self) -> None:
        """Lets go of the text before this place."""
        gone = self._text[: self._at]
        lines = gone.count("\n")
        self._line += lines
        self._column = (
            len(gone) - gone.rfind("\n") if lines else self._column + len(gone)
        )
        self._text, self._at = self._text[self._at :], 0

    def _more(self) -> bool:
        """Whether there was more text to read. Raises StreamError for a value beyond the limit, and for what is no UTF-8."""
        if self._ended:
            return False
        if len(self._text) - self._at > self._most:
            raise self.wrong(f"a value is larger than {self._most:,} characters")
        piece = self._file.read(max(PIECE, len(self._text)))
        try:
            text = self._decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as error:
            raise self.wrong("is not UTF-8", len(self._text)) from error
        if self._seen and text:
            self._seen(text.encode())
        self._ended = not piece
        self._text += text
        return bool(piece)
