"""ROUGE-L: the longest common subsequence of words, recall weighing more than precision.

Lin, ROUGE: A Package for Automatic Evaluation of Summaries, 2004, in the reading of pycocoevalcap 1.2: beta of 1.2, and
the best precision and the best recall are taken over the references separately, so that they may come from two of them.
"""

from __future__ import annotations

from collections.abc import Sequence

BETA = 1.2


def rouge_l(candidate: str, references: Sequence[str]) -> float:
    """ROUGE-L of one tokenized candidate against its tokenized references, 0 to 1.

    Two empty sentences are alike (1.0), as in pycocoevalcap.
    """
    words = candidate.split(" ")
    others = [reference.split(" ") for reference in dict.fromkeys(references)]
    shared = [count_common(words, other) for other in others]
    precision = max(shared) / len(words)
    recall = max(n / len(other) for n, other in zip(shared, others, strict=True))
    if not precision or not recall:
        return 0.0
    return (1 + BETA**2) * precision * recall / (recall + BETA**2 * precision)


def count_common(words: Sequence[str], others: Sequence[str]) -> int:
    """Length of the longest common subsequence.

    One row of the table of lengths is kept in the bits of an integer: a zero stands where the length grows (Hyyro,
    Bit-parallel LCS-length computation revisited, AWOCA 2004).
    """
    places: dict[str, int] = {}
    for place, word in enumerate(others):
        places[word] = places.get(word, 0) | 1 << place
    everywhere = row = (1 << len(others)) - 1
    for word in words:
        if place_bits := places.get(word):
            matches = row & place_bits
            row = (row + matches | row - matches) & everywhere
    return len(others) - row.bit_count()
