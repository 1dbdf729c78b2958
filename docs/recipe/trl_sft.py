"""TRL's SFTTrainer on the files of a release: `trl sft`, but that rows are loaded with the features which keep them as they are.

    torchrun --nproc_per_node 4 docs/recipe/trl_sft.py --config docs/recipe/trl-full.yaml --deepspeed docs/recipe/zero3.json
    python docs/recipe/trl_sft.py --config docs/recipe/trl-lora.yaml

Takes every option of `trl sft`; `dataset_name` is the folder of a format, `trl` or `turns`.
"""

import json
from pathlib import Path

from datasets import Dataset, Features, Json, List, load_dataset
from trl import (
    ModelConfig,
    ScriptArguments,
    SFTConfig,
    SFTTrainer,
    TrlParser,
    get_peft_config,
)


def rows(folder: str, split: str) -> Dataset:
    """A split's rows. Without features, columns of mixed keys would depend on the version of `datasets`."""
    path = Path(folder, f"{split}.jsonl")
    with path.open(encoding="utf-8") as file:
        columns = json.loads(file.readline())
    features = Features({column: List(Json()) for column in columns})
    loaded = load_dataset("json", data_files=str(path), features=features)
    return loaded["train"]


def trainer(arguments: list[str] | None = None) -> SFTTrainer:
    """As the options say (by default those of the command line), ready to train."""
    parser = TrlParser((ScriptArguments, SFTConfig, ModelConfig))
    script, training, model = parser.parse_args_and_config(arguments)
    training.model_init_kwargs = {
        "dtype": model.dtype,
        "attn_implementation": model.attn_implementation,
        **(training.model_init_kwargs or {}),
    }
    held_out = script.dataset_test_split if training.eval_strategy != "no" else None
    return SFTTrainer(
        model=model.model_name_or_path,
        args=training,
        train_dataset=rows(script.dataset_name, script.dataset_train_split),
        eval_dataset=rows(script.dataset_name, held_out) if held_out else None,
        peft_config=get_peft_config(model),
    )


def main() -> None:
    made = trainer()
    made.train(resume_from_checkpoint=made.args.resume_from_checkpoint)
    made.save_model()


if __name__ == "__main__":
    main()
