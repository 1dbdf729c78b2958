"""Types and operations of WRIT's API. Made from its schema by `python manage.py write_client`: not edited by hand."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict, cast

from .transport import Transport


class AlignedCellLine(TypedDict):
    trajectory: int
    difference: str
    step: "int | None"
    decided: str


class AlignedLine(TypedDict):
    step: "int | None"
    same: bool
    cells: list["AlignedCellLine"]


class ApprovedAnswer(TypedDict):
    items: int


class ArchetypeLine(TypedDict):
    slug: str
    title: str


class AskedTask(TypedDict):
    key: str
    task_id: str
    environment: "EnvironmentRef"
    writes: int
    burden: "int | None"
    content: dict[str, Any]
    content_hash: str


class AxisLine(TypedDict):
    title: str
    values: list["CoveredLine"]


class BatchBodyRequest(TypedDict):
    name: str
    environment: int
    ordered: int
    seed: int
    mix: NotRequired[dict[str, int]]
    grid: NotRequired["GridBodyRequest | None"]
    plans: NotRequired[list[str]]
    plans_per_task: NotRequired[int]
    fault_percent: NotRequired[int]
    agent: NotRequired["int | None"]
    user_simulator: NotRequired["int | None"]
    paraphraser: NotRequired["int | None"]
    judge: NotRequired["int | None"]
    max_cost: NotRequired["float | None"]
    max_tokens: NotRequired["int | None"]


class BatchDetail(TypedDict):
    id: int
    name: str
    environment: "EnvironmentRef"
    status: Literal["designing", "running", "paused", "done", "cancelled"]
    stopped_by: str
    ordered: int
    seed: int
    cost: str
    tokens: int
    created_by: str
    created_at: str
    finished_at: "str | None"
    progress: "Progress"
    mix: dict[str, float]
    grid: "dict[str, Any] | None"
    plans: list[str]
    plans_per_task: int
    fault_share: float
    max_cost: "str | None"
    max_tokens: "int | None"
    played_by: dict[str, dict[str, Any]]
    design_report: dict[str, Any]
    spending: "SpendingLine"


class BatchLine(TypedDict):
    id: int
    name: str
    environment: "EnvironmentRef"
    status: Literal["designing", "running", "paused", "done", "cancelled"]
    stopped_by: str
    ordered: int
    seed: int
    cost: str
    tokens: int
    created_by: str
    created_at: str
    finished_at: "str | None"
    progress: "Progress"


class BatchPage(TypedDict):
    items: list["BatchLine"]
    cursor: "str | None"
    next: "str | None"


class BatchStagesLine(TypedDict):
    environment: str
    stages: "StagesLine"
    id: int
    name: str


class BulkActionLine(TypedDict):
    id: int
    verdict: str
    total: int
    note: str
    filters: dict[str, Any]
    by: str
    created_at: str
    undone_at: "str | None"


class BulkActionPage(TypedDict):
    items: list["BulkActionLine"]
    cursor: "str | None"
    next: "str | None"


class BulkBodyRequest(TypedDict):
    verdict: Literal["approve", "reject", "fix", "requeue"]
    reason: NotRequired[
        Literal[
            "wrong_write",
            "ungrounded",
            "missing_read",
            "policy",
            "no_confirmation",
            "unclear_request",
            "unnatural_user",
            "unnatural_agent",
            "other",
        ]
    ]
    note: NotRequired[str]
    trajectories: NotRequired[list[int]]
    filters: NotRequired["FilterBodyRequest"]


class CallBodyRequest(TypedDict):
    name: str
    arguments: NotRequired[dict[str, Any]]


class CallLine(TypedDict):
    step: int
    tool: str
    arguments: dict[str, Any]
    error: bool
    writes: bool


class CallPairLine(TypedDict):
    difference: str
    mark: str
    left: "CallLine | None"
    right: "CallLine | None"


class CallsBodyRequest(TypedDict):
    calls: list["CallBodyRequest"]


class CapsBodyRequest(TypedDict):
    max_cost: NotRequired["float | None"]
    max_tokens: NotRequired["int | None"]


class CellBodyRequest(TypedDict):
    writes: Literal["0", "1", "2-3", "4+"]
    burden: Literal["1-3", "4-6", "7-9", "10-14", "15+"]
    weight: float


class CellLine(TypedDict):
    writes: str
    burden: str
    found: int
    members: int


class ChangeLine(TypedDict):
    op: str
    path: str
    before: str
    after: str


class ChoiceLine(TypedDict):
    value: str
    words: str
    count: "int | None"
    more: bool
    chosen: bool


class ClusterCellLine(TypedDict):
    value: str
    kind: str
    same: bool
    odd: bool


class ClusterColumnLine(TypedDict):
    title: str
    group: str


class ClusterDetail(TypedDict):
    key: str
    size: int
    open: int
    approved: int
    rejected: int
    exemplar: "TrajectoryLine"
    columns: list["ClusterColumnLine"]
    reference: list["ClusterCellLine"]
    rows: list["ClusterRowLine"]
    constant: list["ConstantLine"]
    odd: int
    sampled: int
    before: "int | None"


class ClusterLine(TypedDict):
    key: str
    size: int
    open: int
    approved: int
    rejected: int
    exemplar: "TrajectoryLine"


class ClusterPageAnswer(TypedDict):
    items: list["ClusterLine"]
    cursor: "str | None"
    next: "str | None"
    variety: "VarietyLine"


class ClusterRowLine(TypedDict):
    trajectory: int
    status: str
    cells: list["ClusterCellLine"]


class CommentBodyRequest(TypedDict):
    body: str
    parent: NotRequired[int]
    message: NotRequired[int]
    pointer: NotRequired[str]


class CommentLine(TypedDict):
    id: int
    author: str
    parent: "int | None"
    body: str
    message: "int | None"
    pointer: str
    created_at: str
    withdrawn_at: "str | None"


class ComparisonLine(TypedDict):
    before: str
    after: str
    same: int
    newly_accepted: int
    newly_rejected: int
    changes: list["VerdictChangeLine"]


class ConductBodyRequest(TypedDict):
    title: str
    slug: str
    text: str
    dimensions: NotRequired[dict[str, list[str]]]


class ConductDetail(TypedDict):
    id: int
    slug: str
    title: str
    text: str
    dimensions: dict[str, list[str]]
    built_in: bool
    enabled: bool
    created_at: str
    uses: int


class ConductLine(TypedDict):
    id: int
    slug: str
    title: str
    text: str
    dimensions: dict[str, list[str]]
    built_in: bool
    enabled: bool
    created_at: str


class ConductPage(TypedDict):
    items: list["ConductLine"]
    cursor: "str | None"
    next: "str | None"


class ConsoleLine(TypedDict):
    base_hash: str
    hash: str
    steps: list["StepLine"]


class ConstantLine(TypedDict):
    title: str
    value: str


class CoveredLine(TypedDict):
    name: str
    approved: int
    waiting: int
    all: int


class DashboardAnswer(TypedDict):
    funnel: "FunnelLine"
    cells: list["GridCellLine"]
    axes: list["AxisLine"]
    team: "ReviewerLine | None"
    people: list["ReviewerLine"]
    days: list["DayLine"]
    rest: "RestLine"


class DayLine(TypedDict):
    day: str
    approved: int
    rejected: int
    fixes: int
    bulk: int


class DeliveryLine(TypedDict):
    id: int
    webhook_id: str
    event: str
    status: Literal["waiting", "sending", "done", "failed"]
    attempts: int
    answer: "int | None"
    trouble: str
    next_at: "str | None"
    created_at: str
    tried_at: "str | None"


class DeliveryPage(TypedDict):
    items: list["DeliveryLine"]
    cursor: "str | None"
    next: "str | None"


class DifferenceLine(TypedDict):
    changes: list["ChangeLine"]
    hidden: int


class DimensionLine(TypedDict):
    slug: str
    title: str
    side: str
    values: list["DimensionValue"]


class DimensionPage(TypedDict):
    items: list["DimensionLine"]
    cursor: "str | None"
    next: "str | None"


class DimensionValue(TypedDict):
    slug: str
    title: str


class DisputeLine(TypedDict):
    trajectory: int
    status: Literal["open", "approved", "rejected", "fix", "disputed"]
    archetype: str
    opinions: list["OpinionLine"]
    decision: "OpinionLine | None"
    may_settle: bool


class DisputePage(TypedDict):
    items: list["DisputeLine"]
    cursor: "str | None"
    next: "str | None"


class DraftBodyRequest(TypedDict):
    name: str
    filters: NotRequired["FilterBodyRequest"]
    view: NotRequired[int]


class EditAnswer(TypedDict):
    trajectory: int
    changes: list[dict[str, Any]]
    valid: bool
    advice: dict[str, str]
    proposals: list["HunkLine"]
    verification: dict[str, Any]
    content: dict[str, Any]


class EditStepBodyRequest(TypedDict):
    act: Literal[
        "text",
        "argument",
        "remove",
        "reset",
        "add_call",
        "add_message",
        "accept",
        "replay",
    ]
    message: NotRequired[int]
    call: NotRequired[str]
    pointer: NotRequired[str]
    value: NotRequired[str]
    as_json: NotRequired[bool]
    role: NotRequired[Literal["assistant", "user"]]
    tool: NotRequired[str]
    target: NotRequired[str]


class EnabledBodyRequest(TypedDict):
    enabled: bool


class EndpointBodyRequest(TypedDict):
    name: str
    model: str
    base_url: NotRequired[str]
    key_variable: NotRequired[str]
    max_in_flight: NotRequired[int]
    prompt_price: NotRequired["float | None"]
    completion_price: NotRequired["float | None"]
    temperature: NotRequired["float | None"]
    top_p: NotRequired["float | None"]
    max_tokens: NotRequired["int | None"]
    reasoning_effort: NotRequired[Literal["none", "minimal", "low", "medium", "high"]]
    timeout: NotRequired["float | None"]
    more: NotRequired[dict[str, Any]]


class EndpointLine(TypedDict):
    id: int
    name: str
    model: str
    base_url: str
    where: str
    key_variable: str
    key_set: "bool | None"
    parameters: dict[str, Any]
    max_in_flight: int
    prompt_price: "float | None"
    completion_price: "float | None"
    enabled: bool
    own: bool
    created_at: str


class EndpointPage(TypedDict):
    items: list["EndpointLine"]
    cursor: "str | None"
    next: "str | None"


class EnvironmentDetail(TypedDict):
    id: int
    name: str
    version: str
    mode: str
    origin: str
    content_hash: str
    state_hash: str
    created_at: str
    policy: str
    collections: dict[str, int]
    tools: list["ToolLine"]
    archetypes: list["ArchetypeLine"]


class EnvironmentLine(TypedDict):
    id: int
    name: str
    version: str
    mode: str
    origin: str
    content_hash: str
    state_hash: str
    created_at: str


class EnvironmentPage(TypedDict):
    items: list["EnvironmentLine"]
    cursor: "str | None"
    next: "str | None"


class EnvironmentRef(TypedDict):
    id: int
    name: str
    version: str


class EnvironmentStagesLine(TypedDict):
    environment: str
    stages: "StagesLine"


class EvaluationBodyRequest(TypedDict):
    name: str
    source: Literal["benchmark", "batch", "release", "view"]
    environments: NotRequired[list[int]]
    split: NotRequired[str]
    tasks: NotRequired[list[str]]
    batch: NotRequired[int]
    release: NotRequired[int]
    release_split: NotRequired[str]
    view: NotRequired[int]
    cells: NotRequired[list["GridPlaceBodyRequest"]]
    agent: NotRequired[int]
    script: NotRequired[Literal["gold", "idle"]]
    user_simulator: NotRequired[int]
    judge: NotRequired[int]
    trials: NotRequired[int]
    seed: NotRequired[int]
    hard: NotRequired[list[int]]
    max_cost: NotRequired["float | None"]
    max_tokens: NotRequired["int | None"]


class EvaluationDetail(TypedDict):
    id: int
    name: str
    source: Literal["benchmark", "batch", "release", "view", "file"]
    agent: str
    user: str
    script: str
    trials: int
    seed: int
    tasks_hash: str
    status: Literal["running", "paused", "done", "cancelled"]
    stopped_by: str
    cost: float
    tokens: int
    created_by: str
    created_at: str
    finished_at: "str | None"
    chosen: dict[str, Any]
    limits: dict[str, Any]
    played_by: dict[str, dict[str, Any]]
    hard: list[dict[str, Any]]
    told: dict[str, Any]
    max_cost: "str | None"
    max_tokens: "int | None"
    judge_cost: float
    domains: list[str]
    progress: "EvaluationProgress"


class EvaluationImportLine(TypedDict):
    id: int
    file_name: str
    name: str
    status: Literal["waiting", "running", "done", "failed"]
    bytes: int
    done: int
    whole: int
    rows: int
    trouble: str
    evaluation: "int | None"
    created_at: str


class EvaluationImportPage(TypedDict):
    items: list["EvaluationImportLine"]
    cursor: "str | None"
    next: "str | None"


class EvaluationProgress(TypedDict):
    total: int
    pending: int
    running: int
    done: int
    cancelled: int
    solved: int
    to_judge: int
    judge_failed: int
    failed: int


class EvaluationTaskLine(TypedDict):
    key: str
    task_id: str
    writes: int
    burden: "int | None"
    burden_source: str
    content_hash: str
    solved: int
    trials: list["TrialMarkLine"]


class EvaluationTaskPage(TypedDict):
    items: list["EvaluationTaskLine"]
    cursor: "str | None"
    next: "str | None"


class EvaluationTrialDetail(TypedDict):
    id: int
    run: int
    task: str
    trial: int
    seed: int
    status: Literal["pending", "running", "done", "cancelled"]
    ended_by: str
    note: str
    reward: "float | None"
    reward_without: "float | None"
    recorded_reward: "float | None"
    grounded: "bool | None"
    failure: str
    owner: str
    finding: str
    agent_tokens: "int | None"
    user_tokens: "int | None"
    cost: float
    judge_status: Literal["none", "open", "waiting", "asked", "done", "failed"]
    judge_finding: str
    started_at: "str | None"
    finished_at: "str | None"
    asked: "AskedTask"
    messages: "list[dict[str, Any]] | None"
    reward_info: "dict[str, Any] | None"
    verification: "dict[str, Any] | None"
    content: dict[str, Any]


class EvaluationTrialLine(TypedDict):
    id: int
    run: int
    task: str
    trial: int
    seed: int
    status: Literal["pending", "running", "done", "cancelled"]
    ended_by: str
    note: str
    reward: "float | None"
    reward_without: "float | None"
    recorded_reward: "float | None"
    grounded: "bool | None"
    failure: str
    owner: str
    finding: str
    agent_tokens: "int | None"
    user_tokens: "int | None"
    cost: float
    judge_status: Literal["none", "open", "waiting", "asked", "done", "failed"]
    judge_finding: str
    started_at: "str | None"
    finished_at: "str | None"


class EvaluationTrialPage(TypedDict):
    items: list["EvaluationTrialLine"]
    cursor: "str | None"
    next: "str | None"


class FacetLine(TypedDict):
    name: str
    title: str
    choices: list["ChoiceLine"]


class FacetsAnswer(TypedDict):
    facets: list["FacetLine"]


class FilterBodyRequest(TypedDict):
    status: NotRequired[
        list[Literal["open", "approved", "rejected", "fix", "disputed"]]
    ]
    accepted: NotRequired[list[Literal["yes", "no"]]]
    scripted: NotRequired[list[Literal["yes", "no"]]]
    failed: NotRequired[list[str]]
    kinds: NotRequired[
        list[
            Literal[
                "exact",
                "normalised",
                "derived",
                "said",
                "policy",
                "not_found",
                "conflict",
                "stale",
            ]
        ]
    ]
    writes: NotRequired[list[Literal["0", "1", "2-3", "4+"]]]
    burden: NotRequired[list[Literal["0", "1-3", "4-6", "7-9", "10-14", "15+"]]]
    reason: NotRequired[list[str]]
    environment: NotRequired[list[str]]
    archetype: NotRequired[list[str]]
    task_class: NotRequired[list[str]]
    plan: NotRequired[list[str]]
    agent: NotRequired[list[str]]
    ended_by: NotRequired[list[str]]
    batch: NotRequired[list[int]]
    version: NotRequired[list[Literal["simulated", "edited"]]]
    commented: NotRequired[list[Literal["yes"]]]
    code: NotRequired[
        list[
            Literal[
                "wrong_write",
                "ungrounded",
                "missing_read",
                "policy",
                "no_confirmation",
                "unclear_request",
                "unnatural_user",
                "unnatural_agent",
                "other",
            ]
        ]
    ]
    reviewer: NotRequired[list[int]]
    q: NotRequired[str]
    argument: NotRequired[str]
    argument_kind: NotRequired[
        Literal[
            "exact",
            "normalised",
            "derived",
            "said",
            "policy",
            "not_found",
            "conflict",
            "stale",
        ]
    ]
    tool: NotRequired[str]
    shape: NotRequired[str]
    cluster: NotRequired[str]


class ForecastAnswer(TypedDict):
    total: int
    changes: int
    waiting: int
    skipped: list[dict[str, "str | int"]]


class FunnelLine(TypedDict):
    total: "StagesLine"
    environments: list["EnvironmentStagesLine"]
    batches: list["BatchStagesLine"]


class GivenLine(TypedDict):
    event: int
    trajectory: int
    verdict: Literal["approve", "reject", "fix", "defer", "withdraw"]
    reason: str
    note: str
    message: "int | None"
    pointer: str
    write: "int | None"
    created_at: str
    planted: "RevealedLine | None"


class GridBodyRequest(TypedDict):
    cells: NotRequired[list["CellBodyRequest"]]
    whole: NotRequired[bool]


class GridCellLine(TypedDict):
    writes: str
    burden: str
    count: int
    wanted: "int | None"


class GridPlaceBodyRequest(TypedDict):
    writes: Literal["0", "1", "2-3", "4+"]
    burden: Literal["0", "1-3", "4-6", "7-9", "10-14", "15+"]


class HunkLine(TypedDict):
    target: str
    kind: str
    why: str
    before: str
    after: str


class ImportLine(TypedDict):
    id: int
    file_name: str
    name: str
    format: str
    status: Literal["waiting", "running", "done", "failed"]
    bytes: int
    done: int
    whole: int
    rows: int
    replaced: int
    trouble: str
    reference_set: "int | None"
    created_at: str


class ImportPage(TypedDict):
    items: list["ImportLine"]
    cursor: "str | None"
    next: "str | None"


class InvitationBodyRequest(TypedDict):
    role: Literal["viewer", "reviewer", "curator", "owner"]
    email: NotRequired[str]


class InvitationLine(TypedDict):
    id: int
    role: Literal["viewer", "reviewer", "curator", "owner"]
    email: str
    invited_by: str
    created_at: str
    expires_at: str


class InvitationPage(TypedDict):
    items: list["InvitationLine"]
    cursor: "str | None"
    next: "str | None"


class KeyRef(TypedDict):
    collection: str
    key: str


class LeaseAnswer(TypedDict):
    lease: "LeaseLine | None"


class LeaseLine(TypedDict):
    slot: int
    token: int
    trajectory: int
    leased_until: "str | None"


class LeaseTokenBodyRequest(TypedDict):
    token: int


class ListedEvaluationLine(TypedDict):
    id: int
    name: str
    source: Literal["benchmark", "batch", "release", "view", "file"]
    agent: str
    user: str
    script: str
    trials: int
    seed: int
    tasks_hash: str
    status: Literal["running", "paused", "done", "cancelled"]
    stopped_by: str
    cost: float
    tokens: int
    created_by: str
    created_at: str
    finished_at: "str | None"
    total: int
    done: int
    solved: int


class ListedEvaluationPage(TypedDict):
    items: list["ListedEvaluationLine"]
    cursor: "str | None"
    next: "str | None"


class ListedTrajectoryLine(TypedDict):
    id: int
    environment: str
    archetype: str
    task_text: str
    plan: str
    agent: str
    writes: int
    burden: int
    scripted: bool
    accepted: bool
    reason: str
    failed: list[str]
    kinds: list[str]
    uncertainty: float
    status: str
    edited: bool
    held_by: str
    commented: bool
    excerpt: str


class ListedTrajectoryPage(TypedDict):
    items: list["ListedTrajectoryLine"]
    cursor: "str | None"
    next: "str | None"


class LookBackLine(TypedDict):
    event: int
    trajectory: int
    verdict: Literal["approve", "reject", "fix", "defer", "withdraw"]
    reason: str
    note: str
    message: "int | None"
    pointer: str
    write: "int | None"
    created_at: str
    earlier: "int | None"
    later: "int | None"


class MadeInvitation(TypedDict):
    id: int
    role: Literal["viewer", "reviewer", "curator", "owner"]
    email: str
    invited_by: str
    created_at: str
    expires_at: str
    sent: bool
    link: "str | None"


class MadeToken(TypedDict):
    id: int
    name: str
    scope: Literal["viewer", "reviewer", "curator", "owner"]
    key_id: str
    user: "UserLine"
    created_at: str
    expires_at: str
    last_used_at: "str | None"
    revoked_at: "str | None"
    token: str


class MadeWebhook(TypedDict):
    id: int
    name: str
    url: str
    events: list[str]
    enabled: bool
    trouble: str
    failing_since: "str | None"
    created_by: str
    created_at: str
    secret: str


class MemberLine(TypedDict):
    id: int
    user: "UserLine"
    role: Literal["viewer", "reviewer", "curator", "owner"]
    since: str


class MemberPage(TypedDict):
    items: list["MemberLine"]
    cursor: "str | None"
    next: "str | None"


class MentionLine(TypedDict):
    id: int
    trajectory: int
    comment: int
    author: str
    body: str
    hidden: bool
    created_at: str
    seen_at: "str | None"


class MentionPage(TypedDict):
    items: list["MentionLine"]
    cursor: "str | None"
    next: "str | None"


class Myself(TypedDict):
    user: "UserLine"
    team: "TeamLine"
    teams: list["TeamLine"]


class NextBodyRequest(TypedDict):
    order: NotRequired[Literal["plain", "newest", "uncertain", "needed"]]
    environment: NotRequired[str]
    archetype: NotRequired[str]
    plan: NotRequired[str]
    writes: NotRequired[Literal["0", "1", "2-3", "4+"]]
    burden: NotRequired[Literal["0", "1-3", "4-6", "7-9", "10-14", "15+"]]
    batch: NotRequired[int]
    held: NotRequired[list[int]]


class OfferLine(TypedDict):
    limit: float
    size: int
    statement: str


class OffersAnswer(TypedDict):
    lot: int
    offers: list["OfferLine"]


class OpinionLine(TypedDict):
    reviewer: str
    verdict: Literal["approve", "reject", "fix", "defer", "withdraw"]
    reason: str
    note: str
    place: str


class OrderBodyRequest(TypedDict):
    batch: NotRequired["int | None"]


class PatchedRecipeBodyRequest(TypedDict):
    filters: NotRequired["FilterBodyRequest"]
    view: NotRequired[int]
    seed: NotRequired[int]
    shares: NotRequired[dict[str, float]]
    cap: NotRequired["int | None"]
    caps: NotRequired[dict[str, int]]
    tokenizer: NotRequired[str]
    max_tokens: NotRequired["int | None"]
    gates: NotRequired[list[str]]
    greeting: NotRequired[Literal["target", "keep", "mask", "drop"]]
    reasoning: NotRequired[Literal["strip", "keep"]]
    train_on_failed_calls: NotRequired[bool]
    licence: NotRequired[str]
    description: NotRequired[str]


class PatchedRoleBodyRequest(TypedDict):
    role: NotRequired[Literal["viewer", "reviewer", "curator", "owner"]]


class PatchedTeamChangeRequest(TypedDict):
    name: NotRequired[str]
    needs_second_factor: NotRequired[bool]


class PlanBodyRequest(TypedDict):
    batch: NotRequired[int]
    environment: NotRequired[str]
    archetype: NotRequired[str]
    kinds: NotRequired[
        list[Literal["exact", "normalised", "said", "policy", "derived"]]
    ]
    limit: float


class PlantBodyRequest(TypedDict):
    count: NotRequired[int]


class PlantedAnswer(TypedDict):
    planted: int
    wanted: int


class PlayedCallLine(TypedDict):
    step: int
    tool: str
    arguments: dict[str, Any]
    error: bool
    wrote: bool


class PolicyBodyRequest(TypedDict):
    second_share: float
    canary_share: float
    lease_seconds: int
    ahead: int


class PolicyLine(TypedDict):
    second_share: float
    canary_share: float
    lease_seconds: int
    ahead: int


class PreviewDetail(TypedDict):
    format: str
    family: str
    tokenizer: str
    setting: str
    rows: int
    row: Any
    turns: list["TurnLine"]
    tokens: int
    trained: int
    unseen: list[str]
    refusal: str


class Problem(TypedDict):
    type: str
    title: str
    status: int
    detail: str
    errors: dict[str, list[str]]
    request_id: str


class Progress(TypedDict):
    ordered: int
    designed: int
    pending: int
    running: int
    done: int
    cancelled: int
    accepted: int
    rejected: int
    failed: int
    per_minute: "float | None"
    seconds_left: "float | None"
    reasons: list["RejectLine"]


class PushBodyRequest(TypedDict):
    repository: str
    branch: NotRequired[str]
    private: NotRequired[bool]
    formats: NotRequired[
        list[
            Literal[
                "jsonl",
                "parquet",
                "openai_chat",
                "trl",
                "turns",
                "llama_factory_sharegpt",
                "llama_factory_openai",
                "axolotl",
                "ms_swift",
                "verl",
                "tau2_results",
                "tau2_tasks",
            ]
        ]
    ]


class PushDetail(TypedDict):
    id: int
    release: int
    repository: str
    branch: str
    private: bool
    formats: list[str]
    stage: Literal["planning", "planned", "sending", "done", "failed"]
    visibility: str
    dealt_with: int
    address: str
    trouble: str
    created_by: str
    created_at: str
    finished_at: "str | None"
    files: list["PushedLine"]
    others: list[str]


class PushLine(TypedDict):
    id: int
    release: int
    repository: str
    branch: str
    private: bool
    formats: list[str]
    stage: Literal["planning", "planned", "sending", "done", "failed"]
    visibility: str
    dealt_with: int
    address: str
    trouble: str
    created_by: str
    created_at: str
    finished_at: "str | None"


class PushPage(TypedDict):
    items: list["PushLine"]
    cursor: "str | None"
    next: "str | None"


class PushedLine(TypedDict):
    path: str
    state: str
    bytes: "int | None"
    sha256: str


class QueueLine(TypedDict):
    waiting: int
    approved: int
    rejected: int
    fix: int
    deferred: int
    releasable: int
    today: int


class RecordDetail(TypedDict):
    key: str
    record: dict[str, Any]
    links: dict[str, "KeyRef"]
    mentions: list["KeyRef"]


class RecordLine(TypedDict):
    key: str
    summary: str


class RecordPage(TypedDict):
    items: list["RecordLine"]
    cursor: "str | None"
    next: "str | None"


class ReferenceDetail(TypedDict):
    position: int
    simulation_id: str
    task_id: str
    trial: int
    ended_by: str
    reward: "float | None"
    steps: int
    messages: list[dict[str, Any]]
    content: dict[str, Any]


class ReferenceLine(TypedDict):
    position: int
    simulation_id: str
    task_id: str
    trial: int
    ended_by: str
    reward: "float | None"
    steps: int


class ReferencePage(TypedDict):
    items: list["ReferenceLine"]
    cursor: "str | None"
    next: "str | None"


class ReferenceSetDetail(TypedDict):
    id: int
    name: str
    format: str
    domain: str
    environment: "EnvironmentRef | None"
    agent: str
    user: str
    content_hash: str
    own: bool
    created_at: str
    rows: int
    content: dict[str, Any]


class ReferenceSetLine(TypedDict):
    id: int
    name: str
    format: str
    domain: str
    environment: "EnvironmentRef | None"
    agent: str
    user: str
    content_hash: str
    own: bool
    created_at: str


class ReferenceSetPage(TypedDict):
    items: list["ReferenceSetLine"]
    cursor: "str | None"
    next: "str | None"


class RejectLine(TypedDict):
    reason: str
    owner: str
    count: int
    example: int


class ReleaseDetail(TypedDict):
    id: int
    name: str
    number: int
    stage: str
    dealt_with: int
    whole: int
    trouble: str
    licence: str
    content_hash: str
    created_by: str
    created_at: str
    frozen_at: "str | None"
    description: str
    recipe: dict[str, Any]
    trajectories: int
    found: int
    cells: list["CellLine"]
    splits: dict[str, int]
    tokens: "int | None"
    longest: "int | None"
    notes: list[str]
    left_out: dict[str, int]


class ReleaseFileLine(TypedDict):
    path: str
    format: str
    rows: "int | None"
    bytes: "int | None"
    sha256: "str | None"


class ReleaseFilePage(TypedDict):
    items: list["ReleaseFileLine"]
    cursor: "str | None"
    next: "str | None"


class ReleaseLine(TypedDict):
    id: int
    name: str
    number: int
    stage: str
    dealt_with: int
    whole: int
    trouble: str
    licence: str
    content_hash: str
    created_by: str
    created_at: str
    frozen_at: "str | None"


class ReleaseMemberLine(TypedDict):
    trajectory: int
    position: int
    split: str
    row_hash: str
    tokens: "int | None"
    environment: str
    archetype: str
    writes: int
    burden: int
    plan: str
    agent: str


class ReleaseMemberPage(TypedDict):
    items: list["ReleaseMemberLine"]
    cursor: "str | None"
    next: "str | None"


class ReleasePage(TypedDict):
    items: list["ReleaseLine"]
    cursor: "str | None"
    next: "str | None"


class ReleaseRefusalLine(TypedDict):
    trajectory: int
    reason: str
    words: str
    detail: str
    environment: str
    archetype: str
    writes: int
    burden: int


class ReleaseRefusalPage(TypedDict):
    items: list["ReleaseRefusalLine"]
    cursor: "str | None"
    next: "str | None"


class ReportBodyRequest(TypedDict):
    batch: NotRequired[int]
    release: NotRequired[int]
    view: NotRequired[int]
    reference: NotRequired[int]
    against: NotRequired[int]


class ReportLine(TypedDict):
    id: int
    kind: Literal["batch", "view", "release", "reference"]
    title: str
    batch: "int | None"
    release: "int | None"
    view: "int | None"
    reference: "int | None"
    against: "int | None"
    status: Literal["waiting", "running", "done", "failed"]
    total: int
    dealt_with: int
    trouble: str
    content_hash: str
    created_at: str
    finished_at: "str | None"


class ReportPage(TypedDict):
    items: list["ReportLine"]
    cursor: "str | None"
    next: "str | None"


class RestLine(TypedDict):
    slots: int
    seconds: "float | None"
    per_day: "float | None"
    days: "float | None"


class ResultsBodyRequest(TypedDict):
    file: str
    name: NotRequired[str]


class RevealedLine(TypedDict):
    title: str
    changed: str
    caught: bool


class ReverificationLine(TypedDict):
    id: int
    batch: "int | None"
    version: str
    total: int
    verified: int
    skipped: dict[str, dict[str, Any]]
    created_at: str
    finished_at: "str | None"


class ReverificationPage(TypedDict):
    items: list["ReverificationLine"]
    cursor: "str | None"
    next: "str | None"


class ReviewerLine(TypedDict):
    name: str
    count: int
    approved: int
    rejected: int
    fixes: int
    median: "float | None"
    p90: "int | None"
    per_hour: "float | None"
    planted: int
    found: int
    compared: int
    agreed: int
    hints: list[str]
    last_session: "SessionLine"


class RoleSpendLine(TypedDict):
    role: str
    model: str
    turns: int
    prompt_tokens: int
    completion_tokens: int
    cost: float


class RuleBodyRequest(TypedDict):
    filters: "FilterBodyRequest"
    name: str
    event: NotRequired[int]


class RuleLine(TypedDict):
    id: int
    name: str
    event: "int | None"
    filters: dict[str, Any]
    hits: int
    requeued: int
    bulk: "int | None"
    by: str
    created_at: str


class RulePage(TypedDict):
    items: list["RuleLine"]
    cursor: "str | None"
    next: "str | None"


class SaidLine(TypedDict):
    event: int
    reviewer: str
    verdict: Literal["approve", "reject", "fix", "defer", "withdraw"]
    reason: str
    note: str
    message: "int | None"
    pointer: str
    write: "int | None"
    withdraws: "int | None"
    created_at: str


class SamplingPlanDetail(TypedDict):
    id: int
    status: Literal["sampling", "passed", "failed", "applied", "undone"]
    lot: int
    size: int
    limit: float
    confidence: float
    filters: dict[str, Any]
    statement: str
    good: int
    bad: int
    proves: str
    in_doubt: bool
    by: str
    created_at: str
    rest: int
    sample: list[int]


class SamplingPlanLine(TypedDict):
    id: int
    status: Literal["sampling", "passed", "failed", "applied", "undone"]
    lot: int
    size: int
    limit: float
    confidence: float
    filters: dict[str, Any]
    statement: str
    good: int
    bad: int
    proves: str
    in_doubt: bool
    by: str
    created_at: str


class SamplingPlanPage(TypedDict):
    items: list["SamplingPlanLine"]
    cursor: "str | None"
    next: "str | None"


class SaveBodyRequest(TypedDict):
    reason: str


class SavedViewBodyRequest(TypedDict):
    name: str
    shared: NotRequired[bool]
    filters: "FilterBodyRequest"
    sort: NotRequired[Literal["newest", "oldest", "uncertain", "burden"]]


class SavedViewLine(TypedDict):
    id: int
    name: str
    owner: str
    shared: bool
    filters: dict[str, Any]
    created_at: str


class SavedViewPage(TypedDict):
    items: list["SavedViewLine"]
    cursor: "str | None"
    next: "str | None"


class SeenBodyRequest(TypedDict):
    mention: NotRequired[int]


class SegmentLine(TypedDict):
    text: str
    trained: bool
    why: str


class SessionLine(TypedDict):
    began: str
    seconds: float
    count: int
    median: "float | None"


class SiblingColumn(TypedDict):
    trajectory: "TrajectoryLine"
    persona: str
    state: str
    gold: bool
    calls: list["PlayedCallLine"]


class SiblingLine(TypedDict):
    trajectory: "TrajectoryLine"
    persona: str
    state: str
    gold: bool
    calls: list["PlayedCallLine"]
    same_state: bool
    sentence: str
    put_in: int
    left_out: int
    changed: int


class SiblingsAnswer(TypedDict):
    reference: "SiblingColumn"
    others: list["SiblingLine"]
    lines: list["AlignedLine"]
    states: int
    family: list[int]


class SimulationLine(TypedDict):
    id: int
    batch: int
    task: int
    plan: str
    persona: str
    behaviour: dict[str, Any]
    seed: int
    fault: str
    status: Literal["pending", "running", "done", "cancelled"]
    attempt: int
    round: int
    retry_of: "int | None"
    note: str
    started_at: "str | None"
    finished_at: "str | None"
    trajectory: "dict[str, Any] | None"


class SimulationPage(TypedDict):
    items: list["SimulationLine"]
    cursor: "str | None"
    next: "str | None"


class SpendingLine(TypedDict):
    roles: list["RoleSpendLine"]
    turns_per_minute: int
    per_simulation: "float | None"
    left: "float | None"


class StagesLine(TypedDict):
    ordered: int
    simulated: int
    accepted: int
    reviewed: int
    approved: int
    released: int


class StepLine(TypedDict):
    number: int
    name: str
    kind: str
    content: str
    error: bool
    by_call: "DifferenceLine"
    hash: str


class TalkAnswer(TypedDict):
    hidden: bool
    count: int
    comments: list["CommentLine"]


class TaskDetail(TypedDict):
    id: int
    slug: str
    environment: "EnvironmentRef"
    archetype: str
    title: str
    task_class: str
    writes: int
    burden: int
    lift: int
    existential: bool
    dependent: bool
    proved: bool
    text: str
    content_hash: str
    created_at: str
    content: dict[str, Any]


class TaskLine(TypedDict):
    id: int
    slug: str
    environment: "EnvironmentRef"
    archetype: str
    title: str
    task_class: str
    writes: int
    burden: int
    lift: int
    existential: bool
    dependent: bool
    proved: bool
    text: str
    content_hash: str
    created_at: str


class TaskPage(TypedDict):
    items: list["TaskLine"]
    cursor: "str | None"
    next: "str | None"


class TeamBodyRequest(TypedDict):
    name: str


class TeamLine(TypedDict):
    id: int
    name: str
    role: Literal["viewer", "reviewer", "curator", "owner"]


class TeamSettings(TypedDict):
    id: int
    name: str
    needs_second_factor: bool
    created_at: str


class TokenBodyRequest(TypedDict):
    name: str
    scope: Literal["viewer", "reviewer", "curator", "owner"]
    expires_at: NotRequired[str]


class TokenLine(TypedDict):
    id: int
    name: str
    scope: Literal["viewer", "reviewer", "curator", "owner"]
    key_id: str
    user: "UserLine"
    created_at: str
    expires_at: str
    last_used_at: "str | None"
    revoked_at: "str | None"


class TokenPage(TypedDict):
    items: list["TokenLine"]
    cursor: "str | None"
    next: "str | None"


class ToolLine(TypedDict):
    name: str
    kind: str
    schema: dict[str, Any]


class TrajectoryDetail(TypedDict):
    id: int
    environment: str
    archetype: str
    task_text: str
    plan: str
    agent: str
    writes: int
    burden: int
    scripted: bool
    accepted: bool
    reason: str
    failed: list[str]
    kinds: list[str]
    uncertainty: float
    status: str
    edited: bool
    batch: int
    task: int
    task_content: dict[str, Any]
    content: dict[str, Any]
    verification: dict[str, Any]
    parent: "int | None"
    edit_reason: str
    blind: bool
    verdicts: list["SaidLine"]
    planted: "RevealedLine | None"


class TrajectoryLine(TypedDict):
    id: int
    environment: str
    archetype: str
    task_text: str
    plan: str
    agent: str
    writes: int
    burden: int
    scripted: bool
    accepted: bool
    reason: str
    failed: list[str]
    kinds: list[str]
    uncertainty: float
    status: str
    edited: bool


class TrialAnswer(TypedDict):
    hits: int
    approved: int
    rejected: int
    other: int
    precision: "int | None"
    effect: "ForecastAnswer | None"
    sample: list[int]


class TrialBodyRequest(TypedDict):
    filters: "FilterBodyRequest"


class TrialComparison(TypedDict):
    left: "EvaluationTrialLine"
    right: "EvaluationTrialLine"
    sentence: str
    pairs: list["CallPairLine"]


class TrialLine(TypedDict):
    passed: bool
    problem: str
    calls: list["TriedCallLine"]


class TrialMarkLine(TypedDict):
    id: int
    trial: int
    state: str
    words: str


class TriedCallLine(TypedDict):
    kind: str
    answered: bool
    problem: str
    advice: str
    text: str
    seconds: float
    prompt_tokens: int
    completion_tokens: int
    cost: "float | None"


class TurnLine(TypedDict):
    role: str
    segments: list["SegmentLine"]


class UndoBodyRequest(TypedDict):
    event: NotRequired[int]


class UndoneAnswer(TypedDict):
    lease: "LeaseLine | None"
    items: int


class UndoneBulkAnswer(TypedDict):
    items: int


class UnreadAnswer(TypedDict):
    unread: int


class UploadBodyRequest(TypedDict):
    file: str
    name: NotRequired[str]
    kind: NotRequired[
        Literal["parquet", "jsonl", "turns", "sharegpt", "chat", "tau2_results"]
    ]


class UserLine(TypedDict):
    id: int
    username: str


class VarietyLine(TypedDict):
    items: int
    clusters: int
    top: float
    top_ten: float
    entropy: float
    effective: float
    evenness: float
    collapsed: bool


class VerdictBodyRequest(TypedDict):
    token: int
    verdict: Literal["approve", "reject", "fix", "defer"]
    reason: NotRequired[
        Literal[
            "wrong_write",
            "ungrounded",
            "missing_read",
            "policy",
            "no_confirmation",
            "unclear_request",
            "unnatural_user",
            "unnatural_agent",
            "other",
        ]
    ]
    note: NotRequired[str]
    message: NotRequired["int | None"]
    pointer: NotRequired[str]
    write: NotRequired["int | None"]
    seconds: NotRequired["int | None"]
    submission: NotRequired[str]


class VerdictChangeLine(TypedDict):
    was: "VerdictLine"
    now: "VerdictLine"
    count: int
    examples: list[int]


class VerdictLine(TypedDict):
    accepted: bool
    reason: str
    owner: str


class VerificationLine(TypedDict):
    version: str
    trajectories: int
    outdated: int
    versions: list["VersionLine"]


class VersionAnswer(TypedDict):
    id: int
    parent: int


class VersionLine(TypedDict):
    version: str
    judged: int
    latest: str


class ViewChangeBodyRequest(TypedDict):
    name: str
    shared: bool


class WebhookBodyRequest(TypedDict):
    name: str
    url: str
    events: list[
        Literal[
            "batch.finished",
            "batch.paused",
            "batch.cancelled",
            "release.frozen",
            "release.pushed",
            "release.push_failed",
            "report.done",
            "report.failed",
            "reference.imported",
            "reference.import_failed",
            "evaluation.finished",
        ]
    ]


class WebhookLine(TypedDict):
    id: int
    name: str
    url: str
    events: list[str]
    enabled: bool
    trouble: str
    failing_since: "str | None"
    created_by: str
    created_at: str


class WebhookPage(TypedDict):
    items: list["WebhookLine"]
    cursor: "str | None"
    next: "str | None"


class WebhookSecret(TypedDict):
    secret: str


class WitnessBodyRequest(TypedDict):
    read: int


class Operations(Transport):
    """A method for each operation, by its name in the schema; `iter_…` goes through all pages of a `list_…`."""

    def list_batches(
        self,
        *,
        after: "str | None" = None,
        limit: "int | None" = None,
        status: "Literal['designing', 'running', 'paused', 'done', 'cancelled'] | None" = None,
    ) -> "BatchPage":
        """The team's batches, newest first, with where each stands. Least role: viewer."""
        return cast(
            "BatchPage",
            self.ask(
                "GET",
                "/batches",
                query={"after": after, "limit": limit, "status": status},
            ),
        )

    def iter_batches(
        self,
        *,
        limit: "int | None" = None,
        status: "Literal['designing', 'running', 'paused', 'done', 'cancelled'] | None" = None,
    ) -> Iterator["BatchLine"]:
        """The team's batches, newest first, with where each stands. Least role: viewer."""
        return self.pages("/batches", query={"limit": limit, "status": status})

    def order_batch(
        self, body: "BatchBodyRequest", *, key: str | None = None
    ) -> "BatchDetail":
        """Order a batch. A worker designs it; `progress` tells how far it is. Least role: owner."""
        return cast(
            "BatchDetail", self.ask("POST", "/batches", body=body, key=key, keyed=True)
        )

    def get_batch(self, id: int) -> "BatchDetail":
        """One batch, with its order, progress and cost. Least role: viewer."""
        return cast("BatchDetail", self.ask("GET", "/batches/{id}", values={"id": id}))

    def get_batch_behavior(self, id: int) -> dict[str, Any]:
        """What users were asked to do, and what they did: counts by dimension and value. Least role: viewer."""
        return cast(
            dict[str, Any], self.ask("GET", "/batches/{id}/behavior", values={"id": id})
        )

    def cancel_batch(self, id: int, *, key: str | None = None) -> "BatchDetail":
        """Stop for good. What was simulated stays; a batch that is over stays as it is. Least role: owner."""
        return cast(
            "BatchDetail",
            self.ask(
                "POST", "/batches/{id}/cancel", values={"id": id}, key=key, keyed=True
            ),
        )

    def pause_batch(self, id: int, *, key: str | None = None) -> "BatchDetail":
        """Send no further calls. Calls in flight are recorded. Least role: owner."""
        return cast(
            "BatchDetail",
            self.ask(
                "POST", "/batches/{id}/pause", values={"id": id}, key=key, keyed=True
            ),
        )

    def get_batch_progress(self, id: int) -> "Progress":
        """Where a batch stands; cheap enough to ask every few seconds. Least role: viewer."""
        return cast(
            "Progress", self.ask("GET", "/batches/{id}/progress", values={"id": id})
        )

    def download_batch_results(self, id: int, *, to: str | os.PathLike[str]) -> int:
        """The batch as a result file of tau2-bench, as a stream. Least role: curator."""
        return self.download("/batches/{id}/results", values={"id": id}, to=to)

    def resume_batch(
        self, id: int, body: "CapsBodyRequest | None" = None, *, key: str | None = None
    ) -> "BatchDetail":
        """Go on where it was, with other caps if some are given. Least role: owner."""
        return cast(
            "BatchDetail",
            self.ask(
                "POST",
                "/batches/{id}/resume",
                values={"id": id},
                body=body,
                key=key,
                keyed=True,
            ),
        )

    def retry_batch(self, id: int, *, key: str | None = None) -> "BatchDetail":
        """Try again what ended by no fault of agent or user. Least role: owner."""
        return cast(
            "BatchDetail",
            self.ask(
                "POST", "/batches/{id}/retry", values={"id": id}, key=key, keyed=True
            ),
        )

    def list_simulations(
        self,
        id: int,
        *,
        accepted: "bool | None" = None,
        after: "str | None" = None,
        limit: "int | None" = None,
        status: "Literal['pending', 'running', 'done', 'cancelled'] | None" = None,
    ) -> "SimulationPage":
        """Simulations of a batch, in their order, those that were tried again included. Least role: curator."""
        return cast(
            "SimulationPage",
            self.ask(
                "GET",
                "/batches/{id}/simulations",
                values={"id": id},
                query={
                    "accepted": accepted,
                    "after": after,
                    "limit": limit,
                    "status": status,
                },
            ),
        )

    def iter_simulations(
        self,
        id: int,
        *,
        accepted: "bool | None" = None,
        limit: "int | None" = None,
        status: "Literal['pending', 'running', 'done', 'cancelled'] | None" = None,
    ) -> Iterator["SimulationLine"]:
        """Simulations of a batch, in their order, those that were tried again included. Least role: curator."""
        return self.pages(
            "/batches/{id}/simulations",
            values={"id": id},
            query={"accepted": accepted, "limit": limit, "status": status},
        )

    def list_bulk_actions(
        self, *, after: "str | None" = None, limit: "int | None" = None
    ) -> "BulkActionPage":
        """Verdicts on many at once, newest first. Least role: viewer."""
        return cast(
            "BulkActionPage",
            self.ask("GET", "/bulk-actions", query={"after": after, "limit": limit}),
        )

    def iter_bulk_actions(
        self, *, limit: "int | None" = None
    ) -> Iterator["BulkActionLine"]:
        """Verdicts on many at once, newest first. Least role: viewer."""
        return self.pages("/bulk-actions", query={"limit": limit})

    def apply_bulk(
        self, body: "BulkBodyRequest", *, key: str | None = None
    ) -> "BulkActionLine":
        """Give a verdict to everything chosen that takes it; `forecast_bulk` tells beforehand how many do. Least role: reviewer."""
        return cast(
            "BulkActionLine",
            self.ask("POST", "/bulk-actions", body=body, key=key, keyed=True),
        )

    def undo_bulk(self, id: int, *, key: str | None = None) -> "UndoneBulkAnswer":
        """Take a bulk action back, as far as nobody has judged since. Its author may, and owners. Least role: reviewer."""
        return cast(
            "UndoneBulkAnswer",
            self.ask(
                "POST",
                "/bulk-actions/{id}/undo",
                values={"id": id},
                key=key,
                keyed=True,
            ),
        )

    def forecast_bulk(self, body: "BulkBodyRequest") -> "ForecastAnswer":
        """What a verdict on many would do now. Changes nothing. Least role: reviewer."""
        return cast(
            "ForecastAnswer", self.ask("POST", "/bulk-actions/forecast", body=body)
        )

    def list_clusters(
        self,
        *,
        after: "str | None" = None,
        batch: "int | None" = None,
        environment: "str | None" = None,
        limit: "int | None" = None,
        order: "Literal['size', 'open', 'rejected', 'mixed'] | None" = None,
    ) -> "ClusterPageAnswer":
        """Trajectories grouped by what they have in common. The order is that of this moment: it moves as work goes on. Least role: viewer."""
        return cast(
            "ClusterPageAnswer",
            self.ask(
                "GET",
                "/clusters",
                query={
                    "after": after,
                    "batch": batch,
                    "environment": environment,
                    "limit": limit,
                    "order": order,
                },
            ),
        )

    def iter_clusters(
        self,
        *,
        batch: "int | None" = None,
        environment: "str | None" = None,
        limit: "int | None" = None,
        order: "Literal['size', 'open', 'rejected', 'mixed'] | None" = None,
    ) -> Iterator["ClusterLine"]:
        """Trajectories grouped by what they have in common. The order is that of this moment: it moves as work goes on. Least role: viewer."""
        return self.pages(
            "/clusters",
            query={
                "batch": batch,
                "environment": environment,
                "limit": limit,
                "order": order,
            },
        )

    def get_cluster(
        self, key: str, *, before: "int | None" = None, odd: "bool | None" = None
    ) -> "ClusterDetail":
        """One cluster: an exemplar, and of the others what differs from it, newest first. Least role: viewer."""
        return cast(
            "ClusterDetail",
            self.ask(
                "GET",
                "/clusters/{key}",
                values={"key": key},
                query={"before": before, "odd": odd},
            ),
        )

    def withdraw_comment(self, id: int, *, key: str | None = None) -> None:
        """Withdraw a comment of your own. Least role: reviewer."""
        self.ask("DELETE", "/comments/{id}", values={"id": id}, key=key, keyed=True)

    def get_dashboard(
        self,
        *,
        batch: "int | None" = None,
        days: "Literal['1', '7', '30'] | None" = None,
        environment: "str | None" = None,
    ) -> "DashboardAnswer":
        """How far the work has come from order to release, what is missing, and how people get on. Least role: viewer."""
        return cast(
            "DashboardAnswer",
            self.ask(
                "GET",
                "/dashboard",
                query={"batch": batch, "days": days, "environment": environment},
            ),
        )

    def resend_delivery(self, id: int, *, key: str | None = None) -> "DeliveryLine":
        """Send a delivery again that is over, under the same `webhook-id`. Least role: owner."""
        return cast(
            "DeliveryLine",
            self.ask(
                "POST", "/deliveries/{id}/again", values={"id": id}, key=key, keyed=True
            ),
        )

    def list_dimensions(self) -> "DimensionPage":
        """Dimensions of behavior and their values, on one page. Least role: viewer."""
        return cast("DimensionPage", self.ask("GET", "/dimensions"))

    def list_disputes(
        self,
        *,
        after: "str | None" = None,
        limit: "int | None" = None,
        settled: "bool | None" = None,
    ) -> "DisputePage":
        """Trajectories that two judged differently without knowing of each other, newest first. Least role: viewer."""
        return cast(
            "DisputePage",
            self.ask(
                "GET",
                "/disputes",
                query={"after": after, "limit": limit, "settled": settled},
            ),
        )

    def iter_disputes(
        self, *, limit: "int | None" = None, settled: "bool | None" = None
    ) -> Iterator["DisputeLine"]:
        """Trajectories that two judged differently without knowing of each other, newest first. Least role: viewer."""
        return self.pages("/disputes", query={"limit": limit, "settled": settled})

    def get_dispute(self, id: int) -> "DisputeLine":
        """One dispute, with both opinions. Least role: viewer."""
        return cast("DisputeLine", self.ask("GET", "/disputes/{id}", values={"id": id}))

    def lease_dispute(self, id: int, *, key: str | None = None) -> "LeaseLine":
        """Take the place of whoever settles a dispute into your hands; its token is what `settle_dispute` wants. Least role: curator."""
        return cast(
            "LeaseLine",
            self.ask(
                "POST", "/disputes/{id}/lease", values={"id": id}, key=key, keyed=True
            ),
        )

    def settle_dispute(
        self, id: int, body: "VerdictBodyRequest", *, key: str | None = None
    ) -> "GivenLine":
        """Decide a dispute, under the token of its lease. `undo_verdict` takes it back. Least role: curator."""
        return cast(
            "GivenLine",
            self.ask(
                "POST",
                "/disputes/{id}/settle",
                values={"id": id},
                body=body,
                key=key,
                keyed=True,
            ),
        )

    def list_endpoints(self) -> "EndpointPage":
        """All that the team may order with, by name, on one page. Least role: viewer."""
        return cast("EndpointPage", self.ask("GET", "/endpoints"))

    def create_endpoint(
        self, body: "EndpointBodyRequest", *, key: str | None = None
    ) -> "EndpointLine":
        """Add an endpoint. Try it before a batch uses it. Least role: owner."""
        return cast(
            "EndpointLine",
            self.ask("POST", "/endpoints", body=body, key=key, keyed=True),
        )

    def get_endpoint(self, id: int) -> "EndpointLine":
        """One endpoint. Least role: viewer."""
        return cast(
            "EndpointLine", self.ask("GET", "/endpoints/{id}", values={"id": id})
        )

    def replace_endpoint(
        self, id: int, body: "EndpointBodyRequest", *, key: str | None = None
    ) -> "EndpointLine":
        """Replace what an endpoint says. Batches that there are go on with what it said before. Least role: owner."""
        return cast(
            "EndpointLine",
            self.ask(
                "PUT",
                "/endpoints/{id}",
                values={"id": id},
                body=body,
                key=key,
                keyed=True,
            ),
        )

    def enable_endpoint(
        self, id: int, body: "EnabledBodyRequest", *, key: str | None = None
    ) -> "EndpointLine":
        """Offer it to new batches, or no longer. Batches that there are go on. Least role: owner."""
        return cast(
            "EndpointLine",
            self.ask(
                "POST",
                "/endpoints/{id}/enabled",
                values={"id": id},
                body=body,
                key=key,
                keyed=True,
            ),
        )

    def try_endpoint(self, id: int) -> "TrialLine":
        """Ask it for a text and for a tool call, now. Takes up to three minutes; one trial at a time. Least role: owner."""
        return cast(
            "TrialLine", self.ask("POST", "/endpoints/{id}/try", values={"id": id})
        )

    def list_environments(
        self, *, after: "str | None" = None, limit: "int | None" = None
    ) -> "EnvironmentPage":
        """Environments of the site, newest first. Least role: viewer."""
        return cast(
            "EnvironmentPage",
            self.ask("GET", "/environments", query={"after": after, "limit": limit}),
        )

    def iter_environments(
        self, *, limit: "int | None" = None
    ) -> Iterator["EnvironmentLine"]:
        """Environments of the site, newest first. Least role: viewer."""
        return self.pages("/environments", query={"limit": limit})

    def get_environment(self, name: str, version: str) -> "EnvironmentDetail":
        """One environment: its policy, tools, kinds of request, and how many records there are. Least role: viewer."""
        return cast(
            "EnvironmentDetail",
            self.ask(
                "GET",
                "/environments/{name}/{version}",
                values={"name": name, "version": version},
            ),
        )

    def try_calls(
        self, name: str, version: str, body: "CallsBodyRequest"
    ) -> "ConsoleLine":
        """Make these calls one after the other on a scratch session, which is gone afterwards. Least role: reviewer."""
        return cast(
            "ConsoleLine",
            self.ask(
                "POST",
                "/environments/{name}/{version}/calls",
                values={"name": name, "version": version},
                body=body,
            ),
        )

    def get_record(
        self, name: str, version: str, collection: str, *, key: str
    ) -> "RecordDetail":
        """One record by its key, and which records it speaks of and is spoken of by. Least role: viewer."""
        return cast(
            "RecordDetail",
            self.ask(
                "GET",
                "/environments/{name}/{version}/collections/{collection}/record",
                values={"name": name, "version": version, "collection": collection},
                query={"key": key},
            ),
        )

    def list_records(
        self,
        name: str,
        version: str,
        collection: str,
        *,
        after: "str | None" = None,
        text: "str | None" = None,
        where: "Literal['key', 'text'] | None" = None,
    ) -> "RecordPage":
        """Records of a collection, forty at a time, in the order of the file. A search that finds little may give a page with few rows, or none, and still have a `cursor` to go on with. Least role: viewer."""
        return cast(
            "RecordPage",
            self.ask(
                "GET",
                "/environments/{name}/{version}/collections/{collection}/records",
                values={"name": name, "version": version, "collection": collection},
                query={"after": after, "text": text, "where": where},
            ),
        )

    def iter_records(
        self,
        name: str,
        version: str,
        collection: str,
        *,
        text: "str | None" = None,
        where: "Literal['key', 'text'] | None" = None,
    ) -> Iterator["RecordLine"]:
        """Records of a collection, forty at a time, in the order of the file. A search that finds little may give a page with few rows, or none, and still have a `cursor` to go on with. Least role: viewer."""
        return self.pages(
            "/environments/{name}/{version}/collections/{collection}/records",
            values={"name": name, "version": version, "collection": collection},
            query={"text": text, "where": where},
        )

    def list_evaluations(
        self,
        *,
        after: "str | None" = None,
        limit: "int | None" = None,
        status: "Literal['running', 'paused', 'done', 'cancelled'] | None" = None,
    ) -> "ListedEvaluationPage":
        """The team's runs, newest first, with how far they are. Least role: viewer."""
        return cast(
            "ListedEvaluationPage",
            self.ask(
                "GET",
                "/evaluations",
                query={"after": after, "limit": limit, "status": status},
            ),
        )

    def iter_evaluations(
        self,
        *,
        limit: "int | None" = None,
        status: "Literal['running', 'paused', 'done', 'cancelled'] | None" = None,
    ) -> Iterator["ListedEvaluationLine"]:
        """The team's runs, newest first, with how far they are. Least role: viewer."""
        return self.pages("/evaluations", query={"limit": limit, "status": status})

    def order_evaluation(
        self, body: "EvaluationBodyRequest", *, key: str | None = None
    ) -> "EvaluationDetail":
        """Order a run: an agent on a set of tasks. Runners try it; `progress` tells how far it is. Least role: owner."""
        return cast(
            "EvaluationDetail",
            self.ask("POST", "/evaluations", body=body, key=key, keyed=True),
        )

    def get_evaluation(self, id: int) -> "EvaluationDetail":
        """One run: its order, how far it is, what it cost. Least role: viewer."""
        return cast(
            "EvaluationDetail", self.ask("GET", "/evaluations/{id}", values={"id": id})
        )

    def cancel_evaluation(
        self, id: int, *, key: str | None = None
    ) -> "EvaluationDetail":
        """Stop for good. What was tried stays; a run that is over stays as it is. Least role: owner."""
        return cast(
            "EvaluationDetail",
            self.ask(
                "POST",
                "/evaluations/{id}/cancel",
                values={"id": id},
                key=key,
                keyed=True,
            ),
        )

    def pause_evaluation(
        self, id: int, *, key: str | None = None
    ) -> "EvaluationDetail":
        """Send no further calls. Calls in flight are recorded. Least role: owner."""
        return cast(
            "EvaluationDetail",
            self.ask(
                "POST",
                "/evaluations/{id}/pause",
                values={"id": id},
                key=key,
                keyed=True,
            ),
        )

    def get_evaluation_progress(self, id: int) -> "EvaluationProgress":
        """Where a run stands; cheap enough to ask every few seconds. Least role: viewer."""
        return cast(
            "EvaluationProgress",
            self.ask("GET", "/evaluations/{id}/progress", values={"id": id}),
        )

    def download_evaluation_results(
        self, id: int, *, domain: "str | None" = None, to: str | os.PathLike[str]
    ) -> int:
        """The finished trials of one domain as a result file of tau2-bench, as a stream. Least role: curator."""
        return self.download(
            "/evaluations/{id}/results",
            values={"id": id},
            query={"domain": domain},
            to=to,
        )

    def resume_evaluation(
        self, id: int, body: "CapsBodyRequest | None" = None, *, key: str | None = None
    ) -> "EvaluationDetail":
        """Go on where it was, with other caps if some are given. Least role: owner."""
        return cast(
            "EvaluationDetail",
            self.ask(
                "POST",
                "/evaluations/{id}/resume",
                values={"id": id},
                body=body,
                key=key,
                keyed=True,
            ),
        )

    def retry_evaluation(
        self, id: int, *, key: str | None = None
    ) -> "EvaluationDetail":
        """Try again what a provider's fault cost, and ask the judge again who gave no usable answer. Least role: owner."""
        return cast(
            "EvaluationDetail",
            self.ask(
                "POST",
                "/evaluations/{id}/retry",
                values={"id": id},
                key=key,
                keyed=True,
            ),
        )

    def get_evaluation_summary(self, id: int) -> dict[str, Any]:
        """What came of it so far: pass^k with intervals, with and without the judge, by writes and burden, and why trials failed. It is reckoned anew at every look, so of very many trials it is told only when the run has ended (409 until then). Least role: viewer."""
        return cast(
            dict[str, Any],
            self.ask("GET", "/evaluations/{id}/summary", values={"id": id}),
        )

    def list_evaluation_tasks(
        self, id: int, *, after: "str | None" = None, limit: "int | None" = None
    ) -> "EvaluationTaskPage":
        """Tasks of a run, in its order, each with its trials. Least role: viewer."""
        return cast(
            "EvaluationTaskPage",
            self.ask(
                "GET",
                "/evaluations/{id}/tasks",
                values={"id": id},
                query={"after": after, "limit": limit},
            ),
        )

    def iter_evaluation_tasks(
        self, id: int, *, limit: "int | None" = None
    ) -> Iterator["EvaluationTaskLine"]:
        """Tasks of a run, in its order, each with its trials. Least role: viewer."""
        return self.pages(
            "/evaluations/{id}/tasks", values={"id": id}, query={"limit": limit}
        )

    def list_evaluation_trials(
        self,
        id: int,
        *,
        after: "str | None" = None,
        failure: "str | None" = None,
        limit: "int | None" = None,
        status: "Literal['pending', 'running', 'done', 'cancelled'] | None" = None,
        task: "str | None" = None,
    ) -> "EvaluationTrialPage":
        """Trials of a run, without what was said. Least role: viewer."""
        return cast(
            "EvaluationTrialPage",
            self.ask(
                "GET",
                "/evaluations/{id}/trials",
                values={"id": id},
                query={
                    "after": after,
                    "failure": failure,
                    "limit": limit,
                    "status": status,
                    "task": task,
                },
            ),
        )

    def iter_evaluation_trials(
        self,
        id: int,
        *,
        failure: "str | None" = None,
        limit: "int | None" = None,
        status: "Literal['pending', 'running', 'done', 'cancelled'] | None" = None,
        task: "str | None" = None,
    ) -> Iterator["EvaluationTrialLine"]:
        """Trials of a run, without what was said. Least role: viewer."""
        return self.pages(
            "/evaluations/{id}/trials",
            values={"id": id},
            query={"failure": failure, "limit": limit, "status": status, "task": task},
        )

    def compare_evaluations(self, *, left: int, right: int) -> dict[str, Any]:
        """Two runs in pairs, task by task, on what both were asked alike. 409 if that is nothing. Least role: viewer."""
        return cast(
            dict[str, Any],
            self.ask(
                "GET", "/evaluations/compare", query={"left": left, "right": right}
            ),
        )

    def list_evaluation_imports(
        self, *, after: "str | None" = None, limit: "int | None" = None
    ) -> "EvaluationImportPage":
        """Results files of the team on their way into runs, and those that came, newest first. Least role: viewer."""
        return cast(
            "EvaluationImportPage",
            self.ask(
                "GET", "/evaluations/imports", query={"after": after, "limit": limit}
            ),
        )

    def iter_evaluation_imports(
        self, *, limit: "int | None" = None
    ) -> Iterator["EvaluationImportLine"]:
        """Results files of the team on their way into runs, and those that came, newest first. Least role: viewer."""
        return self.pages("/evaluations/imports", query={"limit": limit})

    def upload_evaluation_results(
        self, *, file: str | os.PathLike[str], name: "str | None" = None
    ) -> "EvaluationImportLine":
        """Upload a result file of tau2-bench, which becomes a run: its conversations are scored anew. A worker does it; `get_evaluation_import` tells how far it is. The same file comes in once, so it may be sent again. Least role: curator."""
        form = {"file": Path(file), "name": name}
        return cast(
            "EvaluationImportLine", self.ask("POST", "/evaluations/imports", form=form)
        )

    def get_evaluation_import(self, id: int) -> "EvaluationImportLine":
        """One results file on its way, and how far it is. Least role: viewer."""
        return cast(
            "EvaluationImportLine",
            self.ask("GET", "/evaluations/imports/{id}", values={"id": id}),
        )

    def get_evaluation_trial(self, id: int) -> "EvaluationTrialDetail":
        """One trial: what was asked, the transcript, and how it was scored. Least role: viewer."""
        return cast(
            "EvaluationTrialDetail",
            self.ask("GET", "/evaluations/trials/{id}", values={"id": id}),
        )

    def compare_evaluation_trials(self, *, left: int, right: int) -> "TrialComparison":
        """Two finished trials of the same task, call by call, with the first write that differs. Least role: viewer."""
        return cast(
            "TrialComparison",
            self.ask(
                "GET",
                "/evaluations/trials/compare",
                query={"left": left, "right": right},
            ),
        )

    def list_imports(
        self, *, after: "str | None" = None, limit: "int | None" = None
    ) -> "ImportPage":
        """Files of the team on their way into reference sets, and those that came, newest first. Least role: viewer."""
        return cast(
            "ImportPage",
            self.ask("GET", "/imports", query={"after": after, "limit": limit}),
        )

    def iter_imports(self, *, limit: "int | None" = None) -> Iterator["ImportLine"]:
        """Files of the team on their way into reference sets, and those that came, newest first. Least role: viewer."""
        return self.pages("/imports", query={"limit": limit})

    def upload_reference(
        self,
        *,
        file: str | os.PathLike[str],
        name: "str | None" = None,
        kind: "Literal['parquet', 'jsonl', 'turns', 'sharegpt', 'chat', 'tau2_results'] | None" = None,
    ) -> "ImportLine":
        """Upload a file of conversations: JSONL, a JSON list, Parquet, or a tau2-bench result file. A worker brings it in; `get_import` tells how far it is. The same file comes in once, so it may be sent again. Least role: curator."""
        form = {"file": Path(file), "name": name, "kind": kind}
        return cast("ImportLine", self.ask("POST", "/imports", form=form))

    def get_import(self, id: int) -> "ImportLine":
        """One file on its way, and how far it is. Least role: viewer."""
        return cast("ImportLine", self.ask("GET", "/imports/{id}", values={"id": id}))

    def list_invitations(
        self, *, after: "str | None" = None, limit: "int | None" = None
    ) -> "InvitationPage":
        """Invitations that somebody could still take, newest first. Least role: owner."""
        return cast(
            "InvitationPage",
            self.ask("GET", "/invitations", query={"after": after, "limit": limit}),
        )

    def iter_invitations(
        self, *, limit: "int | None" = None
    ) -> Iterator["InvitationLine"]:
        """Invitations that somebody could still take, newest first. Least role: owner."""
        return self.pages("/invitations", query={"limit": limit})

    def revoke_invitation(self, id: int, *, key: str | None = None) -> None:
        """Withdraw an invitation: its link opens nothing any more. One that was used, withdrawn or is over stays as it is. Least role: owner."""
        self.ask("DELETE", "/invitations/{id}", values={"id": id}, key=key, keyed=True)

    def get_me(self) -> "Myself":
        """Who asks, and in which team. A token works in one team. With a session it is the team that was chosen last on the pages. Least role: viewer."""
        return cast("Myself", self.ask("GET", "/me"))

    def list_members(
        self, *, after: "str | None" = None, limit: "int | None" = None
    ) -> "MemberPage":
        """The team's members, oldest first. Least role: viewer."""
        return cast(
            "MemberPage",
            self.ask("GET", "/members", query={"after": after, "limit": limit}),
        )

    def iter_members(self, *, limit: "int | None" = None) -> Iterator["MemberLine"]:
        """The team's members, oldest first. Least role: viewer."""
        return self.pages("/members", query={"limit": limit})

    def list_mentions(
        self, *, after: "str | None" = None, limit: "int | None" = None
    ) -> "MentionPage":
        """Comments of the team that name you, newest first. Least role: viewer."""
        return cast(
            "MentionPage",
            self.ask("GET", "/mentions", query={"after": after, "limit": limit}),
        )

    def iter_mentions(self, *, limit: "int | None" = None) -> Iterator["MentionLine"]:
        """Comments of the team that name you, newest first. Least role: viewer."""
        return self.pages("/mentions", query={"limit": limit})

    def see_mentions(
        self, body: "SeenBodyRequest | None" = None, *, key: str | None = None
    ) -> "UnreadAnswer":
        """Mark one mention as seen, or all of yours in the team; tells how many are left. Least role: viewer."""
        return cast(
            "UnreadAnswer",
            self.ask("POST", "/mentions/seen", body=body, key=key, keyed=True),
        )

    def count_unread_mentions(self) -> "UnreadAnswer":
        """How many comments name you that you have not seen; cheap enough to ask every minute. Least role: viewer."""
        return cast("UnreadAnswer", self.ask("GET", "/mentions/unread"))

    def list_personas(
        self, *, after: "str | None" = None, limit: "int | None" = None
    ) -> "ConductPage":
        """Personas, built-in ones and the team's, oldest first. Least role: viewer."""
        return cast(
            "ConductPage",
            self.ask("GET", "/personas", query={"after": after, "limit": limit}),
        )

    def iter_personas(self, *, limit: "int | None" = None) -> Iterator["ConductLine"]:
        """Personas, built-in ones and the team's, oldest first. Least role: viewer."""
        return self.pages("/personas", query={"limit": limit})

    def create_persona(
        self, body: "ConductBodyRequest", *, key: str | None = None
    ) -> "ConductDetail":
        """Describe a new persona. Least role: curator."""
        return cast(
            "ConductDetail",
            self.ask("POST", "/personas", body=body, key=key, keyed=True),
        )

    def get_persona(self, id: int) -> "ConductDetail":
        """One persona. Least role: viewer."""
        return cast(
            "ConductDetail", self.ask("GET", "/personas/{id}", values={"id": id})
        )

    def replace_persona(
        self, id: int, body: "ConductBodyRequest", *, key: str | None = None
    ) -> "ConductDetail":
        """Describe a persona of the team anew. Batches that were ordered before stay as they are. Least role: curator."""
        return cast(
            "ConductDetail",
            self.ask(
                "PUT",
                "/personas/{id}",
                values={"id": id},
                body=body,
                key=key,
                keyed=True,
            ),
        )

    def enable_persona(
        self, id: int, body: "EnabledBodyRequest", *, key: str | None = None
    ) -> "ConductDetail":
        """Let new batches of the team draw it, or no longer. Least role: curator."""
        return cast(
            "ConductDetail",
            self.ask(
                "POST",
                "/personas/{id}/enabled",
                values={"id": id},
                body=body,
                key=key,
                keyed=True,
            ),
        )

    def list_plans(
        self, *, after: "str | None" = None, limit: "int | None" = None
    ) -> "ConductPage":
        """Behavior plans, built-in ones and the team's, oldest first. Least role: viewer."""
        return cast(
            "ConductPage",
            self.ask("GET", "/plans", query={"after": after, "limit": limit}),
        )

    def iter_plans(self, *, limit: "int | None" = None) -> Iterator["ConductLine"]:
        """Behavior plans, built-in ones and the team's, oldest first. Least role: viewer."""
        return self.pages("/plans", query={"limit": limit})

    def create_plan(
        self, body: "ConductBodyRequest", *, key: str | None = None
    ) -> "ConductDetail":
        """Describe a new behavior plan. Least role: curator."""
        return cast(
            "ConductDetail", self.ask("POST", "/plans", body=body, key=key, keyed=True)
        )

    def get_plan(self, id: int) -> "ConductDetail":
        """One behavior plan. Least role: viewer."""
        return cast("ConductDetail", self.ask("GET", "/plans/{id}", values={"id": id}))

    def replace_plan(
        self, id: int, body: "ConductBodyRequest", *, key: str | None = None
    ) -> "ConductDetail":
        """Describe a plan of the team anew. Batches that were ordered before stay as they are. Least role: curator."""
        return cast(
            "ConductDetail",
            self.ask(
                "PUT", "/plans/{id}", values={"id": id}, body=body, key=key, keyed=True
            ),
        )

    def enable_plan(
        self, id: int, body: "EnabledBodyRequest", *, key: str | None = None
    ) -> "ConductDetail":
        """Let new batches of the team draw it, or no longer. Least role: curator."""
        return cast(
            "ConductDetail",
            self.ask(
                "POST",
                "/plans/{id}/enabled",
                values={"id": id},
                body=body,
                key=key,
                keyed=True,
            ),
        )

    def get_agreement(self) -> dict[str, Any]:
        """How far those agree who judged the same without knowing of each other, and what both may have missed. Least role: viewer."""
        return cast(dict[str, Any], self.ask("GET", "/quality/agreement"))

    def get_detection(self) -> dict[str, Any]:
        """How many of the planted errors were found, by class: of everybody for curators, else of yourself and of all together. Least role: viewer."""
        return cast(dict[str, Any], self.ask("GET", "/quality/canaries"))

    def plant_errors(self, body: "PlantBodyRequest | None" = None) -> "PlantedAnswer":
        """Plant errors among what is to be reviewed. Nobody is told where. Least role: curator."""
        return cast("PlantedAnswer", self.ask("POST", "/quality/canaries", body=body))

    def get_judge_calibration(self) -> dict[str, Any]:
        """How far the notes of judge models agree with people. Least role: viewer."""
        return cast(dict[str, Any], self.ask("GET", "/quality/judges"))

    def get_review_policy(self) -> "PolicyLine":
        """How the team reviews. Least role: viewer."""
        return cast("PolicyLine", self.ask("GET", "/quality/policy"))

    def replace_review_policy(
        self, body: "PolicyBodyRequest", *, key: str | None = None
    ) -> "PolicyLine":
        """Change how the team reviews. A larger share of second opinions holds for what waits, too. Least role: curator."""
        return cast(
            "PolicyLine",
            self.ask("PUT", "/quality/policy", body=body, key=key, keyed=True),
        )

    def get_queue(self) -> "QueueLine":
        """How much waits, and what was judged. Least role: reviewer."""
        return cast("QueueLine", self.ask("GET", "/queue"))

    def look_back(self, *, event: "int | None" = None) -> "LookBackLine":
        """One of your acts of today that stand, with the keys of its neighbors; 404 if there is none. Least role: reviewer."""
        return cast(
            "LookBackLine", self.ask("GET", "/queue/back", query={"event": event})
        )

    def get_queue_facets(self) -> dict[str, Any]:
        """What the queue may be narrowed to now: name of a filter → values, with words for them. Least role: reviewer."""
        return cast(dict[str, Any], self.ask("GET", "/queue/facets"))

    def lease_next(
        self, body: "NextBodyRequest | None" = None, *, key: str | None = None
    ) -> "LeaseAnswer":
        """Take the next place of the queue into your hands; the one where you stopped comes first. The lease ends by itself unless it is renewed. Each lease has a token, under which alone a verdict is taken. Least role: reviewer."""
        return cast(
            "LeaseAnswer",
            self.ask("POST", "/queue/next", body=body, key=key, keyed=True),
        )

    def release_lease(
        self, id: int, body: "LeaseTokenBodyRequest", *, key: str | None = None
    ) -> None:
        """Give a place back: others may take it now. A lease that was lost is none to give back, and that is no error. Least role: reviewer."""
        self.ask(
            "POST",
            "/queue/slots/{id}/release",
            values={"id": id},
            body=body,
            key=key,
            keyed=True,
        )

    def renew_lease(
        self, id: int, body: "LeaseTokenBodyRequest", *, key: str | None = None
    ) -> "LeaseLine":
        """Keep a lease alive. 409: it was lost, and with it the right to judge under this token. Least role: reviewer."""
        return cast(
            "LeaseLine",
            self.ask(
                "POST",
                "/queue/slots/{id}/renew",
                values={"id": id},
                body=body,
                key=key,
                keyed=True,
            ),
        )

    def give_verdict(
        self, id: int, body: "VerdictBodyRequest", *, key: str | None = None
    ) -> "GivenLine":
        """Judge what you have leased: approve, reject with a reason, send to be fixed, or put off. 409 if the lease was lost, if it was judged already, or if a check fails and it cannot be approved. Least role: reviewer."""
        return cast(
            "GivenLine",
            self.ask(
                "POST",
                "/queue/slots/{id}/verdict",
                values={"id": id},
                body=body,
                key=key,
                keyed=True,
            ),
        )

    def undo_verdict(
        self, body: "UndoBodyRequest | None" = None, *, key: str | None = None
    ) -> "UndoneAnswer":
        """Take your last act back, or the named one; its place is in your hands again. A bulk action is taken back as a whole. Least role: reviewer."""
        return cast(
            "UndoneAnswer",
            self.ask("POST", "/queue/undo", body=body, key=key, keyed=True),
        )

    def list_reference_sets(
        self, *, after: "str | None" = None, limit: "int | None" = None
    ) -> "ReferenceSetPage":
        """Sets of the team, and those that were brought in for everybody, newest first. Least role: viewer."""
        return cast(
            "ReferenceSetPage",
            self.ask("GET", "/reference-sets", query={"after": after, "limit": limit}),
        )

    def iter_reference_sets(
        self, *, limit: "int | None" = None
    ) -> Iterator["ReferenceSetLine"]:
        """Sets of the team, and those that were brought in for everybody, newest first. Least role: viewer."""
        return self.pages("/reference-sets", query={"limit": limit})

    def get_reference_set(self, id: int) -> "ReferenceSetDetail":
        """One set. Least role: viewer."""
        return cast(
            "ReferenceSetDetail",
            self.ask("GET", "/reference-sets/{id}", values={"id": id}),
        )

    def delete_reference_set(self, id: int, *, key: str | None = None) -> None:
        """Delete a set of the team, with its rows. What is everybody's stays. Least role: curator."""
        self.ask(
            "DELETE", "/reference-sets/{id}", values={"id": id}, key=key, keyed=True
        )

    def list_references(
        self, id: int, *, after: "str | None" = None, limit: "int | None" = None
    ) -> "ReferencePage":
        """Conversations of a set, in the order of the file, without their messages. Least role: viewer."""
        return cast(
            "ReferencePage",
            self.ask(
                "GET",
                "/reference-sets/{id}/conversations",
                values={"id": id},
                query={"after": after, "limit": limit},
            ),
        )

    def iter_references(
        self, id: int, *, limit: "int | None" = None
    ) -> Iterator["ReferenceLine"]:
        """Conversations of a set, in the order of the file, without their messages. Least role: viewer."""
        return self.pages(
            "/reference-sets/{id}/conversations",
            values={"id": id},
            query={"limit": limit},
        )

    def get_reference(self, id: int, position: int) -> "ReferenceDetail":
        """One conversation of a set, whole. Least role: viewer."""
        return cast(
            "ReferenceDetail",
            self.ask(
                "GET",
                "/reference-sets/{id}/conversations/{position}",
                values={"id": id, "position": position},
            ),
        )

    def list_releases(
        self,
        *,
        after: "str | None" = None,
        frozen: "bool | None" = None,
        limit: "int | None" = None,
    ) -> "ReleasePage":
        """Releases and drafts of the team, newest first. Least role: viewer."""
        return cast(
            "ReleasePage",
            self.ask(
                "GET",
                "/releases",
                query={"after": after, "frozen": frozen, "limit": limit},
            ),
        )

    def iter_releases(
        self, *, frozen: "bool | None" = None, limit: "int | None" = None
    ) -> Iterator["ReleaseLine"]:
        """Releases and drafts of the team, newest first. Least role: viewer."""
        return self.pages("/releases", query={"frozen": frozen, "limit": limit})

    def draft_release(
        self, body: "DraftBodyRequest", *, key: str | None = None
    ) -> "ReleaseDetail":
        """Begin a draft. Change its recipe, choose its members, then freeze it. Least role: curator."""
        return cast(
            "ReleaseDetail",
            self.ask("POST", "/releases", body=body, key=key, keyed=True),
        )

    def get_release(self, id: int) -> "ReleaseDetail":
        """One release or draft, in figures. Least role: viewer."""
        return cast(
            "ReleaseDetail", self.ask("GET", "/releases/{id}", values={"id": id})
        )

    def change_draft(
        self,
        id: int,
        body: "PatchedRecipeBodyRequest | None" = None,
        *,
        key: str | None = None,
    ) -> "ReleaseDetail":
        """Change the recipe of a draft. Another recipe empties it: choose its members again. Least role: curator."""
        return cast(
            "ReleaseDetail",
            self.ask(
                "PATCH",
                "/releases/{id}",
                values={"id": id},
                body=body,
                key=key,
                keyed=True,
            ),
        )

    def discard_draft(self, id: int, *, key: str | None = None) -> None:
        """Throw a draft away. What is frozen stays. Least role: curator."""
        self.ask("DELETE", "/releases/{id}", values={"id": id}, key=key, keyed=True)

    def download_release_archive(
        self,
        id: int,
        *,
        format: "list[Literal['jsonl', 'parquet', 'openai_chat', 'trl', 'turns', 'llama_factory_sharegpt', 'llama_factory_openai', 'axolotl', 'ms_swift', 'verl', 'tau2_results', 'tau2_tasks']] | None" = None,
        to: str | os.PathLike[str],
    ) -> int:
        """All files of a frozen release as a zip, streamed; SHA256SUMS comes last. Least role: viewer."""
        return self.download(
            "/releases/{id}/archive", values={"id": id}, query={"format": format}, to=to
        )

    def choose_members(self, id: int, *, key: str | None = None) -> "ReleaseLine":
        """Choose the members of a draft by its recipe. A worker does it; `get_release_progress` tells how far it is. Least role: curator."""
        return cast(
            "ReleaseLine",
            self.ask(
                "POST", "/releases/{id}/choose", values={"id": id}, key=key, keyed=True
            ),
        )

    def download_release_file(
        self, id: int, *, path: str, to: str | os.PathLike[str]
    ) -> int:
        """One file of a frozen release, as a stream that ends early if it is not what was frozen. Least role: viewer."""
        return self.download(
            "/releases/{id}/file", values={"id": id}, query={"path": path}, to=to
        )

    def list_release_files(self, id: int) -> "ReleaseFilePage":
        """Files of a frozen release, all of them on one page; 404 while it is a draft. Least role: viewer."""
        return cast(
            "ReleaseFilePage",
            self.ask("GET", "/releases/{id}/files", values={"id": id}),
        )

    def freeze_draft(self, id: int, *, key: str | None = None) -> "ReleaseLine":
        """Freeze a draft for good, with the members that were chosen. A worker does it. `get_release_progress` tells how far it is: `frozen`, or `failed` with what stands against it. Least role: curator."""
        return cast(
            "ReleaseLine",
            self.ask(
                "POST", "/releases/{id}/freeze", values={"id": id}, key=key, keyed=True
            ),
        )

    def get_release_manifest(self, id: int) -> dict[str, Any]:
        """The manifest of a frozen release; 404 while it is a draft. Least role: viewer."""
        return cast(
            dict[str, Any],
            self.ask("GET", "/releases/{id}/manifest", values={"id": id}),
        )

    def list_release_members(
        self,
        id: int,
        *,
        after: "str | None" = None,
        limit: "int | None" = None,
        split: "Literal['train', 'validation', 'test'] | None" = None,
    ) -> "ReleaseMemberPage":
        """What a release holds, in its order; of a draft, what was chosen. Least role: viewer."""
        return cast(
            "ReleaseMemberPage",
            self.ask(
                "GET",
                "/releases/{id}/members",
                values={"id": id},
                query={"after": after, "limit": limit, "split": split},
            ),
        )

    def iter_release_members(
        self,
        id: int,
        *,
        limit: "int | None" = None,
        split: "Literal['train', 'validation', 'test'] | None" = None,
    ) -> Iterator["ReleaseMemberLine"]:
        """What a release holds, in its order; of a draft, what was chosen. Least role: viewer."""
        return self.pages(
            "/releases/{id}/members",
            values={"id": id},
            query={"limit": limit, "split": split},
        )

    def get_release_progress(self, id: int) -> "ReleaseLine":
        """How far a draft is; cheap enough to ask every few seconds. Least role: viewer."""
        return cast(
            "ReleaseLine", self.ask("GET", "/releases/{id}/progress", values={"id": id})
        )

    def list_pushes(
        self, id: int, *, after: "str | None" = None, limit: "int | None" = None
    ) -> "PushPage":
        """Pushes of a release, newest first. Least role: owner."""
        return cast(
            "PushPage",
            self.ask(
                "GET",
                "/releases/{id}/pushes",
                values={"id": id},
                query={"after": after, "limit": limit},
            ),
        )

    def iter_pushes(
        self, id: int, *, limit: "int | None" = None
    ) -> Iterator["PushLine"]:
        """Pushes of a release, newest first. Least role: owner."""
        return self.pages(
            "/releases/{id}/pushes", values={"id": id}, query={"limit": limit}
        )

    def plan_push(
        self, id: int, body: "PushBodyRequest", *, key: str | None = None
    ) -> "PushDetail":
        """Compare a frozen release with what a dataset repository holds. Nothing is sent before `send_push`. A worker does it, with the token of the site; `get_push` tells how far it is. Least role: owner."""
        return cast(
            "PushDetail",
            self.ask(
                "POST",
                "/releases/{id}/pushes",
                values={"id": id},
                body=body,
                key=key,
                keyed=True,
            ),
        )

    def get_push(self, id: int, push: int) -> "PushDetail":
        """One push, with its files and how far it is. Least role: owner."""
        return cast(
            "PushDetail",
            self.ask(
                "GET", "/releases/{id}/pushes/{push}", values={"id": id, "push": push}
            ),
        )

    def send_push(self, id: int, push: int, *, key: str | None = None) -> "PushDetail":
        """Send what was compared, or go on with what was stopped. Only the last push of a release is sent. Least role: owner."""
        return cast(
            "PushDetail",
            self.ask(
                "POST",
                "/releases/{id}/pushes/{push}/send",
                values={"id": id, "push": push},
                key=key,
                keyed=True,
            ),
        )

    def list_release_refusals(
        self,
        id: int,
        *,
        after: "str | None" = None,
        limit: "int | None" = None,
        reason: "Literal['cap', 'too_long', 'contaminated', 'environment', 'bad_message', 'null_content', 'unencodable', 'double_encoded', 'no_user', 'last_turn', 'stop_token', 'template_token', 'empty', 'pairing', 'parallel_calls', 'text_beside_call', 'reasoning', 'unknown_tool', 'same_tool', 'tools_twice'] | None" = None,
    ) -> "ReleaseRefusalPage":
        """What the filters of a release found and it does not hold, with the reasons. Least role: viewer."""
        return cast(
            "ReleaseRefusalPage",
            self.ask(
                "GET",
                "/releases/{id}/refusals",
                values={"id": id},
                query={"after": after, "limit": limit, "reason": reason},
            ),
        )

    def iter_release_refusals(
        self,
        id: int,
        *,
        limit: "int | None" = None,
        reason: "Literal['cap', 'too_long', 'contaminated', 'environment', 'bad_message', 'null_content', 'unencodable', 'double_encoded', 'no_user', 'last_turn', 'stop_token', 'template_token', 'empty', 'pairing', 'parallel_calls', 'text_beside_call', 'reasoning', 'unknown_tool', 'same_tool', 'tools_twice'] | None" = None,
    ) -> Iterator["ReleaseRefusalLine"]:
        """What the filters of a release found and it does not hold, with the reasons. Least role: viewer."""
        return self.pages(
            "/releases/{id}/refusals",
            values={"id": id},
            query={"limit": limit, "reason": reason},
        )

    def compare_releases(self, *, after: int, before: int) -> dict[str, Any]:
        """What differs between two releases or drafts: members, versions, splits, cells, and what they were made with. Least role: viewer."""
        return cast(
            dict[str, Any],
            self.ask(
                "GET", "/releases/compare", query={"after": after, "before": before}
            ),
        )

    def list_reports(
        self, *, after: "str | None" = None, limit: "int | None" = None
    ) -> "ReportPage":
        """Reports of the team, newest first. Least role: viewer."""
        return cast(
            "ReportPage",
            self.ask("GET", "/reports", query={"after": after, "limit": limit}),
        )

    def iter_reports(self, *, limit: "int | None" = None) -> Iterator["ReportLine"]:
        """Reports of the team, newest first. Least role: viewer."""
        return self.pages("/reports", query={"limit": limit})

    def order_report(
        self, body: "ReportBodyRequest | None" = None, *, key: str | None = None
    ) -> "ReportLine":
        """Order a report of a batch, a frozen release, a saved view or a reference set; of nothing named, of everything. Least role: reviewer."""
        return cast(
            "ReportLine", self.ask("POST", "/reports", body=body, key=key, keyed=True)
        )

    def get_report(self, id: int) -> "ReportLine":
        """One report, and how far it is. Least role: viewer."""
        return cast("ReportLine", self.ask("GET", "/reports/{id}", values={"id": id}))

    def get_report_content(self, id: int) -> dict[str, Any]:
        """What was measured; 404 until the report is done. Least role: viewer."""
        return cast(
            dict[str, Any], self.ask("GET", "/reports/{id}/content", values={"id": id})
        )

    def download_report_page(self, id: int, *, to: str | os.PathLike[str]) -> int:
        """The report as one HTML file that stands alone; 404 until it is done. Least role: viewer."""
        return self.download("/reports/{id}/page", values={"id": id}, to=to)

    def list_reverifications(
        self, *, after: "str | None" = None, limit: "int | None" = None
    ) -> "ReverificationPage":
        """Orders to judge anew, newest first. Least role: viewer."""
        return cast(
            "ReverificationPage",
            self.ask("GET", "/reverifications", query={"after": after, "limit": limit}),
        )

    def iter_reverifications(
        self, *, limit: "int | None" = None
    ) -> Iterator["ReverificationLine"]:
        """Orders to judge anew, newest first. Least role: viewer."""
        return self.pages("/reverifications", query={"limit": limit})

    def order_reverification(
        self, body: "OrderBodyRequest | None" = None, *, key: str | None = None
    ) -> "ReverificationLine":
        """Judge a batch, or everything, by the present version. The order that is under way is given if there is one. Least role: curator."""
        return cast(
            "ReverificationLine",
            self.ask("POST", "/reverifications", body=body, key=key, keyed=True),
        )

    def get_reverification(self, id: int) -> "ReverificationLine":
        """One order, and how far it is. Least role: viewer."""
        return cast(
            "ReverificationLine",
            self.ask("GET", "/reverifications/{id}", values={"id": id}),
        )

    def list_rules(
        self, *, after: "str | None" = None, limit: "int | None" = None
    ) -> "RulePage":
        """Rejections made general, newest first. Least role: viewer."""
        return cast(
            "RulePage",
            self.ask("GET", "/rules", query={"after": after, "limit": limit}),
        )

    def iter_rules(self, *, limit: "int | None" = None) -> Iterator["RuleLine"]:
        """Rejections made general, newest first. Least role: viewer."""
        return self.pages("/rules", query={"limit": limit})

    def apply_rule(
        self, body: "RuleBodyRequest", *, key: str | None = None
    ) -> "RuleLine":
        """Save a rule and re-queue what it finds, except what is rejected or released already. Least role: reviewer."""
        return cast(
            "RuleLine", self.ask("POST", "/rules", body=body, key=key, keyed=True)
        )

    def try_rule(self, body: "TrialBodyRequest") -> "TrialAnswer":
        """What a rule would find, how that was judged, and what re-queueing it would do. Changes nothing. Least role: reviewer."""
        return cast("TrialAnswer", self.ask("POST", "/rules/try", body=body))

    def list_sampling_plans(
        self, *, after: "str | None" = None, limit: "int | None" = None
    ) -> "SamplingPlanPage":
        """Plans of acceptance sampling, newest first. Least role: viewer."""
        return cast(
            "SamplingPlanPage",
            self.ask("GET", "/sampling-plans", query={"after": after, "limit": limit}),
        )

    def iter_sampling_plans(
        self, *, limit: "int | None" = None
    ) -> Iterator["SamplingPlanLine"]:
        """Plans of acceptance sampling, newest first. Least role: viewer."""
        return self.pages("/sampling-plans", query={"limit": limit})

    def order_sampling_plan(
        self, body: "PlanBodyRequest", *, key: str | None = None
    ) -> "SamplingPlanDetail":
        """Put a lot down and draw its sample, which comes to the head of the queue. Least role: curator."""
        return cast(
            "SamplingPlanDetail",
            self.ask("POST", "/sampling-plans", body=body, key=key, keyed=True),
        )

    def get_sampling_plan(self, id: int) -> "SamplingPlanDetail":
        """One plan, as its sample stands now. Least role: viewer."""
        return cast(
            "SamplingPlanDetail",
            self.ask("GET", "/sampling-plans/{id}", values={"id": id}),
        )

    def approve_sampling_plan(
        self, id: int, *, key: str | None = None
    ) -> "ApprovedAnswer":
        """Approve what a clean sample stands for. Least role: curator."""
        return cast(
            "ApprovedAnswer",
            self.ask(
                "POST",
                "/sampling-plans/{id}/approve",
                values={"id": id},
                key=key,
                keyed=True,
            ),
        )

    def undo_sampling_plan(
        self, id: int, *, key: str | None = None
    ) -> "ApprovedAnswer":
        """Take a plan back, with the approvals that it gave; tells how many are open again. Least role: curator."""
        return cast(
            "ApprovedAnswer",
            self.ask(
                "POST",
                "/sampling-plans/{id}/undo",
                values={"id": id},
                key=key,
                keyed=True,
            ),
        )

    def get_sampling_offers(
        self,
        *,
        archetype: "str | None" = None,
        batch: "int | None" = None,
        environment: "str | None" = None,
        kinds: "list[Literal['exact', 'normalised', 'said', 'policy', 'derived']] | None" = None,
    ) -> "OffersAnswer":
        """What samples of a lot would prove, before one is ordered. Least role: viewer."""
        return cast(
            "OffersAnswer",
            self.ask(
                "GET",
                "/sampling-plans/offers",
                query={
                    "archetype": archetype,
                    "batch": batch,
                    "environment": environment,
                    "kinds": kinds,
                },
            ),
        )

    def get_simulation(self, id: int) -> "SimulationLine":
        """One simulation, and what came of it. Least role: curator."""
        return cast(
            "SimulationLine", self.ask("GET", "/simulations/{id}", values={"id": id})
        )

    def list_tasks(
        self,
        *,
        after: "str | None" = None,
        archetype: "str | None" = None,
        batch: "int | None" = None,
        burden: "Literal['0', '1-3', '4-6', '7-9', '10-14', '15+'] | None" = None,
        dependent: "Literal['yes', 'no'] | None" = None,
        environment: "str | None" = None,
        existential: "Literal['yes', 'no'] | None" = None,
        limit: "int | None" = None,
        proved: "Literal['yes', 'no'] | None" = None,
        task_class: "str | None" = None,
        writes: "Literal['0', '1', '2-3', '4+'] | None" = None,
    ) -> "TaskPage":
        """Tasks of the team's batches, newest first. Least role: viewer."""
        return cast(
            "TaskPage",
            self.ask(
                "GET",
                "/tasks",
                query={
                    "after": after,
                    "archetype": archetype,
                    "batch": batch,
                    "burden": burden,
                    "dependent": dependent,
                    "environment": environment,
                    "existential": existential,
                    "limit": limit,
                    "proved": proved,
                    "task_class": task_class,
                    "writes": writes,
                },
            ),
        )

    def iter_tasks(
        self,
        *,
        archetype: "str | None" = None,
        batch: "int | None" = None,
        burden: "Literal['0', '1-3', '4-6', '7-9', '10-14', '15+'] | None" = None,
        dependent: "Literal['yes', 'no'] | None" = None,
        environment: "str | None" = None,
        existential: "Literal['yes', 'no'] | None" = None,
        limit: "int | None" = None,
        proved: "Literal['yes', 'no'] | None" = None,
        task_class: "str | None" = None,
        writes: "Literal['0', '1', '2-3', '4+'] | None" = None,
    ) -> Iterator["TaskLine"]:
        """Tasks of the team's batches, newest first. Least role: viewer."""
        return self.pages(
            "/tasks",
            query={
                "archetype": archetype,
                "batch": batch,
                "burden": burden,
                "dependent": dependent,
                "environment": environment,
                "existential": existential,
                "limit": limit,
                "proved": proved,
                "task_class": task_class,
                "writes": writes,
            },
        )

    def get_task(self, id: int) -> "TaskDetail":
        """One task, with its proof. Least role: viewer."""
        return cast("TaskDetail", self.ask("GET", "/tasks/{id}", values={"id": id}))

    def try_witness(self, id: int, body: "WitnessBodyRequest") -> dict[str, Any]:
        """Try the witness of a read: patch a scratch database, and see that the answer is another. Changes nothing. The answer tells whether it `holds`, the read and others before and after, and both answers. Least role: viewer."""
        return cast(
            dict[str, Any],
            self.ask("POST", "/tasks/{id}/try", values={"id": id}, body=body),
        )

    def get_team(self) -> "TeamSettings":
        """The team that the request works in. Least role: viewer."""
        return cast("TeamSettings", self.ask("GET", "/team"))

    def list_tokens(
        self, *, after: "str | None" = None, limit: "int | None" = None
    ) -> "TokenPage":
        """Your tokens; an owner sees the team's. Newest first. Least role: viewer."""
        return cast(
            "TokenPage",
            self.ask("GET", "/tokens", query={"after": after, "limit": limit}),
        )

    def iter_tokens(self, *, limit: "int | None" = None) -> Iterator["TokenLine"]:
        """Your tokens; an owner sees the team's. Newest first. Least role: viewer."""
        return self.pages("/tokens", query={"limit": limit})

    def revoke_token(self, id: int, *, key: str | None = None) -> None:
        """Revoke a token for good. An owner may revoke any of the team. Least role: viewer."""
        self.ask("DELETE", "/tokens/{id}", values={"id": id}, key=key, keyed=True)

    def list_trajectories(
        self,
        *,
        accepted: "list[Literal['yes', 'no']] | None" = None,
        after: "str | None" = None,
        agent: "list[str] | None" = None,
        archetype: "list[str] | None" = None,
        argument: "str | None" = None,
        argument_kind: "Literal['exact', 'normalised', 'derived', 'said', 'policy', 'not_found', 'conflict', 'stale'] | None" = None,
        batch: "list[int] | None" = None,
        burden: "list[Literal['0', '1-3', '4-6', '7-9', '10-14', '15+']] | None" = None,
        cluster: "str | None" = None,
        code: "list[Literal['wrong_write', 'ungrounded', 'missing_read', 'policy', 'no_confirmation', 'unclear_request', 'unnatural_user', 'unnatural_agent', 'other']] | None" = None,
        commented: "list[Literal['yes']] | None" = None,
        ended_by: "list[str] | None" = None,
        environment: "list[str] | None" = None,
        failed: "list[str] | None" = None,
        kinds: "list[Literal['exact', 'normalised', 'derived', 'said', 'policy', 'not_found', 'conflict', 'stale']] | None" = None,
        limit: "int | None" = None,
        plan: "list[str] | None" = None,
        q: "str | None" = None,
        reason: "list[str] | None" = None,
        reviewer: "list[int] | None" = None,
        scripted: "list[Literal['yes', 'no']] | None" = None,
        shape: "str | None" = None,
        sort: "Literal['newest', 'oldest', 'uncertain', 'burden'] | None" = None,
        status: "list[Literal['open', 'approved', 'rejected', 'fix', 'disputed']] | None" = None,
        task_class: "list[str] | None" = None,
        tool: "str | None" = None,
        version: "list[Literal['simulated', 'edited']] | None" = None,
        writes: "list[Literal['0', '1', '2-3', '4+']] | None" = None,
    ) -> "ListedTrajectoryPage":
        """Trajectories and their edited versions, by the filters of the list. Least role: viewer."""
        return cast(
            "ListedTrajectoryPage",
            self.ask(
                "GET",
                "/trajectories",
                query={
                    "accepted": accepted,
                    "after": after,
                    "agent": agent,
                    "archetype": archetype,
                    "argument": argument,
                    "argument_kind": argument_kind,
                    "batch": batch,
                    "burden": burden,
                    "cluster": cluster,
                    "code": code,
                    "commented": commented,
                    "ended_by": ended_by,
                    "environment": environment,
                    "failed": failed,
                    "kinds": kinds,
                    "limit": limit,
                    "plan": plan,
                    "q": q,
                    "reason": reason,
                    "reviewer": reviewer,
                    "scripted": scripted,
                    "shape": shape,
                    "sort": sort,
                    "status": status,
                    "task_class": task_class,
                    "tool": tool,
                    "version": version,
                    "writes": writes,
                },
            ),
        )

    def iter_trajectories(
        self,
        *,
        accepted: "list[Literal['yes', 'no']] | None" = None,
        agent: "list[str] | None" = None,
        archetype: "list[str] | None" = None,
        argument: "str | None" = None,
        argument_kind: "Literal['exact', 'normalised', 'derived', 'said', 'policy', 'not_found', 'conflict', 'stale'] | None" = None,
        batch: "list[int] | None" = None,
        burden: "list[Literal['0', '1-3', '4-6', '7-9', '10-14', '15+']] | None" = None,
        cluster: "str | None" = None,
        code: "list[Literal['wrong_write', 'ungrounded', 'missing_read', 'policy', 'no_confirmation', 'unclear_request', 'unnatural_user', 'unnatural_agent', 'other']] | None" = None,
        commented: "list[Literal['yes']] | None" = None,
        ended_by: "list[str] | None" = None,
        environment: "list[str] | None" = None,
        failed: "list[str] | None" = None,
        kinds: "list[Literal['exact', 'normalised', 'derived', 'said', 'policy', 'not_found', 'conflict', 'stale']] | None" = None,
        limit: "int | None" = None,
        plan: "list[str] | None" = None,
        q: "str | None" = None,
        reason: "list[str] | None" = None,
        reviewer: "list[int] | None" = None,
        scripted: "list[Literal['yes', 'no']] | None" = None,
        shape: "str | None" = None,
        sort: "Literal['newest', 'oldest', 'uncertain', 'burden'] | None" = None,
        status: "list[Literal['open', 'approved', 'rejected', 'fix', 'disputed']] | None" = None,
        task_class: "list[str] | None" = None,
        tool: "str | None" = None,
        version: "list[Literal['simulated', 'edited']] | None" = None,
        writes: "list[Literal['0', '1', '2-3', '4+']] | None" = None,
    ) -> Iterator["ListedTrajectoryLine"]:
        """Trajectories and their edited versions, by the filters of the list. Least role: viewer."""
        return self.pages(
            "/trajectories",
            query={
                "accepted": accepted,
                "agent": agent,
                "archetype": archetype,
                "argument": argument,
                "argument_kind": argument_kind,
                "batch": batch,
                "burden": burden,
                "cluster": cluster,
                "code": code,
                "commented": commented,
                "ended_by": ended_by,
                "environment": environment,
                "failed": failed,
                "kinds": kinds,
                "limit": limit,
                "plan": plan,
                "q": q,
                "reason": reason,
                "reviewer": reviewer,
                "scripted": scripted,
                "shape": shape,
                "sort": sort,
                "status": status,
                "task_class": task_class,
                "tool": tool,
                "version": version,
                "writes": writes,
            },
        )

    def get_trajectory(self, id: int) -> "TrajectoryDetail":
        """One trajectory or version: the task, the conversation, the checks, the verdicts that you may know of. Least role: viewer."""
        return cast(
            "TrajectoryDetail", self.ask("GET", "/trajectories/{id}", values={"id": id})
        )

    def list_comments(self, id: int) -> "TalkAnswer":
        """What is said of a trajectory, as far as you may know it before you have judged it. Least role: viewer."""
        return cast(
            "TalkAnswer",
            self.ask("GET", "/trajectories/{id}/comments", values={"id": id}),
        )

    def add_comment(
        self, id: int, body: "CommentBodyRequest", *, key: str | None = None
    ) -> "CommentLine":
        """Say something of a trajectory, of one of its messages, or in answer to another comment. Least role: reviewer."""
        return cast(
            "CommentLine",
            self.ask(
                "POST",
                "/trajectories/{id}/comments",
                values={"id": id},
                body=body,
                key=key,
                keyed=True,
            ),
        )

    def get_edit(self, id: int) -> "EditAnswer":
        """Your draft of an edit, and what the checks say of it. Least role: reviewer."""
        return cast(
            "EditAnswer", self.ask("GET", "/trajectories/{id}/edit", values={"id": id})
        )

    def revise_edit(
        self, id: int, body: "EditStepBodyRequest", *, key: str | None = None
    ) -> "EditAnswer":
        """Change one thing. It is kept in your draft at once, and judged. Least role: reviewer."""
        return cast(
            "EditAnswer",
            self.ask(
                "POST",
                "/trajectories/{id}/edit",
                values={"id": id},
                body=body,
                key=key,
                keyed=True,
            ),
        )

    def discard_edit(self, id: int, *, key: str | None = None) -> None:
        """Throw your draft away; nothing else changes. Least role: reviewer."""
        self.ask(
            "DELETE", "/trajectories/{id}/edit", values={"id": id}, key=key, keyed=True
        )

    def save_edit(
        self, id: int, body: "SaveBodyRequest", *, key: str | None = None
    ) -> "VersionAnswer":
        """Save your draft as a version, which somebody else is to judge. If you hold a lease on what it is made from, that needs a fix. Least role: reviewer."""
        return cast(
            "VersionAnswer",
            self.ask(
                "POST",
                "/trajectories/{id}/edit/save",
                values={"id": id},
                body=body,
                key=key,
                keyed=True,
            ),
        )

    def lease_trajectory(self, id: int, *, key: str | None = None) -> "LeaseLine":
        """Take a place on this trajectory, out of turn, by the rules of the queue. Least role: reviewer."""
        return cast(
            "LeaseLine",
            self.ask(
                "POST",
                "/trajectories/{id}/lease",
                values={"id": id},
                key=key,
                keyed=True,
            ),
        )

    def preview_trajectory(
        self,
        id: int,
        *,
        failed: "Literal['learn', 'mask'] | None" = None,
        family: "Literal['qwen3_instruct', 'qwen3', 'qwen3_training', 'qwen2_5', 'llama3_1'] | None" = None,
        format: "Literal['openai_chat', 'trl', 'turns', 'llama_factory_sharegpt', 'llama_factory_openai', 'axolotl', 'ms_swift', 'verl'] | None" = None,
        greeting: "Literal['target', 'keep', 'mask', 'drop'] | None" = None,
        reasoning: "Literal['strip', 'keep'] | None" = None,
        row: "int | None" = None,
    ) -> "PreviewDetail":
        """What a model of a family would be shown of a trajectory in a format, and which of it would be trained on. Least role: viewer."""
        return cast(
            "PreviewDetail",
            self.ask(
                "GET",
                "/trajectories/{id}/preview",
                values={"id": id},
                query={
                    "failed": failed,
                    "family": family,
                    "format": format,
                    "greeting": greeting,
                    "reasoning": reasoning,
                    "row": row,
                },
            ),
        )

    def get_siblings(
        self, id: int, *, beside: "list[int] | None" = None
    ) -> "SiblingsAnswer":
        """Trajectories of the same task side by side: aligned by calls, with what made the difference. Least role: viewer."""
        return cast(
            "SiblingsAnswer",
            self.ask(
                "GET",
                "/trajectories/{id}/siblings",
                values={"id": id},
                query={"beside": beside},
            ),
        )

    def withdraw_version(self, id: int, *, key: str | None = None) -> None:
        """Take a version of your own back that nobody has judged. Least role: reviewer."""
        self.ask(
            "POST",
            "/trajectories/{id}/withdraw",
            values={"id": id},
            key=key,
            keyed=True,
        )

    def export_trajectories(
        self,
        *,
        accepted: "list[Literal['yes', 'no']] | None" = None,
        agent: "list[str] | None" = None,
        archetype: "list[str] | None" = None,
        argument: "str | None" = None,
        argument_kind: "Literal['exact', 'normalised', 'derived', 'said', 'policy', 'not_found', 'conflict', 'stale'] | None" = None,
        batch: "list[int] | None" = None,
        burden: "list[Literal['0', '1-3', '4-6', '7-9', '10-14', '15+']] | None" = None,
        cluster: "str | None" = None,
        code: "list[Literal['wrong_write', 'ungrounded', 'missing_read', 'policy', 'no_confirmation', 'unclear_request', 'unnatural_user', 'unnatural_agent', 'other']] | None" = None,
        commented: "list[Literal['yes']] | None" = None,
        ended_by: "list[str] | None" = None,
        environment: "list[str] | None" = None,
        failed: "list[str] | None" = None,
        format: "Literal['jsonl', 'csv'] | None" = None,
        kinds: "list[Literal['exact', 'normalised', 'derived', 'said', 'policy', 'not_found', 'conflict', 'stale']] | None" = None,
        plan: "list[str] | None" = None,
        q: "str | None" = None,
        reason: "list[str] | None" = None,
        reviewer: "list[int] | None" = None,
        scripted: "list[Literal['yes', 'no']] | None" = None,
        shape: "str | None" = None,
        status: "list[Literal['open', 'approved', 'rejected', 'fix', 'disputed']] | None" = None,
        task_class: "list[str] | None" = None,
        tool: "str | None" = None,
        version: "list[Literal['simulated', 'edited']] | None" = None,
        writes: "list[Literal['0', '1', '2-3', '4+']] | None" = None,
        to: str | os.PathLike[str],
    ) -> int:
        """What the filters find as a file, streamed. Planted errors are not in it. Least role: curator."""
        return self.download(
            "/trajectories/export",
            query={
                "accepted": accepted,
                "agent": agent,
                "archetype": archetype,
                "argument": argument,
                "argument_kind": argument_kind,
                "batch": batch,
                "burden": burden,
                "cluster": cluster,
                "code": code,
                "commented": commented,
                "ended_by": ended_by,
                "environment": environment,
                "failed": failed,
                "format": format,
                "kinds": kinds,
                "plan": plan,
                "q": q,
                "reason": reason,
                "reviewer": reviewer,
                "scripted": scripted,
                "shape": shape,
                "status": status,
                "task_class": task_class,
                "tool": tool,
                "version": version,
                "writes": writes,
            },
            to=to,
        )

    def get_trajectory_facets(
        self,
        *,
        accepted: "list[Literal['yes', 'no']] | None" = None,
        agent: "list[str] | None" = None,
        archetype: "list[str] | None" = None,
        argument: "str | None" = None,
        argument_kind: "Literal['exact', 'normalised', 'derived', 'said', 'policy', 'not_found', 'conflict', 'stale'] | None" = None,
        batch: "list[int] | None" = None,
        burden: "list[Literal['0', '1-3', '4-6', '7-9', '10-14', '15+']] | None" = None,
        cluster: "str | None" = None,
        code: "list[Literal['wrong_write', 'ungrounded', 'missing_read', 'policy', 'no_confirmation', 'unclear_request', 'unnatural_user', 'unnatural_agent', 'other']] | None" = None,
        commented: "list[Literal['yes']] | None" = None,
        ended_by: "list[str] | None" = None,
        environment: "list[str] | None" = None,
        failed: "list[str] | None" = None,
        kinds: "list[Literal['exact', 'normalised', 'derived', 'said', 'policy', 'not_found', 'conflict', 'stale']] | None" = None,
        plan: "list[str] | None" = None,
        q: "str | None" = None,
        reason: "list[str] | None" = None,
        reviewer: "list[int] | None" = None,
        scripted: "list[Literal['yes', 'no']] | None" = None,
        shape: "str | None" = None,
        status: "list[Literal['open', 'approved', 'rejected', 'fix', 'disputed']] | None" = None,
        task_class: "list[str] | None" = None,
        tool: "str | None" = None,
        version: "list[Literal['simulated', 'edited']] | None" = None,
        writes: "list[Literal['0', '1', '2-3', '4+']] | None" = None,
    ) -> "FacetsAnswer":
        """What the list can be narrowed by next, and how many each value would give. Least role: viewer."""
        return cast(
            "FacetsAnswer",
            self.ask(
                "GET",
                "/trajectories/facets",
                query={
                    "accepted": accepted,
                    "agent": agent,
                    "archetype": archetype,
                    "argument": argument,
                    "argument_kind": argument_kind,
                    "batch": batch,
                    "burden": burden,
                    "cluster": cluster,
                    "code": code,
                    "commented": commented,
                    "ended_by": ended_by,
                    "environment": environment,
                    "failed": failed,
                    "kinds": kinds,
                    "plan": plan,
                    "q": q,
                    "reason": reason,
                    "reviewer": reviewer,
                    "scripted": scripted,
                    "shape": shape,
                    "status": status,
                    "task_class": task_class,
                    "tool": tool,
                    "version": version,
                    "writes": writes,
                },
            ),
        )

    def get_verification(self, *, batch: "int | None" = None) -> "VerificationLine":
        """Which versions have judged, and how much another version than the present one has. Least role: viewer."""
        return cast(
            "VerificationLine", self.ask("GET", "/verification", query={"batch": batch})
        )

    def compare_verifications(
        self, *, before: str, version: str, batch: "int | None" = None
    ) -> "ComparisonLine":
        """What moved between two versions, over the trajectories that both have judged. Least role: viewer."""
        return cast(
            "ComparisonLine",
            self.ask(
                "GET",
                "/verification/comparison",
                query={"batch": batch, "before": before, "version": version},
            ),
        )

    def list_views(
        self, *, after: "str | None" = None, limit: "int | None" = None
    ) -> "SavedViewPage":
        """Your saved views and those shared with the team, by name. Least role: viewer."""
        return cast(
            "SavedViewPage",
            self.ask("GET", "/views", query={"after": after, "limit": limit}),
        )

    def iter_views(self, *, limit: "int | None" = None) -> Iterator["SavedViewLine"]:
        """Your saved views and those shared with the team, by name. Least role: viewer."""
        return self.pages("/views", query={"limit": limit})

    def save_view(
        self, body: "SavedViewBodyRequest", *, key: str | None = None
    ) -> "SavedViewLine":
        """Save filters under a name. Least role: reviewer."""
        return cast(
            "SavedViewLine", self.ask("POST", "/views", body=body, key=key, keyed=True)
        )

    def get_view(self, id: int) -> "SavedViewLine":
        """One saved view. Least role: viewer."""
        return cast("SavedViewLine", self.ask("GET", "/views/{id}", values={"id": id}))

    def change_view(
        self, id: int, body: "ViewChangeBodyRequest", *, key: str | None = None
    ) -> "SavedViewLine":
        """Rename a view of your own, share it, or keep it to yourself. Least role: reviewer."""
        return cast(
            "SavedViewLine",
            self.ask(
                "PUT", "/views/{id}", values={"id": id}, body=body, key=key, keyed=True
            ),
        )

    def delete_view(self, id: int, *, key: str | None = None) -> None:
        """Delete a view of your own. Least role: reviewer."""
        self.ask("DELETE", "/views/{id}", values={"id": id}, key=key, keyed=True)

    def list_webhooks(
        self, *, after: "str | None" = None, limit: "int | None" = None
    ) -> "WebhookPage":
        """The team's webhooks, newest first. Least role: owner."""
        return cast(
            "WebhookPage",
            self.ask("GET", "/webhooks", query={"after": after, "limit": limit}),
        )

    def iter_webhooks(self, *, limit: "int | None" = None) -> Iterator["WebhookLine"]:
        """The team's webhooks, newest first. Least role: owner."""
        return self.pages("/webhooks", query={"limit": limit})

    def create_webhook(self, body: "WebhookBodyRequest") -> "MadeWebhook":
        """Make a webhook. Its secret is shown this once. Takes no Idempotency-Key: the secret is not kept, so it cannot be answered again. Least role: owner."""
        return cast("MadeWebhook", self.ask("POST", "/webhooks", body=body))

    def get_webhook(self, id: int) -> "WebhookLine":
        """One webhook. Least role: owner."""
        return cast("WebhookLine", self.ask("GET", "/webhooks/{id}", values={"id": id}))

    def replace_webhook(
        self, id: int, body: "WebhookBodyRequest", *, key: str | None = None
    ) -> "WebhookLine":
        """Replace what a webhook says. What waits goes to the new address; the secret stays. Least role: owner."""
        return cast(
            "WebhookLine",
            self.ask(
                "PUT",
                "/webhooks/{id}",
                values={"id": id},
                body=body,
                key=key,
                keyed=True,
            ),
        )

    def delete_webhook(self, id: int, *, key: str | None = None) -> None:
        """Delete a webhook, and what is known of its deliveries. Least role: owner."""
        self.ask("DELETE", "/webhooks/{id}", values={"id": id}, key=key, keyed=True)

    def list_webhook_deliveries(
        self, id: int, *, after: "str | None" = None, limit: "int | None" = None
    ) -> "DeliveryPage":
        """What was sent to a webhook in the last 30 days, newest first. Least role: owner."""
        return cast(
            "DeliveryPage",
            self.ask(
                "GET",
                "/webhooks/{id}/deliveries",
                values={"id": id},
                query={"after": after, "limit": limit},
            ),
        )

    def iter_webhook_deliveries(
        self, id: int, *, limit: "int | None" = None
    ) -> Iterator["DeliveryLine"]:
        """What was sent to a webhook in the last 30 days, newest first. Least role: owner."""
        return self.pages(
            "/webhooks/{id}/deliveries", values={"id": id}, query={"limit": limit}
        )

    def enable_webhook(
        self, id: int, body: "EnabledBodyRequest", *, key: str | None = None
    ) -> "WebhookLine":
        """Send to it, or no longer. What waits of a disabled one is given up. Least role: owner."""
        return cast(
            "WebhookLine",
            self.ask(
                "POST",
                "/webhooks/{id}/enabled",
                values={"id": id},
                body=body,
                key=key,
                keyed=True,
            ),
        )

    def renew_webhook_secret(self, id: int) -> "WebhookSecret":
        """Make another secret, which is shown this once. From now on only it signs. Least role: owner."""
        return cast(
            "WebhookSecret",
            self.ask("POST", "/webhooks/{id}/secret", values={"id": id}),
        )

    def test_webhook(self, id: int, *, key: str | None = None) -> "DeliveryLine":
        """Send it a `webhook.test`, whatever events it wants. Least role: owner."""
        return cast(
            "DeliveryLine",
            self.ask(
                "POST", "/webhooks/{id}/test", values={"id": id}, key=key, keyed=True
            ),
        )
