"""ms-swift's own preprocessor and the agent template for Qwen: a file of rows → messages as its templates take them.

{"file", "folder"} → [{"messages", "system", "calls"}]: messages after roles were made standard, the system prompt with tools as
the template writes it, and every call as it does.
"""

import logging
import sys
from contextlib import nullcontext
from typing import Any

import standins

standins.absent("torch", "modelscope", "peft", "accelerate", "PIL", "torchvision")
standins.bare(
    "swift",
    "swift.agent_template",
    "swift.dataset",
    "swift.dataset.preprocessor",
    "swift.template",
    "swift.utils",
)
standins.replaced("swift.infer_engine", "swift.dataset.utils")


def main(asked: dict[str, Any]) -> list[Any]:
    _open_utilities()
    from datasets import load_dataset
    from swift.agent_template.hermes import HermesAgentTemplate
    from swift.dataset.preprocessor.core import AutoPreprocessor

    rows = load_dataset(
        "json", data_files=asked["file"], split="train", cache_dir=asked["folder"]
    )
    made = AutoPreprocessor()(
        rows, load_from_cache_file=False, num_proc=None, strict=True
    )
    template = HermesAgentTemplate()
    return [_read(row, template) for row in made]


def _open_utilities() -> None:
    """What the `__init__` of two packages would have put there, as far as it is used."""
    utilities: Any = sys.modules["swift.utils"]
    utilities.get_logger = lambda *_: logging.getLogger("swift")
    utilities.is_dist = lambda: False
    utilities.is_master = lambda: True
    utilities.safe_ddp_context = lambda *_: nullcontext()

    from swift.utils import schema_utils

    vars(utilities).update(_public(schema_utils))

    from swift.template import utils

    template: Any = sys.modules["swift.template"]
    vars(template).update(_public(utils))
    template.MaxLengthError = ValueError


def _public(module: Any) -> dict[str, Any]:
    return {name: one for name, one in vars(module).items() if name[0] != "_"}


def _read(row: dict[str, Any], template: Any) -> dict[str, Any]:
    system, *messages = row["messages"]
    tools = [template.wrap_tool(tool) for tool in template._parse_json(row["tools"])]
    calls = [one for one in messages if one["role"] == "tool_call"]
    return {
        "messages": messages,
        "system": template._format_tools(tools, system["content"], None),
        "calls": [template._format_tool_calls([call]) for call in calls],
    }


if __name__ == "__main__":
    standins.answer(main)
