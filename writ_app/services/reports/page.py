"""What a report looks like: its JSON as sections of figures, the same on the page and in the HTML file."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

from writ_app.engine.reports.cells import NO_BURDEN
from writ_app.engine.types import BURDEN_BANDS, WRITE_BANDS
from writ_app.services.reports.comparing import calibration_section
from writ_app.services.reports.figures import (
    WIDTH,
    Answers,
    Bar,
    Bars,
    Grid,
    GridCell,
    Section,
    Table,
    Tile,
    Tiles,
    Words,
    dollars,
    make_bars,
    make_histogram,
    make_lines,
    make_matrix,
    make_ranges,
    number,
    percent,
)

type Json = Mapping[str, Any]

PARTS = {
    "messages": "messages",
    "user": "user turns",
    "assistant": "assistant turns with text",
    "calls": "tool calls",
    "reads": "reads",
    "writes": "writes",
    "failed_calls": "calls that failed",
}
TOKENS = {
    "user": "user",
    "assistant": "assistant, text",
    "calls": "assistant, calls",
    "tool": "results of tools",
    "whole": "all together",
}
TEXTS = {"instructions": "requests", "user": "users", "assistant": "assistants"}
TONES = {"instructions": "accent", "user": "user", "assistant": "read"}
OWNERS = {"agent": "bad", "user": "user", "environment": "warn", "provider": "edge", "budget": "edge"}  # fmt: skip
MEASURES = {
    "containment": "8 words in a row",
    "long_containment": "13 words in a row",
    "likeness": "3 words in a row",
    "resemblance": "MinHash resemblance",
}


def sections_of(content: Json) -> tuple[Section, ...]:
    """Those that have something to show, in the order of the page."""
    made = (
        _overview(content),
        _sizes(content),
        _axes(content),
        _evidence(content),
        _tools(content),
        _texts(content),
        _conduct(content),
        _production(content),
        _review(content),
        _trials(content),
        calibration_section(content),
        _purity(content),
        _objections(content),
        _origins(content),
    )
    shown = tuple(section for section in made if section is not None)
    return tuple(_linked(section, {one.slug for one in shown}) for section in shown)


def _linked(section: Section, shown: set[str]) -> Section:
    """Answers lead only to what is there."""
    figures = tuple(
        Answers(
            tuple(
                {**row, "where": [slug for slug in row["where"] if slug in shown]}
                for row in one.rows
            )
        )
        if isinstance(one, Answers)
        else one
        for one in section.figures
    )
    return replace(section, figures=figures)


def _reference(content: Json, *path: str) -> Any:
    """The same place in the reference's report; None without one."""
    value: Any = (content.get("reference") or {}).get("report")
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _overview(content: Json) -> Section:
    report, context = content["report"], content.get("context") or {}
    made, sizes, origins = content["made_from"], report["sizes"], report["origins"]
    whole = sizes["tokens"]["whole"]
    tiles = [
        Tile(
            number(sizes["trajectories"]),
            "trajectories",
            f"of {number(made['trajectories'])} looked at"
            if made["trajectories"] != sizes["trajectories"]
            else "",
        ),
        Tile(
            number(sizes["tasks"]),
            "different tasks",
            f"{number(sizes['per_task'].get('mean'), 1)} of each"
            + (f", for {number(sizes['people'])} people" if sizes["people"] else ""),
        ),
        Tile(number(whole.get("total")), "tokens", sizes["tokenizer"]),
    ]
    if context and report["cells"]["made"]:
        tiles.append(
            Tile(
                percent(report["cells"]["rate"]),
                "accepted",
                "by verification",
                _tone(report["cells"]["rate"], 0.7, 0.4),
            )
        )
    if report["evidence"]["judged"]:
        full = report["evidence"]["fully_covered"]
        tiles.append(
            Tile(percent(full), "read all their evidence", "before writing", _tone(full, 0.999, 0.95))
        )  # fmt: skip
    if cost := context.get("cost"):
        tiles.append(
            Tile(
                dollars(cost["dollars_per_accepted"]),
                "per accepted one",
                f"{number(cost['tokens_per_accepted'], 0)} tokens",
            )
        )
    if report["purity"]:
        found = sum(one["gated"] + one["said"] for one in report["purity"])
        tiles.append(Tile(number(found), "contaminated", "of tasks and conversations", "bad" if found else "ok"))  # fmt: skip
    agreement = (context.get("reviewers") or {}).get("agreement") or {}
    if agreement.get("alpha") is not None:
        tiles.append(
            Tile(
                f"{agreement['alpha']:.2f}",
                "agreement of reviewers",
                f"α, {agreement['low']:.2f} to {agreement['high']:.2f}",
            )
        )
    figures: list[Any] = [Tiles(tuple(tiles))]
    if origins["scripted"]:
        share = "All of them" if origins["scripted"] == sizes["trajectories"] else f"{origins['scripted']:,} of {sizes['trajectories']:,}"  # fmt: skip
        figures.insert(
            0,
            Words(
                (
                    f"{share} were made by scripted models: for demonstration, tests and load, not for training.",
                ),
                "warning",
            ),
        )
    if made["counts_rejected"]:
        figures.insert(
            0,
            Words(
                (
                    "None of these was accepted, so that rejected ones are what is counted here.",
                ),
                "warning",
            ),
        )
    if not sizes["trajectories"]:
        figures.append(
            Words(
                (
                    "None was accepted: there is nothing to train on, and little to show.",
                )
            )
        )
    return Section("overview", "At a glance", "", tuple(figures))


