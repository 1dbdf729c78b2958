"""Pages of releases: who may do what, what a draft shows, what a download gives."""

import hashlib
import io
import json
import re
import zipfile
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import (
    judge,
    make_batch,
    make_owner,
    make_reviewer,
    make_trajectory,
    team_of,
)
from tests.releases import NOW
from writ_app.models.curation import SavedView
from writ_app.models.release import DraftStage, Release, ReleaseFile
from writ_app.models.review import Verdict
from writ_app.models.synthesis import Trajectory
from writ_app.services.release import Recipe, draft_release, freeze_release
from writ_app.views import release_draft as draft_views

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_owner(name="ada")


@pytest.fixture
def rows(owner):
    batch = make_batch(team=team_of(owner), by=owner)
    made = [make_trajectory(batch=batch, number=number) for number in range(3)]
    for row in made:
        judge(row, Verdict.APPROVE, owner)
    return made


@pytest.fixture
def page(owner):
    client = Client()
    client.force_login(owner)
    return client


@pytest.fixture
def frozen(rows, owner):
    return freeze_release(team=team_of(owner), name="first", by=owner, at=NOW)


def told(draft: Release, **more: Any) -> dict[str, Any]:
    """What the form of a fresh draft would send."""
    return {
        "source": "all",
        "seed": "1",
        "greeting": "target",
        "reasoning": "strip",
        "train_on_failed_calls": "on",
        "share_train": "100",
        **more,
    }


def begin(page: Client, name: str = "new", query: str = "") -> Release:
    answer = page.post(f"{reverse('releases')}{query}", {"name": name})
    draft = Release.objects.get(name=name)
    assert answer["Location"] == reverse("release_draft", args=[draft.pk])
    return draft


class TestDrafts:
    def test_are_begun_changed_looked_at_and_frozen(self, page, rows):
        draft = begin(page)
        address = reverse("release_draft", args=[draft.pk])
        assert "to be chosen" in page.get(address).content.decode()

        page.post(
            address,
            told(
                draft,
                share_train="50",
                share_test="50",
                cap="5",
                tokenizer="estimate",
                licence="MIT",
            ),
        )

        draft.refresh_from_db()
        assert draft.stage == DraftStage.READY
        assert draft.recipe["shares"] == {"train": 0.5, "test": 0.5}
        assert (draft.recipe["cap"], draft.licence) == (5, "MIT")
        text = page.get(address).content.decode()
        assert "Freeze 3" in text
        assert "trajectories of" not in text
        page.post(reverse("release_freeze", args=[draft.pk]))
        draft.refresh_from_db()
        assert draft.frozen_at is not None
        assert page.get(address)["Location"] == reverse("release", args=[draft.pk])

    def test_take_the_filters_of_the_list_they_were_begun_from(self, page, rows, owner):
        SavedView.objects.create(
            team=team_of(owner),
            owner=owner,
            name="Elsewhere",
            filters={"environment": ["nowhere"]},
        )

        draft = begin(page, query="?environment=nowhere&team=7")

        assert draft.recipe["filters"] == {"environment": ["nowhere"]}
        assert draft.recipe["view"] == "Elsewhere"
        page.post(reverse("release_draft", args=[draft.pk]), told(draft, source="kept"))
        text = page.get(reverse("release_draft", args=[draft.pk])).content.decode()
        assert "There are no approved trajectories to release" in text
        assert "Freeze" not in text

    def test_take_those_of_a_saved_view(self, page, rows, owner):
        view = SavedView.objects.create(
            team=team_of(owner),
            owner=owner,
            name="Mine",
            filters={"archetype": [rows[0].simulation.task.archetype]},
        )
        draft = begin(page)

        page.post(
            reverse("release_draft", args=[draft.pk]),
            told(draft, source=str(view.pk)),
        )

        draft.refresh_from_db()
        assert (draft.recipe["view"], draft.recipe["filters"]) == ("Mine", view.filters)
        assert draft.stage == DraftStage.READY

    @pytest.mark.parametrize(
        ("field", "value", "complaint"),
        [
            ("share_train", "50", "the shares make 0.5, not 1"),
            ("seed", "many", "Enter a whole number."),
            ("cap", "-1", "greater than or equal to 0"),
            ("max_tokens", "100", "needs a tokenizer"),
            ("gates", "retail/none", "is not one of the available choices"),
            ("source", "999", "is not one of the available choices"),
            ("licence", "WTF", "is not one of the available choices"),
            ("cap_1_4to6", "x", "Enter a whole number."),
        ],
    )
    def test_say_what_is_wrong_with_a_recipe(self, page, rows, field, value, complaint):
        draft = begin(page)

        answer = page.post(
            reverse("release_draft", args=[draft.pk]), told(draft, **{field: value})
        )

        assert answer.status_code == 422
        assert complaint in answer.content.decode().replace("&#x27;", "'")
        draft.refresh_from_db()
        assert draft.stage == DraftStage.NEW

    def test_of_many_are_chosen_by_a_job_with_a_bar(
        self, page, rows, monkeypatch, django_capture_on_commit_callbacks
    ):
        sent = []
        monkeypatch.setattr(draft_views, "is_small", lambda release: False)
        monkeypatch.setattr(
            draft_views.jobs.choose_members, "delay", lambda **ids: sent.append(ids)
        )
        draft = begin(page)
        address = reverse("release_draft", args=[draft.pk])

        with django_capture_on_commit_callbacks(execute=True):
            page.post(address, told(draft))

        draft.refresh_from_db()
        assert sent == [{"release_id": draft.pk, "revision": draft.revision}]
        Release.objects.filter(pk=draft.pk).update(dealt_with=20, whole=300)
        part = page.get(address, headers={"HX-Request": "true"}).content.decode()
        assert "20 / 300" in part
        assert 'hx-trigger="every 1s"' in part
        assert "<html" not in part
        draft_views.jobs.choose_members(**sent[0])
        done = page.get(address, headers={"HX-Request": "true"})
        assert done["HX-Refresh"] == "true"
        assert "Freeze 3" in page.get(address).content.decode()

    def test_of_many_are_frozen_by_a_job(
        self, page, rows, owner, monkeypatch, django_capture_on_commit_callbacks
    ):
        sent = []
        monkeypatch.setattr(draft_views, "SMALL", 2)
        monkeypatch.setattr(
            draft_views.jobs.freeze_draft, "delay", lambda **ids: sent.append(ids)
        )
        draft = begin(page)
        page.post(reverse("release_draft", args=[draft.pk]), told(draft))

        with django_capture_on_commit_callbacks(execute=True):
            page.post(reverse("release_freeze", args=[draft.pk]))

        draft.refresh_from_db()
        assert draft.stage == DraftStage.FREEZING
        draft_views.jobs.freeze_draft(**sent[0])
        draft.refresh_from_db()
        assert draft.manifest["frozen_by"] == "ada"

    def test_say_why_they_cannot_be_frozen(self, page, rows):
        draft = begin(page)

        answer = page.post(reverse("release_freeze", args=[draft.pk]), follow=True)

        assert "choose its members first" in answer.content.decode()

    def test_are_thrown_away(self, page, rows):
        draft = begin(page)

        page.post(reverse("release_discard", args=[draft.pk]))

        assert not Release.objects.exists()

    def test_show_what_is_left_out_with_links(self, page, rows):
        draft = begin(page)
        page.post(reverse("release_draft", args=[draft.pk]), told(draft, cap="0"))

        text = page.get(reverse("release_draft", args=[draft.pk])).content.decode()
        listed = page.get(
            reverse("release_refusals", args=[draft.pk]), {"reason": "cap"}
        ).content.decode()

        assert "Everything that the recipe finds is left out" in text
        for row in rows:
            assert reverse("trajectory", args=[row.pk]) in listed
        assert "over the cap of its cell" in listed


