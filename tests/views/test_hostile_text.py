"""Models write what they like; a page shows it and does nothing with it."""

import re

import pytest
from django.urls import reverse

from tests.factories import make_batch, make_owner, make_trajectory, team_of
from writ_app.templatetags.writ import json_around, json_whole, visible

HOSTILE = (
    "<script>alert(1)</script> <img src=x onerror=alert(1)> {{ 7|add:7 }} {% now 'Y' %} "
    "javascript:alert(1) \u202egnp.exe\u202c zero\u200bwidth \U000e0041 \x1b[31m "
    '" onfocus="alert(1)" \' </pre></details>'
)


class TestPages:
    @pytest.fixture
    def page(self, client, db):
        owner = make_owner()
        row = make_trajectory(batch=make_batch(team=team_of(owner)), hostile=HOSTILE)
        client.force_login(owner)
        return client.get(reverse("trajectory", args=[row.pk])).content.decode()

    def test_print_it_as_text(self, page):
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "{{ 7|add:7 }}" in page
        assert 'onfocus="alert' not in page

    def test_show_what_cannot_be_seen(self, page):
        for code in ("U+202E", "U+200B", "U+E0041", "U+001B"):
            assert code in page
        assert "\u202e" not in page
        assert "\u200b" not in page

    def test_hold_no_inline_script_or_style(self, page):
        assert not re.search(r'<script(?![^>]*(\bsrc=|type="application/json"))', page)
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=\"|hx-on", page)

    def test_cut_huge_values_and_say_so(self, client, db):
        owner = make_owner()
        huge = "x" * 300_000
        row = make_trajectory(batch=make_batch(team=team_of(owner)), hostile=huge)
        client.force_login(owner)

        page = client.get(reverse("trajectory", args=[row.pk])).content.decode()
        raw = client.get(reverse("trajectory_raw", args=[row.pk])).content.decode()

        assert len(page) < 60_000
        assert "Show all 293.0" in page
        assert huge in raw


class TestVisible:
    def test_escapes_and_marks(self):
        assert visible("<b>") == "&lt;b&gt;"
        assert "RIGHT-TO-LEFT OVERRIDE" in visible("a\u202eb")

    def test_survives_a_lone_surrogate(self):
        assert "U+D800" in visible("a\ud800b")

    def test_sets_words_of_mixed_scripts_apart(self):
        printed = visible("order W12\u0430 of <Anna>")

        assert '<span class="odd mixed"' in printed
        assert ">W12\u0430</span> of &lt;Anna&gt;" in printed

    @pytest.mark.parametrize(
        "text",
        ["Привет, мир", "Ελλάδα", "café Müller", "3 µm", "Anna и Борис", "数量 5kg"],
    )
    def test_leaves_words_of_one_script_alone(self, text):
        assert visible(text) == text

    def test_is_as_quick_with_long_words(self):
        huge = "\u0430" * 10_000 + "a" * 10_000

        assert visible(huge).count("mixed") == 1


class TestJson:
    @pytest.mark.parametrize(
        "value", [{"</script>": "<b>"}, ["\u202e"], "<b>", None, 1.5]
    )
    def test_escapes_keys_and_values(self, value):
        printed = json_whole(value)

        assert "<b>" not in printed
        assert "</script>" not in printed
        assert "\u202e" not in printed

    def test_cuts_long_values_and_says_so(self):
        printed = json_whole(
            {"rows": [{"n": n, "text": "y" * 80} for n in range(3000)]}
        )

        assert len(printed) < 300_000
        assert "more lines" in printed

    def test_survives_deep_nesting(self):
        value: dict = {}
        for _ in range(200):
            value = {"x" * 80: value}

        assert "deeper" in json_whole(value)

    def test_shows_marked_fields_with_what_stands_beside_them(self):
        from writ_app.services.review.evidence import Mark

        value = {
            "rows": [{"id": 1, "price": 5}, {"id": 2, "price": 7}],
            "noise": "z" * 900,
        }

        printed = json_around(
            value, {"/rows/1/price": Mark("e1-0", ("w1-a1", "w2-a3"))}
        )

        assert (
            '<a class="mark grounds" id="e1-0" href="#w1-a1" data-grounds="w1-a1 w2-a3"'
            in printed
        )
        assert "rows[1]" in printed
        assert "zzz" not in printed

    def test_shows_a_marked_field_once_even_inside_of_what_else_is_marked(self):
        from writ_app.services.review.evidence import Mark

        value = {"row": {"id": 1, "options": {"size": "big"}, "price": 5}}
        marks = {"/row/price": Mark("e1-0"), "/row/options/size": Mark("e1-1")}

        printed = json_around(value, marks)

        assert printed.count('id="e1-0"') == 1
        assert printed.count('id="e1-1"') == 1
