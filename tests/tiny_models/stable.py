"""Small Stable Diffusion pipelines of diffusers' own classes, made in code: the shapes of 1.5 and of XL, tiny.

Every folder is what `save_pretrained` writes, as a published pipeline has it, so that it is read like one.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from earthloom.models.weights.quiet import quiet

WORDS = (
    "a", "aerial", "above", "airport", "an", "and", "bay", "bridge", "by", "city", "clear", "cloud", "coast", "dense",
    "desert", "dry", "farmland", "field", "fog", "forest", "from", "green", "harbor", "highway", "house", "image", "in",
    "infrared", "industrial", "lake", "meter", "mountain", "near", "night", "of", "on", "per", "picture", "pixel",
    "radar", "residential", "river", "road", "satellite", "scene", "sea", "seen", "snow", "the", "trees", "view",
    "water", "with",
)  # fmt: skip
"""Words that are one token each; any other text is spelled out byte by byte."""
LENGTH = 77
_START, _END = "<|startoftext|>", "<|endoftext|>"
_WIDTH = 32


def write_tiny_stable(folder: Path, *, xl: bool = False, prediction: str = "epsilon") -> Path:
    """Write a pipeline of half a million weights, the same at every call.

    Args:
        folder: is made where it is missing.
        xl: of the shape of Stable Diffusion XL (two text encoders, sizes as a condition) instead of 1.5.
        prediction: what the UNet is said to predict: `epsilon`, or `v_prediction` as in Stable Diffusion 2.1.

    Returns:
        The folder, which plain `StableDiffusionPipeline` or `StableDiffusionXLPipeline` loads.

    """
    import diffusers
    import torch

    with torch.random.fork_rng(devices=[]), warnings.catch_warnings(), quiet("diffusers"):
        warnings.simplefilter("ignore")
        torch.manual_seed(0)
        parts = {
            "unet": diffusers.UNet2DConditionModel(**(_unet_xl() if xl else _unet())),
            "vae": diffusers.AutoencoderKL(**_vae(xl=xl)),
            "scheduler": _scheduler(prediction, xl=xl),
            "text_encoder": _text_encoder(with_projection=False, activation="quick_gelu"),
            "tokenizer": make_clip_tokenizer(),
        }
        if xl:
            parts["text_encoder_2"] = _text_encoder(with_projection=True, activation="gelu")
            parts["tokenizer_2"] = make_clip_tokenizer(padding="!")
            pipeline = diffusers.StableDiffusionXLPipeline(**parts)
        else:
            missing = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
            pipeline = diffusers.StableDiffusionPipeline(**parts, **missing)
        pipeline.save_pretrained(folder, safe_serialization=True)
    return folder


def make_clip_tokenizer(padding: str = _END) -> Any:
    """CLIP's byte-pair encoding with a small vocabulary: the bytes, at a word's end or not, and `WORDS`."""
    import tokenizers
    import transformers

    letters = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    merges = list(dict.fromkeys(merge for word in WORDS for merge in _spell(word)))
    names = [*letters, *(f"{letter}</w>" for letter in letters), *("".join(merge) for merge in merges)]
    vocabulary = {name: i for i, name in enumerate([*dict.fromkeys(names), _START, _END])}
    return transformers.CLIPTokenizer(
        vocab=vocabulary, merges=merges, pad_token=padding, model_max_length=LENGTH
    )


def _spell(word: str) -> list[tuple[str, str]]:
    """The merges that make one token of a word, letter by letter from the left."""
    pieces = [*word[:-1], f"{word[-1]}</w>"]
    return [("".join(pieces[:i]), pieces[i]) for i in range(1, len(pieces))]


def _text_encoder(*, with_projection: bool, activation: str) -> Any:
    import transformers

    tokenizer = make_clip_tokenizer()
    config = transformers.CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=_WIDTH,
        intermediate_size=64,
        projection_dim=_WIDTH,
        num_hidden_layers=3,
        num_attention_heads=4,
        max_position_embeddings=LENGTH,
        hidden_act=activation,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    kind = transformers.CLIPTextModelWithProjection if with_projection else transformers.CLIPTextModel
    return kind(config)


def _unet() -> dict[str, Any]:
    return {
        "sample_size": 8, "in_channels": 4, "out_channels": 4, "layers_per_block": 1, "block_out_channels": (32, 64),
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
        "cross_attention_dim": _WIDTH, "attention_head_dim": 8, "norm_num_groups": 8,
    }  # fmt: skip


def _unet_xl() -> dict[str, Any]:
    """Attention in the deeper blocks alone, linear projections, six sizes and the pooled text beside the time."""
    return {
        **_unet(),
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
        "cross_attention_dim": 2 * _WIDTH, "attention_head_dim": (2, 4), "transformer_layers_per_block": (1, 2),
        "use_linear_projection": True, "addition_embed_type": "text_time", "addition_time_embed_dim": 8,
        "projection_class_embeddings_input_dim": 6 * 8 + _WIDTH,
    }  # fmt: skip


def _vae(*, xl: bool) -> dict[str, Any]:
    return {
        "sample_size": 64, "latent_channels": 4, "block_out_channels": (16, 16, 16, 16), "layers_per_block": 1,
        "down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4,
        "norm_num_groups": 8, "scaling_factor": 0.13025 if xl else 0.18215,
    }  # fmt: skip


def _scheduler(prediction: str, *, xl: bool) -> Any:
    import diffusers

    shared = {
        "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000,
        "steps_offset": 1, "prediction_type": prediction,
    }  # fmt: skip
    if xl:
        return diffusers.EulerDiscreteScheduler(**shared, timestep_spacing="leading")
    return diffusers.PNDMScheduler(**shared, skip_prk_steps=True, set_alpha_to_one=False)
