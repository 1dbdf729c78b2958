"""Drafts: chosen by a recipe, with a typed reason for whatever is left out; changed and thrown away until they are frozen."""

import time
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest
from django.db import IntegrityError, connection

from tests.factories import (
    judge,
    make_batch,
    make_owner,
    make_trajectory,
    make_version,
    team_of,
)
from tests.releases import NOW
from writ_app.engine.export.records import digest
from writ_app.jobs import release as jobs
from writ_app.models.release import (
    DraftStage,
    Release,
    ReleaseMember,
    ReleaseRefusal,
)
from writ_app.models.review import ReviewItem, Verdict
from writ_app.models.synthesis import Trajectory
from writ_app.services.catalog import ChangedEnvironment
from writ_app.services.release import (
    BadRecipe,
    CannotRelease,
    DatabaseDataset,
    Recipe,
    change_draft,
    choose_members,
    discard_draft,
    draft_release,
    freeze_draft,
    freeze_release,
    order_choice,
    read_recipe,
)
from writ_app.services.release import freeze as freezing
from writ_app.services.release import judge as judging
from writ_app.services.release.freeze import order_freeze
from writ_app.services.release.overview import overview
from writ_app.services.review import CannotUndo, undo_last

pytestmark = pytest.mark.django_db


def chosen(team: Any, owner: Any, **recipe: Any) -> Release:
    draft = draft_release(team=team, name="try", by=owner, recipe=Recipe(**recipe))
    choose_members(release_id=draft.pk, revision=order_choice(draft))
    draft.refresh_from_db()
    return draft


def reasons(draft: Release) -> dict[int, str]:
    return dict(draft.refusals.values_list("item_id", "reason"))


class TestRecipe:
    @pytest.mark.parametrize(
        ("values", "complaint"),
        [
            ({"shares": {"train": 0.5}}, "make 0.5, not 1"),
            ({"shares": {"dev": 1}}, "no split 'dev'"),
            ({"caps": {"1/5": 3}}, "no cell '1/5'"),
            ({"filters": {"team_id": 3}}, "no filter 'team_id'"),
            ({"max_tokens": 100}, "needs a tokenizer"),
            ({"tokenizer": "guess"}, "no tokenizer 'guess'"),
            ({"cap": -1}, "cap: "),
            ({"options": {"greeting": "sing"}}, "options.greeting: "),
            ({"colour": "red"}, "colour: "),
        ],
    )
    def test_says_what_is_wrong_with_it(self, values: Any, complaint: str) -> None:
        with pytest.raises(BadRecipe, match=complaint):
            read_recipe(values)

    def test_has_its_splits_in_one_order(self) -> None:
        recipe = read_recipe({"shares": {"test": 0.25, "train": 0.75}})

        assert recipe.splits == ("train", "test")


