"""Values that pass between the stages of the engine: tasks with their proofs, trajectories, verifications.

All are frozen pydantic models that read back from their own JSON unchanged. Knows nothing about databases or pages.
"""

import hashlib
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from environments.core.domain import TaskClass
from environments.core.query import Query
from environments.core.tools import ToolCall


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


# --- tasks ---------------------------------------------------------------------------------------------------------------------


class ToldFact(Frozen):
    """Something that the user is to be told: `what` names it for people."""

    what: str
    value: Any
    needs: tuple[int, ...] = ()
    """Positions in the certificate of the reads that must come before it is told."""


class Witness(Frozen):
    """Proof that a read is needed: with `patch` applied, whoever skips the read sees the same and yet the right answer differs."""

    patch: tuple[dict[str, Any], ...]
    """RFC 6902 over the database as the reference lays it out."""
    gold: tuple[ToolCall, ...]
    told: tuple[ToldFact, ...] = ()
    declined: str = ""
    transferred: str = ""
    shown_by: tuple[str, ...] = ()
    """Keys of reads outside the certificate that would show the patch, too: one of them could stand in for this read.

    None of them shows the patch of another witness, so that no detour makes the certificate smaller.
    """
    note: str
    """One sentence for a person: what would have been different."""


class CertificateRead(Frozen):
    """One read of the certificate. Without a witness it is unproved and does not count in the burden."""

    call: ToolCall
    role: Literal["identity", "discovery", "candidates", "rules"]
    equivalents: tuple[ToolCall, ...] = ()
    """Reads that tell the same; any one of them covers this one."""
    decisive: tuple[str, ...] = ()
    """JSON pointers into the result: the fields that the answer rests on."""
    witness: Witness | None = None


class Burden(Frozen):
    """Evidence burden: the proved size of the certificate, split by role. `exact`: no smaller set of reads can do."""

    total: int
    identity: int = 0
    discovery: int = 0
    candidates: int = 0
    rules: int = 0
    exact: bool = True


class Companions(Frozen):
    """Measures beside the burden (knowledge of evidence burden, §5.2)."""

    lift: int
    """Burden minus the burden of the same write with every argument named."""
    expected_reads: float
    """Mean reads until the certificate is complete, in random derivable order."""
    candidates: int = 0
    feasible: int = 0
    decoys: int = 0
    margin: float | None = None
    """Smallest distance of a choice or threshold to going the other way, in the objective's unit."""
    evidence_tokens: int = 0
    """Characters of the certificate's results divided by four."""


class CandidateLine(Frozen):
    label: str
    objective: tuple[Any, ...]
    why_not: str = ""
    read: str = ""
    """Key of the read that shows it."""
    pointer: str = ""
    gold: bool = False


class CandidateTable(Frozen):
    """The candidates of one choice, in the order of the objective."""

    name: str
    objective: tuple[str, ...]
    lines: tuple[CandidateLine, ...]
    margin: float | None = None


class ArgumentOrigin(Frozen):
    """Where one leaf of a gold write's arguments comes from."""

    pointer: str
    """Into the arguments."""
    kind: Literal["fact", "const", "read", "derived"]
    refs: tuple[tuple[str, str], ...] = ()
    """(key of the read, JSON pointer into its result)."""
    detail: str = ""


class GoldWrite(Frozen):
    call: ToolCall
    origins: tuple[ArgumentOrigin, ...] = ()
    needs: tuple[int, ...] = ()
    """Positions in the certificate of the reads that must come before this write."""


class WriteOrders(Frozen):
    """What becomes of the parts of a request in other orders. Of a dependent request, some lead elsewhere or nowhere."""

    tried: int
    """Orders that were evaluated: those in which parts that share a record change places, as far as they are not too many."""
    same: int
    """Orders with the same writes and the same final state, the given one included."""
    elsewhere: tuple[tuple[int, ...], ...] = ()
    """Orders (numbers of parts) with other writes or another final state, at most three."""
    illegal: tuple[tuple[int, ...], ...] = ()
    """Orders in which a write is refused or nothing fits the words, at most three."""


class SaidClause(Frozen):
    """One clause of the request in words, with the facts (by name) that it tells."""

    name: str
    text: str
    tells: tuple[str, ...] = ()
    opens: bool = False


