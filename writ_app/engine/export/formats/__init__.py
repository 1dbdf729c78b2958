"""Every format that records can be written in, by slug."""

from writ_app.engine.export.formats.axolotl import AXOLOTL
from writ_app.engine.export.formats.base import Conversation, Format, SideFile
from writ_app.engine.export.formats.canonical import JSONL, PARQUET
from writ_app.engine.export.formats.llama_factory import (
    LLAMA_FACTORY_OPENAI,
    LLAMA_FACTORY_SHAREGPT,
)
from writ_app.engine.export.formats.ms_swift import MS_SWIFT
from writ_app.engine.export.formats.openai_chat import OPENAI_CHAT
from writ_app.engine.export.formats.tau2 import TAU2_RESULTS, TAU2_TASKS
from writ_app.engine.export.formats.trl import TRL
from writ_app.engine.export.formats.turns import TURNS
from writ_app.engine.export.formats.verl import VERL

__all__ = ["FORMATS", "Conversation", "Format", "SideFile"]

FORMATS: dict[str, Format] = {
    fmt.slug: fmt
    for fmt in (
        JSONL,
        PARQUET,
        OPENAI_CHAT,
        TRL,
        TURNS,
        LLAMA_FACTORY_SHAREGPT,
        LLAMA_FACTORY_OPENAI,
        AXOLOTL,
        MS_SWIFT,
        VERL,
        TAU2_RESULTS,
        TAU2_TASKS,
    )
}
