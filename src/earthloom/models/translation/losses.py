"""What networks of translation are taught by, besides contrast: all give scalars."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from earthloom.core.light import LUMINANCE

_SSIM_SIGMA = 1.5
"""Pixels, of the Gaussian window of 11 x 11 (Wang et al., IEEE TIP 2004)."""
_RADIUS = 5
_C3 = 0.03**2 / 2
"""The same paper's, for values of 0 to 1."""
_LEAST_VARIANCE = 1e-8
"""Under the root, whose slope at 0 is infinite; four orders of magnitude under C3."""
_TPS_FLOOR = 1e-7


REAL, DRAWN = 1.0, 0.0
"""Scores that discriminators are taught to give."""


def lsgan(scores: Tensor, wanted: float) -> Tensor:
    """Mean squared distance of scores from what they should be.

    Least squares GAN (Mao et al., ICCV 2017), as in CycleGAN and CUT.
    """
    return ((scores - wanted) ** 2).mean()


def lsgan_pair(real: Tensor, drawn: Tensor) -> Tensor:
    """What a discriminator is taught by: half of both sides, so that it learns as fast as a generator."""
    return (lsgan(real, REAL) + lsgan(drawn, DRAWN)) / 2


def triangle(before: Tensor, target: Tensor, drawn: Tensor) -> Tensor:
    """Triangular probability similarity of TPSeNCE: `mean(||A - C| + |B - C| - |A - B|| + 1e-7)`.

    Ruan et al., WACV 2024. It is least where the score C of a drawn patch lies between A and B, the scores of pictures
    before translation and of the target. The published code cuts the generator's gradient off before C is scored, so
    that the term is a constant there; here it reaches `drawn`.

    Args:
        before: scores of a discriminator for the pictures that were translated.
        target: for pictures of the target.
        drawn: for what was drawn; of one shape, all three.

    """
    detour = (before - drawn).abs() + (target - drawn).abs() - (before - target).abs()
    return (detour.abs() + _TPS_FLOOR).mean()


def structure_loss(before: Tensor, drawn: Tensor) -> Tensor:
    """1 minus the mean structure term of SSIM of the luminance of linear light, as `metrics.structure` measures it.

    Args:
        before: N x 3 x H x W, -1 to 1, sRGB, sides of at least 11 pixels.
        drawn: of the same shape.

    """
    x, y = (_luminance(images) for images in (before, drawn))
    mean_x, mean_y = _blur(x), _blur(y)
    variance_x, variance_y = _blur(x * x) - mean_x**2, _blur(y * y) - mean_y**2
    covariance = _blur(x * y) - mean_x * mean_y
    spread = (variance_x.clamp_min(_LEAST_VARIANCE) * variance_y.clamp_min(_LEAST_VARIANCE)).sqrt()
    return 1 - ((covariance + _C3) / (spread + _C3)).mean()


def _luminance(images: Tensor) -> Tensor:
    """Luminance of linear light (Rec. 709), N x 1 x H x W, 0 to 1."""
    stored = (images + 1) / 2
    bright = (
        (stored.clamp_min(0.04045) + 0.055) / 1.055
    ) ** 2.4  # the clamp keeps the slope of the root finite
    light = torch.where(stored <= 0.04045, stored / 12.92, bright)
    weights = images.new_tensor(LUMINANCE).view(1, 3, 1, 1)
    return (light * weights).sum(dim=1, keepdim=True)


def _blur(plane: Tensor) -> Tensor:
    """Gaussian windows that lie inside the picture, N x 1 x H - 10 x W - 10."""
    steps = torch.arange(-_RADIUS, _RADIUS + 1, dtype=plane.dtype, device=plane.device)
    taps = torch.exp(-(steps**2) / (2 * _SSIM_SIGMA**2))
    taps = taps / taps.sum()
    across = functional.conv2d(plane, taps.view(1, 1, 1, -1))
    return functional.conv2d(across, taps.view(1, 1, -1, 1))
