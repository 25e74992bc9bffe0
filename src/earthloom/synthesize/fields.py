"""Random fields: what the optical depth of fog, the water of a cloud and the depth of snow look like from above."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import scipy.fft

from earthloom.synthesize.stack import Plane

_MARGIN = 1.125
"""A field is made on a torus larger than the picture, so that its opposite edges do not match."""


def make_power_law_field(
    height: int, width: int, beta: float, rng: np.random.Generator, *, outer_px: float | None = None
) -> Plane:
    """Make an isotropic Gaussian field whose power spectrum falls as k^-beta, stretched to 0 to 1.

    Args:
        height: pixels.
        width: pixels.
        beta: 0 white noise; 2.2 to 3.6 for haze; larger is smoother.
        rng: where the phases come from.
        outer_px: wavelength, pixels, beyond which the spectrum is flat; None for none.

    Returns:
        H x W, float32, minimum 0 and maximum 1.

    """
    rows = scipy.fft.next_fast_len(int(height * _MARGIN), real=True)
    columns = scipy.fft.next_fast_len(int(width * _MARGIN), real=True)
    amplitude = _amplitude(rows, columns, beta, outer_px)
    noise = rng.standard_normal((*amplitude.shape, 2), np.float32).view(np.complex64)[:, :, 0]
    field = scipy.fft.irfft2(noise * amplitude, (rows, columns))[:height, :width]
    field -= field.min()
    return np.asarray(field / max(float(field.max()), 1e-12), np.float32)


@lru_cache(maxsize=8)
def _amplitude(rows: int, columns: int, beta: float, outer_px: float | None) -> Plane:
    k = np.hypot(scipy.fft.fftfreq(rows)[:, None], scipy.fft.rfftfreq(columns)[None, :])
    k[0, 0] = np.inf  # the mean is set by who uses the field
    if outer_px is not None:
        k = np.maximum(k, 1 / outer_px)
    return np.asarray(k ** (-beta / 2), np.float32)
