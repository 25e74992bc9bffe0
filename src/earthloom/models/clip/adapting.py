"""LoRA weights (Hu et al., ICLR 2022) over both towers of a dual encoder or over one, by peft."""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch

from earthloom.core.extras import explain_missing_models
from earthloom.store.atomic import write_text

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import CLIPModel

Tower = Literal["image", "text"]
_PLACES: dict[Tower, str] = {"image": "vision_model", "text": "text_model"}
_ADAPTER = "adapter_config.json"


def adapt(
    network: CLIPModel,
    *,
    rank: int,
    alpha: float,
    targets: Sequence[str],
    towers: Sequence[Tower],
    dropout: float = 0.0,
    base: str | None = None,
) -> PeftModel:
    """Lay LoRA weights over a network, which changes in place and says the same as before: they begin at zero.

    Only they want gradients afterwards.

    Args:
        network: what is adapted.
        rank: of the update of each weight.
        alpha: the update is scaled by `alpha / rank`.
        targets: names of layers of the blocks: `q_proj`, `k_proj`, `v_proj`, `out_proj`, `fc1`, `fc2`.
        towers: those that are adapted.
        dropout: share of the input of the update that is set to zero in training.
        base: name of the network, for the record.

    Raises:
        UsageError: peft is not installed.

    """
    with explain_missing_models("LoRA weights want"):
        from peft import LoraConfig, get_peft_model
    places, layers = "|".join(_PLACES[tower] for tower in towers), "|".join(targets)
    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,  # type: ignore[arg-type]  # any number is divided by the rank
        lora_dropout=dropout,
        # One pattern: peft makes a set of a list, and writes it in an order that differs from run to run.
        target_modules=rf"({places})\..*\.({layers})",
        bias="none",
    )
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # what peft asks of networks by names that transformers means to leave
        adapted = get_peft_model(network, config)
    config.base_model_name_or_path = base
    return adapted


def save_adapted(adapted: PeftModel, folder: Path, share: float) -> CLIPModel:
    """Write LoRA weights as a folder of peft, and give a copy of the network into which they are merged.

    Args:
        adapted: network with its LoRA weights; stays as it is.
        folder: is made where it is missing.
        share: part of the way from the original to what was learnt: see `patch_weights`. LoRA weights with B scaled by
            it are that same point, since the update of a weight is linear in B.

    """
    scaled = copy.deepcopy(adapted)
    with torch.no_grad():
        for name, weight in scaled.named_parameters():
            if ".lora_B." in name:
                weight.mul_(share)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scaled.save_pretrained(str(folder))
        (folder / "README.md").unlink(missing_ok=True)  # a model card without anything in it
        _order(folder / _ADAPTER)
        merged: CLIPModel = scaled.merge_and_unload(safe_merge=True)
    return merged


def _order(path: Path) -> None:
    """The same content, the same bytes."""
    write_text(path, json.dumps(json.loads(path.read_bytes()), indent=2, sort_keys=True) + "\n")
