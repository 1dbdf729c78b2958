"""A release into a dataset repository: its files and its card, in one commit, told by their hashes before and after."""

import hashlib
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, Protocol

from writ_app.adapters.huggingface import (
    DatasetRepository,
    HubError,
    Remote,
    Visibility,
)
from writ_app.models.release import Release
from writ_app.services.audit import digest_of_text, record
from writ_app.services.release.draft import CannotRelease
from writ_app.services.release.files import (
    SUMS_FILE,
    files_of,
    known_hashes,
    sum_line,
    write_file,
)
from writ_app.services.release.first import is_first

TOKEN = "HF_TOKEN"
"""The environment variable; nothing else ever holds it."""

type State = Literal["new", "changed", "same", "unknown"]


class Repository(Protocol):
    """Where to (`writ_app.adapters.huggingface.DatasetRepository`)."""

    def visibility(self) -> Visibility: ...
    def files(self) -> dict[str, Remote] | None: ...
    def create(self, *, private: bool) -> None: ...
    def upload(self, path: str, local: Path) -> None: ...
    def commit(self, message: str) -> str: ...


@dataclass(frozen=True)
class Pushed:
    """One file: not there before, another one there, or there as it is. `unknown`: it was never made, so nobody knows."""

    path: str
    state: State
    bytes: int | None
    sha256: str = ""


@dataclass(frozen=True)
class Done:
    """`address` of the commit; "" if everything was there. `others`: paths in the repository that are not of this release."""

    address: str
    others: tuple[str, ...]


def has_token() -> bool:
    return bool(os.environ.get(TOKEN, "").strip())


def repository_at(name: str, branch: str) -> DatasetRepository:
    """With this process's own token, on the server that HF_ENDPOINT names."""
    token = os.environ.get(TOKEN, "").strip()
    return DatasetRepository(name, token, branch, os.environ.get("HF_ENDPOINT", ""))


def plan_push(
    release: Release,
    slugs: Collection[str] | None,
    remote: Mapping[str, Remote] | None,
) -> Iterator[Pushed]:
    """What a push would do, without making or sending anything. Raises KeyError for a format that there is not."""
    check_frozen(release)
    known, there = known_hashes(release), remote or {}
    for file in files_of(release, slugs):
        made, found = known.get(file.path), there.get(file.path)
        size = made.bytes if made else None
        sha256 = made.sha256 if made else ""
        state: State = "new" if found is None else "unknown"
        if found and made and found.sha256:
            state = "same" if found.sha256 == made.sha256 else "changed"
        yield Pushed(file.path, state, size, sha256)
    yield Pushed(SUMS_FILE, "unknown" if SUMS_FILE in there else "new", None)


def push_release(
    release: Release,
    repository: Repository,
    slugs: Collection[str] | None = None,
    *,
    private: bool = False,
) -> Iterator[Pushed | Done]:
    """Each file as it is dealt with, then what came of it. What is there with the same hash is neither made nor sent again, so
    that a push that was broken off goes on. The files show up in the repository all at once, and are compared there.
    `private`: one that is made is so, and one that everybody may see is refused.

    Raises HubError, CannotRelease, ReleaseDamaged, UnfitRow, KeyError.
    """
    check_frozen(release)
    files = files_of(release, slugs)
    repository.create(private=private)
    if private and repository.visibility() == "public":
        raise HubError(
            "The repository is there and public: nothing was sent. Make it private there, or push without asking for that."
        )
    there, known = repository.files() or {}, known_hashes(release)
    sent: dict[str, tuple[Path, str]] = {}
    sums: list[str] = []
    with TemporaryDirectory(prefix="writ-push-") as folder:
        for number, file in enumerate(files):
            before, found = known.get(file.path), there.get(file.path)
            if before and found and found.sha256 == before.sha256:
                one = Pushed(file.path, "same", before.bytes, before.sha256)
            else:
                local = Path(folder) / str(number)
                one = _made(file.path, write_file(release, file, known), local, found)
                _send(repository, one, local, sent)
            sums.append(sum_line(one.sha256, one.path))
            yield one
        local = Path(folder) / SUMS_FILE
        text = "".join(sums).encode()
        one = _made(SUMS_FILE, iter((text,)), local, there.get(SUMS_FILE))
        _send(repository, one, local, sent)
        yield one
        address = repository.commit(f"{release}") if sent else ""
        _compare(repository, sent)
    if sent:
        record(
            "release.push",
            team=release.team_id,
            row=release,
            after={
                "commit": address,
                "files": len(sent),
                "sums_sha256": digest_of_text("".join(sums)),
            },
        )
    ours = {file.path for file in files} | {SUMS_FILE, ".gitattributes"}
    yield Done(address, tuple(sorted(there.keys() - ours)))


def check_frozen(release: Release) -> None:
    """Raises CannotRelease unless it has files to push."""
    if release.frozen_at is None:
        raise CannotRelease(f"{release} is a draft: freeze it first.")
    if is_first(release):
        raise CannotRelease(
            f"{release} was frozen before releases had files: freeze a new one."
        )


def _made(
    path: str, chunks: Iterator[bytes], local: Path, found: Remote | None
) -> Pushed:
    whole = hashlib.sha256()
    with local.open("wb") as file:
        for chunk in chunks:
            whole.update(chunk)
            file.write(chunk)
    sha256 = whole.hexdigest()
    state: State = "new"
    if found:
        state = "same" if found.is_same(local, sha256) else "changed"
    return Pushed(path, state, local.stat().st_size, sha256)


def _send(
    repository: Repository, one: Pushed, local: Path, sent: dict[str, tuple[Path, str]]
) -> None:
    if one.state == "same":
        local.unlink()
        return
    repository.upload(one.path, local)
    sent[one.path] = local, one.sha256


def _compare(repository: Repository, sent: Mapping[str, tuple[Path, str]]) -> None:
    """Raises HubError unless the repository tells the hashes of what was sent."""
    there = (repository.files() or {}) if sent else {}
    for path, (local, sha256) in sent.items():
        found = there.get(path)
        if found is None or not found.is_same(local, sha256):
            raise HubError(
                f"{path} is not in the repository as it was sent: push again."
            )
