"""Random fields: what the optical depth of fog, the water of a cloud and the depth of snow look like from above."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import scipy.fft

from earthloom.synthesize.stack import Plane

_MARGIN = 1.125
"""A field is made on a torus larger than the picture, so that its opposite edges do not match."""


def make_power_law_field(
    height: int,
    width: int,
    beta: float,
    rng: np.random.Generator,
    *,
    outer_px: float | None = None,
    stretch: float = 1.0,
    along_deg: float = 0.0,
) -> Plane:
    """Make a Gaussian field whose power spectrum falls as k^-beta, stretched to 0 to 1.

    Independent random coefficients under the wanted amplitude (spectral synthesis: Saupe, The Science of Fractal
    Images, 1988, chapter 2). They are uniform, at a tenth of the cost of normal ones: the sum of many is normal.

    Args:
        height: pixels.
        width: pixels.
        beta: 0 white noise; 2.2 to 3.6 for haze; larger is smoother.
        rng: where the phases come from.
        outer_px: wavelength, pixels, beyond which the spectrum is flat; None for none.
        stretch: how many times longer than wide its features are; 1 is isotropic.
        along_deg: direction of their length, degrees clockwise from the top of the picture.

    Returns:
        H x W, float32, minimum 0 and maximum 1.

    """
    rows = scipy.fft.next_fast_len(int(height * _MARGIN), real=True)
    columns = scipy.fft.next_fast_len(int(width * _MARGIN), real=True)
    log_k = (
        _log_frequency(rows, columns)
        if stretch == 1
        else _log_stretched_frequency(rows, columns, stretch, math.radians(along_deg))
    )
    if outer_px is not None:
        log_k = np.maximum(log_k, np.float32(-math.log(outer_px)))
    amplitude = np.exp(np.float32(-beta / 2) * log_k)
    amplitude[0, 0] = 0  # the mean is set by who uses the field
    noise = rng.random((*amplitude.shape, 2), np.float32)
    noise -= np.float32(0.5)
    coefficients = noise.view(np.complex64)[:, :, 0]
    coefficients *= amplitude
    field = scipy.fft.irfft2(coefficients, (rows, columns), overwrite_x=True)[:height, :width]
    field -= field.min()
    return np.asarray(field / max(float(field.max()), 1e-12), np.float32)


@lru_cache(maxsize=8)
def _log_frequency(rows: int, columns: int) -> Plane:
    """Logarithm of k, for the half plane of a real transform, k in cycles per pixel; 0 at the mean."""
    k = np.hypot(scipy.fft.fftfreq(rows)[:, None], scipy.fft.rfftfreq(columns)[None, :])
    k[0, 0] = 1
    log_k = np.asarray(np.log(k), np.float32)
    log_k.setflags(write=False)
    return log_k


def _log_stretched_frequency(rows: int, columns: int, stretch: float, along: float) -> Plane:
    down, right = scipy.fft.fftfreq(rows)[:, None], scipy.fft.rfftfreq(columns)[None, :]
    lengthwise = right * math.sin(along) - down * math.cos(along)
    crosswise = right * math.cos(along) + down * math.sin(along)
    k = np.hypot(lengthwise * math.sqrt(stretch), crosswise / math.sqrt(stretch))
    k[0, 0] = 1
    return np.asarray(np.log(k), np.float32)
