"""The synthesis room: batches, from the order over the design to what came of each simulation."""

from writ_app.services.synthesis.batches import (
    MAX_ORDERED,
    BadOrder,
    BatchProgress,
    RejectReason,
    batch_progress,
    chat_model,
    design_batch,
    paraphrase_batch,
    start_batch,
    unfinished_designs,
)
from writ_app.services.synthesis.control import (
    CannotChange,
    cancel_batch,
    finish_batch_if_done,
    pause_batch,
    resume_batch,
    retry_failed,
)
from writ_app.services.synthesis.design import default_cells
from writ_app.services.synthesis.mix import class_groups, default_mix
from writ_app.services.synthesis.report import (
    DesignView,
    grid_weights,
    mix_lines,
    view_design,
)
from writ_app.services.synthesis.running import (
    is_work_left,
    ledger_of,
    preload,
    run_pending,
    run_simulation,
    take_back,
    tidy,
)

__all__ = [
    "MAX_ORDERED",
    "BadOrder",
    "BatchProgress",
    "CannotChange",
    "DesignView",
    "RejectReason",
    "batch_progress",
    "cancel_batch",
    "chat_model",
    "class_groups",
    "default_cells",
    "default_mix",
    "design_batch",
    "finish_batch_if_done",
    "grid_weights",
    "is_work_left",
    "ledger_of",
    "mix_lines",
    "paraphrase_batch",
    "pause_batch",
    "preload",
    "resume_batch",
    "retry_failed",
    "run_pending",
    "run_simulation",
    "start_batch",
    "take_back",
    "tidy",
    "unfinished_designs",
    "view_design",
]
