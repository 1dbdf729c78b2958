"""Counting tokens with an encoding that is installed, never with one from the network."""

import hashlib
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ENCODING = "cl100k_base"
_URL = "https://openaipublic.blob.core.windows.net/encodings/cl100k_base.tiktoken"
ESTIMATE = "characters / 4 (an estimate)"


def token_counter() -> tuple[Callable[[str], int], str]:
    """(count, name of what counts). Without the encoding's file an estimate, which says that it is one."""
    encoding = _encoding()
    if encoding is None:
        return _estimate, ESTIMATE
    return lambda text: len(encoding.encode_ordinary(text)), ENCODING


def _estimate(text: str) -> int:
    return -(-len(text) // 4)


@cache
def _encoding() -> Any:
    """The encoding whose file litellm's package ships, found without importing that; None if it is not there."""
    spec = find_spec("litellm")
    if spec is None or spec.origin is None:
        return None
    name = hashlib.sha1(_URL.encode(), usedforsecurity=False).hexdigest()
    folder = Path(spec.origin).parent / "litellm_core_utils" / "tokenizers"
    if not (folder / name).is_file():
        return None
    import os

    import tiktoken

    os.environ.setdefault("TIKTOKEN_CACHE_DIR", str(folder))
    return tiktoken.get_encoding(ENCODING)
