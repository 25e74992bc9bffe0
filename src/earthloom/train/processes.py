"""Several processes that train one thing, each on its own GPU (or CPU): started by `accelerate launch` or `torchrun`.

Weights are equal in all of them at all times: they begin equal and see the same averaged gradients. Averaging stands
here, in the open, and not in a wrapper around networks, so that a step may use its networks as it likes.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch

from earthloom.core.errors import UsageError
from earthloom.core.extras import explain_missing_models
from earthloom.train.step import Share

T = TypeVar("T")


@dataclass(frozen=True)
class Processes:
    """Where a process stands among those that train together."""

    device: torch.device
    share: Share

    @property
    def is_main(self) -> bool:
        """True for the one that writes files."""
        return self.share.rank == 0

    def average(self, tensors: Sequence[torch.Tensor]) -> None:
        """Replace tensors by their means over all processes, in one exchange."""
        if self.share.world == 1 or not tensors:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        torch.distributed.all_reduce(flat)
        flat /= self.share.world
        pieces = torch.split(flat, [tensor.numel() for tensor in tensors])
        for tensor, piece in zip(tensors, pieces, strict=True):
            tensor.copy_(piece.view_as(tensor))

    def agree(self, claim: bool) -> bool:
        """True in every process if it is true in one of them."""
        if self.share.world == 1:
            return claim
        told = torch.tensor(float(claim), device=self.device)
        torch.distributed.all_reduce(told, torch.distributed.ReduceOp.MAX)
        return bool(told)

    def gather(self, told: T) -> list[T]:
        """What each process tells, in their order."""
        if self.share.world == 1:
            return [told]
        found: list[Any] = [None] * self.share.world
        torch.distributed.all_gather_object(found, told)
        return found

    def wait(self) -> None:
        """Go on when all have come here."""
        if self.share.world > 1:
            torch.distributed.barrier()


def find_processes(device: str) -> Processes:
    """The device and the share of this process; `auto` is a GPU where there is one.

    Raises `UsageError` where a GPU is wanted and there is none.
    """
    has_gpu = torch.cuda.is_available()
    if device == "cuda" and not has_gpu:
        raise UsageError("device: torch finds no GPU here; say `device: cpu` or `auto`.")
    on_gpu = has_gpu and device != "cpu"
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        place = torch.device("cuda", torch.cuda.current_device()) if on_gpu else torch.device("cpu")
        return Processes(place, Share())
    with explain_missing_models("Training in several processes wants"):
        from accelerate import PartialState
    state = PartialState(cpu=not on_gpu)
    return Processes(state.device, Share(state.process_index, state.num_processes))
