"""Sentences as a table of their n-grams: which occurs where and how often, in numbers that numpy can count.

One row for each n-gram of each sentence, sorted by sentence and n-gram; n-grams of all orders are numbered through.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

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
        first, lengths = self.starts[sentences], self.starts[sentences + 1] - self.starts[sentences]
        place = np.repeat(np.arange(len(sentences)), lengths)
        ends = np.cumsum(lengths)
        return np.arange(len(place)) + np.repeat(first - ends + lengths, lengths), place


def count_grams(sentences: Sequence[str]) -> GramTable:
    """Count the n-grams of tokenized sentences, parted at white space of any kind as BLEU and CIDEr do."""
    words = [sentence.split() for sentence in sentences]
    n_words = np.array([len(one) for one in words], np.int64)
    owner = np.repeat(np.arange(len(words)), n_words)
    left = np.repeat(np.cumsum(n_words), n_words) - np.arange(len(owner))  # words to the sentence's end
    codes, order = _number_grams(_number_words(words), left)
    keys = [owner[left > n] * len(order) + code for n, code in enumerate(codes)]
    rows, count = np.unique(narrow(np.concatenate(keys), len(words) * len(order)), return_counts=True)
    sentence, gram = np.divmod(rows.astype(np.int64), max(1, len(order)))
    starts = np.searchsorted(sentence, np.arange(len(words) + 1))
    return GramTable(gram=gram, count=count, sentence=sentence, starts=starts, order=order, n_words=n_words)


def narrow(keys: Ints, limit: int) -> Ints:
    """Keys under a limit in 32 bits where they fit: they sort and search in half the time."""
    return keys.astype(np.int32) if limit < 2**31 else keys


def _number_words(sentences: Sequence[Sequence[str]]) -> Ints:
    """All words in their order, each by its number."""
    words = list(chain.from_iterable(sentences))
    numbers = {word: number for number, word in enumerate(dict.fromkeys(words))}
    return np.fromiter(map(numbers.__getitem__, words), np.int64, len(words))


def _number_grams(words: Ints, left: Ints) -> tuple[list[Ints], Ints]:
    """For each order the n-grams by number, where one begins, and the order of every number.

    An n-gram is the one of order n - 1 that begins with it and the word that follows.
    """
    codes: list[Ints] = []
    sizes: list[int] = []
    code = words
    for n in range(ORDERS):
        if n:
            begins = np.flatnonzero(left > n)
            shorter = code[left[left > n - 1] > n]
            _, code = np.unique(
                shorter * (int(words.max(initial=0)) + 1) + words[begins + n], return_inverse=True
            )
        codes.append(code + sum(sizes))
        sizes.append(int(code.max(initial=-1)) + 1)
    return codes, np.repeat(np.arange(ORDERS), sizes)
