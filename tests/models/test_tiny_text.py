"""Words as numbers, and the encoder that reads them."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from earthloom.models.tiny.text import TextEncoder, hash_word, read_text


def test_words_digits_and_signs_are_tokens_and_case_does_not_matter() -> None:
    read = read_text("A River, 10 m", 10, 4096)
    words = ["a", "river", ",", "1", "0", "m"]
    assert [tuple(row) for row in read.tokens[1:7]] == [hash_word(word, 4096) for word in words]
    assert tuple(read.tokens[0]) == (1, 1)
    assert not read.tokens[7:].any()
    assert read.n_cut == 0
    assert np.array_equal(read.tokens, read_text("a RIVER, 10 m", 10, 4096).tokens)


def test_what_is_cut_is_told() -> None:
    read = read_text("one two three four five six", 4, 4096)
    assert read.n_cut == 3
    assert np.array_equal(read.tokens, read_text("one two three", 4, 4096).tokens)


def test_words_are_told_apart_by_two_hashes() -> None:
    words = [f"word{chr(97 + k % 26)}{chr(97 + k // 26 % 26)}{chr(97 + k // 676)}" for k in range(5000)]
    assert len({hash_word(word, 4096)[0] for word in words}) < 3500  # one hash alone confuses many
    assert len({hash_word(word, 4096) for word in words}) >= 4998


def test_hashes_are_the_same_on_every_machine() -> None:
    """Weights are of use only with these: SHA-256 of "0", the purpose and the word, its first 8 bytes."""
    import hashlib

    def expect(purpose: str) -> int:
        digest = hashlib.sha256(f"0\x1f{purpose}\x1fforest".encode()).digest()
        return 2 + int.from_bytes(digest[:8], "big") % 4094

    assert hash_word("forest", 4096) == (expect("first"), expect("second"))


@given(text=st.text(max_size=200), length=st.integers(4, 40))
def test_any_text_can_be_read(text: str, length: int) -> None:
    read = read_text(text, length, 64)
    assert read.tokens.shape == (length, 2)
    assert read.tokens.min() >= 0
    assert read.tokens.max() < 64
    n_words = int((read.tokens[:, 0] > 0).sum()) - 1
    assert n_words == length - 1 or read.n_cut == 0
    assert not read.tokens[n_words + 1 :].any()


def test_padding_changes_nothing() -> None:
    torch.manual_seed(0)
    encoder = TextEncoder(32, 2, 16, 256).eval()
    tokens = torch.from_numpy(read_text("a green field", 16, 256).tokens)[None]
    with torch.no_grad():
        long, is_word = encoder(tokens)
        short, _ = encoder(tokens[:, :4])
    assert is_word.sum() == 4
    torch.testing.assert_close(long[:, :4], short)


def test_the_order_of_words_is_seen() -> None:
    torch.manual_seed(0)
    encoder = TextEncoder(32, 2, 16, 256).eval()
    tokens = torch.stack(
        [torch.from_numpy(read_text(text, 16, 256).tokens) for text in ("red roof", "roof red")]
    )
    with torch.no_grad():
        states, _ = encoder(tokens)
    assert (states[0, 1] - states[1, 2]).abs().max() > 1e-3
