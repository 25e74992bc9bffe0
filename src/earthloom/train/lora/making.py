"""What is trained for a LoRA, made by a recipe: cache, model, step and batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import torch

from earthloom.core.ids import hash_json
from earthloom.models.stable.parts import Stable, open_stable
from earthloom.models.weights.pipelines import GROUPS, Group, find_pipeline
from earthloom.store.layout import TrainingFolder
from earthloom.store.selection import Selection
from earthloom.store.stream.samples import Stream
from earthloom.train.batches import StreamBatches
from earthloom.train.lora.caching import Cache, Source
from earthloom.train.lora.config import LoraRecipe
from earthloom.train.lora.encoding import Encoder
from earthloom.train.lora.networks import adapt
from earthloom.train.lora.preparing import PrepareLora
from earthloom.train.lora.step import LoraStep
from earthloom.train.lora.texts import EMPTY, Texts, load_texts, open_texts, save_texts
from earthloom.train.step import Made, Setting

_CACHE_VERSION = 1
"""Another one, another cache."""
_N_SHOWN = 4
_PARTS: Mapping[str, tuple[Group, ...]] = {
    "none": GROUPS,
    "latents": ("unet", "text"),
    "latents+texts": ("unet",),
}
"""What is loaded for training by what is kept in a cache."""


def make_lora(recipe: LoraRecipe, setting: Setting) -> Made:
    """A Stable Diffusion with LoRA over it, and samples to learn from, encoded once where the recipe says so.

    Raises:
        UsageError: the model or the data are not there, not whole, or do not fit the recipe; says what to do.

    """
    making = _Making(recipe, setting)
    data, held = making.open_samples("data", recipe.data), None
    if recipe.validate_with is not None:
        held = making.open_samples("validate", recipe.validate_with)
    if setting.share.world > 1:
        torch.distributed.barrier()  # others may still be encoding
    step = making.make_step()
    batches = StreamBatches(
        data(),
        PrepareLora(recipe, step.stable, setting.say),
        batch=recipe.batch,
        seed=recipe.seed,
        share=setting.share,
        threads=recipe.threads,
        n_shown=_N_SHOWN,
        held=None if held is None else held(),
        n_held=recipe.held,
    )
    return Made(step=step, batches=batches, origins=(making.files.origin.to_json(),))


class _Making:
    """The way from a recipe to what is trained."""

    def __init__(self, recipe: LoraRecipe, setting: Setting) -> None:
        self.recipe = recipe
        self.setting = setting
        folder = setting.base / recipe.model
        self.model = str(folder.resolve()) if folder.is_dir() else recipe.model
        self.files = find_pipeline(self.model, recipe.revision, trust_pickles=recipe.trust_pickles)

    def open(self, *parts: Group, dtype: torch.dtype | None = None) -> Stable:
        """Load some parts of the model."""
        return open_stable(
            self.model,
            self.recipe.revision,
            parts=parts,
            dtype=dtype or self.setting.dtype,
            device=self.setting.device,
            trust_pickles=self.recipe.trust_pickles,
        )

    def open_samples(self, place: str, selection: Selection) -> Callable[[], Stream]:
        """Samples of a selection, with what is kept of them, which is made now as far as it is this process's part."""
        recipe, setting = self.recipe, self.setting
        folder = None
        if recipe.cache != "none":
            folder = self._root / self._find_key(selection)
            cache = Cache(folder=folder, key=folder.name, source=self._open_source(place, selection))
            cache.fill(self._open_encoder, setting, batch=recipe.batch, threads=recipe.threads)
        return lambda: Stream(selection, setting.base, seed=recipe.seed, beside=folder)

    def make_step(self) -> LoraStep:
        """The model without what is not needed any more, and what is laid over it."""
        recipe = self.recipe
        stable = self.open(*_PARTS[recipe.cache])
        if recipe.cache == "latents+texts":
            texts = self._keep_texts()
        else:
            texts = open_texts(stable, recipe.size, is_trained=recipe.text_encoder)
        adapted = adapt(stable, self.model, self.files.origin, recipe, start=texts.start, seed=recipe.seed)
        return LoraStep(recipe, adapted, texts, lambda: self.open("vae").vae)

    def _open_source(self, place: str, selection: Selection) -> Source:
        """All samples of what is learnt from; of what is held out those that losses are measured on."""
        if place == "validate":
            found = Stream(selection, self.setting.base, seed=self.recipe.seed).first(self.recipe.held)
            return Source(place=place, n=len(found), read=found.__getitem__)
        stream = Stream(selection, self.setting.base, seed=0, shuffle=1)  # one shard after the other
        if not (n := stream.count()):
            stream.read(0)  # which says what is wrong
        return Source(place=place, n=n, read=stream.read)

    def _open_encoder(self) -> Encoder:
        groups: tuple[Group, ...] = ("vae",) if self.recipe.cache == "latents" else ("vae", "text")
        return Encoder(self.open(*groups, dtype=torch.float32), self.recipe, self.recipe.seed)

    def _keep_texts(self) -> Texts:
        """Texts that no batch holds, encoded once."""
        wanted = (*EMPTY, *self.recipe.prompts)
        name = hash_json([_CACHE_VERSION, self.files.fingerprint("text"), wanted, self.recipe.size])
        path = self._root / f"texts-{name}.safetensors"
        if not path.exists():
            save_texts(path, self.open("text", dtype=torch.float32), wanted, self.recipe.size)
        return load_texts(path, self.setting.device, self.setting.dtype)

    def _find_key(self, selection: Selection) -> str:
        """Hash of whatever changes what is kept of a selection."""
        recipe = self.recipe
        is_data, has_texts = selection is recipe.data, recipe.cache == "latents+texts"
        parts = {
            "version": _CACHE_VERSION,
            "vae": self.files.fingerprint("vae"),
            "samples": Stream(selection, self.setting.base, seed=0).identity,
            "held": None if is_data else [recipe.held, recipe.seed],
            "squares": [recipe.size, recipe.crop, recipe.turn, recipe.variants],
            "seed": None if recipe.variants is None else recipe.seed,
            "text": self.files.fingerprint("text") if has_texts else None,
            "prompts": [recipe.styles, recipe.metadata, bool(recipe.metadata_drop)] if has_texts else None,
        }
        return hash_json(parts)

    @property
    def _root(self) -> Path:
        own = TrainingFolder(self.setting.folder).cache
        return own if self.recipe.cache_folder is None else self.setting.base / self.recipe.cache_folder
