"""How many tokens a row has: with a tokenizer that an installed package brings, or by an estimate that says so.

Nothing is fetched, and the package that brings a file is not imported to find it. What is counted are the words that a chat
template prints (system prompt, tools, every message) and a few tokens around each message; templates differ by some words, so
leave some room below a limit.
"""

import hashlib
import json
import os
import re
import string
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from itertools import batched
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from writ_app.engine.errors import WritError
from writ_app.engine.export.records import Record, World

AROUND = 5
"""Tokens around each message: beginning, role, line feed, end, line feed (ChatML)."""
AT_ONCE = 64
"""Records counted together, on as many cores as there are."""

type Counter = Callable[[Sequence[str]], list[int]]
"""Texts → their numbers of tokens. Control tokens in a text count as the text they are."""


class NoTokenizer(WritError):
    """There is no such tokenizer here."""


@dataclass(frozen=True)
class Tokenizer:
    """`package` brings `file`; without a package it is an estimate."""

    slug: str
    title: str
    load: Callable[["Tokenizer"], Counter]
    package: str = ""
    file: str = ""
    sha256: str = ""

    @property
    def estimated(self) -> bool:
        return not self.package

    @property
    def path(self) -> Path | None:
        """Where its file is; None if it is not here."""
        spec = find_spec(self.package) if self.package else None
        for place in (spec and spec.submodule_search_locations) or ():
            found = Path(place) / self.file
            if found.is_file():
                return found
        return None

    @property
    def here(self) -> bool:
        return self.estimated or self.path is not None


# --- those there are -----------------------------------------------------------------------------------------------------------

_OPENAI = "litellm_core_utils/tokenizers/"
_ENVIRONMENT = Lock()


def _tiktoken(own: Tokenizer) -> Counter:
    """tiktoken's own encoding, from the file that another package brings under the name that tiktoken's cache has for it."""
    path = own.path
    # tiktoken would fetch what its cache lacks, and delete there what has another hash.
    if path is None or hashlib.sha256(path.read_bytes()).hexdigest() != own.sha256:
        raise NoTokenizer(f"{own.package} does not bring the file of {own.title}.")
    import tiktoken

    with _ENVIRONMENT:
        before = os.environ.get("TIKTOKEN_CACHE_DIR")
        os.environ["TIKTOKEN_CACHE_DIR"] = str(path.parent)
        try:
            encoding = tiktoken.get_encoding(own.slug)
        finally:
            if before is None:
                del os.environ["TIKTOKEN_CACHE_DIR"]
            else:
                os.environ["TIKTOKEN_CACHE_DIR"] = before
    threads = os.cpu_count() or 1
    return lambda texts: [
        len(tokens)
        for tokens in encoding.encode_ordinary_batch(list(texts), num_threads=threads)
    ]


_NUMBER = re.compile(r"\d+")


