"""Operations on releases."""

from tests.api.matrix.example import Example, key_of


def both(side):
    return {"before": str(side.frozen.pk), "after": str(side.draft.pk)}


def push(side):
    return {"id": side.frozen.pk, "push": side.push.pk}


def draft(side):
    return {"name": "another", "view": side.view.pk}


frozen = key_of("frozen")
EXAMPLES = {
    "list_releases": Example(),
    "draft_release": Example(body=draft),
    "get_release": Example(path=frozen),
    "change_draft": Example(path=key_of("draft"), body=lambda side: {"seed": 7}),
    "discard_draft": Example(path=key_of("draft")),
    "get_release_progress": Example(path=key_of("draft")),
    "choose_members": Example(path=key_of("draft")),
    "freeze_draft": Example(path=key_of("draft")),
    "get_release_manifest": Example(path=frozen),
    "list_release_members": Example(path=frozen),
    "list_release_refusals": Example(path=frozen),
    "compare_releases": Example(query=both),
    "list_release_files": Example(path=frozen),
    "download_release_file": Example(path=frozen, query={"path": "manifest.json"}),
    "download_release_archive": Example(path=frozen),
    "preview_trajectory": Example(path=key_of("trajectory")),
    "list_pushes": Example(path=frozen),
    # A worker does both with the token of the site; tests/api/test_release.py goes on to what it sends.
    "plan_push": Example(path=frozen, body=lambda side: {"repository": "ada/first"}),
    "get_push": Example(path=push),
    "send_push": Example(path=push),
}
