"""Weights between those of a model and those of its fine-tuning, which know of both."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from earthloom.core.errors import UsageError


@torch.no_grad()
def patch_weights(
    original: Mapping[str, Tensor], tuned: Mapping[str, Tensor], share: float
) -> dict[str, Tensor]:
    """Go a share of the way from the original to the tuned weights: W = (1 - share) W0 + share W1.

    A model that lies between keeps most of what the original could do, and has learnt most of the new: WiSE-FT
    (Wortsman et al., CVPR 2022) and patching (Ilharco et al., NeurIPS 2022). 0.5 is a good first choice.

    Args:
        original: W0 by name.
        tuned: W1, of the same names and shapes.
        share: 0 for the original, 1 for the tuned weights; what lies outside is refused.

    Returns:
        W in the number format of W1. What is no floating point number is that of W1.

    Raises:
        UsageError: they are not weights of one network, or the share is none.

    """
    if not 0 <= share <= 1:
        raise UsageError(f"A share from 0 to 1 was wanted, got {share}.")
    odd = sorted(set(original).symmetric_difference(tuned))
    odd += [name for name in tuned if name in original and original[name].shape != tuned[name].shape]
    if odd:
        raise UsageError(
            f"The weights of one network before and after its training were wanted, {odd[0]} and {len(odd) - 1} more "
            "are in one of both only, or of different shapes."
        )
    return {name: _mix(original[name], value, share) for name, value in tuned.items()}


def _mix(before: Tensor, after: Tensor, share: float) -> Tensor:
    if not after.is_floating_point():
        return after.clone()
    return torch.lerp(before.to(after.device, torch.float64), after.double(), share).to(after.dtype)
