"""verl's own multi-turn dataset: a Parquet file → tokens and loss masks.

{"file", "loader", "tokenizer", "template", "settings"} → {"rows": [{"ids", "mask"}]}, or {"error"}. `loader` is the file of the
class to load with, as `data.custom_cls` names it; "" for verl's own. Needs torch.
"""

import importlib.util
import sys
from typing import Any

import standins

standins.absent("ray", "tensordict", "codetiming", "hydra", "omegaconf", "PIL")
standins.bare("verl", "verl.utils", "verl.utils.dataset")
standins.replaced(
    "verl.models",
    "verl.models.transformers",
    "verl.models.transformers.qwen2_vl",
    "verl.utils.metric",
    "verl.utils.tensordict_utils",
)


def main(asked: dict[str, Any]) -> dict[str, Any]:
    from transformers import AutoTokenizer
    from verl.utils.tokenizer import hf_tokenizer

    sys.modules["verl.utils"].hf_tokenizer = hf_tokenizer  # type: ignore[attr-defined]
    tokenizer = AutoTokenizer.from_pretrained(asked["tokenizer"])
    tokenizer.chat_template = asked["template"]
    settings = {"pad_mode": "no_padding", "max_length": 100_000, **asked["settings"]}
    try:
        made = _dataset(asked["loader"])([asked["file"]], tokenizer, settings)
        rows = [made[n] for n in range(len(made))]
    except AssertionError as error:
        return {"error": str(error)}
    return {
        "rows": [
            {"ids": row["input_ids"].tolist(), "mask": row["loss_mask"].tolist()}
            for row in rows
        ]
    }


def _dataset(loader: str) -> Any:
    from verl.utils.dataset.multiturn_sft_dataset import MultiTurnSFTDataset

    if not loader:
        return MultiTurnSFTDataset
    spec = importlib.util.spec_from_file_location("writ_dataset", loader)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.WritDataset


if __name__ == "__main__":
    standins.answer(main)