class Task(Frozen):
    """A request in one environment, with its answer and the proof of both axes."""

    environment: str
    environment_version: str
    environment_hash: str
    state_hash: str
    archetype: str
    title: str
    task_class: TaskClass
    seed: int
    query: Query
    facts: dict[str, Any]
    """What the user knows, by name."""
    clauses: tuple[SaidClause, ...]
    text: str
    """The request in words: the clauses, in the order in which a forthcoming user says them."""
    gold: tuple[GoldWrite, ...]
    told: tuple[ToldFact, ...] = ()
    """What the user is to be told."""
    declined: str = ""
    """Policy clause by which the request is refused; then there are no gold writes."""
    transferred: str = ""
    """Policy clause by which the request is handed over to a person; then there are no gold writes."""
    gold_effect: str
    """Hash of the difference that the gold makes (Session.effect)."""
    certificate: tuple[CertificateRead, ...]
    spoken_of: tuple[ToolCall, ...] = ()
    """Every read that the request speaks of, needed or not, in the order in which somebody would look around."""
    burden: Burden
    companions: Companions
    tables: tuple[CandidateTable, ...] = ()
    decisions: tuple[str, ...] = ()
    """Branches taken, in words."""
    existential: bool = False
    dependent: bool = False
    """The writes have to be made in the given order."""
    person: str = ""
    """Key of the one who asks, if a read of the request names it."""
    parts: tuple[str, ...] = ()
    """Slugs of the archetypes that the request is composed of; empty if it is one."""
    orders: WriteOrders | None = None

    @property
    def content_hash(self) -> str:
        """SHA-256 (hex) of the canonical JSON."""
        return hashlib.sha256(
            json.dumps(self.model_dump(mode="json"), sort_keys=True).encode()
        ).hexdigest()

    @property
    def request_hash(self) -> str:
        """Hash of what is asked, whatever the words: query and facts."""
        parts = [self.query.content_hash, self.facts]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    @property
    def slug(self) -> str:
        """Short stable name, for people and file names."""
        return f"{self.environment}-{self.archetype}-{self.content_hash[:10]}"

    @property
    def writes(self) -> int:
        return len(self.gold)

    @property
    def cell(self) -> tuple[str, str]:
        """(band of writes, band of burden): the task's place in the grid."""
        return write_band(self.writes), burden_band(self.burden.total)


WRITE_BANDS = {"0": (0, 0), "1": (1, 1), "2-3": (2, 3), "4+": (4, None)}
BURDEN_BANDS = {
    "0": (0, 0),
    "1-3": (1, 3),
    "4-6": (4, 6),
    "7-9": (7, 9),
    "10-14": (10, 14),
    "15+": (15, None),
}
"""Bands of the two axes: name → (least, most or None). Source: knowledge of evidence burden, §5.2."""


def write_band(writes: int) -> str:
    return _band(WRITE_BANDS, writes)


def burden_band(burden: int) -> str:
    return _band(BURDEN_BANDS, burden)


def _band(bands: Mapping[str, tuple[int, int | None]], value: int) -> str:
    return next(
        name
        for name, (least, most) in bands.items()
        if value >= least and (most is None or value <= most)
    )


# --- behaviour -----------------------------------------------------------------------------------------------------------------


type Release = Literal[
    "opening",
    "next_turn",
    "asked",
    "asked_again",
    "after_agent_repeats",
    "late",
    "details_told",
    "at_confirmation",
    "with_yes",
    "after_refusal",
    "after_shift",
    "after_write",
    "with_identity",
    "window",
    "before_leaving",
]
"""When something may be said:

- `opening`: at once;
- `next_turn`: one more thing with every message, asked or not;
- `asked`: when the agent asks for it; `asked_again`: when it asks a second time, or explains why;
- `after_agent_repeats`: when the agent reads the wrong value back, or finds nothing with it;
- `late`: not in the first message, and after everything else;
- `details_told`: with the first message after everything of the first phase, and who the user is, was said;
- `at_confirmation`: when the agent waits for a yes or no; `with_yes`: beside the user's yes;
- `after_refusal`: when the agent refuses or has refused;
- `after_shift`: with the message that tells of the other wish, or later;
- `after_write`: when the agent is done with what it knows of;
- `with_identity`: beside who the user is;
- `window`: between two messages of the user, `window` says which;
- `before_leaving`: when everything is done.
"""


