"""Where generators compute, and with which numbers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from earthloom.core.errors import RunError, UsageError
from earthloom.models.generators.choices import Device


def choose_device(name: Device) -> torch.device:
    """The device of a name. Raises UsageError where a GPU is wanted and torch finds none."""
    has_gpu = torch.cuda.is_available()
    if name == "cuda" and not has_gpu:
        raise UsageError("--device cuda: torch finds no GPU here. Say cpu or auto.")
    return torch.device("cuda" if has_gpu and name != "cpu" else "cpu")


@contextmanager
def explain_memory() -> Iterator[None]:
    """Turn a lack of memory while drawing into a RunError with its remedy."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise RunError(
            "Memory did not suffice to draw. Say a smaller --batch or --size; pictures that are done are kept."
        ) from error
