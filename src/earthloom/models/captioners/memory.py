"""Memory: what a model needs, and what there is, found before it is loaded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from earthloom.core.errors import UsageError
from earthloom.models.weights.headers import read_header

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
_CGROUP = Path("/sys/fs/cgroup")


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
    """Raise UsageError where a model cannot fit, with what it needs, what there is and what to do.

    On its way to a GPU it passes through the machine's memory, which has to hold the weights.
    """
    size = measure_weights(weights, precision)
    _check_place(int(size * (1 + _AT_WORK)), precision, device)
    if device == "cuda":
        _check_place(size, precision, "cpu")


def measure_free(device: Device) -> int | None:
    """Bytes that are free, or None where the system does not say.

    Of the machine's memory, what the kernel would give (`MemAvailable`), and no more than the limit of a container
    leaves (cgroup v2; files that are cached only because there is room do not count as used).
    """
    if device == "cuda":
        import torch

        return int(torch.cuda.mem_get_info()[0])
    found = [free for free in (_read_available(), _read_container()) if free is not None]
    return min(found, default=None)


def _check_place(needed: int, precision: Precision, device: Device) -> None:
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


def _read_available() -> int | None:
    kib = _read_field(_MEMINFO, "MemAvailable:")
    return None if kib is None else kib * 1024


def _read_container() -> int | None:
    try:
        limit, used = ((_CGROUP / name).read_text().strip() for name in ("memory.max", "memory.current"))
        cached = _read_field(_CGROUP / "memory.stat", "inactive_file") or 0
        return None if limit == "max" else max(int(limit) - int(used) + cached, 0)
    except (OSError, ValueError):
        return None


def _read_field(path: Path, name: str) -> int | None:
    """The number behind a name in one of the kernel's tables."""
    try:
        rows = (line.split() for line in path.read_text().splitlines())
        return next((int(row[1]) for row in rows if row[:1] == [name]), None)
    except (OSError, ValueError, IndexError):
        return None
