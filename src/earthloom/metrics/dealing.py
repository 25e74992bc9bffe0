"""Texts dealt to other pictures: what a score comes to where the two have nothing to do with each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from earthloom.core.errors import UsageError
from earthloom.core.seeds import make_rng

Indices = npt.NDArray[np.int64]


def deal_within(keys: Sequence[str], strata: Sequence[str] | None, n: int, draws: int, seed: int) -> Indices:
    """Deal texts to other pictures, again and again, each within its stratum.

    Args:
        keys: N, what must not be exchanged for another of its kind.
        strata: N; all together where there are none.
        n: pairs.
        draws: how often.
        seed: of the draws.

    Returns:
        Draws x N, the text that each picture gets; -1 where the texts of a stratum cannot be dealt.

    Raises:
        UsageError: counts differ, or there is no pair or no draw.

    """
    named = list(strata) if strata is not None else [""] * n
    if len(keys) != n or len(named) != n or draws < 1 or not n:
        raise UsageError(f"At least one pair, a key and a stratum each were wanted, got {n} and {len(keys)}.")
    dealt = np.full((draws, n), -1, np.int64)
    for stratum in sorted(set(named)):
        members = np.flatnonzero([name == stratum for name in named])
        rng = make_rng(seed, "shuffled texts", stratum)
        for draw in range(draws):
            places = deal_others([keys[i] for i in members.tolist()], rng)
            if places is not None:
                dealt[draw, members] = members[places]
    return dealt


def spell_key(text: str) -> str:
    """A key for texts that encoders of the field read alike: whatever their case and the spaces in them."""
    return " ".join(text.casefold().split())


def deal_others(keys: Sequence[str], rng: np.random.Generator) -> Indices | None:
    """A random permutation under which nothing comes to its own key: `keys[p[i]] != keys[i]` for every i.

    Keys in random order, what has the same key side by side, are turned by at least as many places as the most frequent
    key takes. None where more than half has one key: there is no such permutation.
    """
    _, kind = np.unique(np.asarray(keys, np.str_), return_inverse=True)
    counts = np.bincount(kind) if len(kind) else np.zeros(1, np.int64)
    most, n = int(counts.max()), len(kind)
    if n < 2 or 2 * most > n:
        return None
    shuffled = rng.permutation(n)
    order = shuffled[np.argsort(rng.permutation(len(counts))[kind[shuffled]], kind="stable")]
    dealt = np.empty(n, np.int64)
    dealt[order] = np.roll(order, int(rng.integers(most, n - most + 1)))
    return dealt
