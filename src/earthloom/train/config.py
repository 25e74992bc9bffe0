"""What every training recipe may say. No torch here: recipes are checked without it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from earthloom.core.settings import Settings
from earthloom.store.selection import Selection

Precision = Literal["auto", "float32", "bfloat16", "float16"]
Beta = Annotated[float, Field(ge=0, lt=1)]


class TrainingSettings(Settings):
    """What every training has, whatever is trained: how long, how fast, what is kept."""

    name: str = Field(min_length=1, max_length=100, pattern=r"^[\w.\- ]+$")
    """Name of what is trained; the folder is `NAME-training` where none is given."""
    steps: int = Field(20_000, ge=1)
    """Updates in all."""
    warmup: int = Field(0, ge=0)
    """Steps in which the rate rises linearly from zero to its full height."""
    decay: float = Field(0.25, ge=0, le=1)
    """Share of the steps, the last ones, in which the rate falls to zero: 0.25 are the 150 + 50 epochs of CUT, 0.5 the
    100 + 100 of CycleGAN; 0 keeps it constant, 1 lets it fall from the first step on."""
    fall: Literal["linear", "cosine"] = "linear"
    """How it falls."""
    accumulate: int = Field(1, ge=1)
    """Micro-batches whose gradients are gathered for one update: a larger batch than memory holds."""
    clip: float | None = Field(None, gt=0)
    """Longest gradient, by its norm over all weights; longer ones are shortened to it."""
    ema: float | None = Field(None, gt=0, lt=1)
    """Decay of the moving average of the weights, which is what samples are made of and what is exported; 0.999 is
    usual. It counts from the first step: after n updates it is at most (1 + n) / (10 + n)."""
    precision: Precision = "auto"
    """Numbers that forward passes compute with; weights are kept in `float32`. `auto`: `bfloat16` on a GPU that has it,
    else `float32`."""
    checkpoint_every: int = Field(1000, ge=1)
    """Steps between two checkpoints: what a killed run loses at most."""
    sample_every: int = Field(1000, ge=1)
    """Steps between two sheets of samples."""
    validate_every: int = Field(1000, ge=1)
    """Steps between two measurements on held-out data, where the recipe names some."""
    keep: int = Field(2, ge=1)
    """Checkpoints that are kept, the newest ones."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to compute; `auto` takes a GPU where there is one."""
    threads: int = Field(2, ge=1, le=64)
    """Threads that make batches ready; batches do not depend on it."""
    tensorboard: bool = False
    """Also write losses for TensorBoard; wants the package `tensorboard`."""
    seed: int = 0
    """Another seed, other first weights and other batches."""


FREE = frozenset(
    {
        "name", "checkpoint_every", "sample_every", "validate_every", "keep", "device", "memory_mb", "threads",
        "tensorboard", "prompts", "sample_steps", "guidance", "cache_folder",
    }
)  # fmt: skip
"""Fields that may change between a run and the one that goes on from it: the weights do not depend on them."""


class OptimizerSettings(Settings):
    """AdamW."""

    rate: float = Field(1e-4, gt=0, le=1)
    """Learning rate at its full height."""
    betas: tuple[Beta, Beta] = (0.9, 0.999)
    """AdamW's decay rates."""
    eps: float = Field(1e-8, gt=0)
    """AdamW's smallest divisor."""
    weight_decay: float = Field(0.01, ge=0)
    """Share of the rate by which matrices shrink in each step; norms and biases do not."""


def list_paths(recipe: object) -> Iterator[tuple[str, str]]:
    """Give place and path of all folders that a training recipe names, from plain values that need not be right.

    Addresses of object storage, such as `s3://bucket/release`, are none of them.
    """
    for place, selection in recipe.items() if isinstance(recipe, dict) else ():
        for field in ("folder", "release"):
            path = selection.get(field) if isinstance(selection, dict) else None
            if isinstance(path, str) and path and "://" not in path:
                yield f"{place}.{field}", path


def list_selections(recipe: Settings) -> dict[str, Selection]:
    """The selections of a recipe by their places in it."""
    places = {name: field.alias or name for name, field in type(recipe).model_fields.items()}
    found = {place: getattr(recipe, name) for name, place in places.items()}
    return {place: value for place, value in found.items() if isinstance(value, Selection)}
