"""A file from the form to the page of its rows, by a real worker over the real broker."""

import json
import time

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from tests.factories import make_owner, team_of
from writ_app.adapters.processes import Child
from writ_app.models.catalog import (
    ImportStatus,
    ReferenceImport,
    ReferenceImportPart,
    ReferenceSet,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
ROWS = 300


def row(number: int) -> str:
    """About 5 kB, so that the file is kept in several parts."""
    call = {"function": {"name": "find", "arguments": json.dumps({"near": number})}}
    messages = [
        {"role": "user", "content": f"Where is number {number}? " + "word " * 1_000},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "content": "Error: nowhere"},
        {"role": "assistant", "content": "Nowhere."},
    ]
    return json.dumps({"messages": messages})


def brought(client: Client, name: str, text: str) -> ReferenceImport:
    """What a worker made of an uploaded file."""
    file = SimpleUploadedFile(name, text.encode())
    client.post(reverse("reference_new"), {"file": file, "name": "Theirs"})
    for _ in range(300):
        found = ReferenceImport.objects.get(file_name=name)
        if found.status not in (ImportStatus.WAITING, ImportStatus.RUNNING):
            return found
        time.sleep(0.1)
    raise AssertionError(f"{name} is still {found.status}")


def test_a_worker_brings_in_what_a_page_took_and_says_what_it_refuses(
    celery_worker_process: Child,
) -> None:
    owner = make_owner()
    client = Client()
    client.force_login(owner)
    good = "\n".join(map(row, range(ROWS)))

    done = brought(client, "good.jsonl", good)
    refused = brought(client, "bad.jsonl", f"{good}\n{{]")

    assert (done.status, done.rows, done.trouble) == (ImportStatus.DONE, ROWS, "")
    assert refused.status == ImportStatus.FAILED
    assert f"line {ROWS + 1}" in refused.trouble
    assert not ReferenceImportPart.objects.exists()
    kept = ReferenceSet.objects.get()
    assert (kept.name, kept.team) == ("Theirs", team_of(owner))
    assert kept.trajectories.count() == ROWS
    page = client.get(reverse("references")).content.decode()
    assert reverse("reference_set", args=[kept.pk]) in page
    assert f"line {ROWS + 1}" in page
    last = client.get(reverse("reference", args=[kept.pk, ROWS - 1])).content.decode()
    assert f"Where is number {ROWS - 1}?" in last
