"""Checkpoints: all that a training needs to go on, as one safetensors file that is whole or absent.

Tensors are named `modules/NETWORK/PARAMETER`, `optimizers/NAME/PARAMETER NUMBER/KEY` and `extra/NAME`. What is no
tensor stands as JSON in the one metadata entry `earthloom`: one, since safetensors writes several in no fixed order.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from earthloom.core.errors import RunError
from earthloom.store.atomic import open_atomic
from earthloom.store.layout import TrainingFolder
from earthloom.train.step import Step

FORMAT = 1
"""Raised when older files can no longer be read."""
_KEY = "earthloom"


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """Where a checkpoint stands."""

    step: int
    """The last one that was done; 0 before the first."""
    settings: dict[str, Any]
    """The recipe, as JSON."""
    pictures: str
    """Hash of what was drawn from."""


def save_checkpoint(folder: TrainingFolder, step: Step, mark: Mark, *, keep: int) -> Path:
    """Write the checkpoint of a step and remove all but the newest `keep`.

    Raises:
        RunError: a number is not finite; the checkpoints before stay.
        WriteError: the file could not be written; the checkpoints before stay.

    """
    tensors, plain = _flatten(step)
    _check_finite(tensors, mark.step)
    told = json.dumps({"format": FORMAT, "mark": asdict(mark), "optimizers": plain}, sort_keys=True)
    path = folder.checkpoint(mark.step)
    with open_atomic(path) as file:
        file.write(save(tensors, {_KEY: told}))
    prune(folder, keep)
    return path


def prune(folder: TrainingFolder, keep: int) -> None:
    """Remove all but the newest checkpoints."""
    for old in list_checkpoints(folder)[:-keep]:
        old.unlink(missing_ok=True)


def list_checkpoints(folder: TrainingFolder) -> list[Path]:
    """Finished checkpoints, oldest first."""
    return sorted(folder.checkpoints.glob("step-*.safetensors"))


def read_mark(path: Path) -> Mark:
    """Where a checkpoint stands, from its header alone. Raises `RunError` where it is none of ours or is damaged."""
    return Mark(**_read_told(path)["mark"])


def load_checkpoint(path: Path, step: Step) -> Mark:
    """Put networks, optimisers and the rest back as they were. Raises `RunError` where they do not fit."""
    told = _read_told(path)
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (it is no mapping)
    try:
        for name, module in step.modules().items():
            module.load_state_dict(_below(tensors, f"modules/{name}/"))
        for name, optimizer in step.optimizers().items():
            kept = _unflatten(_below(tensors, f"optimizers/{name}/"), told["optimizers"][name])
            optimizer.load_state_dict(kept)
        step.load_extra_state(_below(tensors, "extra/"))
    except (RuntimeError, KeyError, ValueError) as error:
        raise RunError(
            f"{path} does not fit what the recipe trains: {error}. Train anew with --fresh."
        ) from error
    return Mark(**told["mark"])


def _flatten(step: Step) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """All tensors by name, and of each optimiser what is no tensor."""
    tensors = {
        f"modules/{name}/{key}": value
        for name, module in step.modules().items()
        for key, value in module.state_dict().items()
    }
    plain = {}
    for name, optimizer in step.optimizers().items():
        found, plain[name] = _flatten_optimizer(optimizer.state_dict())
        tensors |= {f"optimizers/{name}/{key}": value for key, value in found.items()}
    tensors |= {f"extra/{name}": value for name, value in step.extra_state().items()}
    # Copies: weights that two layers share lie in one place of memory, which safetensors refuses.
    return {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}, plain


def _flatten_optimizer(state: Mapping[str, Any]) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    tensors: dict[str, torch.Tensor] = {}
    plain: dict[str, dict[str, Any]] = {}
    for number, values in state["state"].items():
        for key, value in values.items():
            if isinstance(value, torch.Tensor):
                tensors[f"{number}/{key}"] = value
            else:
                plain.setdefault(str(number), {})[key] = value
    return tensors, {"groups": state["param_groups"], "plain": plain}


def _unflatten(tensors: Mapping[str, torch.Tensor], told: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `_flatten_optimizer`; lists become the tuples that JSON made them of, but for `params`."""
    state: dict[int, dict[str, Any]] = {int(number): dict(values) for number, values in told["plain"].items()}
    for name, value in tensors.items():
        number, key = name.split("/", 1)
        state.setdefault(int(number), {})[key] = value
    groups = [
        {k: tuple(v) if isinstance(v, list) and k != "params" else v for k, v in group.items()}
        for group in told["groups"]
    ]
    return {"state": state, "param_groups": groups}


def _below(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _check_finite(tensors: Mapping[str, torch.Tensor], number: int) -> None:
    for name, value in tensors.items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise RunError(
                f"After step {number} {name} holds numbers that are not finite: training has diverged. The checkpoint "
                f"before is kept. Lower `rate`, and start anew with --fresh."
            )


def _read_told(path: Path) -> dict[str, Any]:
    try:
        with safe_open(path, framework="pt") as file:
            told: dict[str, Any] = json.loads((file.metadata() or {})[_KEY])
        if told["format"] != FORMAT:
            raise RunError(
                f"{path} is of format {told['format']}, this version reads {FORMAT}. Train anew with --fresh."
            )
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise RunError(
            f"{path} is no checkpoint that can be read ({error}). Remove it to go on from the one before, or train "
            f"anew with --fresh."
        ) from error
    return told
