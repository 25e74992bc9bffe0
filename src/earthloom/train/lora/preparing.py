"""From a sample to the arrays of a batch: from its picture and words, or from what is kept of them in a cache."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from earthloom.core.errors import RecordError
from earthloom.core.records import Reason
from earthloom.models.stable.metadata import scale_facts
from earthloom.models.stable.parts import Stable
from earthloom.models.stable.text import tokenize
from earthloom.store.stream.sample import Sample
from earthloom.train.lora.config import LoraSettings
from earthloom.train.lora.cutting import cut_square
from earthloom.train.lora.prompts import draw_prompt, list_prompts, read_facts

Arrays = Mapping[str, npt.NDArray[Any]]
LATENTS, SIZES, STATES, POOLED = "latents.npy", "sizes.npy", "texts.npy", "pooled.npy"
"""Members that a cache holds of a sample: V x 2C x h x w and, for XL, V x 6 of its V variants; P x L x D and, for XL,
P x D of its P prompts, in the order of `list_prompts`."""


class PrepareLora:
    """Makes the arrays of a sample; several threads may at a time. `train.lora.step` says what they are."""

    def __init__(self, settings: LoraSettings, stable: Stable, say: Callable[[str], None]) -> None:
        """Take what a recipe says, the model with its tokenizers where texts are not kept, and whom to tell of cuts."""
        self._settings = settings
        self._stable = stable
        self._say = say
        self._lock = Lock()
        self._is_cut_told = False

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Arrays:
        """Draw a prompt, and a crop or one of those that are kept. Raises `RecordError` where it cannot be used."""
        arrays = {**self._prepare_text(sample, rng), **self._prepare_picture(sample, rng)}
        if self._settings.metadata in {"embeddings", "both"}:
            arrays["facts"], arrays["known"] = scale_facts(read_facts(sample, self._settings))
        return arrays

    def _prepare_text(self, sample: Sample, rng: np.random.Generator) -> Arrays:
        prompts = list_prompts(sample, self._settings)
        drawn = draw_prompt(prompts, rng)
        if self._settings.cache == "latents+texts":
            names = {"states": STATES, "pooled": POOLED} if self._stable.is_xl else {"states": STATES}
            return {name: self._read(sample, member)[drawn] for name, member in names.items()}
        ids, n_cut = tokenize(self._stable, [prompts[drawn].text])
        if n_cut:
            self._tell_cut(sample)
        return {"ids": ids[0].numpy()}

    def _prepare_picture(self, sample: Sample, rng: np.random.Generator) -> Arrays:
        is_xl = self._stable.is_xl
        if self._settings.cache == "none":
            cut = cut_square(sample, self._settings, rng)
            return {"pixels": cut.pixels, **({"sizes": cut.sizes} if is_xl else {})}
        latents = self._read(sample, LATENTS)
        variant = int(rng.integers(len(latents)))
        found = {"moments": latents[variant]}
        return found | ({"sizes": self._read(sample, SIZES)[variant]} if is_xl else {})

    def _read(self, sample: Sample, member: str) -> npt.NDArray[Any]:
        """What the cache holds of a sample; where it holds nothing, the fault is looked for in the picture again."""
        if member not in sample.extra:
            cut_square(sample, self._settings, np.random.default_rng(0))
            raise RecordError(Reason.MISSING, f"nothing is kept of it in the cache: {member} was wanted")
        try:
            return np.asarray(np.load(io.BytesIO(sample.extra[member]), allow_pickle=False))
        except ValueError as error:
            raise RecordError(Reason.UNREADABLE, f"{member} in the cache is broken: {error}") from error

    def _tell_cut(self, sample: Sample) -> None:
        with self._lock:
            if self._is_cut_told:
                return
            self._is_cut_told = True
        self._say(
            f"A text of {sample.key} is longer than the text encoder takes, and so may be others: what comes after 77 "
            f"tokens is not learnt."
        )
