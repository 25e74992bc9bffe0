"""Where generators compute, and with which numbers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from earthloom.core.errors import RunError, UsageError
from earthloom.models.generators.choices import Device, Precision

NAMES = {torch.float32: "float32", torch.bfloat16: "bfloat16", torch.float16: "float16"}


def choose_device(name: Device) -> torch.device:
    """The device of a name. Raises UsageError where a GPU is wanted and torch finds none."""
    has_gpu = torch.cuda.is_available()
    if name == "cuda" and not has_gpu:
        raise UsageError("--device cuda: torch finds no GPU here. Say cpu or auto.")
    return torch.device("cuda" if has_gpu and name != "cpu" else "cpu")


def choose_dtype(name: Precision, device: torch.device) -> torch.dtype:
    """The numbers of a name; `auto` is bfloat16 on a GPU that has it, else float32."""
    if name != "auto":
        return next(dtype for dtype, known in NAMES.items() if known == name)
    has_bfloat16 = device.type == "cuda" and torch.cuda.is_bf16_supported()
    return torch.bfloat16 if has_bfloat16 else torch.float32


@contextmanager
def explain_memory() -> Iterator[None]:
    """Turn a lack of memory while drawing into a RunError with its remedy."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise RunError(
            "Memory did not suffice to draw. Say a smaller --batch or --size; pictures that are done are kept."
        ) from error