class LedgerLine(Frozen):
    """One thing the user may say, and when. `text` is a sentence; `wrong_text` is what is said first, to be corrected.

    `said` and `wrong_said` are the same in the user's own manner: what a scripted user says word for word.
    """

    name: str
    kind: Literal["identity", "request", "shift"]
    text: str
    tells: dict[str, Any] = Field(default_factory=dict)
    """Fact name → value."""
    release: Release = "opening"
    wrong_text: str = ""
    wrong_tells: dict[str, Any] = Field(default_factory=dict)
    wrong_release: Release = "opening"
    """When the wrong version is said."""
    said: str = ""
    wrong_said: str = ""
    required: bool = True
    """Whether it has to be told before the end. What only the first wish needs is not."""
    phase: Literal["both", "first", "second"] = "both"
    """Of a request in two phases: what belongs to the wish that is given up, and what to the one that counts."""
    part: int = 0
    """Of a request of several parts: which one it belongs to."""
    role: Literal["goal", "hard", "soft"] = "goal"
    """Of a request: what it is about, a firm condition, or a preference."""

    @property
    def spoken(self) -> str:
        return self.said or self.text

    @property
    def spoken_wrong(self) -> str:
        return self.wrong_said or self.wrong_text


class Remark(Frozen):
    """Something the user says once beside the request: it tells no fact that is needed."""

    name: str
    dimension: str
    """Slug of the dimension of behaviour that it belongs to."""
    text: str
    release: Release
    said: str = ""
    window: tuple[int, int] = (1, 99)
    """First and last of the user's messages in which it may be said, counted from 1."""
    asks: bool = False
    """The agent has to answer before the user goes on."""

    @property
    def spoken(self) -> str:
        return self.said or self.text


class FirstPhase(Frozen):
    """The wish that is given up: what it would have come to. The task itself is the second phase."""

    kind: Literal["add", "replace", "drop", "threshold", "forbidden"]
    archetype: str
    """Slug of the archetype of what is given up, or changed."""
    query: Query
    facts: dict[str, Any]
    gold: tuple[ToolCall, ...] = ()
    """The writes that would have been right; none of them may be made."""
    told: tuple[ToldFact, ...] = ()
    declined: str = ""
    transferred: str = ""
    changed: tuple[str, ...] = ()
    """Names of the facts that have another value in the second phase."""


class Persona(Frozen):
    """Who speaks. `dimensions` gives the values of style that fit; a dimension that is not named is open."""

    slug: str
    title: str
    card: str
    """A few sentences on how this person talks, for a model that plays the user."""
    dimensions: dict[str, tuple[str, ...]]


class BehaviourPlan(Frozen):
    """How a user reveals a request. `dimensions` gives the values that the plan allows; a dimension that is not named is open."""

    slug: str
    title: str
    instruction: str
    """For a model that plays the user."""
    dimensions: dict[str, tuple[str, ...]]


