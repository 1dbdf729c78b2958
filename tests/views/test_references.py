"""Pages of imported trajectories."""

import json
import re
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from tests.adapters.test_tau2_results import minimal, written
from tests.factories import make_environment, make_owner, make_user
from tests.views.test_hostile_text import HOSTILE
from writ_app.models.catalog import ReferenceSet
from writ_app.services.catalog import import_results
from writ_app.services.review import references

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed_in(client: Client) -> Client:
    client.force_login(make_owner())
    return client


def brought_in(folder: Path, *, text: str = "hi", count: int = 1) -> ReferenceSet:
    value = minimal()
    (like,) = value["simulations"]
    like["messages"][0]["content"] = like["messages"][3]["content"] = text
    like["reward_info"] = {"reward": 0.5, "info": {text: text}}
    calls = like["messages"][2]["tool_calls"]
    calls[0] |= {"name": text, "arguments": {text: text}}
    value["simulations"] = [{**like, "id": f"s{n}", "trial": n} for n in range(count)]
    return import_results(root=written(folder, value))[0]


def text_of(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


def addresses(row: ReferenceSet) -> list[str]:
    return [
        reverse("references"),
        reverse("reference_set", args=[row.pk]),
        reverse("reference", args=[row.pk, 0]),
    ]


def test_are_empty_at_first(signed_in: Client) -> None:
    assert "Nothing imported yet" in text_of(signed_in.get(reverse("references")))


def test_are_for_members(client: Client, tmp_path: Path) -> None:
    row = brought_in(tmp_path)
    client.force_login(make_user())

    assert [client.get(there).status_code for there in addresses(row)] == [403] * 3


def test_lead_from_files_to_messages(signed_in: Client, tmp_path: Path) -> None:
    row = brought_in(tmp_path)
    pages = [text_of(signed_in.get(there)) for there in addresses(row)]

    assert addresses(row)[1] in pages[0]
    assert "0.500" in pages[0]
    assert addresses(row)[2] in pages[1]
    assert "###STOP###" in pages[2]
    assert "0.5" in pages[2]


def test_are_paged_by_position(
    signed_in: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(references, "PAGE_SIZE", 2)
    row = brought_in(tmp_path, count=3)
    there = reverse("reference_set", args=[row.pk])

    first = text_of(signed_in.get(there))
    second = text_of(signed_in.get(there, {"after": 1}))

    assert "?after=1" in first
    assert reverse("reference", args=[row.pk, 2]) in second
    assert reverse("reference", args=[row.pk, 1]) not in second
    garbage = text_of(signed_in.get(there, {"after": "x' OR 1"}))
    assert reverse("reference", args=[row.pk, 0]) in garbage


def test_of_a_world_we_have_tell_reads_from_writes(
    signed_in: Client, tmp_path: Path
) -> None:
    make_environment()
    brought_in(tmp_path, text="get_user_details")
    ReferenceSet.objects.update(environment=make_environment())
    row = ReferenceSet.objects.get()

    page = text_of(signed_in.get(reverse("reference", args=[row.pk, 0])))

    assert 'badge read">read' in page


def test_that_do_not_exist_say_so(signed_in: Client, tmp_path: Path) -> None:
    row = brought_in(tmp_path)

    for there in (
        reverse("reference_set", args=[row.pk + 1]),
        reverse("reference", args=[row.pk, 1]),
        reverse("reference", args=[row.pk, 10**30]),
    ):
        assert signed_in.get(there).status_code == 404


def test_are_downloaded_raw(signed_in: Client, tmp_path: Path) -> None:
    row = brought_in(tmp_path)

    response = signed_in.get(reverse("reference_raw", args=[row.pk, 0]))

    assert json.loads(response.content)["task_id"] == "0"
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "attachment" in response.headers["Content-Disposition"]


def test_with_hostile_texts_show_them(signed_in: Client, tmp_path: Path) -> None:
    row = brought_in(tmp_path, text=HOSTILE)

    page = text_of(signed_in.get(reverse("reference", args=[row.pk, 0])))

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert 'onfocus="alert' not in page
    assert "\u202e" not in page
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=\"|hx-on", page)


def test_with_huge_texts_cut_them(signed_in: Client, tmp_path: Path) -> None:
    row = brought_in(tmp_path, text="x" * 300_000)

    page = text_of(signed_in.get(reverse("reference", args=[row.pk, 0])))

    assert len(page) < 200_000
    assert "280,000 more characters" in page
