"""Which generator a name, a file or a folder is, and opening it. Heavy libraries are loaded only then."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from earthloom.core.errors import UsageError
from earthloom.core.extras import explain_missing_models
from earthloom.models.generators.briefs import Generator
from earthloom.models.generators.choices import Device, Over, Precision
from earthloom.models.weights.headers import read_metadata
from earthloom.models.weights.pipelines import INDEX
from earthloom.store.layout import TrainingFolder

TINY = "tiny"
"""The generator that ships with the package."""
_OWN = "earthloom"
"""Metadata entry of our own weights."""
_TENSORS = ".safetensors"


def open_generator(
    model: str,
    *,
    over: Over | None = None,
    revision: str = "",
    device: Device = "auto",
    precision: Precision = "auto",
    trust_pickles: bool = False,
) -> Generator:
    """Open what a name stands for. Nothing is downloaded.

    Args:
        model: `tiny`, which ships with the package; the file or the training folder of a tiny painter; the training
            folder of a LoRA or a ControlNet, or what was exported of it; a Stable Diffusion pipeline's folder, or its
            name on the Hub where it lies in the cache.
        over: what to lay over a Stable Diffusion.
        revision: commit, tag or branch of a model of the Hub.
        device: where to compute; `auto` takes a GPU where there is one.
        precision: numbers to compute with; `auto` is `float32` on a CPU, and on a GPU `bfloat16` where it has it.
        trust_pickles: also load weights that are no safetensors.

    Raises:
        UsageError: it is not there, not whole, or nothing that draws; a library is not installed; no such device.

    """
    laid = over or Over()
    found = find_model(model)
    with explain_missing_models("Drawing needs"):
        if found.kind == "tiny":
            if laid.name_all():
                raise UsageError(
                    f"{' and '.join(laid.name_all())} go with a Stable Diffusion, {model} is none."
                )
            from earthloom.models.generators.painting import open_painter

            return open_painter(found.place, device=device, precision=precision)
        from earthloom.models.generators.stacking import open_stack

        return open_stack(
            found.place,
            found.kind,
            over=laid,
            revision=revision,
            device=device,
            precision=precision,
            trust_pickles=trust_pickles,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What a name stands for."""

    kind: Literal["tiny", "lora", "controlnet", "pipeline"]
    place: str
    """File, folder or name on the Hub; empty for the tiny painter that ships with the package."""


def find_model(model: str) -> Found:
    """Tell what a name stands for, from names of files and headers alone.

    Raises:
        UsageError: it is nothing that draws.

    """
    if model == TINY:
        return Found(kind="tiny", place="")
    path = Path(model)
    if path.is_file():
        return _find_file(path)
    if not path.is_dir():
        return Found(kind="pipeline", place=model)
    return _find_folder(_enter_training(path))


def _enter_training(folder: Path) -> Path:
    """The weights of a training folder; another folder as it is."""
    training = TrainingFolder(folder)
    if not training.lock.exists() and not training.recipe.is_file():
        return folder
    if not training.weights.is_dir():
        raise UsageError(
            f"{folder} is a training that is not finished: it has no {training.weights.name}. Run the same "
            "`earthloom train` again: it goes on from there."
        )
    return training.weights


def _find_folder(folder: Path) -> Found:
    from earthloom.models.stable.exports import read_export

    if (folder / INDEX).is_file():
        return Found(kind="pipeline", place=str(folder))
    export = read_export(folder)
    if export is not None:
        return Found(kind=export.kind, place=str(folder))
    files = sorted(folder.glob(f"*{_TENSORS}"))
    kinds = {path: read_kind(path) for path in files}
    tiny = [path for path, kind in kinds.items() if kind == TINY]
    if len(tiny) == 1:
        return Found(kind="tiny", place=str(tiny[0]))
    raise UsageError(_explain_folder(folder, [kind for kind in kinds.values() if kind]))


def _find_file(path: Path) -> Found:
    if path.suffix != _TENSORS:
        return Found(kind="pipeline", place=str(path))  # which refuses it with what to do
    kind = read_kind(path)
    if kind == TINY:
        return Found(kind="tiny", place=str(path))
    if kind == "lora":
        raise UsageError(f"{path} holds a LoRA: name the Stable Diffusion it is for, and `--lora {path}`.")
    if kind is not None:
        raise UsageError(f"{path} holds a {kind}, which draws nothing from words.")
    return Found(kind="pipeline", place=str(path))


def read_kind(path: Path) -> str | None:
    """What weights of ours say they are; None for those of others."""
    try:
        told = json.loads(read_metadata(path)[_OWN])
    except (KeyError, ValueError):
        return None
    kind = told.get("kind") if isinstance(told, dict) else None
    return None if kind is None else str(kind)


def _explain_folder(folder: Path, kinds: Sequence[str]) -> str:
    holds = f"holds {', '.join(kinds)}" if kinds else "holds nothing that draws"
    return (
        f"{folder} {holds}. Wants the folder of a training of a tiny painter, a LoRA or a ControlNet, what was "
        f"exported of it, or a pipeline with {INDEX}; or say `tiny`, which ships with earthloom."
    )
