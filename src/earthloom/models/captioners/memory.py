"""Memory: what a model needs, and what there is, found before it is loaded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from earthloom.core.errors import UsageError
from earthloom.models.captioners.files import read_header

Precision = Literal["float32", "bfloat16", "float16"]
Device = Literal["cpu", "cuda"]

_BYTES: dict[Precision, int] = {"float32": 4, "bfloat16": 2, "float16": 2}
_WIDTHS = {
    "F64": 8,
    "I64": 8,
    "U64": 8,
    "F32": 4,
    "I32": 4,
    "U32": 4,
    "F16": 2,
    "BF16": 2,
    "I16": 2,
    "U16": 2,
}
"""Bytes of an element by the names of safetensors; other types (8 bits, booleans) have one."""
_FLOATS = frozenset({"F64", "F32", "F16", "BF16"})
_AT_WORK = 0.2
"""Share of the weights that one picture may need on top while it is worked on (our choice; the batch is halved where
more pictures do not fit)."""
_MEMINFO = Path("/proc/meminfo")


def measure_weights(weights: Sequence[Path], precision: Precision) -> int:
    """Bytes that weights take once loaded, from the headers alone; weights of other formats count with their size."""
    total = 0
    for path in weights:
        if path.suffix != ".safetensors":
            total += path.stat().st_size
            continue
        for entry in read_header(path).values():
            width = _BYTES[precision] if entry["dtype"] in _FLOATS else _WIDTHS.get(entry["dtype"], 1)
            total += width * math.prod(entry["shape"])
    return total


def check_memory(weights: Sequence[Path], precision: Precision, device: Device) -> None:
    """Raise UsageError where a model cannot fit, with what it needs, what there is and what to do."""
    needed = int(measure_weights(weights, precision) * (1 + _AT_WORK))
    available = measure_free(device)
    if available is None or needed <= available:
        return
    where = "the GPU" if device == "cuda" else "this machine"
    ways = []
    if precision == "float32":
        ways.append("`precision: bfloat16` halves that")
    if device == "cuda":
        ways.append("`device: cpu` takes the machine's memory")
    ways.append("a smaller model needs less")
    raise UsageError(
        f"The model needs about {needed / 2**30:.1f} GiB as {precision}, {where} has {available / 2**30:.1f} GiB free: "
        f"{', '.join(ways)}."
    )


def measure_free(device: Device) -> int | None:
    """Bytes that are free, or None where the system does not say."""
    if device == "cuda":
        import torch

        return int(torch.cuda.mem_get_info()[0])
    try:
        lines = _MEMINFO.read_text().splitlines()
    except OSError:
        return None
    found = next((line.split() for line in lines if line.startswith("MemAvailable:")), None)
    return int(found[1]) * 1024 if found is not None else None
