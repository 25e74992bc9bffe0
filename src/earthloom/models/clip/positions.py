"""Text towers that take longer texts than they were trained with: their codes of position, stretched."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from earthloom.core.errors import UsageError

KEPT = 20
"""First positions that stay as they are: those that captions of the web have trained well (Long-CLIP, section 3.1)."""


def stretch_codes(codes: Tensor, length: int, kept: int = KEPT) -> Tensor:
    """Stretch codes of position, L x D, to `length` x D: the first `kept` stay, the others are interpolated linearly.

    This is the "knowledge-preserved stretching" of Long-CLIP (Zhang et al., ECCV 2024, equation 1), which goes from 77
    to 248 positions by the factor 4: with p = `kept` + (j - `kept`) / factor for j >= `kept`, the new code j lies on
    the line between the old codes floor(p) and floor(p) + 1; beyond the last old code that line is continued.

    Raises:
        UsageError: `length` is less than L, or there are no two codes to stretch.

    """
    old = len(codes)
    if length < old or old < kept + 2:
        raise UsageError(
            f"A text tower of {old} positions cannot be stretched to {length}: wanted at least {kept + 2} positions, "
            "and no fewer afterwards than before."
        )
    factor = (length - kept) / (old - kept)
    places = kept + torch.arange(length - kept, dtype=torch.float64) / factor
    below = places.floor().long().clamp(max=old - 2)
    share = (places - below).unsqueeze(1)
    wide = codes.detach().double().cpu()
    grown = wide[below] * (1 - share) + wide[below + 1] * share
    return torch.cat([wide[:kept], grown]).to(codes)


def stretch_text(network: Any, length: int) -> None:
    """Make the text tower of a CLIPModel take `length` tokens; its configuration says so from then on."""
    embeddings = network.text_model.embeddings
    codes = stretch_codes(embeddings.position_embedding.weight, length)
    embeddings.position_embedding = nn.Embedding.from_pretrained(codes, freeze=False)  # type: ignore[no-untyped-call]
    embeddings.position_ids = torch.arange(length, device=codes.device).expand((1, -1))
    network.config.text_config.max_position_embeddings = length
    network.text_model.config.max_position_embeddings = length