class TestAccess:
    ACTS = ("release_choose", "release_freeze", "release_discard")

    def test_reviewers_look_but_do_not_change(self, frozen, owner, page):
        draft = begin(page)
        reviewer = Client()
        reviewer.force_login(make_reviewer(team=team_of(owner)))

        for name in ("release_draft", "release_members", "release_refusals"):
            assert reviewer.get(reverse(name, args=[draft.pk])).status_code == 200
        assert reviewer.get(reverse("release", args=[frozen.pk])).status_code == 200
        text = reviewer.get(reverse("release_draft", args=[draft.pk])).content.decode()
        assert "<form" not in re.sub(r"(?s)<header class=.top.*?</header>", "", text)
        for name in self.ACTS:
            assert reviewer.post(reverse(name, args=[draft.pk])).status_code == 403
        answer = reviewer.post(reverse("release_draft", args=[draft.pk]), told(draft))
        assert answer.status_code == 403
        assert reviewer.post(reverse("releases"), {"name": "x"}).status_code == 403

    def test_other_teams_find_nothing(self, frozen, page):
        draft = begin(page)
        stranger = Client()
        stranger.force_login(make_owner())

        for row in (frozen, draft):
            for name in (
                "release",
                "release_draft",
                "release_members",
                "release_refusals",
                "release_zip",
            ):
                assert stranger.get(reverse(name, args=[row.pk])).status_code == 404
            assert (
                stranger.get(
                    reverse("release_file", args=[row.pk, "manifest.json"])
                ).status_code
                == 404
            )
            for name in self.ACTS:
                assert stranger.post(reverse(name, args=[row.pk])).status_code == 404
        compared = stranger.get(
            reverse("release_compare"), {"before": frozen.pk, "after": draft.pk}
        ).content.decode()
        assert "first v1" not in compared
        assert "first v1" not in stranger.get(reverse("releases")).content.decode()

    def test_an_owner_of_another_team_changes_nothing_of_one_they_only_review_in(
        self, frozen, page
    ):
        from writ_app.services.accounts import add_member

        draft = begin(page)
        both = make_owner()
        add_member(team=draft.team, user=both)
        client = Client()
        client.force_login(both)

        for name in self.ACTS:
            assert client.post(reverse(name, args=[draft.pk])).status_code in (403, 404)
        assert Release.objects.filter(pk=draft.pk).exists()


