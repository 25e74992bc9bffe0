"""Safetensors files of our own: the same bytes for the same content."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import save
from torch import Tensor

from earthloom.models.weights.headers import METADATA
from earthloom.store.atomic import open_atomic

_ALIGNMENT = 8
"""Bytes at whose multiples the tensors begin, as the format wants."""


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write tensors and texts beside them; the file appears whole or not at all.

    Raises:
        WriteError: the disk is full or not writable.

    """
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with open_atomic(path) as file:
        file.write(_order_metadata(save(plain, {"format": "pt", **metadata})))


def _order_metadata(data: bytes) -> bytes:
    """The library writes several texts in an order that differs from process to process: here it is that of names."""
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    header[METADATA] = dict(sorted(header[METADATA].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    return len(text).to_bytes(8, "little") + text + data[start:]
