"""Stable Diffusion as a generator, with LoRA, metadata tokens and a ControlNet over it where there are any."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from earthloom.core.errors import RunError
from earthloom.models.generators.briefs import About, Brief, Drawn
from earthloom.models.generators.controls import find_faults_of_control, fit_control
from earthloom.models.generators.devices import explain_memory
from earthloom.models.generators.wording import word_brief
from earthloom.models.stable.control import steer_by, to_one_channel
from earthloom.models.stable.drawing import Told, draw_latent_noise, draw_pictures, tell_texts
from earthloom.models.stable.metadata import MetadataTokens, PictureFacts, scale_facts
from earthloom.models.stable.parts import Stable
from earthloom.models.stable.text import count_tokens

MULTIPLE = 8
"""What sides are multiples of: latents are an eighth, and an odd one is cut by the UNet's halvings, which diffusers
fills up."""
_GRAY = frozenset({"nir", "sar"})
"""Modalities of one channel."""


@dataclass(frozen=True, kw_only=True)
class StableGenerator:
    """Draws with what was loaded."""

    about: About
    stable: Stable
    controlnet: Any | None = None
    """diffusers' ControlNetModel."""
    tokens: MetadataTokens | None = None
    """Facts as tokens, where a LoRA was trained with them."""
    says_facts: bool = True
    """Whether distance, place, date and cloud stand in the prompt; not where tokens alone tell them."""

    def find_faults(self, brief: Brief, *, has_control: bool) -> list[str]:
        """Say what of a brief it cannot do."""
        return list(self._iter_faults(brief, has_control=has_control))

    def _iter_faults(self, brief: Brief, *, has_control: bool) -> Iterator[str]:
        if brief.width % MULTIPLE or brief.height % MULTIPLE:
            yield f"size: wants multiples of {MULTIPLE}, got {brief.width}x{brief.height}."
        if self.about.modality and brief.modality not in {None, self.about.modality}:
            yield f"modality: this model draws {self.about.modality} alone, got {brief.modality}."
        if self.controlnet is None and has_control:
            yield "control: this model draws from words alone; lay a ControlNet over it with --controlnet FOLDER."
        if self.controlnet is not None:
            yield from find_faults_of_control(brief, self.about.control_channels, has_control=has_control)

    def draw(self, briefs: Sequence[Brief], *, steps: int, guidance: float) -> list[Drawn]:
        """Draw pictures of one size; on a CPU one by one, so that none depends on its neighbours by a rounding."""
        n = 1 if self.about.device == "cpu" else len(briefs)
        drawn: list[Drawn] = []
        with explain_memory():
            for start in range(0, len(briefs), n):
                drawn += self._draw_batch(briefs[start : start + n], steps, guidance)
        return drawn

    def _draw_batch(self, briefs: Sequence[Brief], steps: int, guidance: float) -> list[Drawn]:
        height, width = briefs[0].height, briefs[0].width
        texts = [self._word(brief) for brief in briefs]
        with torch.no_grad():
            told = self._add_tokens(tell_texts(self.stable, texts, height, width), briefs)
            without = None
            if guidance != 1.0:
                negatives = [brief.negative for brief in briefs]
                without = self._add_tokens(tell_texts(self.stable, negatives, height, width), briefs)
            noise = draw_latent_noise(self.stable, [brief.seed for brief in briefs], height, width)
            images = draw_pictures(
                self.stable,
                noise,
                told,
                without,
                steps=steps,
                guidance=guidance,
                steer=None
                if self.controlnet is None
                else steer_by(self.controlnet, self._stack_controls(briefs)),
            )
        limit = self.stable.tokenizers[0].model_max_length
        lengths = count_tokens(self.stable, texts)
        return [
            Drawn(
                picture=_to_picture(image, brief, is_gray=self.about.modality in _GRAY),
                told=text,
                is_cut=length > limit,
            )
            for image, brief, text, length in zip(images, briefs, texts, lengths, strict=True)
        ]

    def _word(self, brief: Brief) -> str:
        """The prompt with facts as words; that it is of the one modality that the model draws need not be said."""
        is_usual = brief.modality == self.about.modality
        return word_brief(replace(brief, modality=None) if is_usual else brief, says_facts=self.says_facts)

    def _add_tokens(self, told: Told, briefs: Sequence[Brief]) -> Told:
        """Facts stand behind the words of the negative prompt too: guidance is for words alone."""
        if self.tokens is None:
            return told
        facts = [
            scale_facts(
                PictureFacts(
                    gsd_m=brief.gsd_m,
                    lon=brief.lon,
                    lat=brief.lat,
                    date=brief.date,
                    cloud_share=brief.cloud_share,
                )
            )
            for brief in briefs
        ]
        device = told.states.device
        values = torch.from_numpy(np.stack([value for value, _ in facts])).to(device)
        known = torch.from_numpy(np.stack([is_known for _, is_known in facts])).to(device)
        tokens = self.tokens(values, known).to(told.states.dtype)
        return replace(told, states=torch.cat([told.states, tokens], dim=1))

    def _stack_controls(self, briefs: Sequence[Brief]) -> Tensor:
        """Conditions, N x K x H x W, 0 to 1, scaled to the size of what is drawn."""
        fitted = np.stack([fit_control(brief, self.about.control_channels) for brief in briefs])
        return torch.from_numpy(fitted).to(self.stable.unet.device).float() / 255


def _to_picture(image: Tensor, brief: Brief, *, is_gray: bool) -> Any:
    """3 x H x W, -1 to 1, to H x W x C of 8 bits."""
    if not bool(torch.isfinite(image).all()):
        raise RunError(
            f"{brief.key} came out with values that are no numbers. Use --precision float32 or bfloat16."
        )
    shown = to_one_channel(image[None])[0] if is_gray else image
    levels = ((shown.cpu().clamp(-1, 1) + 1.0) * 127.5).round().to(torch.uint8)
    return np.ascontiguousarray(levels.permute(1, 2, 0).numpy())
