"""Checkpoints: all that a training needs to go on, as one safetensors file that is whole or absent.

Tensors are named `modules/NETWORK/PARAMETER`, `averages/NETWORK/PARAMETER`, `optimizers/NAME/PARAMETER NUMBER/KEY` and
`extra/NAME`. Parameters that are not trained are those of files and are not kept. What is no tensor stands as JSON in
the one metadata entry `earthloom`: one, since safetensors writes several in no fixed order.
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
from earthloom.train.averages import Averages
from earthloom.train.step import Step

FORMAT = 2
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
    origins: list[dict[str, Any]]
    """Weights of others that it stands on."""
    world: int
    """Processes that trained together."""


def save_checkpoint(
    folder: TrainingFolder,
    step: Step,
    averages: Averages,
    scaler: torch.amp.GradScaler,
    mark: Mark,
    *,
    keep: int,
) -> Path:
    """Write the checkpoint of a step and remove all but the newest `keep`.

    Raises:
        RunError: a number is not finite; the checkpoints before stay.
        WriteError: the file could not be written; the checkpoints before stay.

    """
    tensors, plain = _flatten(step, averages)
    _check_finite(tensors, mark.step)
    told = json.dumps(
        {"format": FORMAT, "mark": asdict(mark), "optimizers": plain, "scaler": scaler.state_dict()},
        sort_keys=True,
    )
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


def load_checkpoint(path: Path, step: Step, averages: Averages, scaler: torch.amp.GradScaler) -> Mark:
    """Put networks, optimisers and the rest back as they were. Raises `RunError` where they do not fit."""
    told = _read_told(path)
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (it is no mapping)
    try:
        for name, module in step.modules().items():
            _load_module(module, _below(tensors, f"modules/{name}/"))
        averages.load(_below(tensors, "averages/"))
        if told["scaler"]:
            scaler.load_state_dict(told["scaler"])
        for name, optimizer in step.optimizers().items():
            kept = _unflatten(_below(tensors, f"optimizers/{name}/"), told["optimizers"][name])
            optimizer.load_state_dict(kept)
            _lay_out_as_weights(optimizer)
        step.load_extra_state(_below(tensors, "extra/"))
    except (RuntimeError, KeyError, ValueError) as error:
        raise RunError(
            f"{path} does not fit what the recipe trains: {error}. Train anew with --fresh."
        ) from error
    return Mark(**told["mark"])


def _load_module(module: torch.nn.Module, kept: Mapping[str, torch.Tensor]) -> None:
    """Put back what is kept of a network. Raises `RuntimeError` where it is not what the network wants."""
    wanted = kept_names(module)
    if wanted != set(kept):
        odd = sorted(wanted.symmetric_difference(kept))
        raise RuntimeError(f"{len(odd)} tensors are missing or too many, such as {odd[0]}")
    module.load_state_dict(kept, strict=False)


def _lay_out_as_weights(optimizer: torch.optim.Optimizer) -> None:
    """Order an optimiser's tensors in memory as its weights are: kernels that fuse the update go through both alike.

    Files keep no such order; without this, weights in `channels_last` would be paired with others' moments.
    """
    for weight, state in optimizer.state.items():
        for name, value in state.items():
            if isinstance(value, torch.Tensor) and value.shape == weight.shape:
                state[name] = torch.empty_like(weight, dtype=value.dtype).copy_(value)


def kept_names(module: torch.nn.Module) -> set[str]:
    """Names of the state of a network that training changes: buffers, and parameters that want gradients."""
    fixed = {
        name
        for name, parameter in module.named_parameters(remove_duplicate=False)
        if not parameter.requires_grad
    }
    return set(module.state_dict()) - fixed


def _flatten(step: Step, averages: Averages) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """All tensors by name, and of each optimiser what is no tensor."""
    tensors = {
        f"modules/{name}/{key}": value
        for name, module in step.modules().items()
        for key, value in _kept_state(module).items()
    }
    tensors |= {f"averages/{name}": value for name, value in averages.values.items()}
    plain = {}
    for name, optimizer in step.optimizers().items():
        found, plain[name] = _flatten_optimizer(optimizer.state_dict())
        tensors |= {f"optimizers/{name}/{key}": value for key, value in found.items()}
    tensors |= {f"extra/{name}": value for name, value in step.extra_state().items()}
    # Copies: weights that two layers share lie in one place of memory, which safetensors refuses.
    return {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}, plain


def _kept_state(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    kept = kept_names(module)
    return {name: value for name, value in module.state_dict().items() if name in kept}


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