class Ledger(Frozen):
    """A behaviour made concrete for one task: everything the user may say, and when."""

    plan: str
    lines: tuple[LedgerLine, ...]
    remarks: tuple[Remark, ...] = ()
    instruction: str = ""
    """The plan's, for a model that plays the user."""
    persona: str = ""
    card: str = ""
    """The persona's."""
    behaviour: dict[str, str] = Field(default_factory=dict)
    """Dimension → value, as requested; a dimension that has nothing to vary in this task is left out."""
    first: FirstPhase | None = None
    contrary: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Fact name → words for other values of it, which the user must not bring up."""


# --- trajectories --------------------------------------------------------------------------------------------------------------


class MessageCall(Frozen):
    id: str
    name: str
    arguments: dict[str, Any]

    @property
    def call(self) -> ToolCall:
        return ToolCall(name=self.name, arguments=self.arguments)


class Message(Frozen):
    """One message. An assistant's message has text or calls, a tool's message answers one call."""

    role: Literal["assistant", "user", "tool"]
    content: str = ""
    tool_calls: tuple[MessageCall, ...] = ()
    tool_call_id: str = ""
    error: bool = False


class Ending(StrEnum):
    """Why a simulation ended (tau2 SPEC §9.6), with who is to answer for it."""

    USER_STOP = "user_stop"
    MAX_STEPS = "max_steps"
    TOO_MANY_ERRORS = "too_many_errors"
    AGENT_ERROR = "agent_error"
    USER_ERROR = "user_error"
    PROVIDER_ERROR = "infrastructure_error"
    TIMEOUT = "timeout"
    UNEXPECTED_ERROR = "unexpected_error"


class Owner(StrEnum):
    AGENT = "agent"
    USER = "user"
    ENVIRONMENT = "environment"
    PROVIDER = "provider"
    BUDGET = "budget"


class Usage(Frozen):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    """US dollars, as the provider reports or 0."""

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            cost=self.cost + other.cost,
        )


class Trajectory(Frozen):
    """What happened in one simulation, whatever happened. The policy is not repeated here: it belongs to the environment."""

    task_hash: str
    plan: str
    seed: int
    agent: str
    """Name of the model that played the agent, e.g. `scripted` or `openai/gpt-x`."""
    user: str
    prompt_version: str
    messages: tuple[Message, ...]
    ended_by: Ending
    owner: Owner | None = None
    """Who is to answer for an ending other than the user's stop."""
    note: str = ""
    """What went wrong, in words."""
    usage: Usage = Usage()
    fault: str = ""
    """Name of the fault that a scripted model was asked to make."""

    @property
    def content_hash(self) -> str:
        return hashlib.sha256(
            json.dumps(self.model_dump(mode="json"), sort_keys=True).encode()
        ).hexdigest()


# --- verification --------------------------------------------------------------------------------------------------------------


class Check(Frozen):
    """One named judgement. `finding` is a sentence for a person; `where` are indexes of messages it speaks of."""

    name: str
    passed: bool
    finding: str
    owner: Owner | None = None
    """Who is to answer if it failed."""
    where: tuple[int, ...] = ()


type SourceKind = Literal[
    "exact",
    "normalised",
    "derived",
    "said",
    "policy",
    "not_found",
    "conflict",
    "stale",
    "ungrounded",
]
"""How a value is grounded in what stands before the call:

- `exact`: a result shows it; `normalised`: a result shows it, or the user says it, in another form (`detail` says which);
- `derived`: what a read was asked for, or arithmetic (`detail` has the formula); `said`: by the user; `policy`: a constant;
- `not_found`: nothing shows it;
- `conflict`: it was read, and another read of the same place shows another value though nothing was written in between;
- `stale`: it was read, and a write since then has changed it (`detail` says what says so);
- `ungrounded`: an argument of a read that nothing before it shows.
"""


class Provenance(Frozen):
    """Where one leaf of a call's arguments was to be had before the call.

    Of writes, made and gold, every leaf has a row; of reads only what is ungrounded.
    """

    side: Literal["actual", "gold", "read"] = "actual"
    message: int | None
    """Index of the message that makes the call; of a gold write, of the one that was made in its place: None if there is none."""
    write: int
    """Number of the write among those tried, of the gold among the gold writes, or of the read among the reads, from 0."""
    pointer: str
    """Into the arguments."""
    value: Any
    kind: SourceKind
    source: int | None = None
    """Index of the message that shows the value best."""
    source_pointer: str = ""
    """JSON pointer into that message's content, if it is a tool result."""
    detail: str = ""
    alternatives: tuple[tuple[int, str], ...] = ()
    """(index of message, JSON pointer) of other places: of the value, of a formula's other numbers, or of what contradicts it."""


class Verification(Frozen):
    checks: tuple[Check, ...]
    provenance: tuple[Provenance, ...] = ()
    coverage: tuple[int | None, ...] = ()
    """For each read of the certificate: index of the call message that made it in time (or an equivalent); None if missing."""
    superfluous: tuple[int, ...] = ()
    """Indexes of call messages whose reads were repeated or not needed: reported, not punished."""
    behaviour: dict[str, str] = Field(default_factory=dict)
    """Dimension of the user's behaviour → value as it came out: measured, not judged."""
    version: str

    @property
    def accepted(self) -> bool:
        return all(check.passed for check in self.checks)

    @property
    def reason(self) -> str:
        """Name of the first failed check, "" if none failed."""
        return next((check.name for check in self.checks if not check.passed), "")

    @property
    def owner(self) -> Owner | None:
        """Who is to answer for the first failed check."""
        return next((check.owner for check in self.checks if not check.passed), None)
