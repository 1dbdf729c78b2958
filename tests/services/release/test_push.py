"""A release into a dataset repository, against a stand-in of the Hub: whole, in one commit, and on again after any fault."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.hub_server import TOKEN, Fault, Hub, hub_running
from writ_app.adapters.huggingface import DatasetRepository, HubError
from writ_app.models.release import ReleaseFile
from writ_app.services.release import CannotRelease, draft_release
from writ_app.services.release.files import files_of, read_sums
from writ_app.services.release.push import Done, Pushed, plan_push, push_release

pytestmark = pytest.mark.django_db

REPO = "ada/first"
SLUGS = ["openai_chat", "parquet"]


@pytest.fixture
def hub() -> Iterator[Hub]:
    with hub_running() as hub:
        yield hub


@pytest.fixture
def repository(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> DatasetRepository:
    # The library's own pauses between attempts.
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)
    return DatasetRepository(
        REPO, TOKEN, endpoint=hub.address, pause=lambda seconds: None
    )


def pushed(release: Any, repository: Any, **more: Any) -> tuple[list[Pushed], Done]:
    *files, done = push_release(release, repository, SLUGS, **more)
    assert isinstance(done, Done)
    return [one for one in files if isinstance(one, Pushed)], done


def contents(release: Any) -> dict[str, bytes]:
    return {one.path: b"".join(one.chunks) for one in files_of(release, SLUGS)}


class TestPush:
    def test_every_file_is_there_as_it_is_made_in_one_commit(
        self, release, hub, repository
    ):
        files, done = pushed(release, repository, private=True)

        there = hub.files(REPO)
        assert contents(release).items() <= there.items()
        assert there.keys() - contents(release).keys() == {
            "SHA256SUMS",
            ".gitattributes",
        }
        sums = read_sums(there["SHA256SUMS"].decode().splitlines())
        assert sums == {f.path: f.sha256 for f in files if f.path != "SHA256SUMS"}
        assert hub.commits == 1
        assert hub.repos[REPO]["private"] is True
        assert done.address.startswith(hub.address)
        assert {one.state for one in files} == {"new"}
        assert 0 < len(hub.uploads) < len(files)  # both ways of sending are taken

    def test_what_is_there_is_neither_made_nor_sent_again(
        self, release, hub, repository
    ):
        pushed(release, repository)
        uploads = list(hub.uploads)

        files, done = pushed(release, repository)

        assert {one.state for one in files} == {"same"}
        assert (done.address, hub.commits, hub.uploads) == ("", 1, uploads)

    def test_other_files_stay_and_are_named(self, release, hub, repository):
        repository.create(private=False)
        hub.repos[REPO]["branches"]["main"]["notes.txt"] = (b"mine", False)

        _, done = pushed(release, repository)

        assert done.others == ("notes.txt",)
        assert hub.files(REPO)["notes.txt"] == b"mine"

    def test_a_file_that_somebody_changed_is_sent_again(self, release, hub, repository):
        pushed(release, repository)
        main = hub.repos[REPO]["branches"]["main"]
        main["README.md"] = (b"changed", False)
        main["trajectories.jsonl"] = (b"x" * 5_000, True)

        files, _ = pushed(release, repository)

        assert {one.path for one in files if one.state == "changed"} == {
            "README.md",
            "trajectories.jsonl",
        }
        assert contents(release).items() <= hub.files(REPO).items()

    def test_a_branch_of_its_own_leaves_main_alone(self, release, hub, repository):
        branch = replace(repository, revision="first-v1")

        pushed(release, branch)

        assert "README.md" in hub.files(REPO, "first-v1")
        assert hub.files(REPO).keys() == {".gitattributes"}

    def test_a_draft_is_not_pushed(self, team, owner, repository):
        draft = draft_release(team=team, name="next", by=owner)

        with pytest.raises(CannotRelease, match="freeze it first"):
            list(push_release(draft, repository))


class TestPlan:
    def test_says_what_would_be_sent_and_sends_nothing(self, release, hub, repository):
        planned = list(plan_push(release, SLUGS, repository.files()))

        assert {one.state for one in planned} == {"new"}
        assert {one.path for one in planned} == contents(release).keys() | {
            "SHA256SUMS"
        }
        assert not hub.repos
        assert not ReleaseFile.objects.filter(release=release).exists()

    def test_knows_what_is_there(self, release, hub, repository):
        pushed(release, repository)

        states = {
            p.path: p.state for p in plan_push(release, SLUGS, repository.files())
        }

        assert states["trajectories.jsonl"] == "same"
        assert "new" not in states.values()


class TestFaults:
    @pytest.mark.parametrize("does", [500, 503, "cut"])
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", "/api/repos/create"),
            ("GET", "/tree/"),
            ("POST", "/preupload/"),
            ("POST", "/objects/batch"),
            ("PUT", "/lfs/"),
            ("POST", "/lfs/verify"),
            ("POST", "/commit/"),
        ],
    )
    def test_what_passes_is_tried_again(
        self, release, hub, repository, method, path, does
    ):
        hub.faults = [Fault(method, path, does)]

        pushed(release, repository)

        assert not hub.faults
        assert contents(release).items() <= hub.files(REPO).items()
        assert hub.commits == 1

    def test_a_commit_whose_answer_was_lost_is_not_made_twice(
        self, release, hub, repository
    ):
        hub.faults = [Fault("POST", "/commit/", "lost")]

        pushed(release, repository)

        assert hub.commits == 1
        assert contents(release).items() <= hub.files(REPO).items()

    def test_a_push_that_was_broken_off_goes_on(self, release, hub, repository):
        hub.faults = [Fault("POST", "/commit/", 500) for _ in range(4)]
        with pytest.raises(HubError):
            pushed(release, repository)
        assert hub.files(REPO).keys() == {".gitattributes"}  # nothing by halves
        uploads = list(hub.uploads)

        pushed(release, repository)

        assert hub.uploads == uploads
        assert contents(release).items() <= hub.files(REPO).items()

    def test_a_token_that_is_not_accepted_is_named_but_not_told(
        self, release, hub, repository
    ):
        stranger = replace(repository, token="hf_wrongToken")

        with pytest.raises(HubError, match="HF_TOKEN has to hold one") as refused:
            pushed(release, stranger)

        assert "hf_wrongToken" not in str(refused.value) + repr(stranger)
        assert not hub.repos

    def test_what_is_kept_with_another_hash_is_told(self, release, hub, repository):
        hub.spoils = True

        with pytest.raises(HubError, match="not in the repository as it was sent"):
            pushed(release, repository)

    def test_content_that_is_refused_for_its_hash_stops_the_push(
        self, release, hub, repository
    ):
        hub.faults = [Fault("PUT", "/lfs/", 422)]

        with pytest.raises(HubError, match=REPO):
            pushed(release, repository)

        assert hub.commits == 0

    def test_a_server_that_is_not_there(self, release, repository):
        nowhere = replace(repository, endpoint="http://127.0.0.1:9")

        with pytest.raises(HubError, match=REPO):
            pushed(release, nowhere)

    def test_a_name_that_is_none(self, release, repository):
        with pytest.raises(HubError):
            pushed(release, replace(repository, repo="no name!"))
