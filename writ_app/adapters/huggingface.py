"""A dataset repository on the Hugging Face Hub, or on whatever `HF_ENDPOINT` names. The only module that knows its library.

Large files travel by Git LFS. Xet, which the library would rather use, stays off: what is tested is what runs.
The token is an argument, goes into requests alone, and is taken out of every error's text.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from writ_app.engine.errors import WritError

type Visibility = Literal["none", "private", "public"]

ATTEMPTS = 4
PAUSE_SECONDS = 1.0
"""Before the second attempt; twice as long before each later one."""
HINTS = {
    401: "the token is not accepted: HF_TOKEN has to hold one that may write",
    403: "the token may not write there",
    404: "there is no such repository, or the token may not see it",
    409: "the repository is being changed by somebody else: try again",
    429: "too many requests: try again later",
}


class HubError(WritError):
    """The Hub refused, or was not to be reached. What was uploaded stays there, and is not sent again."""


@dataclass(frozen=True)
class Remote:
    """A file in the repository. One in Git LFS tells its SHA-256, any other the hash that Git has of it."""

    sha256: str
    git_oid: str
    bytes: int

    def is_same(self, path: Path, sha256: str) -> bool:
        if self.sha256:
            return self.sha256 == sha256
        return self.bytes == path.stat().st_size and self.git_oid == git_oid(path)


def git_oid(path: Path) -> str:
    """What Git calls the file's content (SHA-1 of a blob)."""
    whole = hashlib.sha1(
        f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False
    )
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            whole.update(piece)
    return whole.hexdigest()


@dataclass
class DatasetRepository:
    """`owner/name` at a branch. Everything raises HubError."""

    repo: str
    token: str = field(repr=False)
    revision: str = "main"
    endpoint: str = ""
    """"" for what `HF_ENDPOINT` says, or the Hub itself."""
    pause: Callable[[float], None] = time.sleep
    _added: list[Any] = field(default_factory=list, repr=False)

    @property
    def _api(self) -> Any:
        from huggingface_hub import HfApi, constants
        from huggingface_hub.utils import disable_progress_bars

        constants.HF_HUB_DISABLE_XET = True
        constants.HF_HUB_DISABLE_TELEMETRY = True
        disable_progress_bars()
        return HfApi(endpoint=self.endpoint or None, token=self.token or False)

    def files(self) -> dict[str, Remote] | None:
        """By their paths; None if there is no such repository or branch."""
        from huggingface_hub.errors import (
            RepositoryNotFoundError,
            RevisionNotFoundError,
        )
        from huggingface_hub.hf_api import RepoFile

        def listed() -> dict[str, Remote] | None:
            try:
                found = list(
                    self._api.list_repo_tree(
                        self.repo,
                        recursive=True,
                        revision=self.revision,
                        repo_type="dataset",
                    )
                )
            except (RepositoryNotFoundError, RevisionNotFoundError) as error:
                if _status(error) == 401:
                    raise
                return None
            return {
                one.path: Remote(
                    one.lfs.sha256 if one.lfs else "", one.blob_id, one.size
                )
                for one in found
                if isinstance(one, RepoFile)
            }

        return self._again(listed)

    def visibility(self) -> Visibility:
        """`none`: there is no such repository, or the token may not see it."""
        from huggingface_hub.errors import RepositoryNotFoundError

        def asked() -> Visibility:
            try:
                found = self._api.dataset_info(self.repo, expand=["private"])
            except RepositoryNotFoundError as error:
                if _status(error) == 401:
                    raise
                return "none"
            return "private" if found.private else "public"

        return self._again(asked)

    def create(self, *, private: bool) -> None:
        """The repository and the branch, unless they are there. A push begins with this."""
        api, self._added = self._api, []
        self._again(
            lambda: api.create_repo(
                self.repo, repo_type="dataset", private=private, exist_ok=True
            )
        )
        if self.revision != "main":
            self._again(
                lambda: api.create_branch(
                    self.repo, branch=self.revision, repo_type="dataset", exist_ok=True
                )
            )

    def upload(self, path: str, local: Path) -> None:
        """Send the content, to be part of the next commit; what the Hub holds already is not sent. `local` has to stay until then."""
        from huggingface_hub import CommitOperationAdd

        added = CommitOperationAdd(path_in_repo=path, path_or_fileobj=str(local))
        self._again(
            lambda: self._api.preupload_lfs_files(
                self.repo,
                [added],
                repo_type="dataset",
                revision=self.revision,
                num_threads=1,
                free_memory=False,
            )
        )
        self._added.append(added)

    def commit(self, message: str) -> str:
        """All that was uploaded, at once. Returns the commit's address. After an answer that was lost, what is there is not sent again."""
        from huggingface_hub import CommitOperationAdd

        api, added = self._api, self._added

        def committed() -> str:
            nonlocal added
            # Another attempt asks anew what is there.
            ready, added = (
                added,
                [CommitOperationAdd(a.path_in_repo, a.path_or_fileobj) for a in added],
            )
            made = api.create_commit(
                self.repo,
                ready,
                commit_message=message,
                repo_type="dataset",
                revision=self.revision,
            )
            return str(made.commit_url)

        address = self._again(committed)
        self._added = []
        return address

    def _again[T](self, call: Callable[[], T]) -> T:
        """The call, tried again after what may pass."""
        pause = PAUSE_SECONDS
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self._clear():
                    return call()
            except _MayPass as error:
                if attempt == ATTEMPTS:
                    raise HubError(str(error)) from error
                self.pause(pause)
                pause *= 2
        raise AssertionError("unreachable")

    @contextmanager
    def _clear(self) -> Iterator[None]:
        """Whatever the library raises, in words and without the token."""
        import httpx
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError

        try:
            yield
        except HFValidationError as error:
            raise HubError(self._told(error)) from error
        except (HfHubHTTPError, httpx.HTTPError, RuntimeError, ValueError) as error:
            chain = _chain(error)
            status = next((s for one in chain if (s := _status(one))), 0)
            broken = any(isinstance(one, httpx.TransportError) for one in chain)
            text = f"{self.repo}: {HINTS[status]}." if status in HINTS else ""
            text = text or f"{self.repo}: {self._told(chain[-1])}"
            if broken or status >= 500:
                raise _MayPass(text) from error
            raise HubError(text) from error

    def _told(self, error: BaseException) -> str:
        text = " ".join(str(error).split())[:500] or type(error).__name__
        return text.replace(self.token, "…") if self.token else text


class _MayPass(Exception):
    """A server's own trouble, or a broken connection."""


def _chain(error: BaseException) -> Sequence[BaseException]:
    """The error and what it came from."""
    found = [error]
    while (before := found[-1].__cause__) is not None and len(found) < 10:
        found.append(before)
    return found


def _status(error: BaseException) -> int:
    """The HTTP status it is about; 0: none."""
    response = getattr(error, "response", None)
    return int(getattr(response, "status_code", 0) or 0)
