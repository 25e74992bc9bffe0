"""Texts that no batch holds: the empty one, that guidance leads away from, and the recipe's sample prompts."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from earthloom.models.stable.drawing import Told, tell_texts
from earthloom.models.stable.parts import Stable
from earthloom.models.stable.text import encode_texts
from earthloom.models.weights.saving import save_tensors

EMPTY = ("",)
_KEY = "texts"
_START = "start"
_STATES = "states"


@dataclass(frozen=True, kw_only=True)
class Texts:
    """Encodes texts, or knows what they were encoded to."""

    tell: Callable[[tuple[str, ...]], Told]
    """What a UNet is told of pictures of the recipe's size with these texts."""
    start: Tensor
    """D: the last state of the empty text, as the encoder gives it."""


def open_texts(stable: Stable, size: int, *, is_trained: bool) -> Texts:
    """Encode texts by a model with its text encoders, anew each time where these are trained."""

    def tell(texts: tuple[str, ...]) -> Told:
        return tell_texts(stable, texts, size, size)

    with torch.no_grad():
        start = encode_texts(stable, EMPTY).states[0, -1]
    return Texts(tell=tell if is_trained else lru_cache(maxsize=8)(torch.no_grad()(tell)), start=start)


def save_texts(path: Path, stable: Stable, texts: Sequence[str], size: int) -> None:
    """Encode texts and keep them in a file. Raises `WriteError`."""
    book = open_texts(stable, size, is_trained=False)
    told = book.tell(tuple(texts))
    tensors = {_STATES: told.states, _START: book.start, **told.added}
    save_tensors(path, tensors, {_KEY: json.dumps(list(texts))})


def load_texts(path: Path, device: torch.device, dtype: torch.dtype) -> Texts:
    """Read what `save_texts` wrote; of other texts nothing is known."""
    with safe_open(path, framework="pt") as file:
        texts = json.loads(file.metadata()[_KEY])
        tensors = {name: file.get_tensor(name).to(device, dtype) for name in file.keys()}  # noqa: SIM118
    start, states = tensors.pop(_START), tensors.pop(_STATES)

    def tell(wanted: tuple[str, ...]) -> Told:
        rows = torch.tensor([texts.index(text) for text in wanted], device=device)
        return Told(states=states[rows], added={name: value[rows] for name, value in tensors.items()})

    return Texts(tell=tell, start=start)
