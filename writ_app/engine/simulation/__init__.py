"""The conversation: user and agent in turns, the environment in between; a trajectory comes back, whatever happened.

The protocol is that of tau2 SPEC §9, so that what is trained matches where it is used. Failures are outcomes with an owner.
Knows nothing about databases, reviews or formats. Time and sleeping are arguments.
"""

from writ_app.engine.simulation.conversation import (
    Ask,
    Conversation,
    Draft,
    Limits,
    Scene,
    ScreenTurn,
    Side,
    Turn,
    scene_of,
)
from writ_app.engine.simulation.driving import hold, hold_async, simulate
from writ_app.engine.simulation.prompts import (
    GREETING,
    PROMPT_VERSION,
    agent_prompt,
    user_prompt,
    user_prompt_of,
    user_view,
)

__all__ = [
    "GREETING",
    "PROMPT_VERSION",
    "Ask",
    "Conversation",
    "Draft",
    "Limits",
    "Scene",
    "ScreenTurn",
    "Side",
    "Turn",
    "agent_prompt",
    "hold",
    "hold_async",
    "scene_of",
    "simulate",
    "user_prompt",
    "user_prompt_of",
    "user_view",
]
