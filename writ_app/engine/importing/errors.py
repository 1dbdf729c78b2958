"""What is wrong, and where."""

from writ_app.engine.errors import WritError

MOST = 500
"""Characters of a reason, or of a place: both may repeat what stands in the file, which may be megabytes."""


def shortened(text: str) -> str:
    return text if len(text) <= MOST else f"{text[:MOST]}…"


class BadRow(WritError):
    """Something in a row is wrong. `pointer` is a JSON pointer (RFC 6901) to it, "" for the row itself."""

    def __init__(self, pointer: str, text: str):
        pointer, text = shortened(pointer), shortened(text)
        super().__init__(f"{pointer}: {text}" if pointer else text)
        self.pointer = pointer
        self.text = text


class BadFile(WritError):
    """A file cannot be brought in. The text names the file, the place in it, and what to do."""

    def __init__(self, file: str, place: str, text: str):
        place, text = shortened(place), shortened(text)
        super().__init__(f"{file}, {place}: {text}" if place else f"{file}: {text}")
        self.file = file
        self.place = place
        """Such as `line 17, column 3` or `row 4, /messages/2/role`; "" if it is about the whole file."""
