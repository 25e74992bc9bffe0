"""What lies beside weights that were trained over a Stable Diffusion: of which one, and how they are to be used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from earthloom.core.errors import UsageError
from earthloom.models.weights.origins import Origin
from earthloom.models.weights.places import read_json
from earthloom.store.atomic import write_json

ABOUT = "earthloom.json"
_FORMAT = 1
Kind = Literal["lora", "controlnet"]
Metadata = Literal["none", "text", "embeddings", "both"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Export:
    """What a folder of exported weights says of itself."""

    kind: Kind
    model: str
    """The Stable Diffusion that it lies over: folder, or name on the Hub, as the recipe gave it (folders absolute)."""
    base: Origin
    """What that was when it was trained."""
    size: int
    """Side of the pictures that it was trained with, pixels."""
    metadata: Metadata = "none"
    """How it was told facts."""
    modality: str | None = None
    """Of what it draws, where all pictures were of one: those of `nir` and `sar` have one channel."""
    training: Mapping[str, Any] = field(default_factory=dict)
    """How it was trained, JSON values."""


def write_export(folder: Path, export: Export) -> None:
    """Write what a folder of weights is. Raises `WriteError` where the disk is full or not writable."""
    write_json(folder / ABOUT, {"format": _FORMAT, **asdict(export)})


def read_export(folder: Path) -> Export | None:
    """Read what a folder of weights is; None where it says nothing.

    Raises:
        UsageError: what it says cannot be understood.

    """
    path = folder / ABOUT
    if not path.is_file():
        return None
    told = read_json(path)
    try:
        if told.pop("format") != _FORMAT or told["kind"] not in get_args(Kind):
            raise ValueError(f"kind {told.get('kind')!r} of another format")
        return Export(**{**told, "base": Origin(**told["base"])})
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"{path} is no account of a LoRA or a ControlNet that this version of earthloom reads ({error}). Name the "
            "folder `weights` of a finished training."
        ) from error
