"""TRL's own SFTTrainer: a file of rows → tokens and labels, as its collator hands them to a model.

{"file", "tokenizer", "template", "settings", "folder"} → {"rows": [{"ids", "labels"}]}, or {"error"}. Needs torch.
"""

import json
from pathlib import Path
from typing import Any

import standins


def main(asked: dict[str, Any]) -> dict[str, Any]:
    from datasets import Features, Json, List, load_dataset
    from transformers import AutoTokenizer, Qwen2Config, Qwen2ForCausalLM
    from trl import SFTConfig, SFTTrainer

    tokenizer = AutoTokenizer.from_pretrained(asked["tokenizer"])
    tokenizer.chat_template = asked["template"]
    with Path(asked["file"]).open(encoding="utf-8") as file:
        columns = list(json.loads(file.readline()))
    features = Features({column: List(Json()) for column in columns})
    rows = load_dataset(
        "json",
        data_files=asked["file"],
        features=features,
        split="train",
        cache_dir=asked["folder"],
    )
    model = Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=len(tokenizer),
            hidden_size=16,
            intermediate_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            num_key_value_heads=1,
        )
    )
    config = SFTConfig(
        output_dir=asked["folder"],
        report_to="none",
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        max_steps=1,
        per_device_train_batch_size=1,
        save_strategy="no",
        disable_tqdm=True,
        **asked["settings"],
    )
    try:
        trainer = SFTTrainer(
            model=model, args=config, train_dataset=rows, processing_class=tokenizer
        )
    except ValueError as error:
        return {"error": str(error)}
    batch = [
        trainer.data_collator([trainer.train_dataset[n]])
        for n in range(len(trainer.train_dataset))
    ]
    made = [
        {"ids": one["input_ids"][0].tolist(), "labels": one["labels"][0].tolist()}
        for one in batch
    ]
    return {"rows": made}


if __name__ == "__main__":
    standins.answer(main)
