"""README.md of the data: what a trainer has to know before using it. A pure function of the manifest."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from writ_app.engine.export.formats import FORMATS, Format
from writ_app.engine.types import BURDEN_BANDS, WRITE_BANDS
from writ_app.models.release import Release
from writ_app.services.release.first import is_first, write_first_card
from writ_app.services.release.manifest import grid_key
from writ_app.services.release.recipe import SPLITS

SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
)
"""Fewer than so many → the hub's word for the size."""
HUB_LICENCES = {"ODC-By-1.0": "odc-by"}
"""SPDX identifier → the hub's own, where it is not the same in lower case."""
DEFAULT_CONFIG = "parquet"
TAGS = (
    "tool-calling",
    "function-calling",
    "agent",
    "customer-service",
    "conversational",
    "synthetic",
)
LIMITS = (
    "The environments are made for training: their people, orders and bookings are generated, and no real person is meant.",
    "Policies and tools of an environment that was imported from a benchmark, or made after one, are shared with it by design: "
    "the data is in-domain for that benchmark, and a score on it is no measure of other domains. "
    "Decontamination is of tasks, people and wordings, not of policies and tools.",
    "Users are played by models along a plan. Real people are less consistent, and ask for things that no environment offers.",
    "Everything is in English.",
    "A review is a person's judgement over checks that a program made; the acceptance statements say how far it reaches.",
)


def write_card(release: Release) -> str:
    if is_first(release):
        return write_first_card(release)
    return card_of(release.manifest, release.content_hash)


