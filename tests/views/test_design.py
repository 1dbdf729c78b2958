"""Rules of the stylesheet, the templates and the script that a machine can check."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CSS = (ROOT / "static/css/writ.css").read_text()
TEMPLATES = sorted(
    path
    for kind in ("html", "jinja")
    for path in (ROOT / "templates").rglob(f"*.{kind}")
)
PAIRS = [
    (ink, ground)
    for ink, grounds in {
        "ink": (
            "bg",
            "panel",
            "sunk",
            "accent-soft",
            "read-soft",
            "mark",
            "mark-lit",
            "bad-soft",
            *(f"heat-{shade}" for shade in range(1, 6)),
        ),
        "ink2": ("bg", "panel", "sunk", "accent-soft", "read-soft"),
        "ink3": ("panel", "sunk"),
        "accent": ("panel", "accent-soft"),
        "read": ("panel", "read-soft", "sunk"),
        "write": ("panel", "write-soft"),
        "ok": ("panel", "ok-soft"),
        "bad": ("panel", "bad-soft", "sunk"),
        "warn": ("panel", "warn-soft"),
        "user": ("panel",),
        "ok-ink": ("ok", "bad"),
    }.items()
    for ground in grounds
]


def tokens() -> dict[str, tuple[str, str]]:
    found = re.findall(r"--([\w-]+): light-dark\((#\w+), (#\w+)\)", CSS)
    return {name: (light, dark) for name, light, dark in found}


def luminance(color: str) -> float:
    parts = [int(color[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [
        p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), PAIRS)
def test_text_stands_out_from_its_ground(ink, ground, theme):
    colors = tokens()

    assert contrast(colors[ink][theme], colors[ground][theme]) >= 4.5


FILES = {ROOT / "templates/reports/file.html"}
"""Never served as a page: taken away as one file, which nothing can be loaded beside."""


@pytest.mark.parametrize(
    "path", TEMPLATES, ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_templates_trust_nothing_and_hold_no_inline_code(path):
    text = path.read_text()
    if path in FILES:  # its own style is all that may be inline
        text = text.replace("<style>{{ styles|style_text }}</style>", "")

    assert not re.search(r"\|\s*safe\b|autoescape off|mark_safe", text)
    assert not re.search(r"\sstyle=|<style|\shx-on|\son[a-z]+=", text)
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)


def test_code_that_prints_marks_nothing_safe():
    printing = [
        *(ROOT / "writ_app/templatetags").glob("*.py"),
        *(ROOT / "writ_app/views").glob("*.py"),
    ]

    assert not [path for path in printing if "mark_safe" in path.read_text()]


@pytest.mark.parametrize(
    "path", sorted((ROOT / "static/js").glob("*.js")), ids=lambda path: path.name
)
def test_scripts_stay_small_and_write_no_html(path):
    script = path.read_text()

    assert len(script.splitlines()) <= 220
    assert not re.search(
        r"\.(inner|outer)HTML|insertAdjacentHTML|eval\(|document\.write", script
    )