def _with_digits_apart(own: Tokenizer) -> Counter:
    """cl100k_base makes a token of up to three digits of a number; Qwen, whose other tokens are mostly the same, of each."""
    count_plain = counter("cl100k_base")

    def more(text: str) -> int:
        lengths = (len(number) for number in _NUMBER.findall(text))
        return sum(length - (length + 2) // 3 for length in lengths)

    return lambda texts: [
        tokens + more(text)
        for tokens, text in zip(count_plain(texts), texts, strict=True)
    ]


def _tokenizers(own: Tokenizer) -> Counter:
    """A `tokenizer.json` of Hugging Face's kind."""
    from tokenizers import Tokenizer as Loaded

    loaded = Loaded.from_file(str(own.path))
    return lambda texts: [
        len(one)
        for one in loaded.encode_batch_fast(list(texts), add_special_tokens=False)
    ]


_QWEN_WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
"""How Qwen's tokenizer cuts a text before it looks pieces up: as cl100k_base does, but with each digit alone."""


def _qwen(own: Tokenizer) -> Counter:
    """Qwen's vocabulary, read as a file: the package that brings it needs others only to be imported."""
    if own.path is None:
        raise NoTokenizer(f"{own.package} does not bring the file of {own.title}.")
    from tiktoken import Encoding

    lines = own.path.read_bytes().splitlines()
    ranks = {b64decode(token): int(rank) for token, rank in map(bytes.split, lines)}
    encoding = Encoding(
        own.slug, pat_str=_QWEN_WORDS, mergeable_ranks=ranks, special_tokens={}
    )
    return lambda texts: [
        len(one) for one in encoding.encode_ordinary_batch(list(texts))
    ]


_LETTERS = dict.fromkeys(map(ord, string.ascii_letters + " "))
PER_LETTER, PER_OTHER = 0.21, 0.53
"""Tokens per letter or space, and per other character: fitted to cl100k_base and o200k_base on scripted conversations in retail
and airline. Whole records there are off by −2 to +7 %, those of rental, which was left out of the fit, by −9 to +3 %; other
scripts than Latin are off by more."""


def _by_characters(own: Tokenizer) -> Counter:
    def tokens(text: str) -> int:
        others = len(text.translate(_LETTERS))
        return round(PER_LETTER * (len(text) - others) + PER_OTHER * others)

    return lambda texts: [tokens(text) for text in texts]


TOKENIZERS: dict[str, Tokenizer] = {
    one.slug: one
    for one in (
        Tokenizer(
            "cl100k_base",
            "cl100k_base (GPT-4; Qwen counts 4 to 9 % more in such conversations)",
            _tiktoken,
            "litellm",
            _OPENAI + "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
            "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
        ),
        Tokenizer(
            "cl100k_digits",
            "cl100k_base with a token for each digit (nearly Qwen 2 to 3, in English)",
            _with_digits_apart,
            "litellm",
            _OPENAI + "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
        ),
        Tokenizer(
            "o200k_base",
            "o200k_base (GPT-4o and later)",
            _tiktoken,
            "litellm",
            _OPENAI + "fb374d419588a4632f3f557e76b4b70aebbca790",
            "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
        ),
        Tokenizer(
            "anthropic",
            "Anthropic's published one (Claude 2)",
            _tokenizers,
            "litellm",
            _OPENAI + "anthropic_tokenizer.json",
        ),
        Tokenizer(
            "qwen",
            "Qwen (first generation)",
            _qwen,
            "dashscope",
            "resources/qwen.tiktoken",
        ),
        Tokenizer(
            "estimate",
            "Estimate by kinds of characters (within 10 % in English)",
            _by_characters,
        ),
    )
}


def tokenizers() -> dict[str, Tokenizer]:
    """Those that can be used here."""
    return {slug: one for slug, one in TOKENIZERS.items() if one.here}


@cache
def counter(slug: str) -> Counter:
    """Raises NoTokenizer, naming those there are."""
    one = TOKENIZERS.get(slug)
    if one is None or not one.here:
        known = ", ".join(tokenizers())
        raise NoTokenizer(f"There is no tokenizer {slug} here; there are {known}.")
    return one.load(one)


# --- counting ------------------------------------------------------------------------------------------------------------------


def count(record: Record, tokenizer: str) -> int:
    """Tokens of the whole record. Raises NoTokenizer."""
    return next(counts([record], tokenizer))[1]


def counts(records: Iterable[Record], tokenizer: str) -> Iterator[tuple[Record, int]]:
    """Each record with its tokens, in order. Raises NoTokenizer."""
    of = counter(tokenizer)
    for some in batched(records, AT_ONCE):
        spoken = of([_text(record) for record in some])
        for record, tokens in zip(some, spoken, strict=True):
            around = AROUND * (len(record.messages) + 1)
            yield record, tokens + around + _of_world(record.world, tokenizer)


def _text(record: Record) -> str:
    """What the messages add to the prompt; arguments as templates print them."""
    parts = []
    for message in record.messages:
        parts.append(message.get("content", ""))
        parts += [
            f"{made['name']} {json.dumps(made['arguments'], ensure_ascii=False)}"
            for made in message.get("tool_calls", ())
        ]
    return "\n".join(parts)


def _of_world(world: World, tokenizer: str) -> int:
    """Tokens of system prompt and tools, counted once."""
    counted = world.once(_counted)
    if tokenizer not in counted:
        tools = json.dumps(list(world.tools), ensure_ascii=False)
        counted[tokenizer] = sum(counter(tokenizer)([world.system, tools]))
    return counted[tokenizer]


def _counted(world: World) -> dict[str, int]:
    return {}


class TooLong(NamedTuple):
    """A record with more tokens than the limit."""

    id: str
    tokens: int


def over_long(
    records: Iterable[Record], tokenizer: str, limit: int
) -> Iterator[TooLong]:
    """Every record above the limit: they are left out whole and listed, never cut. Raises NoTokenizer."""
    for record, tokens in counts(records, tokenizer):
        if tokens > limit:
            yield TooLong(record.id, tokens)
