"""Small dual encoders that nobody has trained yet, with a vocabulary learnt from captions."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from earthloom.core.extras import explain_missing_models
from earthloom.models.clip.dual import Dual
from earthloom.models.clip.looks import Look
from earthloom.models.clip.tokens import learn_tokenizer

_HEAD = 64
"""Width of an attention head, as in all of CLIP's models."""
_FIRST_TEMPERATURE = 0.07
"""Of the scores at first: Radford et al. 2021, section 2.5."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tower:
    """A transformer of CLIP's: its blocks are 4 times as wide inside."""

    width: int
    """Channels, a multiple of 64."""
    layers: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """Sizes of a dual encoder."""

    side: int
    """Of its pictures, pixels."""
    patch: int
    """Side of the patches that are one token each, pixels; divides `side`."""
    image: Tower
    text: Tower
    features: int
    """D."""
    words: int
    """Most tokens of the vocabulary."""
    length: int
    """Longest text in tokens, with its start and its end."""


def make_dual(shape: Shape, texts: Iterable[str]) -> Dual:
    """Make a CLIPModel whose first weights are drawn from torch's generator.

    Args:
        shape: its sizes.
        texts: captions to learn the vocabulary from.

    Raises:
        UsageError: transformers is not installed.

    """
    with explain_missing_models("A dual encoder wants"):
        from transformers import CLIPConfig, CLIPModel
    tokenizer = learn_tokenizer(texts, shape.words, shape.length)
    config = CLIPConfig(
        text_config={
            **_describe(shape.text, shape.features),
            "vocab_size": len(tokenizer),
            "max_position_embeddings": shape.length,
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
            "pad_token_id": tokenizer.pad_token_id,
        },
        vision_config={
            **_describe(shape.image, shape.features),
            "image_size": shape.side,
            "patch_size": shape.patch,
        },
        projection_dim=shape.features,
        logit_scale_init_value=math.log(1 / _FIRST_TEMPERATURE),
    )
    look = Look(side=shape.side, load=shape.side)
    return Dual(network=CLIPModel(config), tokenizer=tokenizer, look=look, origin=None)


def _describe(tower: Tower, features: int) -> dict[str, int | str]:
    return {
        "hidden_size": tower.width,
        "intermediate_size": 4 * tower.width,
        "num_hidden_layers": tower.layers,
        "num_attention_heads": max(1, tower.width // _HEAD),
        "projection_dim": features,
        "hidden_act": "gelu",
    }
