"""The recipe's own script for TRL: what its trainer makes of the rows, and the loss while it trains.

{"script", "arguments"} → {"rows": [{"ids", "labels"}], "losses": [number per step], "folder"}. Needs torch.
"""

import contextlib
import runpy
import sys
from typing import Any

import standins


def main(asked: dict[str, Any]) -> dict[str, Any]:
    script = runpy.run_path(asked["script"])
    with contextlib.redirect_stdout(sys.stderr):
        trainer = script["trainer"](asked["arguments"])
        batches = [trainer.data_collator([row]) for row in trainer.train_dataset]
        trainer.train()
        trainer.save_model()
    return {
        "rows": [
            {"ids": one["input_ids"][0].tolist(), "labels": one["labels"][0].tolist()}
            for one in batches
        ],
        "losses": [one["loss"] for one in trainer.state.log_history if "loss" in one],
        "folder": trainer.args.output_dir,
    }


if __name__ == "__main__":
    standins.answer(main)
