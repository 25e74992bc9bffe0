"""A small CLIPModel of transformers' own classes, made in code and saved as a published one is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SIDE = 32


def write_tiny_clip(folder: Path, *, length: int = 77, seed: int = 0, load: int = SIDE) -> Path:
    """Write a model of a hundred thousand weights, the same at every call.

    Args:
        folder: is made where it is missing.
        length: tokens that its text tower takes.
        seed: another one, other weights.
        load: pixels to which its image processor scales the shorter side.

    Returns:
        The folder, which plain `CLIPModel`, `AutoTokenizer` and `AutoImageProcessor` load.

    """
    import torch
    from tiny_models.stable import make_clip_tokenizer
    from transformers import CLIPImageProcessorPil, CLIPModel

    tokenizer = make_clip_tokenizer()
    tokenizer.model_max_length = length
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = CLIPModel(_make_config(tokenizer, length))
        torch.nn.init.normal_(network.text_model.embeddings.position_embedding.weight, std=0.1)
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    CLIPImageProcessorPil(size={"shortest_edge": load}, crop_size=SIDE).save_pretrained(folder)
    (folder / "README.md").write_text("---\nlicense: mit\n---\n")
    return folder


def read_vectors(folder: Path) -> dict[str, Any]:
    """The tensors of a saved model by name."""
    from safetensors.torch import load_file

    return dict(load_file(folder / "model.safetensors"))


def read_config(folder: Path) -> dict[str, Any]:
    """The configuration of a saved model."""
    found: dict[str, Any] = json.loads((folder / "config.json").read_bytes())
    return found


def _make_config(tokenizer: Any, length: int) -> Any:
    from transformers import CLIPConfig

    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    return CLIPConfig(
        text_config={
            **tower,
            "vocab_size": len(tokenizer),
            "max_position_embeddings": length,
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
            "pad_token_id": tokenizer.pad_token_id,
            "projection_dim": 16,
        },
        vision_config={**tower, "image_size": SIDE, "patch_size": 8, "projection_dim": 16},
        projection_dim=16,
    )
