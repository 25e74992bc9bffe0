"""What a trained LoRA leaves: files for diffusers, for the programs around kohya's, and for `earthloom generate`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from earthloom.models.stable.exports import Export, write_export
from earthloom.models.stable.lora_files import DIFFUSERS_NAME, save_diffusers_lora, save_kohya_lora
from earthloom.models.stable.metadata import METADATA_NAME, save_metadata_tokens
from earthloom.train.lora.config import LoraRecipe
from earthloom.train.lora.networks import TOKENS, Adapted

KOHYA_NAME = "lora_kohya.safetensors"
"""For AUTOMATIC1111, ComfyUI and others; diffusers reads it, too."""


def export_lora(folder: Path, adapted: Adapted, recipe: LoraRecipe) -> None:
    """Write all of it into one folder. Raises `WriteError` where the disk is full or not writable."""
    networks: dict[str, Any] = {name: net for name, net in adapted.networks.items() if name != TOKENS}
    training = describe_training(adapted, recipe)
    save_diffusers_lora(folder / DIFFUSERS_NAME, networks, training)
    save_kohya_lora(folder / KOHYA_NAME, networks, training)
    if adapted.tokens is not None:
        save_metadata_tokens(folder / METADATA_NAME, adapted.tokens, training)
    write_export(
        folder,
        Export(
            kind="lora",
            model=adapted.model,
            base=adapted.origin,
            size=recipe.size,
            metadata=recipe.metadata,
            modality=recipe.data.modality.value if recipe.data.release is not None else None,
            training=training,
        ),
    )


def describe_training(adapted: Adapted, recipe: LoraRecipe) -> dict[str, Any]:
    """How it was trained, JSON values."""
    return {
        "name": recipe.name,
        "steps": recipe.steps,
        "rank": recipe.rank,
        "alpha": recipe.scale,
        "targets": recipe.targets if isinstance(recipe.targets, str) else list(recipe.targets),
        "size": recipe.size,
        "seed": recipe.seed,
        "metadata": recipe.metadata,
        "recipe": recipe.digest(),
        "data": recipe.data.digest(),
        "base": adapted.origin.to_json(),
    }
