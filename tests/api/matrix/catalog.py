"""Operations on what there is to work with."""

from django.core.files.uploadedfile import SimpleUploadedFile

from tests.api.matrix.example import Example, key_of


def world_of(**more):
    def path(side):
        row = side.environment
        return {"name": row.name, "version": row.version, **more}

    return path


def record_of(side):
    return {"key": next(iter(state_of(side).collections["users"]))}


def state_of(side):
    from writ_app.services.catalog import load_environment

    return load_environment(side.environment).state


EXAMPLES = {
    "list_environments": Example(),
    "get_environment": Example(path=world_of(), foreign=None),
    "list_records": Example(path=world_of(collection="users"), foreign=None),
    "get_record": Example(
        path=world_of(collection="users"), query=record_of, foreign=None
    ),
    "try_calls": Example(
        path=world_of(),
        body=lambda side: {"calls": [{"name": "no_such_tool"}]},
        foreign=None,
    ),
    "list_reference_sets": Example(),
    "get_reference_set": Example(path=key_of("reference_set")),
    "delete_reference_set": Example(path=key_of("reference_set")),
    "list_references": Example(path=key_of("reference_set")),
    "get_reference": Example(
        path=lambda side: {"id": side.reference_set.pk, "position": 0}
    ),
    "list_imports": Example(),
    "get_import": Example(path=key_of("upload")),
    "upload_reference": Example(
        body=lambda side: {"file": SimpleUploadedFile("rows.jsonl", b"{}")},
        multipart=True,
    ),
}
