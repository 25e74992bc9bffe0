"""What a cache keeps of a sample: latents of its squares and states of its texts, as members of a tar."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from earthloom.models.stable.latents import find_moments
from earthloom.models.stable.parts import Stable
from earthloom.models.stable.text import count_tokens, encode_texts
from earthloom.store.stream.sample import Sample
from earthloom.train.lora.config import LoraSettings
from earthloom.train.lora.cutting import Cut, cut_variants
from earthloom.train.lora.preparing import LATENTS, POOLED, SIZES, STATES
from earthloom.train.lora.prompts import list_prompts
from earthloom.train.samples import to_tensor

_TEXTS = 64
"""Texts that are encoded at a time."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A sample that can be encoded."""

    key: str
    cuts: Sequence[Cut]
    texts: Sequence[str]
    """Empty where texts are not kept."""


@dataclass(frozen=True)
class Encoded:
    """What is kept of a sample."""

    key: str
    members: dict[str, bytes]
    n_cut: int
    """Texts that were longer than the encoder takes."""


@dataclass(frozen=True)
class Encoder:
    """Encodes samples by a model in float32, which is done once and learnt from many times."""

    stable: Stable
    """With its autoencoder, and with text encoders where texts are kept."""
    settings: LoraSettings
    seed: int

    def prepare(self, sample: Sample) -> Ready:
        """Decode and cut a picture and list its texts; threads may. Raises `RecordError` where it cannot be used."""
        has_texts = self.settings.cache == "latents+texts"
        texts = [prompt.text for prompt in list_prompts(sample, self.settings)] if has_texts else []
        return Ready(sample.key, cut_variants(sample, self.settings, self.seed), texts)

    @torch.no_grad()
    def encode(self, ready: Sequence[Ready]) -> list[Encoded]:
        """Encode some samples at a time."""
        moments = self._encode_pictures([cut for each in ready for cut in each.cuts])
        texts = [text for each in ready for text in each.texts]
        states, pooled, n_cut = self._encode_texts(texts)
        found, n_cuts, n_texts = [], 0, 0
        for each in ready:
            own, said = slice(n_cuts, n_cuts + len(each.cuts)), slice(n_texts, n_texts + len(each.texts))
            members = {LATENTS: _to_npy(moments[own])}
            if self.stable.is_xl:
                members[SIZES] = _to_npy(np.stack([cut.sizes for cut in each.cuts]))
            if states is not None:
                members[STATES] = _to_npy(states[said])
            if pooled is not None:
                members[POOLED] = _to_npy(pooled[said])
            found.append(Encoded(each.key, members, sum(n_cut[said])))
            n_cuts, n_texts = own.stop, said.stop
        return found

    def _encode_pictures(self, cuts: Sequence[Cut]) -> npt.NDArray[np.float16]:
        """Mean and spread of latents, N x 2C x h x w."""
        n = len(cuts) // (self.settings.variants or 1)
        parts = [
            find_moments(self.stable.vae, to_tensor([cut.pixels for cut in cuts[start : start + n]]))
            for start in range(0, len(cuts), n)
        ]
        return _to_half(torch.cat(parts))

    def _encode_texts(
        self, texts: Sequence[str]
    ) -> tuple[npt.NDArray[np.float16] | None, npt.NDArray[np.float16] | None, list[int]]:
        """States, N x L x D, and for XL the pooled ones, N x P; 1 for each text that was cut."""
        if not texts:
            return None, None, []
        parts = [
            encode_texts(self.stable, texts[start : start + _TEXTS]) for start in range(0, len(texts), _TEXTS)
        ]
        pooled = [part.pooled for part in parts if part.pooled is not None]
        return (
            _to_half(torch.cat([part.states for part in parts])),
            _to_half(torch.cat(pooled)) if pooled else None,
            _find_cut(self.stable, texts),
        )


def _find_cut(stable: Stable, texts: Sequence[str]) -> list[int]:
    """1 for each text that is longer than the text encoder takes, else 0."""
    longest = stable.tokenizers[0].model_max_length
    return [int(n > longest) for n in count_tokens(stable, texts)]


def _to_half(values: Tensor) -> npt.NDArray[np.float16]:
    """16-bit numbers: 11 bits of precision, and latents and states stay far below their end at 65,504."""
    return np.asarray(values.to(torch.float16).cpu().numpy())


def _to_npy(values: npt.NDArray[np.float16] | npt.NDArray[np.float32]) -> bytes:
    file = io.BytesIO()
    np.save(file, values, allow_pickle=False)
    return file.getvalue()
