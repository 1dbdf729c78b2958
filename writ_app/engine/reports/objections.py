"""What readers of a dataset will object, and what the figures of a report answer (knowledge of reports, §7.3).

An answer is made of numbers of the same report. What was not measured is said to be not measured.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

type Report = Mapping[str, Any]

NOT_MEASURED = "Not measured here."


@dataclass(frozen=True)
class Answer:
    """`where` are the ids of sections that show it. `partly`: what is there does not settle it."""

    objection: str
    answer: str
    status: Literal["answered", "partly", "not measured"]
    where: tuple[str, ...] = ()


def objections(content: Report) -> list[dict[str, Any]]:
    """The whole table, as plain JSON. `content` is what a report's row holds: `report`, `context`, `calibration`."""
    report, context = content["report"], content.get("context") or {}
    return [
        asdict(answer(report, {**context, "calibration": content.get("calibration")}))
        for answer in _ANSWERS
    ]


def _read_count(report: Report, context: Report) -> Answer:
    objection = "The number of reads is not the difficulty."
    evidence, burden = report["evidence"], report["cells"]["burden"]
    if not burden["count"] or not evidence["judged"]:
        return Answer(objection, NOT_MEASURED, "not measured", ("axes",))
    parts = [
        f"The burden is the proved size of a certificate, {burden['median']} in the median and {burden['most']} at most, not a count of reads made."
    ]
    if evidence["premature"] is not None:
        parts.append(
            f"{_share(evidence['premature'])} of {evidence['rejected']:,} rejected ones wrote before they had read what they needed."
        )
    parts.append("Pass rates of a weak and a strong agent by band: not measured here.")
    return Answer(objection, " ".join(parts), "partly", ("axes", "evidence"))


def _not_unique(report: Report, context: Report) -> Answer:
    objection = "The gold is not unique, or a tie."
    margins = report["evidence"]["margins"]
    if not margins["count"]:
        return Answer(
            objection,
            "No choice among candidates in here, or none is known.",
            "not measured",
            ("evidence",),
        )
    text = (
        f"Every task is proved to have one answer before it is used. Of {margins['count']:,} with a choice, the narrowest margin to the "
        f"runner-up is {margins['least']:g}, the median {margins['median']:g} (in the unit of the objective)."
    )
    return Answer(objection, text, "answered", ("evidence",))


def _wrong_reason(report: Report, context: Report) -> Answer:
    objection = "Right for the wrong reason."
    evidence = report["evidence"]
    if not evidence["judged"]:
        return Answer(objection, NOT_MEASURED, "not measured", ("evidence",))
    text = (
        f"{_share(evidence['fully_covered'])} of {evidence['judged']:,} read their whole certificate before the write that rests on it; "
        "a lucky guess is rejected. Where each argument comes from is checked, too."
    )
    return Answer(objection, text, "answered", ("evidence",))


def _judge_noise(report: Report, context: Report) -> Answer:
    objection = "A language model that judges is noise."
    text = "No language model accepts or rejects anything: the final state, the writes and the evidence do. Judge models only write notes."
    people = context.get("reviewers")
    if not people or not people["overturned"]["of"]:
        return Answer(
            objection, f"{text} No audit by people in here.", "partly", ("review",)
        )
    over = people["overturned"]
    audit = (
        f" People refused {over['count']:,} of the {over['of']:,} that they judged after every check had passed "
        f"({_share(over['share'])}, {_share(over['low'])} to {_share(over['high'])})."
    )
    return Answer(objection, text + audit, "answered", ("review", "production"))


def _distillation(report: Report, context: Report) -> Answer:
    return Answer(
        "It is the teacher that is distilled, not the design of tasks.",
        "That takes training runs with the same teacher and matched tokens: not measured here. The teachers are named below.",
        "not measured",
        ("origins",),
    )


def _unfair(report: Report, context: Report) -> Answer:
    sizes = report["sizes"]
    whole = sizes["tokens"]["whole"]
    if not whole["count"]:
        return Answer(
            "Rows are longer, so that counts are unfair.",
            NOT_MEASURED,
            "not measured",
            ("sizes",),
        )
    text = (
        f"{whole['total']:,} tokens ({sizes['tokenizer']}) in {sizes['trajectories']:,} trajectories, {whole['median']:,} in the median; "
        f"{sizes['parts']['assistant']['total']:,} assistant turns with text and {sizes['parts']['calls']['total']:,} calls are what is trained on."
    )
    if context.get("calibration"):
        text += " Beside the reference set below."
        return Answer(
            "Rows are longer, so that counts are unfair.",
            text,
            "answered",
            ("sizes", "calibration"),
        )
    return Answer(
        "Rows are longer, so that counts are unfair.",
        f"{text} No reference set beside it.",
        "partly",
        ("sizes",),
    )


def _contamination(report: Report, context: Report) -> Answer:
    objection = "It is contaminated."
    if not report.get("purity"):
        return Answer(
            objection,
            "No benchmark is imported for these environments, so that nothing was compared.",
            "not measured",
            ("purity",),
        )
    parts = [
        f"{one['gated']:,} of {one['tasks']:,} tasks and {one['said']:,} of {one['conversations']:,} conversations share a person, a write, an "
        f"effect or wording with {one['benchmark']}; {_share(one['same_shape_share'])} have the shape of one of its tasks."
        for one in report["purity"]
    ]
    parts.append("Policy and tools are shared by design.")
    return Answer(objection, " ".join(parts), "answered", ("purity",))


