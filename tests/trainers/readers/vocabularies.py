"""The vocabularies of two families as packages ship them, and as the tokenizers that trainers load.

Run as a script it answers {"family", "folder"}: the folder then holds a tokenizer for `AutoTokenizer.from_pretrained`.
"""

import os
from pathlib import Path
from typing import Any, NamedTuple


class Vocabulary(NamedTuple):
    path: str
    digits: str
    special: tuple[str, ...]
    """Special tokens in the order of their ids, which follow those of the file."""
    end: str
    """What ends a turn."""


QWEN = Vocabulary(
    path="dashscope/resources/qwen.tiktoken",
    digits=r"\p{N}",
    special=(
        *("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
        *("<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>"),
        *("<|box_end|>", "<|quad_start|>", "<|quad_end|>", "<|vision_start|>"),
        *("<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>"),
        *("<tool_call>", "</tool_call>", "<|fim_prefix|>", "<|fim_middle|>"),
        *("<|fim_suffix|>", "<|fim_pad|>", "<|repo_name|>", "<|file_sep|>"),
        *("<tool_response>", "</tool_response>", "<think>", "</think>"),
    ),
    end="<|im_end|>",
)
LLAMA3 = Vocabulary(
    path="llama_models/llama3/tokenizer.model",
    digits=r"\p{N}{1,3}",
    special=(
        *("<|begin_of_text|>", "<|end_of_text|>", "<|reserved_special_token_0|>"),
        *("<|reserved_special_token_1|>", "<|finetune_right_pad_id|>", "<|step_id|>"),
        *("<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>"),
        "<|python_tag|>",
    ),
    end="<|eot_id|>",
)
VOCABULARIES = {"qwen": QWEN, "llama3": LLAMA3}


def pattern(vocabulary: Vocabulary) -> str:
    """How text is cut before pairs are merged."""
    return (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
        + vocabulary.digits
        + r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    )


def write(family: str, folder: str) -> None:
    from transformers import PreTrainedTokenizerFast
    from transformers.convert_slow_tokenizer import TikTokenConverter

    vocabulary = VOCABULARIES[family]
    root = Path(os.environ["PYTHONPATH"])
    made = TikTokenConverter(
        str(root / vocabulary.path),
        pattern(vocabulary),
        extra_special_tokens=vocabulary.special,
    ).converted()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=made,
        eos_token=vocabulary.end,
        pad_token=vocabulary.special[4 if family == "llama3" else 0],
        **({"bos_token": "<|begin_of_text|>"} if family == "llama3" else {}),
        clean_up_tokenization_spaces=False,
    )
    tokenizer.save_pretrained(folder)


def main(asked: dict[str, Any]) -> str:
    write(asked["family"], asked["folder"])
    return str(asked["folder"])


if __name__ == "__main__":
    import standins

    standins.answer(main)
