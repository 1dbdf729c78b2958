"""The synthesis room: batches, from the order over the design to what came of each simulation."""

from writ_app.services.synthesis.batches import (
    MAX_ORDERED,
    BadOrder,
    chat_model,
    design_batch,
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
    ROLES,
    EndpointLine,
    list_endpoints,
    try_endpoint,
)
from writ_app.services.synthesis.health import (
    Health,
    health_of,
)
from writ_app.services.synthesis.mix import class_groups, default_mix
from writ_app.services.synthesis.ordering import disabled_in, order_of, role_lines
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
from writ_app.services.synthesis.rewording import paraphrase_batch
from writ_app.services.synthesis.running import (
    is_work_left,
    ledger_of,
    preload,
    run_pending,
    run_simulation,
    take_back,
    tidy,
)
from writ_app.services.synthesis.spending import (
    Spending,
    batch_spending,
    caps_of,
    change_caps,
)

__all__ = [
    "MAX_ORDERED",
    "ROLES",
    "AcceptRates",
    "BadOrder",
    "BatchProgress",
    "CannotChange",
    "DesignView",
    "EndpointLine",
    "Health",
    "RejectReason",
    "Spending",
    "accept_rates",
    "batch_progress",
    "batch_spending",
    "batches_progress",
    "cancel_batch",
    "caps_of",
    "change_caps",
    "chat_model",
    "class_groups",
    "default_cells",
    "default_mix",
    "design_batch",
    "disabled_in",
    "finish_batch_if_done",
    "grid_weights",
    "health_of",
    "is_work_left",
    "ledger_of",
    "list_endpoints",
    "mix_lines",
    "order_of",
    "paraphrase_batch",
    "pause_batch",
    "preload",
    "resume_batch",
    "retry_failed",
    "role_lines",
    "run_pending",
    "run_simulation",
    "start_batch",
    "take_back",
    "tidy",
    "try_endpoint",
    "unfinished_designs",
    "view_design",
]
