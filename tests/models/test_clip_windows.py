"""Long texts in windows: all words are there, in order, none is too long, and sentences stay whole where they can."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earthloom.core.errors import UsageError
from earthloom.models.clip.windows import split_texts


def count_letters(texts: Sequence[str]) -> list[int]:
    """A tokenizer of one token a letter; spaces part tokens and are none."""
    return [len(text.replace(" ", "")) for text in texts]


def count_words(texts: Sequence[str]) -> list[int]:
    """One token a word."""
    return [len(text.split()) for text in texts]


def test_a_text_that_fits_is_left_as_it_is() -> None:
    found = split_texts(["two  words", "", "one"], 2, count_words)
    assert found.texts == ("two  words", "", "one")
    assert found.owners.tolist() == [0, 1, 2]
    assert found.weights.tolist() == [2, 1, 1]
    assert found.n_long == 0


def test_windows_end_with_sentences_where_they_are_half_full() -> None:
    text = "A river bends. It is wide and brown. Fields lie on both of its sides."
    found = split_texts([text], 9, count_words)
    assert found.texts == ("A river bends. It is wide and brown.", "Fields lie on both of its sides.")
    assert found.weights.tolist() == [8, 7]
    assert found.n_long == 1


def test_a_window_that_a_sentence_would_leave_nearly_empty_ends_with_a_word() -> None:
    found = split_texts(["Snow. " + " ".join("abcdefghijkl")], 6, count_words)
    assert found.texts == ("Snow. a b c d e", "f g h i j k", "l")


def test_a_quote_after_the_full_stop_still_ends_a_sentence() -> None:
    found = split_texts(["It says “here is water.” Then more follows"], 6, count_words)
    assert found.texts[0].endswith("water.”")


def test_a_word_that_is_too_long_is_cut_between_letters() -> None:
    found = split_texts(["abcdefghij"], 3, count_letters)
    assert "".join(found.texts) == "abcdefghij"
    assert found.weights.max() <= 3


@given(st.lists(st.text("ab.!? ", max_size=60), max_size=6), st.integers(1, 9))
def test_nothing_is_lost_and_nothing_is_too_long(texts: list[str], room: int) -> None:
    found = split_texts(texts, room, count_letters)
    assert max(count_letters(found.texts), default=0) <= room
    for number, text in enumerate(texts):
        own = [part for part, owner in zip(found.texts, found.owners, strict=True) if owner == number]
        assert "".join(own).replace(" ", "") == text.replace(" ", "")
    assert found.owners.tolist() == sorted(found.owners.tolist())


def test_no_room_is_a_fault() -> None:
    with pytest.raises(UsageError, match="shorter prefix"):
        split_texts(["a"], 0, count_words)
    with pytest.raises(UsageError, match="tokens of"):
        split_texts(["ab"], 1, lambda texts: [2 * len(text) for text in texts])
