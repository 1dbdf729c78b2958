"""Files of a frozen release: made when they are wanted, streamed, and held to the hash that each had when it was first made."""

import hashlib
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from writ_app.engine.export.folder import write_canonical
from writ_app.engine.export.formats import FORMATS
from writ_app.engine.export.options import Options
from writ_app.engine.export.records import Dataset
from writ_app.engine.export.writing import File
from writ_app.engine.export.writing import files as format_files
from writ_app.models.release import Release, ReleaseFile
from writ_app.services.release.card import write_card
from writ_app.services.release.dataset import DatabaseDataset, ReleaseDamaged
from writ_app.services.release.edits import EDITS, EDITS_FILE, edit_lines
from writ_app.services.release.hashing import Hashed, Hashing
from writ_app.services.release.manifest import (
    MEMBERS_FILE,
    member_lines,
    write_manifest,
)

MANIFEST_FILE, CARD_FILE, SUMS_FILE = "manifest.json", "README.md", "SHA256SUMS"
MEMBERS = "members"
ABOUT = "about"
"""Slug of what tells of the data: manifest and card."""
PART = 1 << 18
"""Bytes of a zip that are given away at a time."""


def files_of(release: Release, slugs: Collection[str] | None = None) -> list[File]:
    """The files of these formats (None: of all), after the manifest, the card and the canonical ones, which are always there.

    Nothing is read yet but what there is to name. Raises KeyError for a slug that there is not.
    """
    dataset = DatabaseDataset(release)
    own = [
        _text_file(MANIFEST_FILE, ABOUT, partial(write_manifest, release)),
        _text_file(CARD_FILE, ABOUT, partial(write_card, release)),
        *write_canonical(dataset),
        _line_file(MEMBERS_FILE, MEMBERS, partial(member_lines, release)),
    ]
    if release.manifest.get("edited"):
        own.append(_line_file(EDITS_FILE, EDITS, partial(edit_lines, release)))
    return [*own, *files_of_dataset(dataset, options_of(release.manifest), slugs)]


def options_of(manifest: Mapping[str, Any]) -> Options:
    """What the formats of a release are written with."""
    return Options.model_validate(manifest["recipe"]["options"])


def files_of_dataset(
    dataset: Dataset, options: Options, slugs: Collection[str] | None = None
) -> list[File]:
    """The files for trainers. Raises KeyError for a slug that there is not."""
    chosen = [slug for slug in FORMATS if slugs is None or slug in slugs]
    if unknown := sorted(set(slugs or ()) - FORMATS.keys()):
        raise KeyError(unknown[0])
    return list(format_files(dataset, chosen, options))


def find_file(release: Release, path: str) -> File | None:
    return next((file for file in files_of(release) if file.path == path), None)


def _text_file(path: str, slug: str, make: Any) -> File:
    return File(path, slug, "", lambda file: iter((make().encode(),)))


def _line_file(path: str, slug: str, make: Any) -> File:
    def write(file: File) -> Iterator[bytes]:
        for line in make():
            file.rows += 1
            yield line.encode()

    return File(path, slug, "", write)


# --- hashes --------------------------------------------------------------------------------------------------------------------


def known_hashes(release: Release) -> dict[str, Hashed]:
    """Path → what the file comes to: by the manifest, or as it was first made. Files that were never made are not there."""
    manifest = release.manifest
    known = {path: Hashed(**one) for path, one in manifest["canonical"].items()}
    members = manifest["members"]
    known[members["file"]] = Hashed(
        members["rows"], members["bytes"], members["sha256"]
    )
    text = write_manifest(release).encode()
    known[MANIFEST_FILE] = Hashed(0, len(text), release.content_hash)
    for row in ReleaseFile.objects.filter(release=release):
        known[row.path] = Hashed(row.rows, row.bytes, row.sha256)
    return known


