"""Bands of the two axes, as filters, tables and releases name them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Band:
    low: int
    high: int | None
    """Inclusive; None: no upper end."""

    @property
    def slug(self) -> str:
        if self.high is None:
            return f"{self.low}+"
        return str(self.low) if self.low == self.high else f"{self.low}-{self.high}"

    def holds(self, value: int) -> bool:
        return value >= self.low and (self.high is None or value <= self.high)


BURDEN_BANDS = (
    Band(0, 0),
    Band(1, 3),
    Band(4, 6),
    Band(7, 9),
    Band(10, 14),
    Band(15, None),
)
WRITE_BANDS = (Band(0, 0), Band(1, 1), Band(2, 3), Band(4, None))


def band_of(value: int, bands: tuple[Band, ...]) -> str:
    return next(band.slug for band in bands if band.holds(value))
