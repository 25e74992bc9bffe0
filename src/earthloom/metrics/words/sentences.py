"""Sentences as numbers of their words, read all at once: what stands between spaces is looked at once for all texts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from earthloom.metrics.words.chunks import Chunks
from earthloom.metrics.words.sorting import Ints, spread
from earthloom.metrics.words.tokens import tokenize_by_rules


@dataclass(frozen=True, slots=True)
class Sentences:
    """S sentences, each a row of numbers."""

    items: Ints
    """All, one sentence after the other."""
    starts: Ints
    """S + 1 places at which sentences begin; the last is the number of items."""

    @property
    def lengths(self) -> Ints:
        """S."""
        return np.diff(self.starts)

    @property
    def owners(self) -> Ints:
        """The sentence of each item."""
        return np.repeat(np.arange(len(self.starts) - 1), self.lengths)

    def expand(self, parts: Sentences) -> Sentences:
        """Put the sentence of that number for each item."""
        lengths = parts.lengths[self.items]
        return Sentences(
            parts.items[spread(parts.starts[self.items], lengths)], _sum_up(lengths)[self.starts]
        )


class _Numbers(dict[str, int]):
    """Strings in the order in which they are met."""

    def __missing__(self, text: str) -> int:
        number = self[text] = len(self)
        return number


def number_texts(texts: Iterable[str]) -> tuple[Ints, list[str]]:
    """Each text by its number among the different ones, and those."""
    numbers = _Numbers()
    return np.fromiter(map(numbers.__getitem__, texts), np.int64), list(numbers)


def read_sentences(texts: Sequence[str]) -> tuple[Sentences, Sentences]:
    """The tokens of texts, and their words: tokens parted at white space of any kind, of which few hold any.

    Numbers of tokens and of words are different ones. See `tokens.tokenize` for what a token is.
    """
    chunks, different = _number_parts([text.split(" ") for text in texts])
    known = Chunks()
    parts = [known[chunk] for chunk in different]
    is_unsure = np.array([part is None for part in parts], bool)[chunks.items]
    if is_unsure.any():
        unsure = np.unique(chunks.owners[is_unsure])
        chunks = _replace(chunks, unsure, np.arange(len(parts), len(parts) + len(unsure)))
        parts += [tokenize_by_rules(texts[number]) for number in unsure]
    by_chunk, tokens = _number_parts([part.split(" ") if part else [] for part in parts])
    sentences = chunks.expand(by_chunk)
    by_token, words = _number_parts([token.split() for token in tokens])
    return sentences, sentences if words == tokens else sentences.expand(by_token)


def _number_parts(parts: Sequence[Sequence[str]]) -> tuple[Sentences, list[str]]:
    items, different = number_texts(chain.from_iterable(parts))
    return Sentences(items, _sum_up(np.fromiter(map(len, parts), np.int64, len(parts)))), different


def _replace(sentences: Sentences, which: Ints, items: Ints) -> Sentences:
    """Put a single item for each of some sentences."""
    lengths = sentences.lengths
    lengths[which] = 1
    is_kept = np.ones(len(lengths), bool)
    is_kept[which] = False
    starts = _sum_up(lengths)
    mended = np.empty(starts[-1], np.int64)
    mended[np.repeat(is_kept, lengths)] = sentences.items[is_kept[sentences.owners]]
    mended[starts[which]] = items
    return Sentences(mended, starts)


def _sum_up(lengths: Ints) -> Ints:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
