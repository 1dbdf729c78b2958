"""Every page there is, looked at as everybody may have to: by axe in both themes, and in a window as narrow as a phone."""

import json
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, Page

from tests.everything import make_everything
from tests.services.runs import run as run_runner
from tests.views.test_access import patterns
from writ_app.models.behaviour import BehaviourPlan, Persona
from writ_app.models.catalog import Environment, ReferenceSet, Task
from writ_app.models.curation import SamplingPlan
from writ_app.models.evaluation import EvaluationRun, EvaluationTrial
from writ_app.models.release import Release
from writ_app.models.report import Report
from writ_app.models.review import ReviewEvent, ReviewItem
from writ_app.models.synthesis import Batch, ModelEndpoint
from writ_app.models.webhooks import Webhook
from writ_app.services.evaluation import TrialDesk

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.timeout(300),
]

NOT_PAGES = {
    *("logout", "theme", "provider_login", "openid_connect_callback"),
    # Not there without mail, and without a link's token in the session: tests/views/test_accounts.py and test_teams.py see them.
    *("password_reset", "invitation"),
}


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
    "webhook": key_of(Webhook),
    "evaluation": key_of(EvaluationRun),
    "evaluation_trial": key_of(EvaluationTrial),
    "evaluation_beside": lambda: dict(
        zip(
            ("left", "right"),
            EvaluationTrial.objects.order_by("pk").values_list("pk", flat=True),
            strict=False,
        )
    ),
    "release_members": key_of(Release),
    "release_push": key_of(Release),
    "release_refusals": lambda: {"pk": Release.objects.get(frozen_at=None).pk},
    "release_draft": lambda: {"pk": Release.objects.get(frozen_at=None).pk},
    "quality_dispute": lambda: {"pk": ReviewItem.objects.get(status="DISPUTED").pk},
    "quality_lane": key_of(SamplingPlan),
    "api_chapter": lambda: {"slug": "batches"},
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
    "password_reset_confirm": None,  # tests/views/test_accounts.py follows one
}
"""Addresses that need arguments → an example; None: shown by other tests."""


@pytest.fixture
def tab(
    browser: Browser, live_server: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Page]:
    monkeypatch.setenv("HF_TOKEN", "hf_none")
    owner = make_everything().owner
    # The browser's event loop runs in this thread already.
    runner = Thread(target=run_runner, kwargs={"desk": TrialDesk()})
    runner.start()
    runner.join()
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
        "_send",
        "_zip",
    ),
    *("_save", "_discard", "_withdraw", "_reason", "_delete", "_revoke"),
    *("_step", "_text", "_find", "_replay"),
    *("_role", "_remove", "_revoke"),
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
