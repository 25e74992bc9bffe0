"""What the UNet is told of a batch: texts, sizes and facts, some of which are kept back while it learns."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from earthloom.models.stable.drawing import Told
from earthloom.models.stable.metadata import MetadataTokens
from earthloom.models.stable.parts import Stable
from earthloom.models.stable.text import encode_tokens
from earthloom.train.lora.config import LoraSettings
from earthloom.train.lora.texts import EMPTY, Texts
from earthloom.train.step import Batch


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """Makes of a batch what the UNet is told; `train.lora.step` says what batches hold."""

    stable: Stable
    settings: LoraSettings
    tokens: MetadataTokens | None
    texts: Texts

    def tell(self, batch: Batch, *, is_learning: bool) -> Told:
        """Texts and facts of N pictures. When learning, a share of either is dropped, drawn from torch's generator."""
        told = self._read_texts(batch)
        known = batch.get("known")
        if is_learning and self.settings.caption_drop:
            told = _replace_some(told, self.texts.tell(EMPTY), self.settings.caption_drop)
        if is_learning and known is not None and self.settings.metadata_drop:
            known = known & (torch.rand(known.shape, device=known.device) >= self.settings.metadata_drop)
        if "sizes" in batch:
            told = replace(told, added={**told.added, "time_ids": batch["sizes"].to(told.states.dtype)})
        return self._append_facts(told, batch, known)

    def tell_prompts(self, batch: Batch) -> Told | None:
        """Sample prompts in turn, one for each of N pictures, with the facts of these; None where there are none."""
        prompts = self.settings.prompts
        if not prompts:
            return None
        rows = torch.arange(_count(batch)) % len(prompts)
        return self._append_facts(_take(self.texts.tell(prompts), rows), batch, batch.get("known"))

    def tell_nothing(self, batch: Batch) -> Told:
        """No words, with the facts of N pictures: guidance leads away from it, and is for words alone."""
        rows = torch.zeros(_count(batch), dtype=torch.long)
        return self._append_facts(_take(self.texts.tell(EMPTY), rows), batch, batch.get("known"))

    def _read_texts(self, batch: Batch) -> Told:
        """Texts of a batch in the UNet's precision."""
        if "states" in batch:
            states, pooled = batch["states"], batch.get("pooled")
        else:
            with nullcontext() if self.settings.text_encoder else torch.no_grad():
                encoded = encode_tokens(self.stable, batch["ids"])
            states, pooled = encoded.states, encoded.pooled
        dtype = self.stable.unet.dtype
        return Told(
            states=states.to(dtype), added={} if pooled is None else {"text_embeds": pooled.to(dtype)}
        )

    def _append_facts(self, told: Told, batch: Batch, known: Tensor | None) -> Told:
        if self.tokens is None or known is None:
            return told
        made = self.tokens(batch["facts"], known).to(told.states.dtype)
        return replace(told, states=torch.cat([told.states, made], dim=1))


def _count(batch: Batch) -> int:
    return len(next(iter(batch.values())))


def _take(told: Told, rows: Tensor) -> Told:
    rows = rows.to(told.states.device)
    added = {name: value[rows] for name, value in told.added.items()}
    return replace(told, states=told.states[rows], added=added)


def _replace_some(told: Told, empty: Told, share: float) -> Told:
    """For a share of the pictures, what is told of one without words; sizes are told anyway."""
    is_dropped = torch.rand(len(told.states), device=told.states.device) < share
    states = torch.where(is_dropped[:, None, None], empty.states.to(told.states), told.states)
    added = {
        name: torch.where(is_dropped[:, None], empty.added[name].to(value), value)
        for name, value in told.added.items()
    }
    return replace(told, states=states, added=added)
