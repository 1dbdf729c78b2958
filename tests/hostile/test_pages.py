"""Attacks in every text that a model, a person or a file can fill, on every page, in a real browser: nothing comes of them."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.contrib import admin
from django.db import models
from django.urls import reverse
from playwright.sync_api import Page

from tests.flows.test_every_page import addresses, tab
from tests.hostile.fields import UNFILLED, Kept, fill, name_of, text_fields
from tests.hostile.watching import Watch
from writ_app.models.accounts import User
from writ_app.models.catalog import Environment, ReferenceTask, Task
from writ_app.models.curation import FindRule, SavedView
from writ_app.models.editing import EarlierJudgement
from writ_app.models.review import BulkAction, ReviewItem, Verdict
from writ_app.models.synthesis import (
    EndpointHealth,
    ModelEndpoint,
    Paraphrase,
    Simulation,
    Turn,
)
from writ_app.models.verification import JudgeNote, NoteOutcome

__all__ = ["tab"]
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.timeout(300),
]
ROUNDS = (0, 160)
"""Short fields have room for one or two payloads: they get others in the second round."""


OPEN = "document.querySelectorAll('details').forEach(one => one.open = true)"


def make_the_rest(owner: User) -> None:
    """Rows of every kind that the pages' own tests have none of."""
    team = owner.memberships.get().team
    item = ReviewItem.objects.order_by("pk")[0]
    simulation = Simulation.objects.order_by("pk")[0]
    endpoint, task = ModelEndpoint.objects.get(), Task.objects.order_by("pk")[0]
    for number in range(3):
        view = f"view {number}"
        SavedView.objects.create(team=team, owner=owner, name=view, shared=True)
    FindRule.objects.create(team=team, by=owner, name="rule")
    BulkAction.objects.create(team=team, by=owner, verdict=Verdict.REJECT, note="bulk")
    EndpointHealth.objects.create(
        endpoint=endpoint, process="host:1", last_error="x", seen_at=datetime.now(UTC)
    )
    EarlierJudgement.objects.create(item=item, content=item.trajectory.verification)
    scores = {"score": 4, "why": "because"}
    for number in range(2):
        JudgeNote.objects.create(
            trajectory=item.trajectory,
            judge="judge",
            prompt_version="1",
            seed=number,
            outcome=NoteOutcome.ANSWERED,
            content={"scores": {"agent_tone": scores}, "remarks": "none"},
            raw="{}",
        )
    Turn.objects.create(
        simulation=simulation,
        position=1,
        side="agent",
        fingerprint="0" * 32,
        completion={"content": "said"},
        drafts=["draft"],
        raw={"id": "raw"},
        attempt=1,
    )
    Paraphrase.objects.create(
        task=task,
        paraphraser="p",
        reader="r",
        prompt_version="1",
        seed=1,
        content={"text": "said otherwise"},
        text="said otherwise",
        accepted=True,
    )
    ReferenceTask.objects.create(
        environment=Environment.objects.get(),
        task_id="1",
        position=0,
        splits=["base"],
        content={"user_scenario": {"instructions": "ask"}},
    )


class TestPages:
    @pytest.fixture
    def watch(self, tab: Page, live_server: object) -> Watch:
        User.objects.filter(username="ada").update(is_staff=True, is_superuser=True)
        make_the_rest(User.objects.get(username="ada"))
        return Watch(tab, str(live_server.url))  # type: ignore[attr-defined]

    def pages(self, tab: Page) -> dict[str, str]:
        """By their names, the addresses that answer with a whole document. What answers with a 5xx fails here."""
        found = {}
        for name, address in [*addresses(), *self.administration()]:
            answer = tab.request.get(address)
            assert answer.status < 500, address
            html = "text/html" in answer.headers.get("content-type", "")
            if answer.status != 405 and html and "<html" in answer.text():
                found[name] = address
        return found

    def administration(self) -> Iterator[tuple[str, str]]:
        for model in admin.site._registry:
            if model._meta.app_label == "writ_app":
                for address in self.administered(model):
                    yield address, address

    def administered(self, model: type[models.Model]) -> Iterator[str]:
        where = f"admin:writ_app_{model._meta.model_name}"
        yield reverse(f"{where}_changelist")
        for row in model._base_manager.order_by("pk")[:1]:
            yield reverse(f"{where}_change", args=[row.pk])

    def test_show_hostile_texts_and_nothing_comes_of_them(self, watch: Watch) -> None:
        tab = watch.page
        kept: Kept = {}
        refused: list[str] = []
        pages: dict[str, str] = {}

        for start in ROUNDS:
            filled = fill(start, kept)
            pages = pages or self.pages(tab)
            for name, address in addresses() if start else pages.items():
                if name not in pages:
                    continue
                answer = tab.goto(address)
                if answer is None or answer.status >= 400:
                    refused.append(address)
                tab.evaluate(OPEN)
                if tab.locator("[hx-trigger*=load]").count():
                    tab.wait_for_timeout(300)
                watch.look()

        assert not refused
        assert len(pages) > 40
        assert not watch.seen, "\n".join(dict.fromkeys(watch.seen))
        left = {name_of(model, field) for model, field in text_fields()}
        assert left - filled == UNFILLED.keys()
