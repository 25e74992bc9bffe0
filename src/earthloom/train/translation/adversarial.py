"""What the two ways to train a translation share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from earthloom.models.translation.generator import ResnetGenerator
from earthloom.models.translation.weights import save_translator
from earthloom.train.translation.config import TranslationRecipe

WEIGHTS_NAME = "translation.safetensors"


def make_adam(networks: Iterable[nn.Module], recipe: TranslationRecipe) -> torch.optim.Adam:
    """One optimiser over all parameters of some networks."""
    parameters = [parameter for network in networks for parameter in network.parameters()]
    return torch.optim.Adam(parameters, lr=recipe.rate, betas=recipe.betas)


@contextmanager
def frozen(*networks: nn.Module) -> Iterator[None]:
    """Within the block, gradients pass through these networks and are not gathered for their parameters."""
    try:
        for network in networks:
            network.requires_grad_(requires_grad=False)
        yield
    finally:
        for network in networks:
            network.requires_grad_(requires_grad=True)


def add_up(losses: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """The sum of losses, each with its weight; 1 where none is given."""
    return torch.stack([value * weights.get(name, 1.0) for name, value in losses.items()]).sum()


def tell(losses: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Losses without their history."""
    return {name: value.detach() for name, value in losses.items()}


def export_generator(folder: Path, generator: ResnetGenerator, recipe: TranslationRecipe) -> None:
    """Write the translator of a training: its weights, and hashes of the recipe and of both selections."""
    training = {
        "name": recipe.name,
        "method": recipe.method,
        "steps": recipe.steps,
        "crop": recipe.crop,
        "seed": recipe.seed,
        "recipe": recipe.digest(),
        "from": recipe.from_.digest(),
        "to": recipe.to.digest(),
    }
    save_translator(folder / WEIGHTS_NAME, generator, training)
