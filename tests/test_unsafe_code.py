"""What may not be written anywhere: ways from text to markup or code, and from a client's words to the database."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template

ROOT = Path(__file__).resolve().parent.parent
CODE = [
    path
    for folder in ("writ_app", "environments")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
TEMPLATES = sorted(
    {*(ROOT / "templates").rglob("*.*"), *(ROOT / "writ_app").rglob("templates/**/*.*")}
)
LETTERS = [path for path in TEMPLATES if path.suffix == ".txt"]
TEMPLATES = [path for path in TEMPLATES if path not in LETTERS]
SCRIPTS = sorted((ROOT / "static" / "js").rglob("*.js"))

SAFE_STRINGS = {
    "writ_app/templatetags/writ.py": "every part went through `visible`, or is a number or a kind of ours",
    "writ_app/templatetags/pieces.py": "every part went through `visible`, a JSON tag or `escape`",
    "writ_app/templatetags/desk.py": "constants",
    "writ_app/templatetags/jinja.py": "templates that escape by default",
    "writ_app/templatetags/report.py": "our own style sheets, checked for markup",
}
"""Modules that may say SafeString(…), and why; tests/hostile shows them the corpus."""
ALONE = "templates/reports/file.html"
"""A file that is downloaded and stands alone, so its style sheet, one of ours, stands in it."""

SHOWN_AS_THEY_ARE = {
    "writ_app/views/metrics.py": "numbers for Prometheus, as plain text",
    "writ_app/views/troubles.py": "a problem as JSON, in the site's own words",
}
"""Answers of a kind of their own that are no attachments, and why they may."""

IN_TEMPLATES = {
    r"\|\s*safe\b|\|\s*safeseq\b": "the filter `safe`",
    r"\{%-?\s*autoescape\s+(?:off|false)": "autoescape off",
    r"\|\s*(?:urlize|xmlattr|tojson)\b": "a filter of Jinja's that makes markup",
    r"<style|\sstyle\s*=": "inline style",
    r"\son[a-z]+\s*=\s*[\"']": "an inline handler",
    r"hx-on|hx-vals\s*=\s*[\"']js:|hx-headers\s*=\s*[\"']js:|hx-ext": "code in an htmx attribute",
    r"javascript:": "an address that is code",
    r"(?:src|href)\s*=\s*[\"'](?:https?:)?//": "something of another site",
}
SCRIPT_ELEMENT = re.compile(r"<script\b(?![^>]*\bsrc=\"\{% static )[^>]*>", re.I)
IN_SCRIPTS = {
    r"\.(?:inner|outer)HTML\b(?!\")": "innerHTML",
    r"insertAdjacentHTML|createContextualFragment|setHTMLUnsafe|parseHTMLUnsafe\s*\(": "text to markup",
    r"document\.write": "document.write",
    r"\beval\s*\(|new\s+Function\b|\bFunction\s*\(": "text to code",
    r"set(?:Timeout|Interval)\s*\(\s*[\"'`]": "text to code",
    r"\bsrcdoc\b|javascript:": "a document or an address that is code",
    r"(?:https?:|wss?:)?//[a-z0-9-]+\.[a-z]{2,}": "another site",
    r"createPolicy\s*\(": "a policy of trusted types",
    r"localStorage.*(?:csrf|token)|document\.cookie\s*=": "a token where scripts keep things",
}
POLICY = "static/js/trusted.js"
BANNED_NAMES = {
    "mark_safe",
    "eval",
    "exec",
    "compile",
    "csrf_exempt",
    "xframe_options_exempt",
}
BANNED_MODULES = {
    "pickle",
    "marshal",
    "shelve",
    "dill",
    "telnetlib",
    "xml.etree",
    "xml.sax",
    "xml.dom",
}
BANNED_METHODS = {"extra", "raw"}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def lines_with(paths: list[Path], banned: dict[str, str]) -> Iterator[str]:
    for path in paths:
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            for pattern, what in banned.items():
                if re.search(pattern, line, re.IGNORECASE):
                    yield f"{relative(path)}:{number}: {what}"


class TestTemplates:
    def test_escape_everything_and_hold_no_code(self) -> None:
        assert len(TEMPLATES) > 50
        found = list(lines_with(TEMPLATES, IN_TEMPLATES))
        assert [one for one in found if not one.startswith(f"{ALONE}:9: inline")] == []

    def test_of_letters_are_plain_text(self) -> None:
        """Letters are never shown by a browser, and say what was written."""
        assert {path.suffix for path in LETTERS} == {".txt"}
        senders = (ROOT / "writ_app" / "services").rglob("*.py")
        assert all("html_message" not in path.read_text() for path in senders)

    def test_load_scripts_of_ours_alone_and_hold_none(self) -> None:
        found = [
            f"{relative(path)}: {element}"
            for path in TEMPLATES
            for element in SCRIPT_ELEMENT.findall(path.read_text())
        ]

        assert found == []

    def test_put_no_value_where_htmx_takes_an_address_or_words_for_code(self) -> None:
        """Attributes of htmx hold addresses made by `url`, our own query, and constants."""
        ours = re.compile(
            r"""\{%\s*(?:url|querystring|if|elif|else|endif|with|endwith|csrf_token)\b[^%]*%\}|\{\{\s*(?:here|there|whole|address|back|request\.get_full_path|request\.path|form\.query|csrf_token|card\.\w+|how|row_id)\s*\}\}"""
        )
        attribute = re.compile(r"\s((?:data-)?hx-[\w:-]+)=(\"[^\"]*\"|'[^']*')")
        of_jinja = re.compile(r"\{\{ url\([\w\", .]+\) \}\}")
        found = [
            f"{relative(path)}: {name}={value}"
            for path in TEMPLATES
            for name, value in attribute.findall(of_jinja.sub("", path.read_text()))
            if "{{" in ours.sub("", value)
        ]

        assert found == []


class TestScripts:
    def test_make_nodes_and_never_markup_or_code(self) -> None:
        assert len(SCRIPTS) > 5
        found = [
            one for one in lines_with(SCRIPTS, IN_SCRIPTS) if not one.startswith(POLICY)
        ]

        assert found == []

    def test_the_one_policy_lets_parsers_through_and_nothing_else(self) -> None:
        text = (ROOT / POLICY).read_text()

        assert text.count("createPolicy") == 1
        assert "createScript" not in text
        assert '["DOMParser parseFromString", "Document parseHTMLUnsafe"]' in text


class TestCode:
    @pytest.fixture(scope="class")
    def trees(self) -> dict[str, ast.Module]:
        return {relative(path): ast.parse(path.read_text()) for path in CODE}

    def test_names_nothing_that_makes_markup_or_code_of_text(
        self, trees: dict[str, ast.Module]
    ) -> None:
        found = [
            f"{path}:{node.lineno}: {node.id}"
            for path, tree in trees.items()
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and node.id in BANNED_NAMES
        ]

        assert found == []

    def test_imports_nothing_that_makes_objects_of_bytes(
        self, trees: dict[str, ast.Module]
    ) -> None:
        found = [
            f"{path}: {name}"
            for path, tree in trees.items()
            for name in imported(tree)
            if any(name == one or name.startswith(f"{one}.") for one in BANNED_MODULES)
        ]

        assert found == []

    def test_calls_a_text_safe_only_where_a_reason_is_written(
        self, trees: dict[str, ast.Module]
    ) -> None:
        found = {
            path
            for path, tree in trees.items()
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and called(node) == "SafeString"
        }

        assert found == SAFE_STRINGS.keys()

    def test_formats_markup_by_constants_alone(
        self, trees: dict[str, ast.Module]
    ) -> None:
        found = [
            f"{path}:{node.lineno}"
            for path, tree in trees.items()
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and called(node) in ("format_html", "format_html_join")
            and not all(
                isinstance(one, ast.Constant)
                for one in node.args[: 2 if called(node) == "format_html_join" else 1]
            )
        ]

        assert found == []

    def test_asks_the_database_through_no_query_of_text(
        self, trees: dict[str, ast.Module]
    ) -> None:
        found = [
            f"{path}:{node.lineno}: .{node.func.attr}("
            for path, tree in trees.items()
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in BANNED_METHODS
            and "objects" in ast.unparse(node.func.value)
        ]

        assert found == []

    def test_gives_files_as_attachments(self, trees: dict[str, ast.Module]) -> None:
        """Whatever a view gives with a type of its own is no page that a browser shows. Probes give JSON to machines."""
        found = [
            f"{path}:{view.lineno}: {view.name}"
            for path, tree in trees.items()
            if path.startswith("writ_app/views/")
            for view in ast.walk(tree)
            if isinstance(view, ast.FunctionDef)
            and "content_type=" in ast.unparse(view)
            and "attachment; filename=" not in ast.unparse(view)
        ]

        assert {one.partition(":")[0] for one in found} <= SHOWN_AS_THEY_ARE.keys(), (
            found
        )

    def test_gives_no_shell_anything_to_run(self, trees: dict[str, ast.Module]) -> None:
        found = [
            f"{path}:{node.lineno}"
            for path, tree in trees.items()
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and (
                any(one.arg == "shell" for one in node.keywords)
                or called(node) in ("os.system", "os.popen")
            )
        ]

        assert found == []

    def test_hands_no_words_of_a_client_to_the_database_as_names(
        self, trees: dict[str, ast.Module]
    ) -> None:
        """`filter(**request.GET)`, `order_by(request.GET[…])` and the like, in views, forms and their helpers."""
        asking = {
            "filter",
            "exclude",
            "order_by",
            "values",
            "values_list",
            "annotate",
            "only",
            "defer",
        }
        found = [
            f"{path}:{node.lineno}: {ast.unparse(node)[:80]}"
            for path, tree in trees.items()
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in asking
            and re.search(
                r"request\.(GET|POST|data|query_params|headers|COOKIES)|cleaned_data",
                " ".join(names_given(node)),
            )
        ]

        assert found == []


def names_given(node: ast.Call) -> Iterator[str]:
    """What decides about columns: positional arguments that are no expression objects, and what is spread."""
    for one in node.args:
        if not isinstance(one, ast.Call):
            yield ast.unparse(one)
    for one in node.keywords:
        if one.arg is None:
            yield ast.unparse(one.value)


def called(node: ast.Call) -> str:
    return ast.unparse(node.func)


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_htmx_runs_no_code_keeps_no_pages_and_asks_nobody_else() -> None:
    text = get_template("base.html").template.source  # type: ignore[attr-defined]
    found = re.search(r"name=\"htmx-config\" content='([^']*)'", text)
    assert found
    config = json.loads(found[1])

    wanted = {
        "allowEval": False,
        "allowScriptTags": False,
        "selfRequestsOnly": True,
        "historyCacheSize": 0,
        "includeIndicatorStyles": False,
    }
    assert {name: config.get(name) for name in wanted} == wanted


def test_jobs_carry_json_alone_and_end() -> None:
    assert settings.CELERY_ACCEPT_CONTENT == ["json"]
    assert (
        settings.CELERY_TASK_SERIALIZER == settings.CELERY_RESULT_SERIALIZER == "json"
    )
    assert 0 < settings.CELERY_TASK_SOFT_TIME_LIMIT < settings.CELERY_TASK_TIME_LIMIT
    assert settings.CELERY_TASK_ACKS_LATE
    assert settings.CELERY_TASK_IGNORE_RESULT
