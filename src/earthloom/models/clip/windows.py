"""Texts that are longer than a text tower reads, cut into windows that it can read whole: nothing is lost unseen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from earthloom.core.errors import UsageError

CountTokens = Callable[[Sequence[str]], Sequence[int]]
"""Tokens of each text, without the tower's start and end."""

_SENTENCE_ENDS = (".", "!", "?", ";", ":")
_CLOSING = "\"')]}”’»"
_LEAST_FILLED = 0.5
"""Share of a window that has to be full for it to end with a sentence; else it ends with a word."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Windows:
    """Texts as parts that fit."""

    texts: tuple[str, ...]
    """W, in the order of the texts that they are of."""
    owners: npt.NDArray[np.int64]
    """W, from 0: which text a window is of."""
    weights: npt.NDArray[np.int64]
    """W, tokens of each, at least 1."""
    n_long: int
    """Texts that take more than one window."""


def split_texts(texts: Sequence[str], room: int, count: CountTokens) -> Windows:
    """Cut texts into windows of at most `room` tokens.

    A text that fits is its only window, unchanged. Of others a window takes as many words as fit and ends at the last
    end of a sentence among them if at least half of it is full then, else between two words; a word that is too long
    for a window is cut between letters. Put together, the windows hold all words of the text in their order.

    Args:
        texts: any; an empty one is one empty window.
        room: tokens that a window holds.
        count: tells the tokens of texts. That of words with spaces between them must be the sum of those of the words,
            as it is for tokenizers that never join what a space parts, such as CLIP's.

    Raises:
        UsageError: there is room for less than one token, or a letter takes more tokens than a window holds.

    """
    if room < 1:
        raise UsageError(f"Room for at least one token was wanted, got {room}: take a shorter prefix.")
    lengths = count(texts) if texts else []
    parts: list[str] = []
    owners: list[int] = []
    for number, (text, length) in enumerate(zip(texts, lengths, strict=True)):
        found = [text] if length <= room else _cut(text.split(), room, count)
        parts += found
        owners += [number] * len(found)
    weights = np.maximum(np.array(count(parts) if parts else [], np.int64), 1)
    if (weights > room).any():
        raise UsageError(
            f"A part of {int(weights.max())} tokens was left where {room} fit: cut texts to words first."
        )
    return Windows(
        texts=tuple(parts),
        owners=np.array(owners, np.int64),
        weights=weights,
        n_long=sum(length > room for length in lengths),
    )


def _cut(words: list[str], room: int, count: CountTokens) -> list[str]:
    """Windows of a text that is too long for one."""
    pieces = [
        piece
        for word, length in zip(words, count(words), strict=True)
        for piece in ([word] if length <= room else _cut_word(word, room, count))
    ]
    lengths = np.cumsum([0, *count(pieces)])
    windows, start = [], 0
    while start < len(pieces):
        stop = int(np.searchsorted(lengths, lengths[start] + room, side="right")) - 1
        if stop < len(pieces):
            stop = _find_sentence_end(pieces, lengths, start, stop)
        windows.append(" ".join(pieces[start:stop]))
        start = stop
    return windows


def _find_sentence_end(pieces: list[str], lengths: npt.NDArray[np.int64], start: int, stop: int) -> int:
    full = lengths[stop] - lengths[start]
    for end in range(stop, start, -1):
        if lengths[end] - lengths[start] < _LEAST_FILLED * full:
            break
        if pieces[end - 1].rstrip(_CLOSING).endswith(_SENTENCE_ENDS):
            return end
    return stop


def _cut_word(word: str, room: int, count: CountTokens) -> list[str]:
    """Parts of a word: halves, until each fits."""
    if count([word])[0] <= room:
        return [word]
    if len(word) < 2:
        raise UsageError(f"Room for the {count([word])[0]} tokens of {word!r} was wanted, got {room}.")
    middle = len(word) // 2
    return [*_cut_word(word[:middle], room, count), *_cut_word(word[middle:], room, count)]
