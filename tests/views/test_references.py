"""Pages of imported trajectories."""

import json
import re
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from tests.adapters.test_tau2_results import minimal, written
from tests.factories import (
    make_environment,
    make_owner,
    make_reviewer,
    make_user,
    team_of,
)
from tests.views.test_hostile_text import HOSTILE
from writ_app.engine.importing import limits
from writ_app.jobs.catalog import import_upload
from writ_app.models.catalog import ReferenceImport, ReferenceSet
from writ_app.services.catalog import import_results
from writ_app.services.catalog.references import import_reference
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


def test_with_many_large_values_show_no_more_than_a_page_holds(
    signed_in: Client, tmp_path: Path
) -> None:
    one = {f"key{n}": "<&" * 900 for n in range(400)}
    call = {"function": {"name": "f", "arguments": one}}
    said = [{"role": "user", "content": "Hi"}]
    said += [{"role": "assistant", "tool_calls": [call] * 11}]  # type: ignore[dict-item]
    path = tmp_path / "chat.jsonl"
    path.write_text(json.dumps({"messages": said}))
    row = import_reference(path=path).row

    page = text_of(signed_in.get(reverse("reference", args=[row.pk, 0])))

    assert limits.ROW_BYTES > path.stat().st_size > 0.98 * limits.ROW_BYTES
    assert len(page) < 6_000_000
    assert "more lines: see the raw file" in page
    assert re.search(r"\d+ more steps are left out here", page)


# --- coming in and going away ---------------------------------------------------------------------------------------------------


def posted(
    client: Client, text: str = '{"messages": [{"role": "user", "content": "Hi"}]}'
):
    file = SimpleUploadedFile("mine.jsonl", text.encode())
    return client.post(reverse("reference_new"), {"file": file, "name": "Mine"})


def test_are_uploaded_by_an_owner_and_read_by_a_worker(
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks,
) -> None:
    client.force_login(make_owner())
    sent: list[int] = []
    monkeypatch.setattr(
        import_upload, "delay", lambda *, import_id: sent.append(import_id)
    )

    with django_capture_on_commit_callbacks(execute=True):
        response = posted(client)

    assert response.status_code == 302
    page = text_of(client.get(reverse("references")))
    assert "waiting" in page
    assert 'hx-trigger="every 2s"' in page
    import_upload(import_id=sent[0])
    page = text_of(client.get(reverse("references")))
    assert reverse("reference_set", args=[ReferenceSet.objects.get().pk]) in page
    assert "every 2s" not in page


def test_are_not_uploaded_by_a_reviewer(client: Client) -> None:
    client.force_login(make_reviewer(team=team_of(make_owner()), name="bob"))

    assert client.get(reverse("reference_new")).status_code == 403
    assert posted(client).status_code == 403
    assert "Import a file" not in text_of(client.get(reverse("references")))
    assert not ReferenceImport.objects.exists()


def test_that_are_too_large_are_refused_at_the_door(
    signed_in: Client, settings
) -> None:
    settings.UPLOAD_BYTES = 10

    response = posted(signed_in)

    assert response.status_code == 422
    assert "manage.py import_reference" in response.content.decode()
    assert not ReferenceImport.objects.exists()


def test_of_another_team_are_not_there(client: Client, tmp_path: Path) -> None:
    row = brought_in(tmp_path)
    row.team = team_of(make_owner(name="eve"))
    row.save()
    client.force_login(make_owner())

    assert row.name not in text_of(client.get(addresses(row)[0]))
    assert [client.get(there).status_code for there in addresses(row)[1:]] == [404] * 2
    raw = reverse("reference_raw", args=[row.pk, 0])
    assert client.get(raw).status_code == 404
    assert client.post(reverse("reference_delete", args=[row.pk])).status_code == 404
    assert ReferenceSet.objects.exists()


def test_are_deleted_by_an_owner_of_their_team_alone(
    client: Client, tmp_path: Path
) -> None:
    owner = make_owner()
    row = brought_in(tmp_path)
    there = reverse("reference_delete", args=[row.pk])
    client.force_login(owner)
    assert client.post(there).status_code == 404  # everybody's
    ReferenceSet.objects.update(team=team_of(owner))
    client.force_login(make_reviewer(team=team_of(owner), name="bob"))
    assert client.post(there).status_code == 403
    client.force_login(owner)
    assert there in text_of(client.get(reverse("reference_set", args=[row.pk])))

    assert client.post(there).status_code == 302

    assert not ReferenceSet.objects.exists()


def test_of_chats_show_system_tools_and_what_else_there_is(
    signed_in: Client, tmp_path: Path
) -> None:
    tool = {"type": "function", "function": {"name": "find_it"}}
    said = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": HOSTILE},
    ]
    path = tmp_path / "chat.jsonl"
    path.write_text(json.dumps({"messages": said, "tools": [tool], "from": HOSTILE}))
    row = import_reference(path=path, name=HOSTILE[:190]).row

    pages = [text_of(signed_in.get(there)) for there in addresses(row)]

    assert "Be kind." in pages[2]
    assert "find_it" in pages[2]
    for page in pages:
        assert "<script>alert" not in page
        assert "\u202e" not in page
