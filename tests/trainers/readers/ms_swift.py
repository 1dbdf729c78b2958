"""ms-swift's own preprocessor and agent template: rows → the messages that its templates render.

{"rows", "agent_template"} → [{"messages", "tools"}], after columns and roles were made standard, and with every call and result
written as the agent template writes them into the text.
"""

from typing import Any

import standins

standins.absent("torch", "modelscope", "peft", "accelerate", "PIL", "torchvision")
standins.bare("swift", "swift.template", "swift.dataset", "swift.dataset.preprocessor")


def main(asked: dict[str, Any]) -> list[Any]:
    from swift.dataset.preprocessor.core import AutoPreprocessor

    made = []
    for row in asked["rows"]:
        preprocessor = AutoPreprocessor()._get_preprocessor_class(row)
        made.append(preprocessor.preprocess(row))
    return made


if __name__ == "__main__":
    standins.answer(main)