class TestChoosing:
    def test_takes_all_approved_and_nothing_else(self, batch, approved, team, owner):
        rejected = make_trajectory(batch=batch, number=3)
        judge(rejected, Verdict.REJECT, owner, reason="policy")
        make_trajectory(batch=batch, number=4)
        stranger = make_owner()
        other = make_trajectory(batch=make_batch(team=team_of(stranger), by=stranger))
        judge(other, Verdict.APPROVE, stranger)

        draft = chosen(team, owner)

        assert draft.stage == DraftStage.READY
        members = list(draft.members.values_list("item_id", "position", "split"))
        assert members == [(row.pk, n, "train") for n, row in enumerate(approved)]

    def test_keeps_the_hash_of_each_row_as_it_will_be_written(
        self, approved, team, owner
    ):
        draft = chosen(team, owner, shares={"train": 0.5, "test": 0.5})

        records = list(DatabaseDataset(draft, check=False).records())
        hashes = draft.members.order_by("position").values_list("row_hash", flat=True)
        assert [digest(record.line) for record in records] == list(hashes)
        assert {record.split for record in records} == {"train", "test"}

    def test_follows_filters_and_exclusions(self, approved, team, owner):
        kinds = {row.simulation.task.archetype for row in approved}
        one = approved[0]

        draft = chosen(
            team, owner, filters={"archetype": sorted(kinds)}, excluded=[one.pk]
        )
        none = chosen(team, owner, filters={"environment": ["nowhere"]})

        assert draft.members.count() == 2
        assert (none.stage, none.members.count()) == (DraftStage.READY, 0)

    def test_lists_what_a_cap_leaves_out(self, approved, team, owner):
        draft = chosen(team, owner, cap=1)

        cells = {
            (row.simulation.task.writes, row.simulation.task.burden) for row in approved
        }
        assert draft.members.count() + draft.refusals.count() == 3
        assert set(reasons(draft).values()) == {"cap"}
        assert overview(draft).total_found == 3
        assert draft.members.count() <= len(cells)

    def test_counts_tokens_and_lists_what_is_too_long_instead_of_cutting_it(
        self, approved, team, owner
    ):
        counted = chosen(team, owner, tokenizer="cl100k_base")
        tokens = dict(counted.members.values_list("item_id", "tokens"))
        longest = max(tokens, key=lambda item: tokens[item])

        limited = chosen(
            team, owner, tokenizer="cl100k_base", max_tokens=tokens[longest] - 1
        )

        assert reasons(limited) == {
            item: "too_long" for item, n in tokens.items() if n == tokens[longest]
        }
        assert (
            f"{tokens[longest]:,} tokens by cl100k_base"
            in limited.refusals.get(item=longest).detail
        )

    def test_names_the_format_that_cannot_hold_a_row(self, approved, team, owner):
        row = approved[1]
        messages = [dict(message) for message in row.content["messages"]]
        doubled = [*messages[:-2], messages[-2], *messages[-2:]]
        assert messages[-2]["role"] == "assistant"
        Trajectory.objects.filter(pk=row.pk).update(
            content={**row.content, "messages": doubled}
        )

        draft = chosen(team, owner)

        (refusal,) = draft.refusals.all()
        assert refusal.item_id == row.pk
        assert refusal.detail.startswith("LLaMA-Factory (sharegpt) cannot hold it")

    def test_names_the_pitfall_of_what_no_format_can_hold(self, approved, team, owner):
        row = approved[1]
        messages = [dict(message) for message in row.content["messages"]]
        messages[1]["content"] = "###STOP### and go on"
        Trajectory.objects.filter(pk=row.pk).update(
            content={**row.content, "messages": messages}
        )

        draft = chosen(team, owner)

        assert reasons(draft) == {row.pk: "stop_token"}
        assert draft.members.count() == 2

    def test_stops_at_a_benchmark_that_there_is_not(self, approved, team, owner):
        draft = chosen(team, owner, gates=["retail/none"])

        assert draft.stage == DraftStage.FAILED
        assert (
            "nothing to keep away from was imported as 'retail/none'" in draft.trouble
        )

    def test_takes_the_last_approved_version_of_a_trajectory(
        self, approved, team, owner
    ):
        version = make_version(of=approved[0], by=owner, reason="Warmer.")
        ReviewItem.objects.filter(pk=version.pk).update(status="APPROVED")

        draft = chosen(team, owner)

        items = set(draft.members.values_list("item_id", flat=True))
        assert items == {version.pk, approved[1].pk, approved[2].pk}
        record = list(DatabaseDataset(draft).records())[-1]
        assert record.facts["edited"] is True


