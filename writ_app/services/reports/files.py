"""A report as a file that stands alone: nothing is loaded from anywhere, and nothing in it runs."""

from functools import cache
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string

from writ_app.models.report import Report
from writ_app.services.reports.making import file_text
from writ_app.services.reports.page import sections_of

STYLES = ("css/writ.css", "css/report.css")


def html_file(report: Report) -> str:
    """The page of a finished report with its styles inside, without anything of the site around it."""
    assert report.content is not None
    context: dict[str, Any] = {
        "report": report,
        "sections": sections_of(report.content),
        "made": report.content["made_from"],
        "styles": _styles(),
    }
    return render_to_string("reports/file.html", context)


def json_file(report: Report) -> str:
    assert report.content is not None
    return file_text(report.content)


def file_name(report: Report, suffix: str) -> str:
    plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in report.title)
    name = "-".join(filter(None, plain.lower().split("-")))[:60]
    return f"report-{report.pk}-{name or 'writ'}.{suffix}"


@cache
def _styles() -> str:
    """The site's own style sheets, which name no other files. They are ours: no text of anybody else's is in them."""
    texts = []
    for name in STYLES:
        path = finders.find(name)
        assert isinstance(path, str)
        texts.append(Path(path).read_text(encoding="utf-8"))
    return "\n".join(texts)