def _simulated_users(report: Report, context: Report) -> Answer:
    objection = "Simulated users are not realistic."
    conduct = report["conduct"]
    if conduct["kept"] is None:
        return Answer(objection, NOT_MEASURED, "not measured", ("conduct",))
    text = (
        f"{_share(conduct['kept'])} of the behavior that was asked for came out; {_share(conduct['pairs']['share'])} of the pairs of values that go "
        "together were played. A second user model, and ratings by people: not measured here."
    )
    return Answer(objection, text, "partly", ("conduct", "texts"))


def _single_run(report: Report, context: Report) -> Answer:
    objection = "A single run."
    trials = report["trials"]
    if not trials["several"]:
        return Answer(
            objection,
            "No task was tried more than once here. Training runs: not measured.",
            "not measured",
            ("trials",),
        )
    k, chance, tasks = trials["pass"][-1]
    text = f"{trials['several']:,} tasks were tried several times; pass^{k} is {chance:.2f} over {tasks:,} tasks. Training runs with several seeds: not measured here."
    return Answer(objection, text, "partly", ("trials",))


def _post_hoc(report: Report, context: Report) -> Answer:
    text = "Bands of both axes are fixed in the code, from proved burden and gold writes, before any model is run."
    return Answer("The hard subset was chosen afterwards.", text, "answered", ("axes",))


def _fails_early(report: Report, context: Report) -> Answer:
    return Answer(
        "Tokens are saved by failing early.",
        "That compares models on tasks that both solve: not measured here.",
        "not measured",
    )


def _over_reading(report: Report, context: Report) -> Answer:
    objection = "It teaches to refuse, or to read too much."
    cells, evidence = report["cells"], report["evidence"]
    accepted = sum(cell["accepted"] for cell in cells["cells"])
    if not accepted:
        return Answer(objection, NOT_MEASURED, "not measured", ("axes",))
    none = sum(cell["accepted"] for cell in cells["cells"] if cell["writes"] == "0")
    low = sum(
        cell["accepted"] for cell in cells["cells"] if cell["burden"] in ("0", "1-3")
    )
    text = (
        f"{_share(none / accepted)} end without a write and {_share(low / accepted)} need three reads or fewer. "
        f"{_share(evidence['repeated'])} of reads are repeated, {_share(evidence['beside'])} are beside the certificate."
    )
    return Answer(objection, text, "answered", ("axes", "evidence"))


def _policy_overfit(report: Report, context: Report) -> Answer:
    return Answer(
        "It overfits the policy.",
        "Probes with a changed policy: not measured here.",
        "not measured",
        ("origins",),
    )


def _whose_error(report: Report, context: Report) -> Answer:
    objection = "Are errors the agent's or the user's?"
    reasons = report["cells"]["reasons"]
    if not reasons:
        return Answer(
            objection, "Nothing was rejected in here.", "answered", ("production",)
        )
    owners: dict[str, int] = {}
    for one in reasons:
        owner = one["owner"] or "nobody named"
        owners[owner] = owners.get(owner, 0) + one["count"]
    told = ", ".join(f"{owner} {count:,}" for owner, count in sorted(owners.items()))
    return Answer(
        objection,
        f"Each rejection has a type and an owner: {told}.",
        "answered",
        ("production",),
    )


def _rubber_stamp(report: Report, context: Report) -> Answer:
    objection = "People wave everything through."
    people = context.get("reviewers")
    if not people or not people["judged"]:
        return Answer(
            objection, "No person has judged any of these.", "not measured", ("review",)
        )
    agreement, canaries = people["agreement"], context["canaries"]
    parts = [f"{people['judged']:,} judged one by one, {people['twice']:,} of them by two who did not see each other's verdict"]  # fmt: skip
    if agreement["alpha"] is not None:
        parts.append(f"Krippendorff's α {agreement['alpha']:.2f}")
    if canaries["shown"]:
        parts.append(
            f"{canaries['found']:,} of {canaries['shown']:,} planted errors found"
        )
    if people["seconds"]["median"] is not None:
        parts.append(f"{people['seconds']['median']:.0f} s per item in the median")
    enough = people["twice"] and (canaries["shown"] or agreement["alpha"] is not None)
    return Answer(
        objection, "; ".join(parts) + ".", "answered" if enough else "partly", ("review",)
    )  # fmt: skip


_ANSWERS: tuple[Callable[[Report, Report], Answer], ...] = (
    _read_count,
    _not_unique,
    _wrong_reason,
    _judge_noise,
    _distillation,
    _unfair,
    _contamination,
    _simulated_users,
    _single_run,
    _post_hoc,
    _fails_early,
    _over_reading,
    _policy_overfit,
    _whose_error,
    _rubber_stamp,
)


def _share(value: float | None) -> str:
    if value is None:
        return "an unknown share"
    shown = f"{value:.1%}" if 0 < value < 0.1 else f"{value:.0%}"
    return shown.replace("%", "\N{NO-BREAK SPACE}%")
