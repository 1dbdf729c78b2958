import hashlib
import json
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from environments.core import canonical
from environments.core.canonical import CanonicalText, Key

texts = st.integers(0, 10**9).map(str)
keys = st.text("abé#", min_size=1, max_size=3)
wholes = st.dictionaries(
    st.sampled_from(["users", "orders", "Z"]),
    st.dictionaries(keys, texts, max_size=8),
    min_size=1,
)


@st.composite
def variants(
    draw: st.DrawFn,
) -> tuple[dict[str, dict[str, str]], dict[Key, str | None]]:
    """A whole, and changes of it: records replaced, removed and added."""
    whole = draw(wholes)
    changed = st.tuples(st.sampled_from(sorted(whole)), keys)
    own = [(name, key) for name, held in whole.items() for key in held]
    if own:
        changed = st.one_of(changed, st.sampled_from(own))
    return whole, draw(st.dictionaries(changed, st.none() | texts, max_size=8))


def from_scratch(
    whole: dict[str, dict[str, str]], changes: dict[Key, str | None]
) -> str:
    plain = {
        name: {key: int(text) for key, text in held.items()}
        for name, held in whole.items()
    }
    for (name, key), text in changes.items():
        plain[name].pop(key, None)
        if text is not None:
            plain[name][key] = int(text)
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


class TestHashWith:
    @given(variants(), st.integers(1, 40))
    def test_equals_the_hash_of_the_whole_changed_text(
        self,
        variant: tuple[dict[str, dict[str, str]], dict[Key, str | None]],
        chunk: int,
    ) -> None:
        whole, changes = variant
        with patch.object(canonical, "CHUNK", chunk):
            text = CanonicalText(whole, lambda key: whole[key[0]][key[1]])

            assert text.hash_with({}) == from_scratch(whole, {})
            assert text.hash_with(changes) == from_scratch(whole, changes)
