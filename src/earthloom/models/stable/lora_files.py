"""Files of LoRA weights: as diffusers reads them, as kohya's sd-scripts and the programs after them do, and back.

Both keep alpha. diffusers takes it from its own metadata entry, and where that is missing assumes alpha = rank.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from earthloom.core.errors import UsageError
from earthloom.models.stable.lora import Factors, describe_factors, take_factors
from earthloom.models.stable.lora_names import (
    NETWORKS,
    is_xl,
    list_names_in_kohya,
    name_in_diffusers,
    name_in_kohya,
)
from earthloom.models.weights.headers import read_header, read_metadata
from earthloom.models.weights.saving import save_tensors

DIFFUSERS_NAME = "pytorch_lora_weights.safetensors"
"""What diffusers looks for in a folder."""
_OWN = "earthloom"
_FORMAT = 1
_DIFFUSERS = "lora_adapter_metadata"
_PAIR = re.compile(
    r"(.+?)(?:\.lora_(A|B)|[._]lora\.(down|up)|\.lora_linear_layer\.(down|up)|\.lora_(down|up))\.weight"
)
"""One of the two factors of a layer, in any of the styles."""
_DOWN = {"A", "down"}


def save_diffusers_lora(
    path: Path,
    networks: Mapping[str, Any],
    training: Mapping[str, Any],
    *,
    dtype: torch.dtype = torch.float32,
) -> None:
    """Write the LoRA of networks so that `pipeline.load_lora_weights(path.parent, weight_name=path.name)` reads it.

    Args:
        path: of the file; call it `DIFFUSERS_NAME` where nothing speaks against it.
        networks: by their names in a pipeline (`unet`, `text_encoder`, `text_encoder_2`); those without LoRA are left
            out.
        training: JSON values that tell how it was trained; they lie in the metadata entry `earthloom`.
        dtype: of the numbers in the file.

    Raises:
        UsageError: no network has LoRA.
        WriteError: the disk is full or not writable.

    """
    tensors: dict[str, Tensor] = {}
    told: dict[str, Any] = {}
    for network, factors in _take_all(networks).items():
        for layer, entry in factors.items():
            name = name_in_diffusers(network, layer)
            tensors[f"{name}.lora_A.weight"] = entry.down.to(dtype)
            tensors[f"{name}.lora_B.weight"] = entry.up.to(dtype)
        told |= {f"{network}.{field}": value for field, value in _describe(network, factors).items()}
    metadata = {_DIFFUSERS: json.dumps(told, sort_keys=True), _OWN: _tell("diffusers", training)}
    save_tensors(path, tensors, metadata)


def save_kohya_lora(
    path: Path,
    networks: Mapping[str, Any],
    training: Mapping[str, Any],
    *,
    dtype: torch.dtype = torch.float32,
) -> None:
    """Write the LoRA of networks as kohya's sd-scripts do, which AUTOMATIC1111, ComfyUI and others read.

    Arguments and errors are those of `save_diffusers_lora`, but for `networks`: `unet` has to be among them, with LoRA
    or without.
    """
    unet = networks["unet"]
    tensors: dict[str, Tensor] = {}
    found = _take_all(networks)
    for network, factors in found.items():
        for layer, entry in factors.items():
            name = name_in_kohya(network, layer, unet)
            tensors[f"{name}.lora_down.weight"] = entry.down.to(dtype)
            tensors[f"{name}.lora_up.weight"] = entry.up.to(dtype)
            tensors[f"{name}.alpha"] = torch.tensor(entry.alpha, dtype=dtype)
    plan = describe_factors(next(iter(found.values())))
    version = _name_version(unet)
    save_tensors(
        path,
        tensors,
        {
            "ss_network_module": "networks.lora",
            "ss_network_dim": str(plan["r"]),
            "ss_network_alpha": str(plan["lora_alpha"]),
            "ss_base_model_version": version,
            "ss_v2": str(version == "sd_v2"),
            _OWN: _tell("kohya", training),
        },
    )


def read_lora(path: Path, networks: Mapping[str, Any]) -> dict[str, dict[str, Factors]]:
    """Read LoRA weights in either style, of earthloom or of others, onto the CPU.

    Args:
        path: a safetensors file.
        networks: by their names in a pipeline, without LoRA; `unet` among them. Layers are looked for in these.

    Returns:
        Network to layer to factors, as `lay_lora` takes them; networks that the file does not change are left out.

    Raises:
        UsageError: it is no whole safetensors file, or holds anything that is no LoRA of these networks.

    """
    if not path.is_file():
        raise UsageError(f"There are no LoRA weights {path}.")
    read_header(path)
    tensors = load_file(path)
    alphas = {name.removesuffix(".alpha"): float(value) for name, value in tensors.items() if _is_alpha(name)}
    pairs, rest = _pair(tensors)
    places = _list_places(networks)
    strangers = [*rest, *(name for name in pairs if name not in places)]
    if strangers or not pairs:
        raise UsageError(_explain_strangers(path, strangers, networks))
    find_alpha = _read_alphas(path)
    found: dict[str, dict[str, Factors]] = {}
    for name, (down, up) in pairs.items():
        network, layer = places[name]
        alpha = alphas.get(name, find_alpha(network, layer))
        rank = down.shape[0]
        found.setdefault(network, {})[layer] = Factors(
            down=down, up=up, alpha=float(rank) if alpha is None else alpha
        )
    return found


def read_training(path: Path) -> dict[str, Any] | None:
    """What `training` was when earthloom wrote a file of LoRA weights; None where others did.

    Raises UsageError where it is no safetensors file.
    """
    try:
        told = json.loads(read_metadata(path)[_OWN])
        training = told["training"]
    except (KeyError, TypeError, ValueError):
        return None
    return training if isinstance(training, dict) else None


def _take_all(networks: Mapping[str, Any]) -> dict[str, dict[str, Factors]]:
    found = {name: take_factors(networks[name]) for name in NETWORKS if networks.get(name) is not None}
    found = {name: factors for name, factors in found.items() if factors}
    if not found:
        raise UsageError("There is no LoRA to save: add it to a network first.")
    return found


def _describe(network: str, factors: Mapping[str, Factors]) -> dict[str, Any]:
    plan = describe_factors(factors)
    if network != "unet":
        # By their last names: those before them differ between the versions of transformers.
        plan["target_modules"] = sorted({name.rpartition(".")[2] for name in plan["target_modules"]})
    return plan


def _tell(style: str, training: Mapping[str, Any]) -> str:
    told = {"format": _FORMAT, "kind": "lora", "style": style, "training": dict(training)}
    return json.dumps(told, sort_keys=True)


def _name_version(unet: Any) -> str:
    """As sd-scripts name them: 2.x is told by its wider text encoder."""
    if is_xl(unet):
        return "sdxl_base_v1-0"
    return "sd_v2" if unet.config.cross_attention_dim == 1024 else "sd_v1"


def _is_alpha(name: str) -> bool:
    return name.endswith(".alpha")


def _pair(tensors: Mapping[str, Tensor]) -> tuple[dict[str, tuple[Tensor, Tensor]], list[str]]:
    """Both factors by the layer's name in the file, and the names of what is neither a factor nor an alpha."""
    halves: dict[str, dict[bool, Tensor]] = {}
    rest = []
    for name, tensor in tensors.items():
        found = _PAIR.fullmatch(name)
        if found is not None:
            side = next(filter(None, found.groups()[1:]))
            halves.setdefault(_tidy(found[1]), {})[side in _DOWN] = tensor
        elif not _is_alpha(name):
            rest.append(name)
    rest += [name for name, sides in halves.items() if len(sides) < 2]
    pairs = {name: (sides[True], sides[False]) for name, sides in halves.items() if len(sides) == 2}
    return pairs, rest


