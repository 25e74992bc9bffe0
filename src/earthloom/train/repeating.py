"""Equal input, equal bits: how torch is made to compute while something is trained."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def repeatable(device: torch.device) -> Iterator[None]:
    """Within the block, equal input gives equal bits on a CPU; torch's state is as before afterwards.

    On a GPU speed goes first: the fastest convolutions are searched for and float32 products may use TensorFloat-32, so
    that two runs there agree to rounding only.
    """
    is_gpu = device.type == "cuda"
    memory: Any = torch.utils.deterministic
    was_benchmark = torch.backends.cudnn.benchmark
    was_precision = torch.get_float32_matmul_precision()
    was_strict = torch.are_deterministic_algorithms_enabled()
    was_warning = torch.is_deterministic_algorithms_warn_only_enabled()
    was_filling = memory.fill_uninitialized_memory
    with torch.random.fork_rng(devices=[device] if is_gpu else []):
        try:
            torch.backends.cudnn.benchmark = is_gpu
            torch.set_float32_matmul_precision("high" if is_gpu else "highest")
            torch.use_deterministic_algorithms(not is_gpu)
            memory.fill_uninitialized_memory = False  # an aid for finding faults, which costs time
            yield
        finally:
            torch.backends.cudnn.benchmark = was_benchmark
            torch.set_float32_matmul_precision(was_precision)
            torch.use_deterministic_algorithms(was_strict, warn_only=was_warning)
            memory.fill_uninitialized_memory = was_filling
