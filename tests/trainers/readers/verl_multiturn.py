"""verl's own multi-turn dataset: a Parquet file → tokens and loss masks.

{"file", "tokenizer", "template", "settings"} → {"rows": [{"ids", "mask"}]}, or {"error"}. Needs torch.
"""

from typing import Any

import standins

standins.absent("ray", "tensordict", "peft", "codetiming", "hydra", "omegaconf")
standins.bare("verl", "verl.utils", "verl.utils.dataset")
standins.replaced(
    "verl.models", "verl.models.transformers", "verl.models.transformers.qwen2_vl"
)


def main(asked: dict[str, Any]) -> dict[str, Any]:
    from transformers import AutoTokenizer
    from verl.utils.dataset.multiturn_sft_dataset import MultiTurnSFTDataset

    tokenizer = AutoTokenizer.from_pretrained(asked["tokenizer"])
    tokenizer.chat_template = asked["template"]
    settings = {"pad_mode": "no_padding", "max_length": 100_000, **asked["settings"]}
    try:
        made = MultiTurnSFTDataset([asked["file"]], tokenizer, settings)
        rows = [made[n] for n in range(len(made))]
    except AssertionError as error:
        return {"error": str(error)}
    return {
        "rows": [
            {"ids": row["input_ids"].tolist(), "mask": row["loss_mask"].tolist()}
            for row in rows
        ]
    }


if __name__ == "__main__":
    standins.answer(main)
