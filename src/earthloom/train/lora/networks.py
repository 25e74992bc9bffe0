"""A Stable Diffusion with what is trained on it, and how its UNet is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from earthloom.core.seeds import stable_hash
from earthloom.models.stable.drawing import Told, check_unet
from earthloom.models.stable.lora import add_lora
from earthloom.models.stable.metadata import MetadataTokens
from earthloom.models.stable.parts import Stable
from earthloom.models.weights.origins import Origin
from earthloom.train.lora.config import LoraSettings

TOKENS = "metadata_tokens"


@dataclass(frozen=True, kw_only=True)
class Adapted:
    """A model whose own weights are frozen, and the small ones over them, float32."""

    stable: Stable
    model: str
    """Folder, or name on the Hub."""
    origin: Origin
    """Of all its parts, loaded or not."""
    tokens: MetadataTokens | None
    networks: Mapping[str, nn.Module]
    """What is trained, by name: networks with LoRA as a pipeline calls them, and metadata tokens."""


def adapt(
    stable: Stable, model: str, origin: Origin, settings: LoraSettings, *, start: Tensor, seed: int
) -> Adapted:
    """Lay over a model what a recipe trains; what it draws stays as it was, but for metadata tokens.

    Args:
        stable: with its UNet, and with text encoders where these are trained.
        model: its folder, or its name on the Hub.
        origin: of all its parts.
        settings: of the recipe.
        start: a state of the text encoder, D, near which metadata tokens begin.
        seed: of the first weights; those of metadata tokens are drawn from torch's generator.

    Raises:
        UsageError: the UNet draws from more than noise, or has no layers of the names in `targets`.

    """
    check_unet(stable)
    networks: dict[str, nn.Module] = {"unet": stable.unet}
    if settings.text_encoder:
        networks |= {
            "text_encoder" if number == 0 else f"text_encoder_{number + 1}": encoder
            for number, encoder in enumerate(stable.text_encoders)
        }
    for name, network in networks.items():
        add_lora(
            network,
            rank=settings.rank,
            alpha=settings.scale,
            targets=settings.targets if name == "unet" else "attention",
            seed=stable_hash(seed, "lora", name),
        )
    tokens = None
    if settings.metadata in {"embeddings", "both"}:
        tokens = MetadataTokens(start).to(stable.unet.device)
        networks[TOKENS] = tokens
    return Adapted(stable=stable, model=model, origin=origin, tokens=tokens, networks=networks)


class Denoiser:
    """Asks a UNet with LoRA what it predicts, as fast as may be.

    Where its own weights are of 16 bits, it computes in these throughout: the LoRA's float32 weights are rounded on
    their way in, and gradients reach them. Autocast would give the same products, and keep what lies between them, such
    as norms, in float32. With gradient checkpointing it is left to autocast, for layers are computed once more at a
    time when rounded weights are gone.
    """

    def __init__(self, unet: Any, settings: LoraSettings) -> None:
        self._unet = unet
        self._is_rounded = unet.dtype != torch.float32 and not settings.gradient_checkpointing
        if settings.channels_last and unet.device.type == "cuda":
            unet.to(memory_format=torch.channels_last)
        if settings.gradient_checkpointing:
            unet.enable_gradient_checkpointing()
            unet.train()
        self._trained = {name: p for name, p in unet.named_parameters() if p.requires_grad}
        self._run = torch.compile(self._ask) if settings.compile else self._ask

    def __call__(self, noisy: Tensor, t: Tensor, told: Told) -> Tensor:
        """Predict, N x C x h x w.

        Args:
            noisy: latents, N x C x h x w.
            t: their steps, N.
            told: of N pictures.

        """
        dtype = self._unet.dtype
        added = {name: value.to(dtype) for name, value in told.added.items()}
        states, noisy = told.states.to(dtype), noisy.to(dtype)
        # Autocast is off where numbers are rounded here.
        is_asked = torch.is_autocast_enabled(noisy.device.type) and not self._is_rounded
        with torch.autocast(noisy.device.type, torch.get_autocast_dtype(noisy.device.type), enabled=is_asked):
            return self._run(noisy, t, states, added)

    def _ask(self, noisy: Tensor, t: Tensor, states: Tensor, added: dict[str, Tensor]) -> Tensor:
        told = {"encoder_hidden_states": states, "added_cond_kwargs": added or None, "return_dict": False}
        weights = {}
        if self._is_rounded:
            weights = {name: parameter.to(noisy.dtype) for name, parameter in self._trained.items()}
        predicted: Tensor = torch.func.functional_call(self._unet, weights, (noisy, t), told)[0]
        return predicted
