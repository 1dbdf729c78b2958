import re
import subprocess
import sys

import pytest

from tests.engine.export.conversations import recorded
from tests.engine.export.made import dataset, record
from tests.engine.export.test_pitfalls import GOOD
from writ_app.engine.export.records import spoken
from writ_app.engine.export.tokens import (
    AROUND,
    AT_ONCE,
    TOKENIZERS,
    NoTokenizer,
    count,
    counter,
    counts,
    tokenizers,
)

EXACT = [slug for slug, one in tokenizers().items() if not one.estimated]


class TestTokenizers:
    def test_those_of_installed_packages_are_here_and_others_are_not(self) -> None:
        assert {"cl100k_base", "o200k_base", "anthropic", "estimate"} <= {*tokenizers()}
        assert tokenizers().keys() <= TOKENIZERS.keys()

    def test_one_that_is_not_here_is_refused_with_those_that_are(self) -> None:
        with pytest.raises(
            NoTokenizer, match="there are cl100k_base, cl100k_digits, o200k_base"
        ):
            counter("gpt-9")

    @pytest.mark.parametrize(
        ("slug", "tokens"), [("cl100k_base", 4), ("o200k_base", 4), ("anthropic", 4)]
    )
    def test_count_as_they_are_known_to(self, slug: str, tokens: int) -> None:
        assert counter(slug)(["Hello, world!", ""]) == [tokens, 0]

    @pytest.mark.parametrize("slug", EXACT)
    def test_control_tokens_in_a_text_are_text(self, slug: str) -> None:
        assert counter(slug)(["<|endoftext|>"])[0] > 1

    def test_are_found_without_network_and_without_importing_what_brings_them(
        self,
    ) -> None:
        code = (
            "import socket, sys\n"
            "def refused(*_, **__): raise OSError('no network')\n"
            "socket.socket.connect = socket.getaddrinfo = refused\n"
            "from writ_app.engine.export.tokens import counter\n"
            "assert counter('cl100k_base')(['Hello, world!']) == [4]\n"
            "assert 'litellm' not in sys.modules\n"
        )
        subprocess.run([sys.executable, "-c", code], check=True)


class TestDigitsApart:
    @pytest.mark.parametrize(
        "text",
        ["", "No digits.", "#W4817420 for $1,234.56 on 2024-05-15", "x9y", "0" * 50],
    )
    def test_are_a_token_each_and_all_else_is_as_before(self, text: str) -> None:
        """Counted the long way: whatever stands between two digits by itself."""
        plain = counter("cl100k_base")
        parts = [part for part in re.split(r"\d", text) if part]
        digits = sum(sign.isdigit() for sign in text)

        assert counter("cl100k_digits")([text]) == [sum(plain(parts)) + digits]

    def test_make_conversations_with_ids_and_prices_some_hundredths_longer(
        self,
    ) -> None:
        for one in dataset().records():
            more = count(one, "cl100k_digits") / count(one, "cl100k_base")
            assert 1.02 < more < 1.15


class TestCount:
    @pytest.mark.parametrize("slug", list(tokenizers()))
    def test_grows_by_what_a_message_adds(self, slug: str) -> None:
        longer = recorded([*GOOD[:-1], spoken("user", "Thanks a lot!")])
        shorter = recorded(list(GOOD[:-1]))
        added = count(longer, slug) - count(shorter, slug)
        alone = counter(slug)(["Thanks a lot!"])[0]
        assert abs(added - alone - AROUND) <= 1

    def test_holds_policy_and_tools(self) -> None:
        one = record()
        words = counter("cl100k_base")([one.world.system, one.world.tools_json])
        assert count(one, "cl100k_base") > sum(words)

    def test_gives_each_record_its_own_number_in_order(self) -> None:
        some = list(dataset().records()) * (AT_ONCE // 4)
        told = list(counts(some, "o200k_base"))
        assert [one for one, _ in told] == some
        assert [n for _, n in told] == [count(one, "o200k_base") for one in some]


class TestEstimate:
    @pytest.mark.parametrize("slug", ["cl100k_base", "o200k_base"])
    def test_is_as_near_as_it_says(self, slug: str) -> None:
        """Over conversations of the small shop; other languages differ more."""
        for one in dataset().records():
            assert count(one, "estimate") == pytest.approx(count(one, slug), rel=0.1)

    def test_says_that_it_is_one(self) -> None:
        assert TOKENIZERS["estimate"].estimated
        assert "stimate" in TOKENIZERS["estimate"].title
