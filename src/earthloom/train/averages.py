"""The moving average of weights, whose pictures are better than those of the weights of any one step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch


class Averages:
    """Exponential moving averages of all parameters that want gradients, float32."""

    def __init__(self, modules: Mapping[str, torch.nn.Module], decay: float | None) -> None:
        self._decay = decay
        self._trained = trained_parameters(modules) if decay is not None else {}
        self.values = {name: parameter.detach().clone().float() for name, parameter in self._trained.items()}

    @torch.no_grad()
    def update(self, number: int) -> None:
        """Take in the weights after step `number`, from 1. Early on the average forgets faster: (1 + n) / (10 + n)."""
        if self._decay is not None and self._trained:
            decay = min(self._decay, (1 + number) / (10 + number))
            current = [parameter.float() for parameter in self._trained.values()]
            torch._foreach_lerp_(list(self.values.values()), current, 1.0 - decay)

    def load(self, values: Mapping[str, torch.Tensor]) -> None:
        """Take back what `values` gave. Raises `KeyError` where one is missing."""
        for name, value in self.values.items():
            value.copy_(values[name])

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Within the block, the averages stand where the weights do."""
        kept = {name: parameter.detach().clone() for name, parameter in self._trained.items()}
        try:
            self._set(self.values)
            yield
        finally:
            self._set(kept)

    @torch.no_grad()
    def _set(self, values: Mapping[str, torch.Tensor]) -> None:
        for name, parameter in self._trained.items():
            parameter.copy_(values[name])


def trained_parameters(modules: Mapping[str, torch.nn.Module]) -> dict[str, torch.nn.Parameter]:
    """All parameters that want gradients, by `MODULE/PARAMETER`; one that two layers share comes once."""
    return {
        f"{name}/{key}": parameter
        for name, module in modules.items()
        for key, parameter in module.named_parameters()
        if parameter.requires_grad
    }
