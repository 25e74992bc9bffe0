"""Seeds and stable draws: randomness that depends on what a record is, never on when or where it is made."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt


def stable_hash(seed: int, *parts: str) -> int:
    """A 64-bit number from a seed and strings; the same on every machine and Python (SHA-256 based)."""
    text = "\x1f".join((str(seed), *parts))
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()[:8], "big")


def stable_uniform(seed: int, *parts: str) -> float:
    """A number in [0, 1) from a seed and strings."""
    return (stable_hash(seed, *parts) >> 11) * 2.0**-53


def make_rng(seed: int, *parts: str) -> np.random.Generator:
    """A NumPy generator (PCG64) whose stream depends on the seed and the strings alone."""
    return np.random.Generator(np.random.PCG64(stable_hash(seed, *parts)))


def stable_draws(seed: int, purpose: str, keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.float64]:
    """One number in [0, 1) for each 64-bit key, millions a second; it depends on seed, purpose and the key alone.

    The keys are hashes already; each is stirred once more with seed and purpose (the finaliser of SplitMix64, Steele
    et al., OOPSLA 2014), so that draws for several purposes are independent.
    """
    mixed = keys ^ np.uint64(stable_hash(seed, purpose))
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return np.asarray((mixed >> np.uint64(11)) * 2.0**-53, np.float64)
