"""What the layers of a Stable Diffusion are called in LoRA files: as in diffusers, or as in kohya's sd-scripts.

kohya's names are those of diffusers with underscores, but for XL's UNet, which goes by the names of Stability's own
code (generative-models): blocks numbered through, and each layer by its place in a block.
"""

from __future__ import annotations

import re
from typing import Any

NETWORKS = ("unet", "text_encoder", "text_encoder_2")
"""Networks by their names in a pipeline."""
_TEXT_MODEL = "text_model."
"""Level that transformers had in all text encoders, and later in some only; files keep it."""
_PLAIN = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_in": "input_blocks.0.0",
    "conv_out": "out.2",
}
_RESNET = {
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_SAMPLER = {"down_blocks": "op", "up_blocks": "conv"}
_BLOCK = re.compile(
    r"(down_blocks|up_blocks)\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.+)"
)
_MIDDLE = re.compile(r"mid_block\.(resnets|attentions)\.(\d+)\.(.+)")


def is_xl(unet: Any) -> bool:
    """Whether a UNet is of the shape of XL."""
    return bool(unet.config.addition_embed_type == "text_time")


def name_in_diffusers(network: str, layer: str) -> str:
    """Name of a layer in a file as diffusers has them, such as `unet.mid_block.attentions.0.proj_in`."""
    return f"{network}.{_restore_level(layer) if network != 'unet' else layer}"


def name_in_kohya(network: str, layer: str, unet: Any) -> str:
    """Name of a layer in a file as kohya has them, such as `lora_unet_mid_block_attentions_0_proj_in`.

    Args:
        network: one of `NETWORKS`.
        layer: as `named_modules` gives it.
        unet: of the pipeline, which tells XL from the others.

    """
    if network == "unet":
        return _flatten("lora_unet", _name_in_sgm(layer, unet.config) if is_xl(unet) else layer)
    prefix = {"text_encoder": "lora_te1" if is_xl(unet) else "lora_te", "text_encoder_2": "lora_te2"}[network]
    return _flatten(prefix, _restore_level(layer))


def list_names_in_kohya(network: str, layer: str, unet: Any) -> set[str]:
    """All names that a layer goes by in files of kohya and those who write as he does."""
    names = {name_in_kohya(network, layer, unet)}
    if network == "unet":
        names.add(_flatten("lora_unet", layer))
    if network == "text_encoder":
        names |= {_flatten(prefix, _restore_level(layer)) for prefix in ("lora_te", "lora_te1")}
    return names


def _restore_level(layer: str) -> str:
    return layer if layer.startswith(("text_model.", "text_projection")) else f"{_TEXT_MODEL}{layer}"


def _flatten(prefix: str, layer: str) -> str:
    return f"{prefix}_{layer.replace('.', '_')}"


def _name_in_sgm(layer: str, config: Any) -> str:
    if middle := _MIDDLE.fullmatch(layer):
        kind, number, rest = middle.groups()
        # A resnet, the attention, a resnet.
        place = 1 if kind == "attentions" else 2 * int(number)
        return f"middle_block.{place}.{_name_inside(kind, rest)}"
    if block := _BLOCK.fullmatch(layer):
        side, number, kind, i, rest = block.groups()
        return _name_in_block(side, int(number), kind, int(i), rest, config)
    return _PLAIN.get(layer, layer)


def _name_in_block(side: str, number: int, kind: str, i: int, rest: str, config: Any) -> str:
    """Blocks of one side are numbered through, `layers_per_block` + 1 for each of diffusers' blocks.

    On the way down the first is the input convolution, and the last of each block is what shrinks the picture; on the
    way up what enlarges it stands behind the block's last layer.
    """
    per_block = config.layers_per_block + 1
    if side == "down_blocks":
        i = per_block - 1 if kind == "downsamplers" else i
        place = 1 if kind == "attentions" else 0
        inside = _SAMPLER[side] if kind == "downsamplers" else _name_inside(kind, rest)
        return f"input_blocks.{1 + number * per_block + i}.{place}.{inside}"
    if kind == "upsamplers":
        place = 2 if config.up_block_types[number].startswith("CrossAttn") else 1
        return f"output_blocks.{number * per_block + per_block - 1}.{place}.{_SAMPLER[side]}"
    place = 1 if kind == "attentions" else 0
    return f"output_blocks.{number * per_block + i}.{place}.{_name_inside(kind, rest)}"


def _name_inside(kind: str, rest: str) -> str:
    return _RESNET.get(rest, rest) if kind == "resnets" else rest
