"""What several processes hold, put together, with gradients that flow back to where each part came from."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class _Gather(torch.autograd.Function):
    """All parts of all processes, in the order of their ranks."""

    @staticmethod
    def forward(ctx: Any, part: Tensor) -> Tensor:
        ctx.n = len(part)
        return _collect(part)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        # Summed over processes: each has a loss of its own over all parts. The loop then averages over processes, and
        # since their losses are equal that leaves the gradient of one of them.
        (total,) = gradients
        total = total.contiguous()
        torch.distributed.all_reduce(total)
        start = torch.distributed.get_rank() * ctx.n
        return total[start : start + ctx.n]


def gather(part: Tensor, world: int) -> Tensor:
    """Put together the N rows of each of `world` processes: world * N rows, with gradients."""
    if world == 1:
        return part
    gathered: Tensor = _Gather.apply(part)  # type: ignore[no-untyped-call]
    return gathered


def _collect(part: Tensor) -> Tensor:
    parts = [torch.empty_like(part) for _ in range(torch.distributed.get_world_size())]
    torch.distributed.all_gather(parts, part.contiguous())
    return torch.cat(parts)
