"""The synthesis room: batches, from the order over the design to what came of each simulation."""

from writ_app.services.synthesis.batches import (
    MAX_ORDERED,
    BadOrder,
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
from writ_app.services.synthesis.endpoints import (
    EndpointLine,
    list_endpoints,
    try_endpoint,
)
from writ_app.services.synthesis.mix import class_groups, default_mix
from writ_app.services.synthesis.progress import (
    BatchProgress,
    RejectReason,
    batch_progress,
    batches_progress,
)
from writ_app.services.synthesis.rates import AcceptRates, accept_rates
from writ_app.services.synthesis.report import (
    DesignView,
    grid_weights,
    mix_lines,
    view_design,
)
from writ_app.services.synthesis.running import (
    is_work_left,
    ledger_of,
    run_pending,
    run_simulation,
    take_back,
    tidy,
)

__all__ = [
    "MAX_ORDERED",
    "AcceptRates",
    "BadOrder",
    "BatchProgress",
    "CannotChange",
    "DesignView",
    "EndpointLine",
    "RejectReason",
    "accept_rates",
    "batch_progress",
    "batches_progress",
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
    "list_endpoints",
    "mix_lines",
    "paraphrase_batch",
    "pause_batch",
    "resume_batch",
    "retry_failed",
    "run_pending",
    "run_simulation",
    "start_batch",
    "take_back",
    "tidy",
    "try_endpoint",
    "unfinished_designs",
    "view_design",
]
