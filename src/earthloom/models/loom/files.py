"""The file of a feature network: one safetensors file with its weights and what they are.

What is no tensor stands as JSON in the one metadata entry `earthloom`, so that equal trainings give equal bytes.
Weights are stored in float16 and compute in float32.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load

from earthloom.core.errors import UsageError
from earthloom.core.ids import hash_bytes
from earthloom.models.encoders.ours import Loom
from earthloom.models.loom.network import LoomNet
from earthloom.models.weights.headers import read_metadata
from earthloom.models.weights.saving import save_tensors

FORMAT = 1
"""Raised when older files can no longer be read."""
SHIPPED = Path(__file__).parent / "weights" / "earthloom-features-1.safetensors"
"""Weights that come with the package; docs/make_encoder.py made them."""
_KEY, _KIND = "earthloom", "features"
_REMEDY = "Name a file that docs/make_encoder.py wrote, or none for the one that comes with the package."


def save_loom(
    path: Path,
    network: LoomNet,
    *,
    widths: Sequence[int],
    blocks: Sequence[int],
    answers: Mapping[str, Sequence[str]],
    training: Mapping[str, Any],
) -> None:
    """Write a network; equal input gives equal bytes.

    Args:
        path: of the file.
        network: its weights become float16.
        widths: as `LoomNet` has it.
        blocks: as `LoomNet` has it.
        answers: names of each head's answers, in the order of its scores.
        training: how it was trained, with licence and credit: JSON values.

    Raises:
        WriteError: the disk is full or not writable.

    """
    told = {
        "format": FORMAT,
        "kind": _KIND,
        "architecture": {"widths": list(widths), "blocks": list(blocks)},
        "answers": {head: list(names) for head, names in answers.items()},
        "training": dict(training),
    }
    state = network.state_dict()
    tensors = {name: value.half() if value.is_floating_point() else value for name, value in state.items()}
    save_tensors(path, tensors, {_KEY: json.dumps(told, sort_keys=True)})


def load_loom(path: Path) -> Loom:
    """Read a network onto the CPU.

    Raises:
        UsageError: there is no such file, or it is none that `save_loom` of this version writes.

    """
    try:
        data = path.read_bytes()
        told = _read_told(path)
        answers = {head: tuple(names) for head, names in told["answers"].items()}
        shape = told["architecture"]
        with torch.random.fork_rng(devices=[]):  # first weights are drawn, and thrown away
            sizes = {head: len(names) for head, names in answers.items()}
            network = LoomNet(shape["widths"], shape["blocks"], sizes)
        network.load_state_dict(load(data))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}. {_REMEDY}") from error
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise UsageError(f"{path} holds no feature network that can be read ({error}). {_REMEDY}") from error
    network.requires_grad_(requires_grad=False).eval()
    return Loom(
        version=f"{told['format']}-{hash_bytes(data)[:12]}",
        network=network.to(memory_format=torch.channels_last),  # type: ignore[call-overload]
        answers=answers,
        training=told["training"],
    )


def _read_told(path: Path) -> dict[str, Any]:
    metadata = read_metadata(path)
    if _KEY not in metadata:
        raise UsageError(f"{path}: no weights of ours, its metadata lack `{_KEY}`. {_REMEDY}")
    told: dict[str, Any] = json.loads(metadata[_KEY])
    if told["format"] != FORMAT or told["kind"] != _KIND:
        raise UsageError(
            f"{path}: wants a feature network in format {FORMAT}, got {told['kind']!r} in format {told['format']}. "
            f"{_REMEDY}"
        )
    return told
