"""Seeds and stable draws: randomness that depends on what a record is, never on when or where it is made."""

from __future__ import annotations

import hashlib

import numpy as np


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
