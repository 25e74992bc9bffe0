"""CIDEr-D: how much a caption says what people say of this picture and not of the others.

Vedantam, Zitnick and Parikh, CIDEr: Consensus-based Image Description Evaluation, CVPR 2015, in the reading of
pycocoevalcap 1.2: n-grams of 1 to 4 words weighted by how few pictures' references hold them, clipped cosines, a
Gaussian penalty for a difference in length, times ten. The weights come from the references that are evaluated: scores
of different test sets, or of parts of one, do not compare, and of a single picture all are 0.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from earthloom.metrics.words.matches import Matches, sum_orders
from earthloom.metrics.words.ngrams import GramTable

Floats = npt.NDArray[np.float64]

SIGMA = 6.0
"""Difference in length, in word pairs, at which a score has fallen to exp(-1/2)."""
_SCALE = 10.0


def cider_d(matches: Matches) -> Floats:
    """CIDEr-D of each candidate, 0 to 10; that of a corpus is the mean."""
    table = matches.table
    rarity = np.log(matches.n) - np.log(np.maximum(1, matches.n_holding))
    norms = _norms(table, rarity)
    lengths = norms[matches.candidate][matches.owner] * norms[matches.reference]
    cosines = np.divide(_products(matches, rarity), lengths, out=np.zeros_like(lengths), where=lengths > 0)
    similar = cosines.mean(axis=1) * _judge_lengths(matches)
    return np.asarray(
        _SCALE * np.bincount(matches.owner, similar, minlength=matches.n) / matches.n_references
    )


def _norms(table: GramTable, rarity: Floats) -> Floats:
    """Lengths of the weighted vectors of all sentences, S x 4."""
    weights = table.count * rarity[table.gram]
    return np.sqrt(sum_orders(table.sentence, table.order[table.gram], len(table.n_words), weights**2))


def _products(matches: Matches, rarity: Floats) -> Floats:
    """Products of candidates with each of their references, M x 4: what is said more often than there is clipped."""
    theirs = matches.table.count[matches.hit_row]
    ours = np.minimum(theirs, matches.table.count[matches.own_row[matches.hit]])
    products = ours * theirs * rarity[matches.table.gram[matches.hit_row]] ** 2
    return sum_orders(matches.hit_reference, matches.hit_order, len(matches.reference), products)


def _judge_lengths(matches: Matches) -> Floats:
    """1 for equal lengths, M of them."""
    pairs = np.maximum(0, matches.table.n_words - 1)
    off = pairs[matches.candidate][matches.owner] - pairs[matches.reference]
    return np.asarray(np.exp(-(off**2) / (2 * SIGMA**2)))
