"""BLEU-1 to BLEU-4 of a corpus: shared n-grams, clipped, with a penalty for brevity.

Papineni et al., BLEU: a Method for Automatic Evaluation of Machine Translation, ACL 2002, in the reading of
pycocoevalcap 1.2: of several references the length closest to the candidate's counts (the shorter one of two), and tiny
constants keep empty corpora from dividing by zero. BLEU of a corpus is not a mean over its sentences, so what it is
computed from is kept for each of them: sums over any choice of sentences give the BLEU of that choice.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from earthloom.metrics.words.matches import Matches, sum_orders
from earthloom.metrics.words.ngrams import ORDERS
from earthloom.metrics.words.sorting import Ints

Floats = npt.NDArray[np.float64]

_TINY = 1e-15
_SMALL = 1e-9


def count_matches(matches: Matches) -> Ints:
    """N x 10, what BLEU is computed from.

    Of each candidate: n-grams that are right and n-grams, for n of 1 to 4; its length in words and the reference's.
    """
    n_words = matches.table.n_words[matches.candidate]
    possible = np.maximum(0, n_words[:, None] - np.arange(ORDERS))
    return np.column_stack([_count_right(matches), possible, n_words, _closest_lengths(matches)])


def _count_right(matches: Matches) -> Ints:
    """A candidate's n-gram is right as often as in the reference that has it most often, at most as often as it is."""
    table = matches.table
    most = np.zeros(len(matches.own_row), np.int64)
    np.maximum.at(most, matches.hit, table.count[matches.hit_row])
    right = np.minimum(most, table.count[matches.own_row])
    order = table.order[table.gram[matches.own_row]]
    return sum_orders(matches.own_place, order, matches.n, right).astype(np.int64)


def _closest_lengths(matches: Matches) -> Ints:
    n_words = matches.table.n_words
    lengths = n_words[matches.reference]
    off = np.abs(lengths - n_words[matches.candidate][matches.owner])
    by_closeness = np.lexsort((lengths, off, matches.owner))
    _, first = np.unique(matches.owner[by_closeness], return_index=True)
    return lengths[by_closeness][first]


def bleu(counts: Ints) -> Floats:
    """BLEU-1 to BLEU-4, 0 to 1.

    Args:
        counts: ... x 10 of `count_matches`; a corpus is the sum over its sentences.

    Returns:
        ... x 4.

    """
    numbers = counts.astype(np.float64)
    right, possible = numbers[..., :ORDERS], numbers[..., ORDERS : 2 * ORDERS]
    product = np.cumprod((right + _TINY) / (possible + _SMALL), axis=-1)
    ratio = (numbers[..., -2:-1] + _TINY) / (numbers[..., -1:] + _SMALL)
    brevity = np.exp(np.minimum(0.0, 1 - 1 / ratio))
    return np.asarray(product ** (1 / np.arange(1, ORDERS + 1)) * brevity)
