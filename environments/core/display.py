"""How a world's records are shown to people. What is not named here is shown by its shape: objects as fields, lists as tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class RecordView:
    """Records of one kind, told from others by their fields."""

    noun: str
    known_by: tuple[str, ...]
    """Fields that together only this kind has."""
    title: str
    """The field that names a record."""
    lead: tuple[str, ...] = ()
    """Fields that tell most, shown beside the title."""

    def fits(self, record: Mapping[str, Any]) -> bool:
        return all(name in record for name in self.known_by)


@dataclass(frozen=True)
class Display:
    views: tuple[RecordView, ...] = ()
    dollars: frozenset[str] = frozenset()
    """Names of fields that hold dollars, at any depth; of an object so named, all its numbers do."""

    def view_of(self, record: Mapping[str, Any]) -> RecordView | None:
        return next((view for view in self.views if view.fits(record)), None)
