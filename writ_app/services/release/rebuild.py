"""Making every file of a release again and holding it to its hash: from the database, or from the canonical files on any machine."""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from writ_app.adapters.files import written_whole, written_whole_bytes
from writ_app.engine.errors import WritError
from writ_app.engine.export.folder import (
    BadFolder,
    FolderDataset,
    write_canonical,
)
from writ_app.engine.export.records import digest
from writ_app.engine.export.writing import File
from writ_app.models.release import Release
from writ_app.services.release.card import card_of
from writ_app.services.release.edits import EDITS_FILE
from writ_app.services.release.files import (
    ABOUT,
    CARD_FILE,
    MANIFEST_FILE,
    SUMS_FILE,
    files_of,
    files_of_dataset,
    keep_hash,
    known_hashes,
    options_of,
    read_sums,
    sum_line,
)
from writ_app.services.release.hashing import Hashed, Hashing
from writ_app.services.release.manifest import MANIFEST_VERSION, MEMBERS_FILE, canonical

READ = 1 << 20
"""Bytes of a file that are read at a time."""


class CannotRebuild(WritError):
    """What there is, is no release, or one that this version cannot make again."""


@dataclass(frozen=True)
class Made:
    """One file, as it came out. `state`: same, new (nothing to compare with), skipped (there and right), differs, failed."""

    path: str
    state: str
    sha256: str = ""
    expected: str = ""
    rows: int = 0
    bytes: int = 0
    note: str = ""

    @property
    def wrong(self) -> bool:
        return self.state in ("differs", "failed")

    @property
    def as_json(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "state": self.state,
            "sha256": self.sha256,
            "expected": self.expected,
            "rows": self.rows,
            "bytes": self.bytes,
            "note": self.note,
        }


# --- from the database ---------------------------------------------------------------------------------------------------------


def export_release(
    release: Release,
    out: Path | None,
    slugs: Collection[str] | None = None,
    *,
    resume: bool = False,
) -> Iterator[Made]:
    """Write the files of these formats (None: all) under `out` (None: nowhere), each compared with what it came to before.

    `resume`: files that are there and have the right hash are left as they are. SHA256SUMS comes last, if nothing went wrong.
    Raises KeyError for a slug that there is not.
    """
    known = known_hashes(release)
    sums: dict[str, str] = {}
    went_wrong = False
    for file in files_of(release, slugs):
        before = known.get(file.path)
        if resume and out and before and _is_there(out / file.path, before):
            made = Made(
                file.path,
                "skipped",
                before.sha256,
                before.sha256,
                before.rows,
                before.bytes,
            )
        else:
            made = _make(file, out, before.sha256 if before else "")
            if made.state == "new":
                found = Hashed(made.rows, made.bytes, made.sha256)
                keep_hash(release, file, found, known)
        went_wrong |= made.wrong
        sums[file.path] = made.sha256
        yield made
    if out and not went_wrong:
        lines = (sum_line(sha256, path) for path, sha256 in sums.items())
        with written_whole(out / SUMS_FILE) as sums_file:
            sums_file.write("".join(lines))


def _is_there(path: Path, expected: Hashed) -> bool:
    try:
        return (
            path.stat().st_size == expected.bytes and hash_of(path) == expected.sha256
        )
    except OSError:
        return False


def hash_of(path: Path) -> str:
    """SHA-256 (hex) of a file. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _make(file: File, out: Path | None, expected: str) -> Made:
    """Write a file whole, or not at all. One that differs is written too, for looking at."""
    hashing = Hashing()
    try:
        if out is None:
            for _ in hashing.watch(file.chunks):
                pass
        else:
            path = out / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            with written_whole_bytes(path) as target:
                for chunk in hashing.watch(file.chunks):
                    target.write(chunk)
    except WritError as error:
        return Made(file.path, "failed", expected=expected, note=str(error))
    state = (
        "new" if not expected else "same" if expected == hashing.sha256 else "differs"
    )
    note = ""
    if state == "differs":
        note = f"comes to {hashing.sha256}, and was {expected}"
    return Made(
        file.path, state, hashing.sha256, expected, file.rows, hashing.bytes, note
    )


# --- from a folder -------------------------------------------------------------------------------------------------------------


def read_manifest(source: Path) -> tuple[dict[str, Any], str]:
    """(manifest, its SHA-256) of a folder. Raises CannotRebuild."""
    try:
        text = (source / MANIFEST_FILE).read_text(encoding="utf-8")
        manifest = json.loads(text)
        version = manifest["manifest_version"]
    except OSError as error:
        raise CannotRebuild(
            f"{source / MANIFEST_FILE}: {error.strerror}. Name the folder that `release files --out` wrote."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise CannotRebuild(
            f"{source / MANIFEST_FILE} is no manifest of a release."
        ) from error
    if version != MANIFEST_VERSION:
        raise CannotRebuild(
            f"The manifest has version {version}; only version {MANIFEST_VERSION} tells of files that a release can be rebuilt from."
        )
    return manifest, digest(text)


def sums_of(source: Path) -> dict[str, str]:
    """Path → SHA-256 by the folder's SHA256SUMS; {} without one."""
    try:
        with (source / SUMS_FILE).open(encoding="utf-8") as file:
            return read_sums(file)
    except FileNotFoundError:
        return {}