def write_file(
    release: Release, file: File, known: dict[str, Hashed] | None = None
) -> Iterator[bytes]:
    """The bytes. Its last part is held back until the whole is what it was before, or until its hash is kept if it is new.

    Raises ReleaseDamaged, UnfitRow, ChangedEnvironment.
    """
    known = known_hashes(release) if known is None else known
    hashing = Hashing()
    held = b""
    for chunk in hashing.watch(file.chunks):
        if held:
            yield held
        held = chunk
    made = Hashed(file.rows, hashing.bytes, hashing.sha256)
    keep_hash(release, file, made, known)
    if held:
        yield held


def keep_hash(
    release: Release, file: File, made: Hashed, known: dict[str, Hashed]
) -> None:
    """Hold a file that was made whole to what it came to before. Raises ReleaseDamaged."""
    before = known.get(file.path)
    if before is None and file.slug != ABOUT:
        ReleaseFile.objects.bulk_create(
            [
                ReleaseFile(
                    release=release,
                    path=file.path,
                    slug=file.slug,
                    split=file.split,
                    rows=made.rows,
                    bytes=made.bytes,
                    sha256=made.sha256,
                )
            ],
            ignore_conflicts=True,  # two may make it for the first time at once: the first one counts
        )
        row = ReleaseFile.objects.get(release=release, path=file.path)
        before = Hashed(row.rows, row.bytes, row.sha256)
    if before is not None and before.sha256 != made.sha256:
        raise ReleaseDamaged(
            f"{release}: {file.path} comes to {made.sha256} ({made.bytes:,} bytes), and came to {before.sha256} "
            f"({before.bytes:,} bytes). Every row is as it was frozen, so the exporter, or a library that it writes with, "
            "is another than then: the requirements files pin them."
        )


# --- all in one ----------------------------------------------------------------------------------------------------------------


@dataclass
class _Sink:
    """A file that can only be written, and is taken away while it is."""

    mode = "wb"

    taken: bytearray
    at: int = 0

    def write(self, data: bytes) -> int:
        self.taken += data
        self.at += len(data)
        return len(data)

    def tell(self) -> int:
        return self.at

    def seekable(self) -> bool:
        return False

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """There is nothing to close."""


def write_zip(
    release: Release, slugs: Collection[str] | None, prefix: str
) -> Iterator[bytes]:
    """All these files under one folder as a zip, streamed; SHA256SUMS comes last.

    The same bytes each time but for the compressor's version. A file that is not what it should be breaks it off, so that what
    was received does not open as a zip.
    """
    at: datetime = release.frozen_at  # type: ignore[assignment]
    stamp = max(at.timetuple()[:6], (1980, 1, 1, 0, 0, 0))
    sink = _Sink(bytearray())
    known = known_hashes(release)
    sums: list[str] = []
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        for file in files_of(release, slugs):
            whole = hashlib.sha256()
            entry = zipfile.ZipInfo(f"{prefix}/{file.path}", stamp)
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=True) as member:
                for chunk in write_file(release, file, known):
                    whole.update(chunk)
                    member.write(chunk)
                    yield from _parts(sink)
            sums.append(sum_line(whole.hexdigest(), file.path))
        entry = zipfile.ZipInfo(f"{prefix}/{SUMS_FILE}", stamp)
        archive.writestr(entry, "".join(sums), zipfile.ZIP_DEFLATED)
    yield bytes(sink.taken)


def _parts(sink: _Sink) -> Iterator[bytes]:
    if len(sink.taken) >= PART:
        yield bytes(sink.taken)
        sink.taken.clear()


def sum_line(sha256: str, path: str) -> str:
    """As `sha256sum` writes and checks it."""
    return f"{sha256}  {path}\n"


def read_sums(lines: Iterable[str]) -> dict[str, str]:
    """Path → SHA-256 of a file of such lines; others are passed over."""
    pairs = (line.rstrip("\n").split("  ", 1) for line in lines)
    return {pair[1]: pair[0] for pair in pairs if len(pair) == 2 and len(pair[0]) == 64}
