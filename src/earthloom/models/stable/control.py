"""ControlNet over Stable Diffusion (Zhang et al., ICCV 2023): pictures drawn after others of any number of channels.

A condition is N x K x H x W from 0 to 1, as diffusers' pipelines hand it on, and K is what the network was made for: 3
for RGB, 1 for near infrared or radar, 4 for both at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from earthloom.core.errors import UsageError
from earthloom.core.extras import explain_missing_models
from earthloom.models.stable.drawing import Steer, Told, draw_pictures
from earthloom.models.stable.latents import pixels_per_latent
from earthloom.models.stable.parts import Stable
from earthloom.models.weights.folders import find_weights
from earthloom.models.weights.places import Wanted, find_place, read_json
from earthloom.models.weights.quiet import quiet
from earthloom.models.weights.saving import save_tensors
from earthloom.store.atomic import write_text

CONFIG, WEIGHTS = "config.json", "diffusion_pytorch_model.safetensors"
"""What diffusers calls the files of a ControlNet."""
SIDE = 8
"""Pixels of a condition's side that become one place: its encoder halves three times, as published autoencoders do."""
_EXAMPLE = "lllyasviel/sd-controlnet-seg"
_BREAKS = (ImportError, KeyError, OSError, RuntimeError, TypeError, ValueError)


def make_controlnet(unet: Any, channels: int) -> Any:
    """A new ControlNet, float32, for conditions of so many channels: the UNet's encoder, copied, behind zeros.

    All that leaves it passes through convolutions that begin at zero, so that at first the UNet draws what it drew
    without. The layers that take the condition in are drawn from torch's generator.

    Args:
        unet: diffusers' UNet2DConditionModel.
        channels: of conditions, 1 or more.

    """
    with explain_missing_models("A ControlNet wants"):
        from diffusers import ControlNetModel

    network = ControlNetModel.from_unet(unet, conditioning_channels=channels)
    return network.float().to(unet.device).requires_grad_(requires_grad=True).train()


def save_controlnet(network: Any, folder: Path) -> None:
    """Write a ControlNet as diffusers does: plain `ControlNetModel.from_pretrained(folder)` loads it.

    Raises:
        WriteError: the disk is full or not writable.

    """
    write_text(folder / CONFIG, network.to_json_string())
    save_tensors(folder / WEIGHTS, network.state_dict(), {})


def load_controlnet(
    model: str, revision: str = "", *, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
) -> Any:
    """Load a ControlNet of ours or of others from a folder or the Hub's cache: frozen, in evaluation mode.

    Raises:
        UsageError: it is not there, not whole, no safetensors, or no ControlNet.

    """
    wanted = Wanted(model=model, revision=revision, example=_EXAMPLE)
    folder = find_place(wanted).folder
    if not (folder / CONFIG).is_file() or read_json(folder / CONFIG).get("_class_name") != "ControlNetModel":
        raise UsageError(f"{folder} is no ControlNet: wants {CONFIG} with the class ControlNetModel in it.")
    weights = find_weights(folder, "diffusion_pytorch_model", wanted, trust_pickles=False)
    with explain_missing_models("A ControlNet wants"), _translate_errors(folder):
        from diffusers import ControlNetModel

        kind: Any = ControlNetModel
        with quiet("diffusers"):
            network, told = kind.from_pretrained(
                str(folder),
                local_files_only=True,
                use_safetensors=True,
                variant=weights.variant,
                torch_dtype=dtype,
                output_loading_info=True,
            )
    if told["missing_keys"]:
        missing = sorted(told["missing_keys"])
        raise UsageError(f"{folder} lacks {len(missing)} of the network's tensors, such as {missing[0]}.")
    return network.requires_grad_(requires_grad=False).eval().to(device)


def count_channels(network: Any) -> int:
    """Channels of the conditions that a ControlNet takes."""
    return int(network.config.conditioning_channels)


