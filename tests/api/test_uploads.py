"""Files by the API."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.api.client import Program
from tests.factories import make_owner, team_of
from writ_app.models.catalog import ReferenceImport

pytestmark = pytest.mark.django_db


def file():
    return SimpleUploadedFile("../rows.jsonl", b'{"messages": []}\n')


class TestAFile:
    def test_waits_for_a_worker(self):
        owner = make_owner()

        answer = Program(owner).ask(
            "post", "imports", {"file": file(), "name": "theirs"}, multipart=True
        )

        row = ReferenceImport.objects.get()
        assert answer.status_code == 201
        assert (row.team, row.by, row.name) == (team_of(owner), owner, "theirs")
        assert row.file_name == "rows.jsonl"
        assert Program(owner).ask("get", f"imports/{row.pk}").json()["done"] == 0

    @pytest.mark.parametrize(
        ("more", "status"),
        [({"kind": ""}, 400), ({"kind": "word"}, 400), ({"team": 1}, 400)],
    )
    def test_comes_with_nothing_but_what_the_schema_names(self, more, status):
        answer = Program(make_owner()).ask(
            "post", "imports", {"file": file(), **more}, multipart=True
        )

        assert answer.status_code == status
        assert not ReferenceImport.objects.exists()

    def test_is_neither_empty_nor_larger_than_files_may_be(self, settings):
        settings.UPLOAD_BYTES = 10

        small = Program(make_owner()).ask(
            "post", "imports", {"file": file()}, multipart=True
        )
        large = Program(make_owner()).ask(
            "post",
            "imports",
            {"file": SimpleUploadedFile("x", b"x" * 200_000)},
            multipart=True,
        )

        empty = Program(make_owner()).ask(
            "post", "imports", {"file": SimpleUploadedFile("x", b"")}, multipart=True
        )

        statuses = [one.status_code for one in (small, large, empty)]
        assert statuses == [422, 413, 422]
        assert not ReferenceImport.objects.exists()
