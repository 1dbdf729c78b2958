"""How fast an endpoint is asked, how often again, and for how much: limiter, retry, budget.

Knows nothing about conversations. Time and chance are arguments.
"""

from writ_app.engine.pacing.budget import Budget
from writ_app.engine.pacing.limiter import Limiter
from writ_app.engine.pacing.paced import PacedChat, Stopped
from writ_app.engine.pacing.retry import Retry

__all__ = ["Budget", "Limiter", "PacedChat", "Retry", "Stopped"]
