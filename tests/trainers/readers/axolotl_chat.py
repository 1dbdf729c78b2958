"""axolotl's own loader of `type: chat_template`: rows → tokens and labels.

{"rows", "tokenizer", "template", "dataset"} → [{"ids", "labels"}]; `dataset` is the entry of a configuration's `datasets`.
"""

from typing import Any

import standins

standins.absent("torch", "accelerate")


def main(asked: dict[str, Any]) -> list[Any]:
    from axolotl.prompt_strategies.chat_template import load
    from axolotl.utils.dict import DictDefault
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(asked["tokenizer"])
    config = DictDefault(
        {
            "sequence_len": 100_000,
            "train_on_inputs": False,
            "chat_template": "jinja",
            "chat_template_jinja": asked["template"],
        }
    )
    strategy = load(tokenizer, config, DictDefault(asked["dataset"]))
    made = [strategy.tokenize_prompt(row) for row in asked["rows"]]
    return [{"ids": list(m["input_ids"]), "labels": list(m["labels"])} for m in made]


if __name__ == "__main__":
    standins.answer(main)
