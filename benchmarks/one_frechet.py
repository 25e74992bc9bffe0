"""Frechet distance of two sets of features from files; prints it with the CPU and wall seconds it took.

    python one_frechet.py X.npy Y.npy earthloom | scipy

Reading and imports are not counted; means and covariances are. `scipy` is the straightforward way: NumPy's covariances
and SciPy's matrix square root, which is also what pytorch-fid 0.3.0 does with the features that it has gathered (the
package itself cannot be imported without torchvision).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import sqrtm

Array = NDArray[np.floating]


def use_earthloom(x: Array, y: Array) -> float:
    from earthloom.metrics.frechet import frechet_distance

    return frechet_distance(x, y)


def use_scipy(x: Array, y: Array) -> float:
    """pytorch-fid's `calculate_frechet_distance` on `np.cov`, without its remedy for singular products."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    s1, s2 = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    apart = x.mean(axis=0) - y.mean(axis=0)
    return float(apart @ apart + np.trace(s1) + np.trace(s2) - 2 * np.trace(sqrtm(s1 @ s2).real))


WAYS: dict[str, Callable[[Array, Array], float]] = {"earthloom": use_earthloom, "scipy": use_scipy}


def main() -> None:
    """Measure once."""
    x, y = np.load(sys.argv[1]), np.load(sys.argv[2])
    way = WAYS[sys.argv[3]]
    way(x[:64, :8], y[:64, :8])  # lazy imports
    cpu, wall = time.process_time(), time.perf_counter()
    value = way(x, y)
    print(repr(value), time.process_time() - cpu, time.perf_counter() - wall)


if __name__ == "__main__":
    main()
