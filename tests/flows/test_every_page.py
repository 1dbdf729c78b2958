"""Every page there is, looked at as everybody may have to: by axe in both themes, and in a window as narrow as a phone."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, Page

from tests.factories import (
    make_batch,
    make_dispute,
    make_owner,
    make_reviewer,
    make_trajectory,
    team_of,
)
from tests.views.test_access import patterns
from writ_app.engine.editing import Remove, SetText, dump_changes
from writ_app.models.accounts import Team, User
from writ_app.models.behaviour import BehaviourPlan, Persona
from writ_app.models.catalog import Environment, ReferenceSet, Task
from writ_app.models.curation import SamplingPlan
from writ_app.models.editing import EditDraft
from writ_app.models.release import Release
from writ_app.models.report import Report
from writ_app.models.review import ReviewEvent, ReviewItem, Verdict
from writ_app.models.synthesis import Batch, ModelEndpoint
from writ_app.services.catalog.uploads import keep_upload, run_import
from writ_app.services.release import (
    Recipe,
    choose_members,
    draft_release,
    freeze_release,
    order_choice,
)
from writ_app.services.reports.making import make_report, order_report
from writ_app.services.review import lease_next, submit_verdict
from writ_app.services.review.comments import add_comment
from writ_app.services.review.quality.sampling import order_plan

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.timeout(300),
]

NOT_PAGES = {"logout", "theme"}


def key_of(model: Any) -> Callable[[], dict[str, Any]]:
    return lambda: {"pk": model.objects.order_by("pk").first().pk}


def world(**more: str) -> Callable[[], dict[str, Any]]:
    def named() -> dict[str, Any]:
        row = Environment.objects.get()
        return {"name": row.name, "version": row.version, **more}

    return named


SHOWN: dict[str, Callable[[], dict[str, Any]] | None] = {
    "trajectory": key_of(ReviewItem),
    "review_back_to": key_of(ReviewEvent),
    "preview": key_of(ReviewItem),
    "edit": key_of(ReviewItem),
    "talk": key_of(ReviewItem),
    "mention": None,  # leads to the comment
    "trajectory_step": lambda: {**key_of(ReviewItem)(), "number": 6},
    "trajectory_find": key_of(ReviewItem),
    "siblings": key_of(ReviewItem),
    "cluster": lambda: {"key": ReviewItem.objects.order_by("pk")[0].cluster},
    "task": key_of(Task),
    "batch": key_of(Batch),
    "batch_detail": key_of(Batch),
    "batch_behaviour": key_of(Batch),
    "endpoint": key_of(ModelEndpoint),
    "persona": key_of(Persona),
    "plan": key_of(BehaviourPlan),
    "release": key_of(Release),
    "report": key_of(Report),
    "release_members": key_of(Release),
    "release_refusals": lambda: {"pk": Release.objects.get(frozen_at=None).pk},
    "release_draft": lambda: {"pk": Release.objects.get(frozen_at=None).pk},
    "quality_dispute": lambda: {"pk": ReviewItem.objects.get(status="DISPUTED").pk},
    "quality_lane": key_of(SamplingPlan),
    "environment": world(),
    "environment_policy": world(),
    "environment_tools": world(),
    "environment_console": world(),
    "environment_state": world(collection="orders"),
    "reference_set": key_of(ReferenceSet),
    # It is nothing without a question; tests/views/test_desk.py asks one.
    "trajectory_replay": None,
    "reference": lambda: {**key_of(ReferenceSet)(), "position": 0},
    "environment_record": None,
}
"""Addresses that need arguments → an example; None: shown by other tests."""


def bring_in_a_reference(team: Team, owner: User) -> None:
    """A set of one row, and a file that was refused."""
    call = {"function": {"name": "find", "arguments": {"near": "Rue de l'Été"}}}
    row = {
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "Where is it?"},
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "content": "Error: nowhere"},
            {"role": "assistant", "content": "Nowhere."},
        ],
        "tools": [{"type": "function", "function": {"name": "find"}}],
        "source": "elsewhere",
    }
    for name, text in (("good.jsonl", json.dumps(row)), ("bad.jsonl", "{}")):
        file = SimpleUploadedFile(name, text.encode())
        upload = keep_upload(team=team, by=owner, file=file)
        run_import(import_id=upload.pk, at=datetime.now(UTC))


@pytest.fixture
def tab(browser: Browser, live_server: Any) -> Iterator[Page]:
    owner = make_owner(name="ada")
    team = team_of(owner)
    batch = make_batch(team=team, by=owner)
    for number in range(3):
        make_trajectory(batch=batch, number=number)
    make_trajectory(batch=batch, number=0, fault="wrong_argument")
    now = datetime.now(UTC)
    for verdict, reason in ((Verdict.APPROVE, ""), (Verdict.REJECT, "policy")):
        slot = lease_next(user=owner, at=now)
        assert slot is not None
        submit_verdict(
            slot=slot,
            token=slot.token,
            reviewer=owner,
            verdict=verdict,
            reason=reason,
            at=now,
        )
    freeze_release(team=team, name="first", by=owner, at=now)
    make_report(report_id=order_report(team=team, by=owner, batch=batch).pk)
    recipe = Recipe(cap=0, shares={"train": 0.9, "test": 0.1})
    draft = draft_release(team=team, name="first", by=owner, recipe=recipe)
    choose_members(release_id=draft.pk, revision=order_choice(draft))
    lot = {"kinds": ["exact", "said"]}
    order_plan(team=team, by=owner, filters=lot, limit=0.1, seed=1)
    make_dispute(team=team)
    item = ReviewItem.objects.order_by("pk").first()
    assert item is not None
    colleague = make_reviewer(team=team, name="bob")
    comment = add_comment(item=item, author=colleague, body="@ada look", message=1)
    add_comment(item=item, author=owner, body="Yes.", parent=comment)
    changes = (SetText(message=0, text="Good day!"), Remove(message=4))
    EditDraft.objects.create(
        item=item, user=owner, changes=dump_changes(changes), reason="Warmer."
    )
    ModelEndpoint.objects.create(name="mine", model="openai/mine")
    bring_in_a_reference(team, owner)
    client = Client()
    client.force_login(owner)
    context = browser.new_context(
        viewport={"width": 1440, "height": 900},
        base_url=live_server.url,
        reduced_motion="reduce",
    )
    context.add_cookies(
        [
            {"name": name, "value": cookie.value, "url": live_server.url}
            for name, cookie in client.cookies.items()
        ]
    )
    yield context.new_page()
    context.close()


def addresses() -> Iterator[tuple[str, str]]:
    for entry in patterns():
        name = str(entry.name)
        if name in NOT_PAGES:
            continue
        arguments: dict[str, Any] = {}
        if entry.pattern.converters:
            example = SHOWN.get(name, ...)
            if example is ...:
                # Downloads and commands are no pages; anything else must be shown here.
                if name.endswith(NO_PAGE):
                    continue
                pytest.fail(f"{name} has no example in SHOWN")
            if example is None:
                continue
            arguments = example()
        yield name, reverse(name, kwargs=arguments)


NO_PAGE = (
    *("_raw", "_text", "_file", "_results", "_pause", "_resume", "_retry", "_cancel"),
    *(
        "_try",
        "_enable",
        "_enabled",
        "_reset",
        "_plant",
        "_order",
        "_approve",
        "_undo",
        "_judge",
        "saved_view",
        "_choose",
        "_freeze",
        "_zip",
    ),
    *("_save", "_discard", "_withdraw", "_reason", "_delete"),
    *("_step", "_text", "_find", "_replay"),
)


def test_is_usable_by_everybody_in_both_themes_and_on_a_phone(tab: Page) -> None:
    complaints: list[str] = []
    tab.on(
        "console",
        lambda message: (
            complaints.append(f"{tab.url}: {message.text}")
            if message.type in ("error", "warning") and "405" not in message.text
            else None
        ),
    )
    seen = 0

    for name, address in addresses():
        answer = tab.request.get(address)
        html = "text/html" in answer.headers.get("content-type", "")
        if answer.status == 405 or not html or "<html" not in answer.text():
            continue
        tab.goto(address)
        seen += 1
        for theme, options in (
            ("light", {"resultTypes": ["violations"]}),
            ("dark", {"runOnly": ["color-contrast"], "resultTypes": ["violations"]}),
        ):
            tab.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            found = Axe().run(tab, options=options).response["violations"]
            complaints += [
                f"{name}, {theme}: {one['id']}: {node['html'][:160]} {json.dumps(node['any'][:1])[:300]}"
                for one in found
                for node in one["nodes"][:3]
            ]
        tab.set_viewport_size({"width": 360, "height": 800})
        over = tab.evaluate("document.documentElement.scrollWidth - innerWidth")
        if over > 0:
            complaints.append(f"{name}: {over} px wider than a phone")
        tab.set_viewport_size({"width": 1440, "height": 900})

    assert seen > 20
    assert not complaints, "\n".join(complaints)
