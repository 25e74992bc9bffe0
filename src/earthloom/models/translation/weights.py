"""The file of a translator: one safetensors file with the generator's weights and what they are.

What is no tensor stands as JSON in the one metadata entry `earthloom`: one, since safetensors writes several in no
fixed order, and equal trainings give equal bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save

from earthloom.core.errors import UsageError
from earthloom.models.translation.generator import ResnetGenerator
from earthloom.models.translation.translator import Translator
from earthloom.store.atomic import open_atomic

FORMAT = 1
"""Raised when older files can no longer be read."""
_KEY = "earthloom"
_KIND = "translation"
_REMEDY = "Name the `translation.safetensors` that `earthloom train` wrote."


def save_translator(path: Path, generator: ResnetGenerator, training: Mapping[str, Any]) -> None:
    """Write a generator and how it was trained (JSON values); equal input gives equal bytes.

    Raises:
        WriteError: the disk is full or not writable.

    """
    told = {
        "format": FORMAT,
        "kind": _KIND,
        "architecture": {
            "generator": "resnet",
            "channels": 3,
            "width": generator.width,
            "blocks": generator.blocks,
            "blend": generator.blend,
        },
        "training": dict(training),
    }
    tensors = {name: value.detach().cpu().contiguous() for name, value in generator.state_dict().items()}
    with open_atomic(path) as file:
        file.write(save(tensors, {_KEY: json.dumps(told, sort_keys=True)}))


def load_translator(path: str | Path) -> Translator:
    """Read a translator onto the CPU; kept for this process until the file changes.

    Raises:
        UsageError: there is no such file, or it is none that `save_translator` of this version writes.

    """
    try:
        status = Path(path).stat()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}. {_REMEDY}") from error
    return _load(str(path), (status.st_ino, status.st_size, status.st_mtime_ns))


@lru_cache(maxsize=2)
def _load(path: str, version: tuple[int, ...]) -> Translator:
    try:
        data = Path(path).read_bytes()
        told = _read_told(path)
        shape = told["architecture"]
        if told["format"] != FORMAT or told["kind"] != _KIND or shape["generator"] != "resnet":
            raise UsageError(
                f"{path}: wants weights of a translation in format {FORMAT}, got {told['kind']!r} in format "
                f"{told['format']}. {_REMEDY}"
            )
        with torch.random.fork_rng(devices=[]):  # first weights are drawn, and thrown away
            generator = ResnetGenerator(shape["width"], shape["blocks"], blend=shape["blend"])
        generator.load_state_dict(load(data))
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise UsageError(f"{path} holds no translator that can be read ({error}). {_REMEDY}") from error
    digest = hashlib.sha256(data).hexdigest()
    return Translator(
        generator=generator.requires_grad_(requires_grad=False).eval(),
        digest=digest,
        training=told["training"],
    )


def _read_told(path: str) -> dict[str, Any]:
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
    if _KEY not in metadata:
        raise UsageError(f"{path}: no weights of ours, its metadata lack `{_KEY}`. {_REMEDY}")
    told: dict[str, Any] = json.loads(metadata[_KEY])
    return told