def steer_by(network: Any, condition: Tensor, *, strength: float = 1.0) -> Steer:
    """What a UNet is told through a ControlNet, for `drawing.draw_pictures` and for training.

    Args:
        network: diffusers' ControlNetModel.
        condition: N x K x 8h x 8w, 0 to 1. Of 2 N latents, as with guidance, the second half has the same ones.
        strength: factor of what the ControlNet adds; 0 for nothing.

    """

    def steer(noisy: Tensor, t: Tensor, told: Told) -> dict[str, Any]:
        added = {name: values.to(network.dtype) for name, values in told.added.items()}
        down, middle = network(
            noisy.to(network.dtype),
            t,
            encoder_hidden_states=told.states.to(network.dtype),
            controlnet_cond=condition.to(network.dtype).repeat(len(noisy) // len(condition), 1, 1, 1),
            conditioning_scale=strength,
            added_cond_kwargs=added or None,
            return_dict=False,
        )
        return {
            "down_block_additional_residuals": [part.to(noisy.dtype) for part in down],
            "mid_block_additional_residual": middle.to(noisy.dtype),
        }

    return steer


def draw_controlled(
    stable: Stable,
    network: Any,
    condition: Tensor,
    told: Told,
    without: Told | None = None,
    *,
    noise: Tensor,
    steps: int = 25,
    guidance: float = 1.0,
    strength: float = 1.0,
) -> Tensor:
    """Draw pictures after conditions.

    Args:
        stable: with UNet and autoencoder.
        network: a ControlNet for this UNet.
        condition: N x K x H x W, 0 to 1; H and W are multiples of 8.
        told: the texts of N pictures, empty ones where there are none.
        without: the same with negative or empty texts; None where `guidance` is 1.
        noise: N x 4 x H/8 x W/8 to begin with, as `drawing.draw_latent_noise` makes it for each picture by itself.
        steps: predictions for each picture.
        guidance: scale of classifier-free guidance; 1 for none.
        strength: factor of what the ControlNet adds; 0 for nothing.

    Returns:
        N x 3 x H x W, -1 to 1, float32. Of a model that was taught pictures of one channel the three are nearly equal,
        and `to_one_channel` makes one of them.

    Raises:
        UsageError: conditions have another number of channels than the ControlNet takes, or it is for another UNet.

    """
    check_fit(stable, network, condition)
    steer = steer_by(network, condition.to(stable.unet.device), strength=strength)
    return draw_pictures(stable, noise, told, without, steps=steps, guidance=guidance, steer=steer)


def to_one_channel(pictures: Tensor) -> Tensor:
    """N x 3 x H x W to N x 1 x H x W: their mean, for the autoencoder was given one channel three times."""
    return pictures.mean(1, keepdim=True)


def check_fit(stable: Stable, network: Any, condition: Tensor) -> None:
    """Raise `UsageError` where a ControlNet does not take these conditions, or does not belong to this UNet."""
    wanted, got = count_channels(network), condition.shape[1]
    if wanted != got:
        raise UsageError(f"The ControlNet takes conditions of {wanted} channels, got {got}.")
    own, others = stable.unet.config.cross_attention_dim, network.config.cross_attention_dim
    if own != others:
        raise UsageError(
            f"The ControlNet was trained for another Stable Diffusion: its texts have {others} features, those of "
            f"{stable.origin.name} have {own}."
        )


def check_side(stable: Stable) -> None:
    """Raise `UsageError` where latents are not an eighth of a picture's side, as a ControlNet needs."""
    if (side := pixels_per_latent(stable.vae)) != SIDE:
        raise UsageError(
            f"A ControlNet wants latents of {SIDE} pixels a side, those of {stable.origin.name} are of {side}."
        )


@contextmanager
def _translate_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except _BREAKS as error:
        raise UsageError(
            f"The ControlNet in {folder} cannot be loaded: {' '.join(str(error).split())[:300]}"
        ) from error