class TestChanging:
    def test_another_recipe_empties_it_and_the_same_does_not(
        self, approved, team, owner
    ):
        draft = chosen(team, owner)

        change_draft(release=draft, recipe=Recipe(), licence="MIT", description="D.")
        draft.refresh_from_db()
        assert (draft.stage, draft.members.count()) == (DraftStage.READY, 3)
        assert (draft.licence, draft.description) == ("MIT", "D.")

        change_draft(release=draft, recipe=Recipe(seed=2), licence="", description="")
        draft.refresh_from_db()
        assert (draft.stage, draft.members.count()) == (DraftStage.NEW, 0)

    def test_a_job_of_an_older_recipe_writes_nothing(self, approved, team, owner):
        draft = draft_release(team=team, name="try", by=owner)
        old = order_choice(draft)
        change_draft(release=draft, recipe=Recipe(cap=1), licence="", description="")

        choose_members(release_id=draft.pk, revision=old)

        draft.refresh_from_db()
        assert (draft.stage, draft.members.count()) == (DraftStage.NEW, 0)

    def test_a_recipe_that_changes_under_the_job_ends_it(
        self, approved, team, owner, monkeypatch
    ):
        draft = draft_release(team=team, name="try", by=owner)
        revision = order_choice(draft)

        def meddle(done: int, whole: int) -> None:
            if done == whole:
                change_draft(
                    release=draft, recipe=Recipe(seed=8), licence="", description=""
                )

        choose_members(release_id=draft.pk, revision=revision, step=meddle)

        draft.refresh_from_db()
        assert (draft.stage, draft.recipe["seed"]) == (DraftStage.NEW, 8)
        assert not draft.members.exists()

    def test_can_be_thrown_away_with_all_that_is_in_it(self, approved, team, owner):
        draft = chosen(team, owner, cap=0)

        discard_draft(draft)

        assert not Release.objects.exists()
        assert not ReleaseMember.objects.exists()
        assert not ReleaseRefusal.objects.exists()

    def test_ends_with_the_freezing(self, release):
        for act in (
            lambda: discard_draft(release),
            lambda: order_choice(release),
            lambda: change_draft(
                release=release, recipe=Recipe(), licence="", description=""
            ),
        ):
            with pytest.raises(CannotRelease, match="is frozen"):
                act()

    def test_holds_back_nobody_who_takes_an_approval_back(self, approved, team, owner):
        draft = chosen(team, owner)

        undo_last(reviewer=owner, at=NOW)

        with pytest.raises(
            CannotRelease, match=f"Trajectory {approved[-1].pk} may no longer"
        ):
            freeze_draft(release=draft, by=owner, at=NOW)
        assert Release.objects.get(pk=draft.pk).frozen_at is None


class TestFreezing:
    def test_numbers_releases_of_one_name(self, release, team, owner):
        again = freeze_release(team=team, name="first", by=owner, at=NOW)
        other = freeze_release(team=team, name="other", by=owner, at=NOW)

        assert [str(r) for r in (release, again, other)] == [
            "first v1",
            "first v2",
            "other v1",
        ]

    def test_refuses_an_empty_one_and_leaves_no_draft(self, team, owner):
        with pytest.raises(CannotRelease, match="no approved"):
            freeze_release(team=team, name="first", by=owner, at=NOW)

        assert not Release.objects.exists()

    def test_says_so_if_everything_was_left_out(self, approved, team, owner):
        draft = chosen(team, owner, cap=0)

        with pytest.raises(
            CannotRelease, match="everything that its recipe finds is left out"
        ):
            freeze_draft(release=draft, by=owner, at=NOW)

    def test_wants_members_first_and_works_once(self, approved, team, owner):
        draft = draft_release(team=team, name="try", by=owner)
        with pytest.raises(CannotRelease, match="choose its members first"):
            freeze_draft(release=draft, by=owner, at=NOW)

        choose_members(release_id=draft.pk, revision=order_choice(draft))
        freeze_draft(release=draft, by=owner, at=NOW)

        with pytest.raises(CannotRelease, match="frozen already"):
            freeze_draft(release=draft, by=owner, at=NOW)

    def test_refuses_a_row_that_is_no_longer_the_chosen_one(
        self, approved, team, owner
    ):
        draft = chosen(team, owner)
        row = approved[1]
        Trajectory.objects.filter(pk=row.pk).update(
            content={**row.content, "agent": "somebody else"}
        )

        with pytest.raises(
            CannotRelease, match=f"trajectory {row.pk} .*Choose the members"
        ):
            freeze_draft(release=draft, by=owner, at=NOW)

    def test_pins_what_it_was_made_from(self, release, batch, approved):
        manifest = release.manifest
        (world,) = manifest["environments"]

        assert world["content_hash"] == batch.environment.content_hash
        assert len(world["policy_sha256"]) == len(world["tools_sha256"]) == 64
        assert sum(manifest["counts"]["grid"].values()) == manifest["trajectories"] == 3
        assert manifest["scripted"] == 3
        assert manifest["verdicts"]["given"] == {"APPROVE": 3}
        assert manifest["splits"]["rows"] == {"train": 3}
        assert manifest["tasks"] == len({row.simulation.task_id for row in approved})
        assert sorted(manifest["canonical"]) == [
            "environments.jsonl",
            "tasks.jsonl",
            "trajectories.jsonl",
        ]


