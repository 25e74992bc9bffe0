"""The file of a tiny painter: one safetensors file with its weights and what they are.

What is no tensor stands as JSON in the one metadata entry `earthloom`: one, since safetensors writes several in no
fixed order, and equal trainings give equal bytes. Weights may be stored in half the bytes; they compute in float32.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save

from earthloom.core.errors import UsageError
from earthloom.models.tiny.network import TinyUNet
from earthloom.models.tiny.painter import TinyPainter
from earthloom.models.tiny.shape import TinyShape
from earthloom.store.atomic import open_atomic

FORMAT = 1
"""Raised when older files can no longer be read."""
NAME = "tiny.safetensors"
"""As `earthloom train` calls the file."""
EUROSAT = Path(__file__).parent / "weights" / "eurosat.safetensors"
"""Weights that come with the package: land cover as Sentinel-2 sees it at 20 m, learnt from EuroSAT."""
_KEY = "earthloom"
_KIND = "tiny"
_REMEDY = f"Name the `{NAME}` that `earthloom train` wrote."
Storage = Literal["float32", "float16", "bfloat16"]
_TYPES: dict[str, torch.dtype] = {
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
}


def save_tiny(
    path: Path, network: TinyUNet, training: Mapping[str, Any], *, storage: Storage = "float16"
) -> None:
    """Write a network and how it was trained (JSON values); equal input gives equal bytes.

    Raises:
        WriteError: the disk is full or not writable.

    """
    told = {
        "format": FORMAT,
        "kind": _KIND,
        "architecture": network.shape.model_dump(mode="json"),
        "training": dict(training),
    }
    tensors = {
        name: value.detach().to("cpu", _TYPES[storage]).contiguous()
        for name, value in network.state_dict().items()
    }
    with open_atomic(path) as file:
        file.write(save(tensors, {_KEY: json.dumps(told, sort_keys=True)}))


def load_tiny(path: str | Path, device: torch.device | str = "cpu") -> TinyPainter:
    """Read a painter onto a device.

    Raises:
        UsageError: there is no such file, or it is none that `save_tiny` of this version writes.

    """
    try:
        data = Path(path).read_bytes()
        told = _read_told(path)
        shape = TinyShape.model_validate(told["architecture"])
        with torch.random.fork_rng(devices=[]):  # first weights are drawn, and thrown away
            network = TinyUNet(shape)
        network.load_state_dict(load(data))
        training: dict[str, Any] = told["training"]
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}. {_REMEDY}") from error
    except (SafetensorError, ValidationError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise UsageError(f"{path} holds no painter that can be read ({error}). {_REMEDY}") from error
    network.requires_grad_(requires_grad=False).eval()
    return TinyPainter(
        network=network.to(device).to(memory_format=torch.channels_last),  # type: ignore[call-overload]
        digest=hashlib.sha256(data).hexdigest(),
        training=training,
    )


def _read_told(path: str | Path) -> dict[str, Any]:
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
    if _KEY not in metadata:
        raise UsageError(f"{path}: no weights of ours, its metadata lack `{_KEY}`. {_REMEDY}")
    told: dict[str, Any] = json.loads(metadata[_KEY])
    if told["format"] != FORMAT or told["kind"] != _KIND:
        raise UsageError(
            f"{path}: wants weights of a tiny painter in format {FORMAT}, got {told['kind']!r} in format "
            f"{told['format']}. {_REMEDY}"
        )
    return told
