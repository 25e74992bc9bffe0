"""Words as numbers, without a vocabulary, and the network that reads them.

A word is two rows of one table, chosen by two hashes of it, added up (hash embeddings; Svenstrup et al., NeurIPS 2017):
two words are the same to the network only if both hashes agree, and there is no word that it cannot take.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from earthloom.core.seeds import stable_hash
from earthloom.models.tiny.attention import attend

_TOKEN = re.compile(r"[^\W\d_]+|\d|[^\w\s]|_")
"""Letters of any script, single digits, single signs."""
_BEGIN = 1
"""The row with which every text begins; 0 is padding, and words have the rows after these."""
_FIRST = 2
Tokens = npt.NDArray[np.int32]
"""length x 2 rows of the table; 0 behind the end."""


@dataclass(frozen=True, kw_only=True)
class Read:
    """A text as the network takes it."""

    tokens: Tokens
    n_cut: int
    """Tokens that were cut off at the end."""


def read_text(text: str, length: int, buckets: int) -> Read:
    """Split a text into lower-case words, digits and signs, each as two rows; the empty text is its beginning alone."""
    words = _TOKEN.findall(text.casefold())
    rows = np.zeros((length, 2), np.int32)
    rows[0] = _BEGIN
    for place, word in enumerate(words[: length - 1], 1):
        rows[place] = hash_word(word, buckets)
    return Read(tokens=rows, n_cut=max(0, len(words) - (length - 1)))


@lru_cache(maxsize=65536)
def hash_word(word: str, buckets: int) -> tuple[int, int]:
    """Two rows of a table with `buckets` rows, the first two of which are kept free."""
    spread = buckets - _FIRST
    return (
        _FIRST + stable_hash(0, "first", word) % spread,
        _FIRST + stable_hash(0, "second", word) % spread,
    )


class TextEncoder(nn.Module):
    """A small transformer over words: pre-norm, learned places, attention to all words."""

    def __init__(self, width: int, layers: int, length: int, buckets: int) -> None:
        super().__init__()
        self.words = nn.Embedding(buckets, width)
        self.places = nn.Parameter(torch.randn(length, width) * 0.02)
        nn.init.normal_(self.words.weight, std=0.5**0.5)  # the sum of two rows has a variance of 1
        self.layers = nn.ModuleList([TextLayer(width) for _ in range(layers)])
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """N x L x 2 rows to N x L x width features and N x L, True at words."""
        is_word = tokens[..., 0] > 0
        states = self.words(tokens.long()).sum(2) + self.places[: tokens.shape[1]]
        for layer in self.layers:
            states = layer(states, is_word)
        return self.norm(states), is_word


class TextLayer(nn.Module):
    """Attention among words, then each word by itself."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.before = nn.LayerNorm(width)
        self.mix = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.alone = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, states: Tensor, is_word: Tensor) -> Tensor:
        """N x L x width to the same."""
        asked, keys, values = self.mix(self.before(states)).chunk(3, -1)
        states = states + self.out(attend(asked, keys, values, is_word))
        alone: Tensor = self.alone(states)
        return states + alone
