"""The synthesis room: batches, from the order over the design to what came of each simulation."""

from writ_app.services.synthesis.batches import (
    MAX_ORDERED,
    BadOrder,
    chat_model,
    design_batch,
    start_batch,
    unfinished_designs,
)
from writ_app.services.synthesis.behaviour import (
    MAX_PLANS_PER_TASK,
    BadConduct,
    DimensionLines,
    ValueLine,
    behaviour_marginals,
    marginals_json,
    pin_repertoire,
    preview_ledger,
    save_conduct,
    set_enabled,
    sync_built_in,
    uses_of,
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
    forget_limits,
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
    "MAX_PLANS_PER_TASK",
    "ROLES",
    "AcceptRates",
    "BadConduct",
    "BadOrder",
    "BatchProgress",
    "CannotChange",
    "DesignView",
    "DimensionLines",
    "EndpointLine",
    "Health",
    "RejectReason",
    "Spending",
    "ValueLine",
    "accept_rates",
    "batch_progress",
    "batch_spending",
    "batches_progress",
    "behaviour_marginals",
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
    "forget_limits",
    "grid_weights",
    "health_of",
    "is_work_left",
    "ledger_of",
    "list_endpoints",
    "marginals_json",
    "mix_lines",
    "order_of",
    "paraphrase_batch",
    "pause_batch",
    "pin_repertoire",
    "preload",
    "preview_ledger",
    "requeue_stale",
    "resume_batch",
    "retry_failed",
    "role_lines",
    "run_pending",
    "run_simulation",
    "save_conduct",
    "set_enabled",
    "start_batch",
    "sync_built_in",
    "take_back",
    "tidy",
    "try_endpoint",
    "unfinished_designs",
    "uses_of",
    "view_design",
]