def card_of(manifest: Mapping[str, Any], content_hash: str) -> str:
    """Markdown with YAML front matter as the Hugging Face hub reads it."""
    name = "{name} v{number}".format(**manifest["release"])
    parts = [
        _front_matter(manifest, name),
        f"# {name}",
        _plain(manifest["description"]) if manifest["description"] else "",
        f"{manifest['trajectories']:,} audited tool-calling trajectories over {manifest['tasks']:,} tasks, "
        f"frozen {manifest['frozen_at'][:10]} by {_plain(manifest['frozen_by'])}.",
        _provenance(manifest),
        f"Hash of the release (SHA-256 of `manifest.json`): `{content_hash}`",
        *_splits(manifest),
        *_axes(manifest),
        *_origins(manifest),
        *_review(manifest),
        *_left_out(manifest),
        "## Known limits\n\n" + "\n".join(f"- {limit}" for limit in LIMITS),
        *_formats(manifest),
        _checking(manifest),
        _licence(manifest),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


# --- front matter --------------------------------------------------------------------------------------------------------------


def _front_matter(manifest: Mapping[str, Any], name: str) -> str:
    """Strings are written as JSON, which is YAML too."""
    lines = ["---", f"pretty_name: {json.dumps(name)}", *_hub_licence(manifest)]
    lines += ["language:", "- en", "task_categories:", "- text-generation"]
    rows = manifest["trajectories"]
    size = next((word for most, word in SIZES if rows < most), "n>1M")
    lines += ["size_categories:", f"- {size}", "tags:"]
    scripted = ("scripted",) if manifest["scripted"] else ()
    lines += [f"- {tag}" for tag in (*TAGS, *scripted)]
    lines.append("configs:")
    for form in _loadable():
        lines.append(f"- config_name: {form.slug}")
        if form.slug == DEFAULT_CONFIG:
            lines.append("  default: true")
        lines.append("  data_files:")
        for split in _split_rows(manifest):
            path = json.dumps(f"{form.folder}/{split}.{form.suffix}")
            lines += [f"  - split: {split}", f"    path: {path}"]
    return "\n".join([*lines, "---"])


def _hub_licence(manifest: Mapping[str, Any]) -> list[str]:
    licence = manifest["licence"]
    if not licence:
        return []
    if licence.startswith("LicenseRef-"):
        return ["license: other", f"license_name: {json.dumps(licence)}"]
    return [f"license: {HUB_LICENCES.get(licence, licence.lower())}"]


def _loadable() -> list[Format]:
    """Formats with a file per split. Those of other shapes are for other programs than `datasets`."""
    return [form for form in FORMATS.values() if form.write is None]


def _split_rows(manifest: Mapping[str, Any]) -> dict[str, int]:
    rows = manifest["splits"]["rows"]
    return {name: rows[name] for name in SPLITS if rows.get(name)}


# --- sections ------------------------------------------------------------------------------------------------------------------


def _provenance(manifest: Mapping[str, Any]) -> str:
    made, scripted = manifest["trajectories"], manifest["scripted"]
    if scripted == made:
        return (
            f"**All {made:,} trajectories were made by scripted models**, not by language models: "
            "they are for demonstration, tests and load, not for training. Each row says so (`scripted`)."
        )
    if scripted:
        return (
            f"**{scripted:,} of {made:,} trajectories were made by scripted models**, not by language models: "
            "they are for demonstration, tests and load, not for training. Those rows say so (`scripted`); leave them out."
        )
    return (
        "Tasks were designed and proved by a program, users and agents played by the models below, every trajectory verified "
        "by a program and approved by people. None was made by a scripted model."
    )


def _splits(manifest: Mapping[str, Any]) -> Iterator[str]:
    held, whole = _split_rows(manifest), manifest["trajectories"]
    rows = [(name, f"{n:,}", f"{n / whole:.1%}") for name, n in held.items()]
    yield "## Splits\n\n" + _table(("split", "trajectories", "share"), rows)
    if len(held) > 1:
        splits = manifest["splits"]
        yield (
            "What shares a task (what is asked, whatever the words) or a person of an environment is in one split, never across: "
            f"{splits['groups']:,} groups, the largest of {splits['largest_group']:,}."
        )
    yield from manifest["splits"]["notes"]


def _axes(manifest: Mapping[str, Any]) -> Iterator[str]:
    grid = manifest["counts"]["grid"]
    burdens = [
        burden
        for burden in BURDEN_BANDS
        if any(grid.get(grid_key(writes, burden)) for writes in WRITE_BANDS)
    ]
    rows = [
        (writes, *(f"{grid.get(grid_key(writes, one), 0):,}" for one in burdens))
        for writes in WRITE_BANDS
    ]
    yield (
        "## Two axes\n\nHow many writes a task needs, by its evidence burden: the reads without which the right answer cannot be known.\n\n"
        + _table(("writes", *(f"burden {one}" for one in burdens)), rows)
    )
    titles = manifest["archetypes"]
    for name in ("archetype", "class", "plan"):
        counts = manifest["counts"][name]
        rows = [
            (" ".join(filter(None, (value, titles.get(value)))), f"{n:,}")
            if name == "archetype"
            else (value, f"{n:,}")
            for value, n in counts.items()
        ]
        title = {"class": "Classes of tasks", "plan": "How users behave"}.get(
            name, "Archetypes"
        )
        yield f"### {title}\n\n" + _table((name, "trajectories"), rows)


def _origins(manifest: Mapping[str, Any]) -> Iterator[str]:
    for name, title in (("agent", "Agents"), ("user", "Users")):
        models = manifest["models"][name]
        lines = [f"- `{_code(model)}`: {n:,}" for model, n in models.items()]
        yield f"## {title}\n\n" + "\n".join(lines)
    versions = manifest["prompts"]["versions"]
    told = ", ".join(f"`{_code(one)}` ({n:,})" for one, n in versions.items())
    yield (
        f"## Prompts\n\nVersions of the prompts: {told}. Template of the agent's system prompt: "
        f"`{manifest['prompts']['agent_template_sha256']}` (SHA-256)."
    )
    worlds = [
        f"- {_plain(world['name'])} {_plain(world['version'])}: {len(world['tools'])} tools; content `{world['content_hash']}`, "
        f"policy `{world['policy_sha256']}`, tool schemas `{world['tools_sha256']}`"
        for world in manifest["environments"]
    ]
    yield "## Environments\n\n" + "\n".join(worlds)


def _review(manifest: Mapping[str, Any]) -> Iterator[str]:
    verdicts = manifest["verdicts"]
    given = ", ".join(f"{n:,} {name.lower()}" for name, n in verdicts["given"].items())
    people = len(verdicts["reviewers"])
    yield (
        f"## Review\n\nEvery member is approved and passes every check of the verification. Verdicts of the team that stood when it "
        f"was frozen: {given}, by {people} {'person' if people == 1 else 'people'}."
    )
    sampled = manifest["sampling"]
    looked = manifest["trajectories"] - sum(len(plan["items"]) for plan in sampled)
    if sampled:
        yield f"{looked:,} were looked at by a person one by one or approved in bulk; the others stand on a sample:"
    yield "\n".join(
        f"- {len(plan['items']):,} by sampling (plan {plan['plan']}): {plan['statement']}"
        for plan in sampled
    )
    if manifest["edited"]:
        yield (
            f"{manifest['edited']:,} were edited by people before they were approved, and verified again. `edits.jsonl` has each edit with its "
            "reason, and both conversations as a preference pair: the original is the rejected one."
        )


def _left_out(manifest: Mapping[str, Any]) -> Iterator[str]:
    left = manifest["left_out"]
    if left:
        rows = [(reason.replace("_", " "), f"{n:,}") for reason, n in left.items()]
        yield (
            "## Left out\n\nWhat the recipe found and the release does not hold. Nothing was cut to fit.\n\n"
            + _table(("reason", "trajectories"), rows)
        )
    tokens = manifest["tokens"]
    if tokens:
        yield (
            f"{tokens['sum']:,} tokens by `{tokens['tokenizer']}` (median {tokens['median']:,}, largest {tokens['largest']:,}): "
            "system prompt, tools and messages, without a chat template's own words."
        )


def _formats(manifest: Mapping[str, Any]) -> Iterator[str]:
    yield "## How to load"
    for form in FORMATS.values():
        loss = "".join(f"\n- {sentence}" for sentence in form.loss)
        yield (
            f"### {form.title} (`{form.folder}/`)\n\n```{form.load_language}\n{form.load}\n```"
            + (f"\n\nWhat a row cannot carry:\n{loss}" if loss else "")
        )


def _checking(manifest: Mapping[str, Any]) -> str:
    name = "{name}-v{number}".format(**manifest["release"])
    rows = [
        (f"`{path}`", f"{file['rows']:,}", f"`{file['sha256']}`")
        for path, file in manifest["canonical"].items()
    ]
    members = manifest["members"]
    rows.append(
        (f"`{members['file']}`", f"{members['rows']:,}", f"`{members['sha256']}`")
    )
    return (
        "## How to check and rebuild\n\n"
        + _table(("file", "rows", "sha256"), rows)
        + "\n\n```sh\nsha256sum --check SHA256SUMS\n"
        f"python manage.py release rebuild {name}          # from the database\n"
        "python manage.py release rebuild --from .   # from the files above, on any machine\n```\n\n"
        "Every other file is a function of these three: a rebuild gives the same bytes."
    )


def _licence(manifest: Mapping[str, Any]) -> str:
    licence = manifest["licence"]
    if not licence:
        return "## Licence\n\nNobody has named a licence: ask whoever gave you the data before you use it."
    return f"## Licence\n\n{licence} (SPDX identifier)."


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [
        "| " + " | ".join(heads) + " |",
        "| " + " | ".join(["---", *["---:"] * (len(heads) - 1)]) + " |",
        *("| " + " | ".join(map(_plain, row)) + " |" for row in rows),
    ]
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Text that ends neither a cell nor a paragraph, and opens no tag."""
    return " ".join(str(text).split()).replace("|", "\\|").replace("<", "&lt;")


def _code(text: str) -> str:
    return " ".join(text.split()).replace("`", "'")