class TestFrozen:
    def test_shows_its_figures_files_and_card(self, frozen, page):
        text = page.get(reverse("release", args=[frozen.pk])).content.decode()

        assert frozen.content_hash in text
        assert "trl/train.jsonl" in text
        assert "tau2/" in text
        assert "## Known limits" in text
        assert "not for training" in text

    def test_gives_each_file_and_keeps_its_hash(self, frozen, page):
        answer = page.get(reverse("release_file", args=[frozen.pk, "trl/train.jsonl"]))
        data = b"".join(answer.streaming_content)

        assert answer["Content-Disposition"] == (
            'attachment; filename="first-v1-trl-train.jsonl"'
        )
        assert len([json.loads(line) for line in data.splitlines()]) == 3
        kept = ReleaseFile.objects.get()
        assert kept.sha256 == hashlib.sha256(data).hexdigest()
        assert (
            kept.sha256
            in page.get(reverse("release", args=[frozen.pk])).content.decode()
        )

    @pytest.mark.parametrize(
        "path", ["none.jsonl", "../manifest.json", "trl/dev.jsonl"]
    )
    def test_has_no_other_files(self, frozen, page, path):
        address = (
            reverse("release_file", args=[frozen.pk, "x"]).removesuffix("x") + path
        )
        assert page.get(address).status_code == 404

    def test_gives_all_of_it_or_one_format_as_a_zip(self, frozen, page):
        answer = page.get(
            reverse("release_zip", args=[frozen.pk]), {"format": "axolotl"}
        )
        data = b"".join(answer.streaming_content)

        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            folders = {
                name.split("/")[1] for name in archive.namelist() if name.count("/") > 1
            }
        assert folders == {"axolotl"}
        wrong = page.get(reverse("release_zip", args=[frozen.pk]), {"format": "x"})
        assert wrong.status_code == 404

    def test_says_on_a_page_that_a_file_is_damaged(self, frozen, page, rows):
        row = rows[0]
        Trajectory.objects.filter(pk=row.pk).update(
            content={**row.content, "user": "other"}
        )

        answer = page.get(
            reverse("release_file", args=[frozen.pk, "trl/train.jsonl"]), follow=True
        )

        assert answer.redirect_chain == [(reverse("release", args=[frozen.pk]), 302)]
        assert f"trajectory {row.pk} (row 0) no longer gives" in answer.content.decode()


class TestMembers:
    def test_are_paged_by_their_place(self, frozen, page, rows, monkeypatch):
        monkeypatch.setattr("writ_app.views.release.PAGE", 2)
        address = reverse("release_members", args=[frozen.pk])

        first = page.get(address).content.decode()
        second = page.get(address, {"after": 1}).content.decode()

        assert "?after=1" in first
        assert reverse("trajectory", args=[rows[2].pk]) not in first
        assert reverse("trajectory", args=[rows[2].pk]) in second
        assert (
            "No member is in this split"
            in page.get(address, {"split": "test"}).content.decode()
        )
        for odd in ({"after": "x"}, {"split": "dev"}, {"after": "-5"}):
            assert page.get(address, odd).status_code == 200


class TestCompare:
    def test_shows_and_gives_what_differs(self, frozen, page, rows, owner):
        other = freeze_release(
            team=team_of(owner), name="first", by=owner, at=NOW, excluded=[rows[0].pk]
        )
        query = {"before": frozen.pk, "after": other.pk}

        text = page.get(reverse("release_compare"), query).content.decode()
        data = page.get(reverse("release_compare"), {**query, "format": "json"}).json()

        assert "Removed" in text
        assert data["removed"] == [rows[0].pk]
        assert data["same"] == 2

    def test_asks_for_two(self, frozen, page):
        assert "Choose two" in page.get(reverse("release_compare")).content.decode()
        assert (
            page.get(reverse("release_compare"), {"format": "json"}).status_code == 404
        )
        odd = page.get(reverse("release_compare"), {"before": "x", "after": "99"})
        assert odd.status_code == 200


def test_hostile_words_stay_words(rows, owner, page):
    """Descriptions, and names of models and views, may hold anything."""
    odd = "<script>alert(1)</script>\u202e"
    row = rows[0]
    Trajectory.objects.filter(pk=row.pk).update(content={**row.content, "agent": odd})
    release = freeze_release(
        team=team_of(owner),
        name="odd",
        by=owner,
        at=NOW,
        recipe=Recipe(view=odd),
        description=odd,
    )
    draft = draft_release(
        team=team_of(owner),
        name="odd",
        by=owner,
        recipe=Recipe(view=odd, filters={"agent": [odd]}),
        description=odd,
    )

    for address in (
        reverse("release", args=[release.pk]),
        reverse("release_draft", args=[draft.pk]),
        reverse("releases"),
        reverse("release_members", args=[release.pk]),
        f"{reverse('release_compare')}?before={release.pk}&after={draft.pk}",
    ):
        text = page.get(address).content.decode()
        assert "<script>alert" not in text
