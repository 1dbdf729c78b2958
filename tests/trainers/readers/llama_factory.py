"""LLaMA-Factory's own converters and its supervised processor: rows → messages, tokens and labels.

{"rows", "info", "name", "tokenizer", "template", "settings"} → [{"messages", "ids", "labels"}]; `info` is dataset_info.json,
`name` the entry of it, `settings` of the training. A row that it drops has no messages and no ids.
"""

import logging
from types import SimpleNamespace
from typing import Any

import standins

standins.absent("peft", "torch", "torchaudio", "torchvision")
standins.bare(
    "llamafactory",
    "llamafactory.data",
    "llamafactory.data.processor",
    "llamafactory.extras",
)

SETTINGS = {
    "template": None,
    "train_on_prompt": False,
    "mask_history": False,
    "tool_format": None,
    "default_system": None,
    "enable_thinking": True,
    "preserve_thinking": False,
    "cutoff_len": 100_000,
    "media_dir": "",
}
"""Those of `DataArguments` that are read here, as they are by default; but nothing is cut."""


def main(asked: dict[str, Any]) -> list[Any]:
    from llamafactory.data.converter import get_dataset_converter
    from llamafactory.data.parser import get_dataset_list
    from llamafactory.data.processor.supervised import SupervisedDatasetProcessor
    from llamafactory.data.template import get_template_and_fix_tokenizer
    from transformers import AutoTokenizer

    logging.disable(logging.WARNING)  # it prints every row that it drops
    tokenizer = AutoTokenizer.from_pretrained(asked["tokenizer"])
    settings = SimpleNamespace(
        **{**SETTINGS, "template": asked["template"], **asked.get("settings", {})}
    )
    template = get_template_and_fix_tokenizer(tokenizer, settings)
    [attributes] = get_dataset_list([asked["name"]], asked["info"])
    convert = get_dataset_converter(attributes.formatting, attributes, settings)
    processor = SupervisedDatasetProcessor(template, tokenizer, None, settings)
    return [_read(convert(row), processor) for row in asked["rows"]]


def _read(made: dict[str, Any], processor: Any) -> dict[str, Any]:
    batch = {key: [value] for key, value in made.items()}
    encoded = processor.preprocess_dataset(batch)
    return {
        "messages": made["_prompt"] + made["_response"],
        "system": made["_system"],
        "tools": made["_tools"],
        "ids": [int(i) for row in encoded["input_ids"] for i in row],
        "labels": [int(i) for row in encoded["labels"] for i in row],
    }


if __name__ == "__main__":
    standins.answer(main)