def _tidy(name: str) -> str:
    """Without the level of attention processors that diffusers had before peft: `attn1.processor.to_out_lora`."""
    if ".processor." not in name:
        return name
    plain = name.replace(".processor.", ".")
    return f"{plain}.0" if plain.endswith(".to_out") else plain


def _list_places(networks: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Names in a file, of all styles, to network and layer."""
    places: dict[str, tuple[str, str]] = {}
    for network, layer in _list_layers(networks):
        names = {name_in_diffusers(network, layer), f"{network}.{layer}"}
        names |= list_names_in_kohya(network, layer, networks["unet"])
        places |= dict.fromkeys(names, (network, layer))
    return places


def _list_layers(networks: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for network, module in networks.items():
        for layer, inside in module.named_modules():
            if isinstance(inside, torch.nn.Linear | torch.nn.Conv2d):
                yield network, layer


def _read_alphas(path: Path) -> Callable[[str, str], float | None]:
    """What diffusers' metadata say of a layer: patterns first, then the network's alpha."""
    try:
        told = json.loads(read_metadata(path).get(_DIFFUSERS, "{}"))
    except ValueError as error:
        raise UsageError(f"{path} has broken metadata ({_DIFFUSERS}): {error}") from error

    def find(network: str, layer: str) -> float | None:
        patterns = told.get(f"{network}.alpha_pattern") or {}
        meant = (alpha for key, alpha in patterns.items() if re.fullmatch(rf"(.*\.)?({key})", layer))
        alpha = next(meant, told.get(f"{network}.lora_alpha"))
        return None if alpha is None else float(alpha)

    return find


def _explain_strangers(path: Path, strangers: list[str], networks: Mapping[str, Any]) -> str:
    if not strangers:
        return f"{path} holds no LoRA weights."
    return (
        f"{path} holds {len(strangers)} tensors that are no LoRA of this model's {', '.join(networks)}, such as "
        f"{strangers[0]}: give weights that were trained for this very model, by LoRA and nothing else."
    )
