"""What pages about many items print with: plots drawn as SVG by the server."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from django import template

from writ_app.services.review.dashboard import Day
from writ_app.services.review.dashboard.pace import Session

register = template.Library()

BAR = 80
"""Width of a bar, in units of its picture."""
CURVE = (200, 80)
DAY_WIDTH, DAY_HEIGHT = 40, 120
SESSION = (160, 36)
SESSION_PARTS = 12
POINTS = 100
"""Of a curve, at most twice as many."""


@register.filter
def percent(share: float) -> str:
    """0.184 as `18 %`, with a decimal below ten."""
    return f"{share:.0%}".replace("%", " %") if share >= 0.1 else f"{100 * share:.1f} %"


@register.inclusion_tag("components/judged_bar.html")
def judged_bar(approved: int, rejected: int, open: int, whole: int) -> dict[str, Any]:
    """How far a set of items has been judged, and how."""
    unit = BAR / max(whole, 1)
    return {
        "approved": approved,
        "rejected": rejected,
        "open": open,
        "good": round(unit * approved, 1),
        "refused": round(unit * rejected, 1),
    }


@register.inclusion_tag("components/share_curve.html")
def share_curve(sizes: Sequence[int]) -> dict[str, Any]:
    """The share of all that the biggest hold together: a straight line if all are equal, a cliff if one holds all."""
    width, height = CURVE
    whole = max(sum(sizes), 1)
    shares = [held / whole for held in accumulate(sizes)]
    every = max(1, len(sizes) // POINTS)
    shown = [n for n in range(len(sizes)) if n % every == 0 or n == len(sizes) - 1]
    points = (
        f"{(n + 1) * width / len(sizes):.1f},{height * (1 - shares[n]):.1f}"
        for n in shown
    )
    tenth = shares[max(0, -(-len(sizes) // 10) - 1)]
    return {
        "points": " ".join(points),
        "words": f"the biggest tenth of {len(sizes)} clusters holds {percent(tenth)}",
    }


@register.inclusion_tag("components/day_plot.html")
def day_plot(days: Sequence[Day]) -> dict[str, Any]:
    """Verdicts of each day as stacked bars, in a picture of DAY_WIDTH per day and DAY_HEIGHT."""
    most = max((day.given + day.bulk for day in days), default=0)
    unit = DAY_HEIGHT / max(most, 1)
    bars = []
    for number, day in enumerate(days):
        parts, top = [], float(DAY_HEIGHT)
        for kind in ("bulk", "approved", "fixes", "rejected"):
            height = unit * getattr(day, kind)
            top -= height
            if height:
                parts.append((kind, round(top, 2), round(height, 2)))
        bars.append((number * DAY_WIDTH + 2, day, parts))
    return {
        "bars": bars,
        "days": days,
        "most": most,
        "width": len(days) * DAY_WIDTH,
        "bar": DAY_WIDTH - 4,
        "height": DAY_HEIGHT,
    }


@register.inclusion_tag("components/session_plot.html")
def session_plot(session: Session) -> dict[str, Any]:
    """Median seconds per item over a session, with the canaries that were met: found above, missed below the line."""
    width, height = SESSION
    parts = session.split(min(SESSION_PARTS, max(1, session.count // 4)))
    seconds = [part.median or 0.0 for part in parts]
    most = max(seconds) or 1.0
    step = width / len(parts)
    places = [
        (round(step * (n + 0.5), 1), round(height - (height - 8) * one / most, 1), part)
        for n, (one, part) in enumerate(zip(seconds, parts, strict=True))
    ]
    return {
        "session": session,
        "points": " ".join(f"{x},{y}" for x, y, _ in places),
        "dots": [
            (x, y, part.found == part.canaries, part)
            for x, y, part in places
            if part.canaries
        ],
        "width": width,
        "height": height,
        "words": " → ".join(f"{one:.0f} s" for one in seconds),
    }
