"""What a safetensors file holds, read from its header without loading a tensor."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from earthloom.core.errors import UsageError

METADATA = "__metadata__"
"""Entry of a header that is no tensor: texts by name."""
_MAX_HEADER = 100 * 2**20
"""Longest header that the safetensors library reads."""


def read_header(path: Path) -> dict[str, dict[str, Any]]:
    """Read what a safetensors file holds: tensor name to `dtype`, `shape` and `data_offsets` from the header's end.

    Raises UsageError where the file is none, or is cut short.
    """
    with path.open("rb") as file:
        start, header = read_raw_header(file, path)
    tensors = {name: entry for name, entry in header.items() if name != METADATA}
    size = start + max((int(entry["data_offsets"][1]) for entry in tensors.values()), default=0)
    if (found := path.stat().st_size) != size:
        raise UsageError(f"{path} has {found:,} bytes instead of {size:,}: download it again.")
    return tensors


def read_metadata(path: Path) -> Mapping[str, str]:
    """Read the texts beside the tensors. Raises UsageError where the file is no safetensors file."""
    with path.open("rb") as file:
        found = read_raw_header(file, path)[1].get(METADATA)
    return {str(name): str(text) for name, text in found.items()} if isinstance(found, dict) else {}


def read_raw_header(file: BinaryIO, path: Path) -> tuple[int, dict[str, Any]]:
    """Where the tensors begin, and the header with its metadata. Raises UsageError where the file is none."""
    size = int.from_bytes(file.read(8), "little")
    try:
        if not 2 <= size <= _MAX_HEADER:
            raise ValueError(f"a header of {size} bytes")
        header = json.loads(file.read(size))
        if not isinstance(header, dict):
            raise ValueError("the header is no object")
        for name, entry in header.items():
            if name != METADATA:
                _check_entry(entry)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise UsageError(f"{path} is no safetensors file, or broken ({error}): download it again.") from error
    return 8 + size, header


def _check_entry(entry: Any) -> None:
    first, stop = entry["data_offsets"]
    if not (
        isinstance(entry["dtype"], str)
        and 0 <= int(first) <= int(stop)
        and min(entry["shape"], default=0) >= 0
    ):
        raise ValueError("an entry is broken")
