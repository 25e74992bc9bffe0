"""The network that is told facts: each as a vector, unknown ones as a learnt vector of their own."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from earthloom.models.tiny.facts import FACTS, MEASURE_SIZES, NAME_ROWS


class FactEncoder(nn.Module):
    """The sum of one vector for every fact."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.names = nn.Embedding(NAME_ROWS, width)
        nn.init.normal_(self.names.weight, std=0.5**0.5)
        self.measures = nn.ModuleList([nn.Linear(size, width) for size in MEASURE_SIZES])
        self.unknown = nn.Parameter(torch.randn(len(FACTS), width) * 0.5)

    def forward(self, names: Tensor, measures: Tensor, known: Tensor) -> Tensor:
        """N x 3 x 2 rows, N x numbers and N x 7 (True where known) to N x width."""
        vectors = [*self.names(names.long()).sum(2).unbind(1)]
        parts = torch.split(measures, list(MEASURE_SIZES), 1)
        vectors += [layer(part) for layer, part in zip(self.measures, parts, strict=True)]
        stacked = torch.stack([vector.to(self.unknown.dtype) for vector in vectors], 1)
        return torch.where(known[..., None], stacked, self.unknown).sum(1)


def drop_facts(known: Tensor, share: float, share_all: float) -> Tensor:
    """Forget each known fact with a probability, and all facts of a picture with another (N x 7, True where known)."""
    kept = torch.rand(known.shape, device=known.device) >= share
    kept &= torch.rand((len(known), 1), device=known.device) >= share_all
    return known & kept
