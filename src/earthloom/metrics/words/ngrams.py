"""Sentences as a table of their n-grams: which occurs where and how often, in numbers that numpy can count.

One row for each n-gram of each sentence, sorted by sentence and n-gram; n-grams of all orders are numbered through.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from earthloom.metrics.words.sentences import Sentences
from earthloom.metrics.words.sorting import Ints, find_runs, number_keys, spread

ORDERS = 4
"""n-grams of one to four words, for BLEU and CIDEr alike."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GramTable:
    """The n-grams of S sentences in R rows."""

    gram: Ints
    """R numbers of n-grams, from 0 to G - 1."""
    count: Ints
    """R, how often it occurs in the sentence."""
    sentence: Ints
    """R, ascending."""
    starts: Ints
    """S + 1 rows at which sentences begin; the last is R."""
    order: Ints
    """G, n - 1 of each n-gram."""
    n_words: Ints
    """S."""

    @property
    def n_grams(self) -> int:
        """G, different n-grams of all orders."""
        return len(self.order)

    def rows_of(self, sentences: Ints) -> tuple[Ints, Ints]:
        """All rows of some sentences, which may repeat, and each one's place in the choice."""
        lengths = (self.starts[1:] - self.starts[:-1])[sentences]
        return spread(self.starts[sentences], lengths), np.repeat(np.arange(len(sentences)), lengths)


def count_grams(sentences: Sentences) -> GramTable:
    """Count the n-grams of sentences, given in words."""
    owner, n_words = sentences.owners, sentences.lengths
    left = np.repeat(sentences.starts[1:], n_words) - np.arange(len(owner))  # words to the sentence's end
    codes, order = _number_grams(sentences.items, left)
    n_grams = max(1, len(order))
    ordered = np.concatenate([owner[left > n] * n_grams + code for n, code in enumerate(codes)])
    ordered.sort()
    runs = find_runs(ordered)
    sentence, gram = np.divmod(ordered[runs[:-1]], n_grams)
    starts = np.searchsorted(sentence, np.arange(len(n_words) + 1))
    return GramTable(
        gram=gram, count=np.diff(runs), sentence=sentence, starts=starts, order=order, n_words=n_words
    )


def _number_grams(words: Ints, left: Ints) -> tuple[list[Ints], Ints]:
    """For each order the n-grams by number, where one begins, and the order of every number.

    An n-gram is the one of order n - 1 that begins with it and the word that follows.
    """
    n_words = int(words.max(initial=-1)) + 1
    codes, sizes = [words], [n_words]
    code = words
    for n in range(1, ORDERS):
        begins = np.flatnonzero(left > n)
        shorter = code[left[left > n - 1] > n]
        code, size = number_keys(shorter * n_words + words[begins + n], sizes[-1] * n_words)
        codes.append(code + sum(sizes))
        sizes.append(size)
    return codes, np.repeat(np.arange(ORDERS), sizes)
