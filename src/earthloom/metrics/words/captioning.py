"""BLEU, ROUGE-L and CIDEr-D of captions against references, as pycocoevalcap 1.2 computes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from earthloom.core.errors import UsageError
from earthloom.metrics.words.bleu import bleu, count_matches
from earthloom.metrics.words.cider import cider_d
from earthloom.metrics.words.matches import match_grams
from earthloom.metrics.words.ngrams import count_grams
from earthloom.metrics.words.rouge import rouge_l
from earthloom.metrics.words.sentences import number_texts, read_sentences

Floats = npt.NDArray[np.float64]

NAMES = ("bleu_1", "bleu_2", "bleu_3", "bleu_4", "rouge_l", "cider_d")


@dataclass(frozen=True, kw_only=True, slots=True)
class Captioning:
    """N captions, each against the references of its picture."""

    n: int
    """Pictures, each with one candidate."""
    n_references: int
    """Of all pictures together."""
    bleu_counts: npt.NDArray[np.int64]
    """N x 10, what BLEU is computed from: see `metrics.words.bleu`."""
    rouge_l_each: Floats
    """N, 0 to 1."""
    cider_d_each: Floats
    """N, 0 to 10; weighted by the references of all N."""

    @property
    def bleu(self) -> tuple[float, float, float, float]:
        """BLEU-1 to BLEU-4 of the corpus, 0 to 1."""
        one, two, three, four = bleu(self.bleu_counts.sum(axis=0)).tolist()
        return one, two, three, four

    @property
    def bleu_each(self) -> Floats:
        """N x 4, the BLEU of each sentence by itself; their mean is not that of the corpus."""
        return bleu(self.bleu_counts)

    @property
    def rouge_l(self) -> float:
        """Mean of all, 0 to 1."""
        return float(self.rouge_l_each.mean())

    @property
    def cider_d(self) -> float:
        """Mean of all, 0 to 10."""
        return float(self.cider_d_each.mean())

    def of(self, chosen: npt.NDArray[np.int64]) -> dict[str, float]:
        """All scores by name, of a choice of the pictures (indices, which may repeat), as a bootstrap draws them.

        CIDEr-D keeps the weights of the whole set: a part of it would be another test set.
        """
        scores = bleu(self.bleu_counts[chosen].sum(axis=0)).tolist()
        means = (self.rouge_l_each[chosen].mean(), self.cider_d_each[chosen].mean())
        return dict(zip(NAMES, [*scores, *map(float, means)], strict=True))

    def to_json(self) -> dict[str, float | int]:
        """All scores by name, and what they are of."""
        return {**self.of(np.arange(self.n)), "n": self.n, "n_references": self.n_references}


def measure_captions(candidates: Sequence[str], references: Sequence[Sequence[str]]) -> Captioning:
    """Score captions as pycocoevalcap does: tokenized, in lower case, without punctuation.

    Args:
        candidates: N captions of any characters, one a picture. An empty one scores 0.
        references: at least one for each picture, in the same order.

    Raises:
        UsageError: there are no captions, or a picture lacks references.

    """
    _check(candidates, references)
    said, different = number_texts(chain(candidates, *references))
    candidate, reference = said[: len(candidates)], said[len(candidates) :]
    owner = np.repeat(np.arange(len(references)), [len(group) for group in references])
    tokens, words = read_sentences(different)
    matches = match_grams(count_grams(words), candidate, reference, owner)
    return Captioning(
        n=len(candidates),
        n_references=len(reference),
        bleu_counts=count_matches(matches),
        rouge_l_each=rouge_l(tokens, candidate, reference, owner),
        cider_d_each=cider_d(matches),
    )


def _check(candidates: Sequence[str], references: Sequence[Sequence[str]]) -> None:
    if isinstance(candidates, str) or any(isinstance(group, str) for group in references):
        raise UsageError(
            "A list of captions and a list of references for each were wanted, got a single text."
        )
    if not candidates or len(candidates) != len(references):
        raise UsageError(
            f"At least one caption and as many lists of references were wanted, got {len(candidates)} and "
            f"{len(references)}."
        )
    if bare := [place for place, group in enumerate(references) if not group]:
        raise UsageError(
            f"References for every caption were wanted, got none for {len(bare)}: number {bare[0]} first."
        )
