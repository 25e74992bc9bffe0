"""Numbers that networks compute with, by name."""

from __future__ import annotations

import torch

NAMES = {torch.float32: "float32", torch.bfloat16: "bfloat16", torch.float16: "float16"}


def choose_dtype(name: str, device: torch.device) -> torch.dtype:
    """The numbers of a name; `auto` is bfloat16 on a GPU that has it, else float32."""
    if name != "auto":
        return next(dtype for dtype, known in NAMES.items() if known == name)
    has_bfloat16 = device.type == "cuda" and torch.cuda.is_bf16_supported()
    return torch.bfloat16 if has_bfloat16 else torch.float32