class TestJobs:
    def test_that_were_lost_are_sent_again(
        self, approved, team, owner, monkeypatch
    ) -> None:
        draft = draft_release(team=team, name="try", by=owner)
        revision = order_choice(draft)
        sent: list[dict[str, int]] = []
        monkeypatch.setattr(
            jobs.choose_members, "delay", lambda **ids: sent.append(ids)
        )

        jobs.resume_drafts()
        assert sent == []  # somebody may be at it
        Release.objects.update(touched_at=NOW - timedelta(days=1))
        jobs.resume_drafts()

        assert sent == [{"release_id": draft.pk, "revision": revision}]

    def test_a_freezing_that_was_lost_is_given_back(self, approved, team, owner):
        draft = chosen(team, owner)
        order_freeze(draft)
        Release.objects.update(touched_at=NOW - timedelta(days=1))

        jobs.resume_drafts()

        draft.refresh_from_db()
        assert draft.stage == DraftStage.READY
        assert "freeze it again" in draft.trouble
        assert freeze_draft(release=draft, by=owner, at=NOW).frozen_at

    def test_say_what_went_wrong_with_a_freezing(self, approved, team, owner):
        draft = chosen(team, owner)
        revision = order_freeze(draft)
        undo_last(reviewer=owner, at=NOW)

        jobs.freeze_draft(release_id=draft.pk, revision=revision, by_id=owner.pk)

        draft.refresh_from_db()
        assert draft.stage == DraftStage.FAILED
        assert "may no longer be released" in draft.trouble

    def test_an_environment_that_has_changed_is_a_reason_of_its_own(
        self, approved, team, owner, monkeypatch
    ):
        def changed(row: Any) -> Any:
            raise ChangedEnvironment(f"{row} is no longer what it was.")

        monkeypatch.setattr(
            "writ_app.services.release.dataset.load_environment", changed
        )
        monkeypatch.setattr(judging, "load_environment", changed)

        draft = chosen(team, owner)

        assert set(reasons(draft).values()) == {"environment"}


@pytest.mark.django_db(transaction=True)
def test_an_undo_waits_for_a_freezing_and_is_refused_after_it(
    approved, team, owner, monkeypatch
):
    draft = chosen(team, owner)
    locked, undone = Event(), Event()
    answers: list[str] = []
    build = freezing.build_manifest

    def slow(*args: Any, **kwargs: Any) -> Any:
        locked.set()
        assert not undone.wait(0.5)  # it stands at the lock
        return build(*args, **kwargs)

    def undo() -> None:
        locked.wait(10)
        try:
            undo_last(reviewer=owner, at=NOW)
        except CannotUndo as error:
            answers.append(str(error))
        except IntegrityError as error:
            answers.append(str(error))
        finally:
            undone.set()
            connection.close()

    monkeypatch.setattr(freezing, "build_manifest", slow)
    thread = Thread(target=undo)
    thread.start()
    frozen = freeze_draft(release=draft, by=owner, at=NOW)
    thread.join(10)

    assert frozen.members.count() == 3
    assert len(answers) == 1
    assert ReviewItem.objects.filter(status="APPROVED").count() == 3


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_worker_chooses_while_the_page_is_free(
    approved, team, owner, monkeypatch, celery_worker_process, client
):
    monkeypatch.setattr("writ_app.views.release_draft.is_small", lambda release: False)
    client.force_login(owner)
    draft = draft_release(team=team, name="try", by=owner)
    address = f"/releases/{draft.pk}/draft/"

    client.post(f"/releases/{draft.pk}/choose/")

    for _ in range(300):
        page = client.get(address, headers={"HX-Request": "true"})
        if page.headers.get("HX-Refresh"):
            break
        time.sleep(0.1)
    draft.refresh_from_db()
    assert draft.stage == DraftStage.READY
    assert "Freeze 3" in client.get(address).content.decode()
