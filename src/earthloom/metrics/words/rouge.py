"""ROUGE-L: the longest common subsequence of words, recall weighing more than precision.

Lin, ROUGE: A Package for Automatic Evaluation of Summaries, 2004, in the reading of pycocoevalcap 1.2: beta of 1.2, and
the best precision and the best recall are taken over the references separately, so that they may come from two of them.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt

from earthloom.metrics.words.sentences import Sentences
from earthloom.metrics.words.sorting import Ints

Floats = npt.NDArray[np.float64]

BETA = 1.2
_BLOCK = 4096
"""Pairs of sentences at a time: what they take fits a cache."""
_WORD_BITS = 64
_NONE = -1


def rouge_l(sentences: Sentences, candidate: Ints, reference: Ints, owner: Ints) -> Floats:
    """ROUGE-L of each candidate, 0 to 1.

    Args:
        sentences: in tokens.
        candidate: N of the sentences.
        reference: M of the sentences.
        owner: M, the candidate that each reference is of, ascending; every candidate has one.

    Returns:
        N. An empty sentence is a single empty word, so that two of them are alike (1.0), as in pycocoevalcap.

    """
    lengths = np.maximum(1, sentences.lengths)
    own = candidate[owner]
    shared = count_common(sentences, own, reference)
    shared[(sentences.lengths[own] == 0) & (sentences.lengths[reference] == 0)] = 1
    first = np.flatnonzero(np.diff(owner, prepend=-1))
    precision = np.maximum.reduceat(shared, first) / lengths[candidate]
    recall = np.maximum.reduceat(shared / lengths[reference], first)
    weighted = recall + BETA**2 * precision
    scores = np.zeros(len(candidate))
    np.divide((1 + BETA**2) * precision * recall, weighted, out=scores, where=weighted > 0)
    return scores


def count_common(sentences: Sentences, one: Ints, other: Ints) -> Ints:
    """Lengths of the longest common subsequences of pairs of sentences.

    One row of the table of lengths is kept in the bits of a number, for many pairs at a time: a zero stands where the
    length grows (Hyyro, Bit-parallel LCS-length computation revisited, AWOCA 2004).
    """
    common = np.empty(len(one), np.int64)
    # Pairs of like lengths stand together: all of a block take as many steps as its longest.
    order = np.lexsort((sentences.lengths[one], sentences.lengths[other]))
    n_short = int(np.searchsorted(sentences.lengths[other][order], _WORD_BITS, side="right"))
    for start in range(0, n_short, _BLOCK):
        pairs = order[start : min(n_short, start + _BLOCK)]
        common[pairs] = _count_in_bits(_pad(sentences, one[pairs]), _pad(sentences, other[pairs]))
    for pair in order[n_short:]:
        rows = [
            sentences.items[sentences.starts[n] : sentences.starts[n + 1]] for n in (one[pair], other[pair])
        ]
        common[pair] = count_common_of_two(rows[0].tolist(), rows[1].tolist())
    return common


def _pad(sentences: Sentences, chosen: Ints) -> npt.NDArray[np.int32]:
    """P x L, the longest one's length; -1 beyond an end."""
    lengths = sentences.lengths[chosen]
    column = np.arange(lengths.max(initial=0))
    is_there = column < lengths[:, None]
    padded = np.full(is_there.shape, _NONE, np.int32)
    padded[is_there] = sentences.items[(sentences.starts[chosen][:, None] + column)[is_there]]
    return padded


def _count_in_bits(words: npt.NDArray[np.int32], others: npt.NDArray[np.int32]) -> Ints:
    """For sentences of at most 64 words in `others`."""
    n, length = others.shape
    everywhere = np.zeros((n, _WORD_BITS), bool)
    everywhere[:, :length] = others != _NONE
    start = row = _pack(everywhere)
    holds = np.zeros((n, _WORD_BITS), bool)
    for word in np.ascontiguousarray(words.T):
        # A sentence that has ended is compared with nothing: its -1 would be found beyond the other's end.
        np.equal(others, np.where(word == _NONE, _NONE - 1, word)[:, None], out=holds[:, :length])
        matches = row & _pack(holds)
        row = np.bitwise_or(row + matches, row - matches)
    return np.asarray(np.bitwise_count(start & ~row), np.int64)


def _pack(flags: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint64]:
    return np.packbits(flags, axis=1, bitorder="little").view("<u8")[:, 0].astype(np.uint64)


def count_common_of_two(words: Sequence[Hashable], others: Sequence[Hashable]) -> int:
    """The same of one pair, of any length."""
    places: dict[Hashable, int] = {}
    for place, word in enumerate(others):
        places[word] = places.get(word, 0) | 1 << place
    everywhere = row = (1 << len(others)) - 1
    for word in words:
        if place_bits := places.get(word):
            matches = row & place_bits
            row = (row + matches | row - matches) & everywhere
    return len(others) - row.bit_count()