def rebuild_folder(
    source: Path, out: Path | None = None, slugs: Collection[str] | None = None
) -> Iterator[Made]:
    """Every file from the canonical ones of `source`, compared with its manifest and SHA256SUMS. Needs no database.

    Raises CannotRebuild, KeyError for a slug that there is not.
    """
    manifest, own_hash = read_manifest(source)
    sums = sums_of(source)
    expected = {
        **sums,
        **{path: one["sha256"] for path, one in manifest["canonical"].items()},
        MEMBERS_FILE: manifest["members"]["sha256"],
    }
    dataset = FolderDataset(
        source, {path: one["sha256"] for path, one in manifest["canonical"].items()}
    )
    yield _kept(source, MANIFEST_FILE, expected)
    text = canonical(manifest)
    if digest(text) != own_hash:
        yield Made(
            MANIFEST_FILE,
            "differs",
            digest(text),
            own_hash,
            note="It was written anew by something else.",
        )
    card = File(
        CARD_FILE,
        ABOUT,
        "",
        lambda file: iter((card_of(manifest, own_hash).encode(),)),
    )
    for file in [card, *write_canonical(dataset)]:
        yield _make(file, out, expected.get(file.path, ""))
    yield _rows_checked(source, dataset)
    if manifest["edited"]:
        yield _kept(source, EDITS_FILE, expected)
    try:
        files = files_of_dataset(dataset, options_of(manifest), slugs)
    except BadFolder as error:
        yield Made("every format", "failed", note=str(error))
        return
    for file in files:
        if slugs is None and sums and file.path not in sums:
            continue  # of a format that was not exported
        yield _make(file, out, expected.get(file.path, ""))


def _kept(source: Path, path: str, expected: Mapping[str, str]) -> Made:
    """A file that only the database can make: as it lies."""
    try:
        found = hash_of(source / path)
    except OSError as error:
        return Made(path, "failed", note=error.strerror or str(error))
    wanted = expected.get(path, "")
    state = "new" if not wanted else "same" if wanted == found else "differs"
    note = "as it lies: only the database can make it again"
    return Made(path, state, found, wanted, note=note)


def _rows_checked(source: Path, dataset: FolderDataset) -> Made:
    """members.jsonl against the rows: each has the hash, place and split that it says."""
    wrong = ""
    try:
        found = hash_of(source / MEMBERS_FILE)
        with (source / MEMBERS_FILE).open(encoding="utf-8") as file:
            for line, record in zip(file, dataset.records(), strict=True):
                member = json.loads(line)
                told = (member["row_sha256"], member["split"], member["task"])
                if told != (digest(record.line), record.split, record.task):
                    wrong = f"Row {member['position']} is not the one that it names."
                    break
    except (OSError, ValueError, KeyError, WritError) as error:
        return Made(MEMBERS_FILE, "failed", note=str(error))
    expected = json.loads((source / MANIFEST_FILE).read_text())["members"]["sha256"]
    if wrong or found != expected:
        return Made(MEMBERS_FILE, "differs", found, expected, note=wrong)
    return Made(MEMBERS_FILE, "same", found, expected)


# --- only looking --------------------------------------------------------------------------------------------------------------


def verify_folder(source: Path) -> Iterator[Made]:
    """Every file that SHA256SUMS names, as it lies. Raises CannotRebuild without one."""
    sums = sums_of(source)
    if not sums:
        raise CannotRebuild(
            f"There is no {SUMS_FILE} in {source}. Name the folder that `release files --out` wrote."
        )
    for path, expected in sums.items():
        place = source / path
        if not place.resolve().is_relative_to(source.resolve()):
            yield Made(path, "failed", note="It lies outside of the folder.")
            continue
        try:
            found = hash_of(place)
        except OSError as error:
            yield Made(path, "failed", note=error.strerror or str(error))
            continue
        state = "same" if found == expected else "differs"
        yield Made(path, state, found, expected)
