"""A model of two layers with random weights, and a tokenizer with the first merges of Qwen's: small enough to train on a CPU.

{"folder", "template", "vocabulary"} → the folder, which then holds both for `from_pretrained`. Bytes are tokens, so that every
text comes back; the control tokens are all of Qwen's. Needs torch.
"""

import os
from pathlib import Path
from typing import Any

import standins
from vocabularies import VOCABULARIES, pattern


def main(asked: dict[str, Any]) -> str:
    import torch
    from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM
    from transformers.convert_slow_tokenizer import TikTokenConverter

    folder = Path(asked["folder"])
    folder.mkdir(parents=True)
    qwen = VOCABULARIES["qwen"]
    ranks = (Path(os.environ["PYTHONPATH"]) / qwen.path).read_bytes().splitlines()
    merges = folder / "merges.tiktoken"
    merges.write_bytes(b"\n".join(ranks[: asked["vocabulary"]]) + b"\n")
    made = TikTokenConverter(
        str(merges), pattern(qwen), extra_special_tokens=qwen.special
    ).converted()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=made,
        eos_token=qwen.end,
        pad_token=qwen.special[0],
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = asked["template"]
    tokenizer.save_pretrained(folder)
    torch.manual_seed(1)
    model = Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=32,
            num_hidden_layers=2,
            num_attention_heads=1,
            num_key_value_heads=1,
            head_dim=32,
            initializer_range=0.2,  # adapters leave the output as it is: its scale bounds what they can learn
            max_position_embeddings=40_960,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    model.save_pretrained(folder)
    return str(folder)


if __name__ == "__main__":
    standins.answer(main)
