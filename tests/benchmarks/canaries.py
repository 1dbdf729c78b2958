"""Which planted errors show on the page: `python -m tests.benchmarks.canaries [--items 200] [--seed 0]`.

Everything is real: an embedded Postgres, conversations of scripted models in three worlds, canaries planted among them as
`plant_canaries` does, and the page that a reviewer gets, made by the site itself. The conversation is cut out of the page; what is
left is searched for signs of something wrong that the page of the uncorrupted original does not have. Prints, for every class, how
many were planted, on how many pages something shows, and in which panels. Exits 1 if a mechanical class does not always show, or if
the checks, the ribbon or the verdict of the machine give one away.
"""

import argparse
import os
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser

WORLDS = {"retail": 1, "airline": 2, "rental": 1}
"""Name → weight: conversations of an airline have fewer parts that can be corrupted."""
SIGNS = frozenset(
    [
        "no",
        "bad",
        "missing",
        "differs",
        "extra",
        "lost",
        "not_found",
        "conflict",
        "stale",
        "failed",
    ]
)
"""Classes by which the site's pages mark what is wrong."""
VOID = frozenset(
    ["area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"]
)
GIVEN_AWAY = frozenset(["Checks", "strip"])
"""Parts that say what the machine thinks of the whole: of a planted error, what it thought of the original."""
HIDDEN = "conversation"
"""Id and class of the part that a reviewer has to open."""


class _Signs(HTMLParser):
    """Counts signs by the heading of the panel in which they stand."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()
        self._open: list[tuple[str, bool]] = []
        """(tag, whether it is a panel) of the elements around."""
        self._panels: list[list[str]] = []
        """Signs of the panels around that have no heading yet, then the heading."""
        self._hidden = 0
        self._heading = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        classes = set(given.get("class", "").split())
        hides = given.get("id") == HIDDEN or HIDDEN in classes
        if tag in VOID:
            return
        if self._hidden or hides:
            self._hidden += 1
        panel = "panel" in classes or tag in ("form", "footer")
        self._open.append((tag, panel))
        if panel:
            self._panels.append([given.get("aria-label", "")])
        if tag == "h2":
            self._heading = True
        if not self._hidden and classes & SIGNS:
            panels = self._panels or [["page"]]
            panels[-1].append("sign")

    def handle_endtag(self, tag: str) -> None:
        while self._open:
            name, panel = self._open.pop()
            self._hidden -= bool(self._hidden)
            if panel:
                title, *signs = self._panels.pop()
                self.found[title or "strip"] += len(signs)
            if name == tag:
                break
        if tag == "h2":
            self._heading = False

    def handle_data(self, data: str) -> None:
        if self._heading and self._panels and data.strip():
            title = data.strip()
            self._panels[-1][0] = "write card" if "_" in title else title


def signs_in(html: str) -> Counter[str]:
    """Panel → signs of something wrong, outside of the conversation."""
    reader = _Signs()
    reader.feed(html)
    return +reader.found


@dataclass
class Line:
    """One class: how many were planted, on how many pages it shows, and where."""

    planted: int = 0
    visible: int = 0
    panels: Counter[str] = field(default_factory=Counter)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="writ-benchmark-") as var:
        os.environ |= {"WRIT_VAR_DIR": var, "WRIT_ENV": "test"}
        os.environ.pop("DATABASE_URL", None)
        os.environ["DJANGO_SETTINGS_MODULE"] = "writ_app.settings"
        import django

        django.setup()
        return measure(wanted.items, wanted.seed)


def measure(items: int, seed: int) -> int:
    from django.conf import settings
    from django.core.management import call_command

    from writ_app.adapters.embedded.services import services_running

    with services_running(settings.EMBEDDED, ("postgres",), durable=False):
        call_command("migrate", verbosity=0)
        lines, false_signs = look(items, seed)
    return report(lines, false_signs)


def look(items: int, seed: int) -> tuple[dict[str, Line], int]:
    """Lines by class, and how many originals show a sign."""
    from django.test import Client
    from django.urls import reverse

    from tests.factories import make_owner, team_of
    from tests.stored_batches import play_batch
    from writ_app.engine.canaries import KINDS
    from writ_app.models.review import ReviewItem
    from writ_app.services.review.quality.canaries import plant_canaries

    owner = make_owner()
    for world, weight in WORLDS.items():
        play_batch(
            by=owner, environment=world, ordered=items * weight // 3, **_all(world)
        )
    planted = plant_canaries(team=team_of(owner), seed=seed, count=items)
    show(
        f"{planted.total} planted in copies of {ReviewItem.objects.as_simulated().count()} items"
    )
    client = Client(headers={"host": "localhost"})
    client.force_login(owner)

    def page(pk: int) -> Counter[str]:
        return signs_in(client.get(reverse("trajectory", args=[pk])).content.decode())

    lines = {kind: Line() for kind in KINDS}
    false_signs = 0
    for item in ReviewItem.objects.exclude(canary="").narrow().order_by("pk"):
        before = page(item.parent_id)
        told = page(item.pk) - before
        false_signs += bool(before)
        line = lines[item.canary]
        line.planted += 1
        line.visible += bool(told)
        line.panels.update(told.keys())
    return lines, false_signs


def _all(world: str) -> dict[str, object]:
    """An order of all archetypes of a world, mixed evenly."""
    from environments.registry import world as load

    kinds = load(world).generated(seed=7, users=60).domain.archetypes
    return {"mix": {kind.slug: 1 for kind in kinds}}


def report(lines: dict[str, Line], false_signs: int) -> int:
    from writ_app.engine.canaries import KINDS

    show(f"{false_signs} originals show a sign of something wrong")
    show(
        f"\n{'class':<18}{'':<12}{'planted':>8}{'visible':>8}  where, on how many pages"
    )
    hidden = []
    for name, line in lines.items():
        kind = "mechanical" if KINDS[name].mechanical else "judgement"
        where = ", ".join(f"{panel} {n}" for panel, n in line.panels.most_common(6))
        show(f"{name:<18}{kind:<12}{line.planted:>8}{line.visible:>8}  {where}")
        if KINDS[name].mechanical and line.visible < line.planted:
            hidden.append(name)
        if KINDS[name].mechanical and not line.planted:
            hidden.append(f"{name} (never planted)")
    if hidden:
        show(f"\nNot always visible: {', '.join(hidden)}")
    told = sorted(
        name for name, line in lines.items() if GIVEN_AWAY & line.panels.keys()
    )
    if told:
        show(f"\nGiven away by the checks or the ribbon: {', '.join(told)}")
    return 1 if hidden or told else 0


def show(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