def _tone(value: float | None, good: float, bad: float) -> str:
    if value is None:
        return ""
    return "ok" if value >= good else "bad" if value < bad else "warn"


def _sizes(content: Json) -> Section | None:
    sizes = content["report"]["sizes"]
    if not sizes["trajectories"]:
        return None
    figures = [
        make_ranges(
            "In one trajectory",
            [
                (title, sizes["parts"][name], _reference(content, "sizes", "parts", name))
                for name, title in PARTS.items()
            ],
            caption="From the 5th to the 95th percentile, the mark is the median.",
        ),
        make_ranges(
            f"Tokens of one trajectory ({sizes['tokenizer']})",
            [
                (title, sizes["tokens"][name], _reference(content, "sizes", "tokens", name))
                for name, title in TOKENS.items()
            ],
            logarithmic=True,
            caption="Of what is said and called, without a template's markers, the system prompt and the tool schemas.",
        ),
        make_histogram(
            "Messages",
            sizes["parts"]["messages"],
            _reference(content, "sizes", "parts", "messages"),
            unit="messages",
            caption="Published sets: WRIT-2K 5 to 61 messages; APIGen-MT 1 to 29 turns with 7 calls in the mean; HardGen 3.2 calls in the mean.",
        ),
        make_histogram(
            "Tokens",
            sizes["tokens"]["whole"],
            _reference(content, "sizes", "tokens", "whole"),
            unit="tokens",
        ),
        make_histogram(
            "Trajectories of one task", sizes["per_task"], unit="trajectories"
        ),
        make_histogram(
            "Trajectories of one person", sizes["per_person"], unit="trajectories"
        ),
    ]  # fmt: skip
    return Section(
        "sizes",
        "Size and shape",
        "How long conversations are, and how many ask the same.",
        tuple(figure for figure in figures if figure),
    )


def _axes(content: Json) -> Section | None:
    cells = content["report"]["cells"]
    if not cells["cells"]:
        return None
    held = {(cell["writes"], cell["burden"]): cell for cell in cells["cells"]}
    columns = [b for b in (*BURDEN_BANDS, NO_BURDEN) if any(b == x for _, x in held)]
    most = max(cell["accepted"] for cell in cells["cells"]) or 1
    rows = tuple(
        (writes, tuple(_grid_cell(held.get((writes, b)), most) for b in columns))
        for writes in WRITE_BANDS
        if any(writes == w for w, _ in held)
    )
    figures: list[Any] = [
        Grid(
            "Writes by evidence burden",
            tuple(columns),
            rows,
            "Accepted trajectories, the darker the more; below them the share of those made that was accepted, and how many were made for each.",
        )
    ]
    for name, title in (("burden", "Evidence burden"), ("writes", "Writes")):
        figures.append(
            make_histogram(title, cells[name], _reference(content, "cells", name))
        )
    if cells["reasons"]:
        figures.append(
            make_bars(
                "Why the others were rejected",
                [
                    (_plain(one["reason"]), one["count"], one["owner"], OWNERS.get(one["owner"], ""))
                    for one in cells["reasons"]
                ],
                first=10,
            )
        )  # fmt: skip
    return Section(
        "axes",
        "The two axes",
        "Where the set lies: how many writes, how much proved evidence, and what is hard to get accepted.",
        tuple(figure for figure in figures if figure),
        badge=f"{percent(cells['rate'])} accepted" if content["context"] else "",
    )


