"""What a speckle filter did, from the picture that went in and the one that came out.

Both are linear *intensity*, H x W, above 0. Public code for these indices often squares its input and so means
amplitude: numbers of such code are not to be compared with these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from earthloom.core.errors import UsageError

Power = npt.NDArray[np.floating]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Despeckling:
    """Indices of a filter. The ratio is the picture that went in over the one that came out."""

    mean_of_ratio: float
    """MoR: 1 where the filter keeps the mean. A filter of decibels has L / exp(digamma(L)), 1.125 at 4.4 looks."""
    variance_of_ratio: float
    """VoR: 1 / L where all speckle, and nothing else, was taken out; less where some was left."""
    mean_index: float
    """MoI: |difference of the means| over their sum, 0 to 1; 0 where radiometry is kept."""
    suppression: float
    """SSI (Sheng and Xia 1996): variation after over variation before; below 1 where speckle is weaker."""
    suppression_and_mean: float
    """SMPI (after Shamsoddini and Trinder 2010): (1 + |difference of the means|) times deviation after over before. The
    difference is in units of intensity: compare within one calibration."""
    edge_preservation: float
    """EPI (Sattar et al. 1997): correlation of the Laplacians, -1 to 1. Against a noisy input it is low for any filter
    that works; against a clean reference it tells how well edges are kept."""


def assess_filter(before: Power, after: Power, reference: Power | None = None) -> Despeckling:
    """Measure a filter.

    Args:
        before: what went in, linear intensity above 0.
        after: what came out.
        reference: the ground without speckle, where it is known, for edges; else they are compared with `before`.

    Raises:
        UsageError: for pictures of several sizes, or values that are not above 0.

    """
    x, y = _take(before, after)
    truth = x if reference is None else _take(reference, after)[0]
    ratio = x / y
    apart = abs(x.mean() - y.mean())
    return Despeckling(
        mean_of_ratio=float(ratio.mean()),
        variance_of_ratio=float(ratio.var()),
        mean_index=float(apart / (x.mean() + y.mean())),
        suppression=float((y.std() / y.mean()) / (x.std() / x.mean())),
        suppression_and_mean=float((1 + apart) * y.std() / x.std()),
        edge_preservation=_correlate(_sharpen(truth), _sharpen(y)),
    )


def _take(a: Power, b: Power) -> tuple[Floats, Floats]:
    x, y = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if x.shape != y.shape or x.ndim != 2 or min(x.shape) < 3:
        raise UsageError(
            f"Two pictures H x W of one size from 3 pixels were wanted, got {x.shape} and {y.shape}."
        )
    if not ((x > 0).all() and (y > 0).all()):
        raise UsageError(
            "Linear intensity above 0 was wanted: mask pixels without data, and convert decibels."
        )
    return x, y


def _sharpen(picture: Floats) -> Floats:
    return cast(Floats, cv2.Laplacian(picture, cv2.CV_64F, ksize=1))[1:-1, 1:-1]


def _correlate(a: Floats, b: Floats) -> float:
    a, b = a - a.mean(), b - b.mean()
    spread = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / spread if spread > 0 else float("nan")