def _grid_cell(cell: Json | None, most: int) -> GridCell | None:
    if cell is None:
        return None
    shade = min(5, -(-5 * cell["accepted"] // most)) if cell["accepted"] else 0
    return GridCell(
        cell["accepted"],
        cell["made"],
        percent(cell["rate"]),
        number(cell["attempts"], 1),
        shade,
    )


def _evidence(content: Json) -> Section | None:
    found = content["report"]["evidence"]
    if not found["judged"] and not found["rejected"]:
        return None
    full = found["fully_covered"]
    tiles = (
        Tile(percent(full), "read their whole certificate", "before the write", _tone(full, 0.999, 0.95)),
        Tile(percent(found["repeated"]), "of reads were repeated", f"of {number(found['reads'])}"),
        Tile(percent(found["beside"]), "of reads were beside the certificate", "reported, not punished"),
        Tile(percent(found["premature"]), "of rejected ones wrote too early", f"of {number(found['rejected'])}"),
        Tile(number(found["margins"]["median"]), "median margin to the runner-up", f"least {number(found['margins']['least'])}"),
    )  # fmt: skip
    figures: list[Any] = [Tiles(tiles)]
    if found["hits"]:
        names = [f"{10 * n} to {10 * n + 10} %" for n in range(10)]
        figures.append(
            make_bars(
                "Where the answer stood among the candidates",
                list(zip(names, found["hits"], strict=True)),
                caption="How far down the reads of candidates the one with the answer is. If it were always first, nothing further would have to be read.",
                shares=True,
            )
        )
    figures.append(
        make_ranges(
            "The choice",
            [
                ("candidates", found["candidates"], None),
                ("feasible", found["feasible"], None),
                ("decoys", found["decoys"], None),
                ("lift", found["lift"], None),
            ],
            caption="Decoys: candidates that would be better and may not be taken. Lift: reads that are needed only because arguments were not named.",
        )
    )
    figures.append(
        make_histogram(
            "Tokens of the evidence", found["evidence_tokens"], unit="tokens"
        )
    )
    return Section(
        "evidence",
        "Evidence",
        "Whether conversations read what they rest on, and how hard the choice was.",
        tuple(figure for figure in figures if figure),
    )


def _tools(content: Json) -> Section | None:
    tools = content["report"]["tools"]
    if not tools["calls"]:
        return None
    theirs = _reference(content, "tools", "calls")
    whole = sum(count for _, count in theirs or ())
    ghosts = {name: count / whole for name, count in theirs} if theirs else None
    listed = [tuple(row) for row in tools["calls"]]
    if theirs:
        listed += [(name, 0) for name, _ in theirs if name not in dict(tools["calls"])]
    tiles = (
        Tile(number(tools["entropy"]), "bits of tool-call entropy"),
        Tile(number(tools["bigram_entropy"]), "bits of the next call", "given the one before"),
        Tile(number(tools["sequences"]), "different call sequences", percent(tools["sequence_share"])),
        Tile(number(tools["distance"]), "mean distance of two sequences", f"edit distance, {tools['compared']} compared"),
        Tile(number(tools["type_token"]), "type-token ratio of calls", "in windows of 50"),
    )  # fmt: skip
    figures: list[Any] = [Tiles(tiles), make_bars("Calls", listed, ghosts=ghosts, first=18)]  # fmt: skip
    figures.append(
        make_matrix(
            "What follows what",
            tools["bigrams"],
            caption="Percent of the calls in a row that are followed by the one in the column.",
        )
    )
    missing = [
        f"{one['world']}: {one['called']} of {one['offered']} tools are called"
        + (f"; never {', '.join(one['never'])}." if one["never"] else ".")
        for one in tools["worlds"]
        if one["offered"]
    ]
    if missing:
        figures.append(Words(tuple(missing)))
    figures.append(_arguments(tools["arguments"]))
    return Section(
        "tools",
        "Tools",
        "Whether a model sees all there is to do, and in how many ways.",
        tuple(figure for figure in figures if figure),
    )


def _arguments(arguments: list[Json]) -> Table:
    rows = []
    for one in arguments[:60]:
        distinct = f"{one['distinct']:,}{'+' if one['more'] else ''}"
        of = f" of {one['allowed']}" if one["allowed"] else ""
        never = f"never {', '.join(one['never'][:4])}" if one["never"] else ""
        most = ", ".join(f"{value} ({count:,})" for value, count in one["most"][:3])
        rows.append(
            (one["argument"], number(one["times"]), distinct + of, number(one["entropy"], 1), never or most)
        )  # fmt: skip
    return Table(
        "Values of arguments",
        ("argument", "times", "different values", "entropy (bits)", "most frequent, or missing"),
        tuple(rows),
        frozenset({1, 2, 3}),
        folded=len(rows) > 12,
    )  # fmt: skip


def _texts(content: Json) -> Section | None:
    texts = content["report"]["texts"]
    spoken = {kind: one for kind, one in texts.items() if one["sampled"]}
    if not spoken:
        return None
    figures: list[Any] = [
        make_lines(title, list(_text_series(content, spoken, measure)), unit="words", caption=caption)
        for measure, title, caption in (
            ("distinct_2", "Distinct-2", "Share of different word pairs: the higher, the more varied."),
            ("compression", "Compression ratio", "The lower, the more varied."),
        )
    ]  # fmt: skip
    figures.append(_text_table(spoken))
    for kind, one in spoken.items():
        openings = one["openings"]
        figures.append(
            make_bars(
                f"How {TEXTS[kind]} begin",
                [(f"{words} …", count) for words, count in openings["listed"]],
                whole=openings["of"],
                first=8,
                caption=f"First three words of {number(openings['of'])}; {percent(openings['distinct'])} are different, {number(openings['entropy'], 1)} bits.",
            )
        )
    return Section(
        "texts",
        "Text diversity",
        "How varied what is said is, at set lengths: all these measures change with the amount of text.",
        tuple(figure for figure in figures if figure),
    )


def _text_series(
    content: Json, spoken: Mapping[str, Json], measure: str
) -> Iterator[tuple[str, str, list[tuple[float, float]], bool]]:
    for kind, one in spoken.items():
        for whose, held, dashed in (
            ("", one, False),
            (", reference", _reference(content, "texts", kind), True),
        ):
            points = [
                (float(at), values[measure])
                for at, values in ((held or {}).get("by_words") or {}).items()
                if values[measure] is not None
            ]
            if points:
                yield f"{TEXTS[kind]}{whose}", TONES[kind], points, dashed


def _text_table(spoken: Mapping[str, Json]) -> Table:
    rows = []
    for kind, one in spoken.items():
        for size, unit in (("by_words", "words"), ("by_texts", "texts")):
            for at, held in one[size].items():
                rows.append(
                    (
                        TEXTS[kind],
                        f"{int(at):,} {unit}",
                        *(number(held.get(name), 3) for name in ("compression", "distinct_1", "distinct_2", "distinct_3", "types", "self_bleu", "self_repetition", "vendi")),
                    )
                )  # fmt: skip
    return Table(
        "Measures",
        ("of", "at", "compression", "distinct-1", "distinct-2", "distinct-3", "MATTR", "self-BLEU", "self-repetition", "Vendi score"),
        tuple(rows),
        frozenset(range(2, 10)),
        "On samples. Compression, self-BLEU, self-repetition: lower is more varied. The others: higher is. The Vendi score says how many texts with nothing in common would be as varied. All of it is of words: no embedder is here to tell what means the same.",
        folded=True,
    )  # fmt: skip


def _conduct(content: Json) -> Section | None:
    found = content["report"]["conduct"]
    if not found["count"] and not found["plans"]:
        return None
    tiles = (
        Tile(percent(found["kept"]), "came out as asked", f"in {number(found['count'])}"),
        Tile(percent(found["pairs"]["share"]), "of pairs of values were played", f"{number(found['pairs']['seen'])} of {number(found['pairs']['possible'])}"),
        Tile(number(len(found["plans"])), "behavior plans"),
        Tile(number(len(found["personas"])), "personas"),
    )  # fmt: skip
    figures: list[Any] = [Tiles(tiles)]
    for one in found["dimensions"]:
        most = max(max(v["asked"], v["came"]) for v in one["values"]) or 1
        bars = tuple(
            Bar(
                value["title"],
                f"{value['came']:,}",
                round(WIDTH * value["came"] / most, 1),
                ghost=round(WIDTH * value["asked"] / most, 1),
                note=_kept(value),
                tone="user",
            )
            for value in one["values"]
        )  # fmt: skip
        figures.append(Bars(f"{one['code']} {one['title']}", bars))
    figures.append(
        make_bars("Plans", [(_plain(name), n) for name, n in found["plans"]], first=12)
    )
    return Section(
        "conduct",
        "Behavior of users",
        "Bars: how often a value came out; outlines: how often it was asked for.",
        tuple(figures),
    )


def _kept(value: Json) -> str:
    """How much of what was asked for came out, where that is not all."""
    if not value["judged"]:
        return "not asked for"
    if value["kept"] == value["judged"]:
        return ""
    return f"{percent(value['kept'] / value['judged'])} came out"


def _production(content: Json) -> Section | None:
    context = content.get("context")
    if not context:
        return None
    funnel, cost, pace = context["funnel"], context["cost"], context["pace"]
    stages = funnel["stages"]
    most = max((count for _, count in stages), default=0) or 1
    kept = [
        "",
        *(
            percent(b / a) if a >= b and a else ""
            for (_, a), (_, b) in pairwise(stages)
        ),
    ]
    bars = tuple(
        Bar(name, number(count), round(WIDTH * count / most, 1), note=note, tone="ok" if name in ("approved", "released") else "")
        for (name, count), note in zip(stages, kept, strict=True)
    )  # fmt: skip
    tiles = (
        Tile(dollars(cost["dollars"]), "spent", f"{number(cost['tokens'])} tokens"),
        Tile(dollars(cost["dollars_per_accepted"]), "per accepted one", f"{number(cost['tokens_per_accepted'], 0)} tokens"),
        Tile(dollars(cost["dollars_per_approved"]), "per approved one", f"{number(cost['approved'])} approved"),
        Tile(number(pace["per_hour"], 0), "simulations per hour", f"{number(pace['seconds_each'])} s each"),
        Tile(
            percent(cost["user_turns_again"] / cost["user_turns"]) if cost["user_turns"] else "–",
            "of user turns were asked again",
            f"of {number(cost['user_turns'])}" if cost["user_turns"] else "no model played users",
        ),
    )  # fmt: skip
    figures: list[Any] = [
        Tiles(tiles),
        Bars("From drafts to releases", bars, "Each with the share of the stage before."),
    ]  # fmt: skip
    if funnel["rejected"]:
        figures.append(
            make_bars(
                "Rejected by verification",
                [
                    (_plain(one["reason"]), one["count"], one["owner"], OWNERS.get(one["owner"], ""))
                    for one in funnel["rejected"]
                ],
                first=10,
            )
        )  # fmt: skip
    if funnel["refused"]:
        figures.append(
            make_bars(
                "Drafts refused before they were tasks",
                [(_plain(one["reason"]), one["count"], one["meaning"]) for one in funnel["refused"]],
                first=8,
            )
        )  # fmt: skip
    return Section(
        "production",
        "How it was made",
        f"Of the {context['batch_count']} whole batch{'es' if context['batch_count'] != 1 else ''} that these came from: what was lost on the way is part of the price.",
        tuple(figures),
    )


def _review(content: Json) -> Section | None:
    context = content.get("context")
    if not context:
        return None
    people, canaries, accepted = (context[name] for name in ("reviewers", "canaries", "acceptance"))  # fmt: skip
    over, agreement = people["overturned"], people["agreement"]
    tiles = [
        Tile(number(people["judged"]), "judged one by one", f"by {people['people']}, {number(people['twice'])} of them twice"),
        Tile(percent(over["share"]), "refused though every check passed", f"{percent(over['low'])} to {percent(over['high'])}, of {number(over['of'])}" if over["of"] else "nothing judged"),
        Tile(number(agreement["alpha"]), "Krippendorff's α", f"{number(agreement['low'])} to {number(agreement['high'])}, {agreement['items']} items" if agreement["alpha"] is not None else "undefined"),
        Tile(number(people["seconds"]["median"], 0), "seconds per item", f"nine of ten within {number(people['seconds']['p90'])}" if people["seconds"]["count"] else "not measured"),
        Tile(percent(canaries["share"]), "of planted errors found", f"{number(canaries['found'])} of {number(canaries['shown'])}, whole team"),
    ]  # fmt: skip
    statements = [plan["statement"] for plan in accepted["plans"]]
    if not statements:
        statements = [_looked_at(accepted)]
    figures: list[Any] = [Tiles(tuple(tiles)), Words(tuple(statements), "success" if accepted["plans"] else "")]  # fmt: skip
    if people["verdicts"]:
        tones = {"APPROVE": "ok", "REJECT": "bad", "FIX": "warn"}
        figures.append(
            make_bars(
                "Verdicts",
                [(name.lower(), n, "", tones.get(name, "")) for name, n in people["verdicts"].items()],
            )
        )  # fmt: skip
    if people["reasons"]:
        figures.append(
            make_bars("Refused for", [(_plain(name), n) for name, n in people["reasons"]])
        )  # fmt: skip
    return Section(
        "review",
        "Review by people",
        "Who looked, how far they agree, and what their samples prove of the rest.",
        tuple(figures),
    )


def _looked_at(accepted: Json) -> str:
    """What is known without a sampling plan."""
    approved, seen = accepted["approved"], accepted["looked_at"]
    if not approved:
        return "Nothing is approved yet, and no sample was drawn."
    if seen == approved:
        return f"No sampling plan: a person looked at every one of {number(approved)} approved ones."
    return f"No sampling plan: a person looked at {number(seen)} of {number(approved)} approved ones, and nothing is known of the others."


def _trials(content: Json) -> Section | None:
    found = content["report"]["trials"]
    if not found["several"]:
        return None
    bars = tuple(
        Bar(f"pass^{k}", percent(chance), round(WIDTH * chance, 1), note=f"{tasks:,} tasks")
        for k, chance, tasks in found["pass"]
    )  # fmt: skip
    what = "a reward of 1" if found["by_reward"] else "acceptance"
    caption = f"The chance that so many trials of one task all succeed. Success: {what}. {percent(found['mixed'])} of the {found['several']:,} tasks tried several times sometimes succeed and sometimes fail."
    return Section(
        "trials",
        "Stability",
        "Whether the same task comes out the same.",
        (Bars("All trials succeed", bars, caption),),
    )


def _purity(content: Json) -> Section | None:
    found = content["report"]["purity"]
    if not content.get("context"):
        return None
    if not found:
        text = "No benchmark is imported for these environments: nothing was compared. `manage.py import_tau2` brings one in."
        return Section(
            "purity", "Contamination", "", (Words((text,)),), "not measured", "warn"
        )
    figures: list[Any] = []
    for one in found:
        figures += _against(one)
    dirty = sum(one["gated"] + one["said"] for one in found)
    return Section(
        "purity",
        "Contamination",
        "What is shared with a benchmark and must not be, and how near the rest comes. Policy and tools are shared by design.",
        tuple(figure for figure in figures if figure),
        badge=f"{dirty:,} found" if dirty else "clean",
        tone="bad" if dirty else "ok",
    )


def _against(one: Json) -> Iterator[Any]:
    yield Words((f"Against {one['benchmark']}, {one['benchmark_tasks']:,} entries.",))
    yield Tiles(
        (
            Tile(number(one["gated"]), "tasks held back", f"of {number(one['tasks'])}", "bad" if one["gated"] else "ok"),
            Tile(number(one["said"]), "conversations held back", f"of {number(one['conversations'])}", "bad" if one["said"] else "ok"),
            Tile(percent(one["same_shape_share"]), "have the same abstract writes", "reported, not gated"),
            Tile(percent(one["nearest"]["resemblance"]["largest"]), "nearest wording", "MinHash; gated from 30 %"),
        )
    )  # fmt: skip
    for name in ("resemblance", "containment"):
        counts = one["nearest"][name]["histogram"]
        yield make_bars(
            f"How near wordings come: {MEASURES[name]}",
            [(f"{10 * n} to {10 * n + 10} %", count) for n, count in enumerate(counts)],
            whole=one["tasks"] or 1,
            caption="Of each task, with the nearest entry of the benchmark.",
        )
    yield Table(
        "Nearness",
        ("measure", "mean", "median", "95 %", "most"),
        tuple(
            (MEASURES[name], *(percent(one["nearest"][name][cut]) for cut in ("mean", "median", "p95", "largest")))
            for name in MEASURES
        ),
        frozenset({1, 2, 3, 4}),
    )  # fmt: skip
    if one["things"]:
        yield Table(
            "Shared by design",
            ("of its database", "ours name", "the benchmark names", "both"),
            tuple(
                (name, number(held["ours"]), number(held["theirs"]), number(held["shared"]))
                for name, held in one["things"].items()
            ),
            frozenset({1, 2, 3}),
        )  # fmt: skip
    if one["examples"]:
        yield Table(
            "What was found",
            ("where", "what"),
            tuple((found["where"], "; ".join(found["shared"])) for found in one["examples"]),
        )  # fmt: skip


def _objections(content: Json) -> Section | None:
    rows = content["objections"]
    if not rows:
        return None
    open_ = sum(row["status"] != "answered" for row in rows)
    return Section(
        "objections",
        "What readers will object",
        "Each answered with figures of this report, or said to be not measured.",
        (Answers(tuple(rows)),),
        badge=f"{len(rows) - open_} answered, {open_} open",
    )


def _origins(content: Json) -> Section:
    report, made = content["report"], content["made_from"]
    origins = report["origins"]
    rows = [
        ("trajectories (SHA-256 of their hashes)", made["sha256"]),
        *((f"environment {one['world']}", one["content_hash"]) for one in made["worlds"] if one["content_hash"]),
        *((("release", made["release_hash"]),) if made["release_hash"] else ()),
        *(((f"{origins['seeds']:,} seeds", origins["seeds_hash"]),) if origins["seeds"] else ()),
    ]  # fmt: skip
    counted = [
        (title, value, number(count))
        for name, title in (("agent", "agent"), ("user", "user simulator"), ("prompt_version", "prompts"), ("class", "class of task"))
        for value, count in origins[name]
    ]  # fmt: skip
    batches = (content.get("context") or {}).get("batches") or []
    figures: list[Any] = [
        Table("Hashes", ("of", "hash"), tuple(rows)),
        Table("Made by", ("role", "what", "trajectories"), tuple(counted), frozenset({2})),
    ]  # fmt: skip
    if batches:
        figures.append(
            Table(
                "Batches",
                ("batch", "environment", "agent", "user", "seed", "ordered"),
                tuple(
                    (f"#{one['key']} {one['name']}", one["environment"], one["agent"], one["user"], str(one["seed"]), number(one["ordered"]))
                    for one in batches
                ),
                frozenset({4, 5}),
                folded=len(batches) > 6,
            )
        )  # fmt: skip
    if origins["archetype"]:
        figures.append(make_bars("Archetypes", [tuple(row) for row in origins["archetype"]], first=12))  # fmt: skip
    return Section(
        "origins",
        "Made from what",
        "So that a number can be found again.",
        tuple(figures),
    )


def _plain(name: str) -> str:
    return str(name).replace("_", " ")
