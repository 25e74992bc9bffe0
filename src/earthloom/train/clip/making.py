"""From a recipe for a dual encoder to its step and its batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from earthloom.core.errors import UsageError
from earthloom.models.clip.adapting import Tower, adapt
from earthloom.models.clip.dual import Dual, open_dual
from earthloom.models.clip.fresh import Shape, make_dual
from earthloom.models.clip.fresh import Tower as FreshTower
from earthloom.models.clip.tokens import tokenise
from earthloom.store.stream.samples import Sample, Stream
from earthloom.train.batches import StreamBatches
from earthloom.train.clip.config import ClipRecipe, FreshSettings
from earthloom.train.clip.preparing import Preparing
from earthloom.train.clip.step import ClipStep
from earthloom.train.step import Made, Setting

if TYPE_CHECKING:
    from peft import PeftModel

_N_LEARNT = 20_000
"""Samples whose captions a vocabulary is learnt from, at most."""
_N_LOOKED = 256
"""Samples whose captions are looked at to say how many are too long."""
_N_SHOWN = 8
_TOWERS: dict[str, tuple[Tower, ...]] = {"none": ("image", "text"), "image": ("text",), "text": ("image",)}
"""What is trained by what is locked."""


def make_clip(recipe: ClipRecipe, setting: Setting) -> Made:
    """Network, optimiser and batches of a recipe.

    Raises:
        UsageError: there is no such model or no such data, or no caption in it.

    """
    stream = Stream(recipe.data, setting.base, seed=recipe.seed)
    dual = _open(recipe, stream, setting)
    adapted = _choose_trained(recipe, dual)
    dual.network.to(setting.device)
    held = None
    if recipe.validate_with is not None:
        held = Stream(recipe.validate_with, setting.base, seed=recipe.seed)
    batches = StreamBatches(
        stream,
        Preparing(dual=dual, settings=recipe, varies=True),
        batch=recipe.batch,
        seed=recipe.seed,
        n_shown=_N_SHOWN,
        share=setting.share,
        threads=recipe.threads,
        held=held,
        n_held=recipe.n_held,
        prepare_fixed=Preparing(dual=dual, settings=recipe, varies=False),
    )
    step = ClipStep(
        recipe,
        dual,
        adapted=adapted,
        share=setting.share,
        tells_cut=_tell_cut(recipe, dual, stream.first(_N_LOOKED), setting),
    )
    origins = () if dual.origin is None else (dual.origin.to_json(),)
    return Made(step=step, batches=batches, origins=origins)


def _open(recipe: ClipRecipe, stream: Stream, setting: Setting) -> Dual:
    if recipe.from_scratch is not None:
        texts = _list_texts(recipe, stream.first(_N_LEARNT))
        if not texts:
            raise UsageError(f"data: {recipe.data.place} has no captions to learn from.")
        return make_dual(_to_shape(recipe.from_scratch), texts)
    assert recipe.model is not None, "the settings see to it"
    given = setting.base / recipe.model
    return open_dual(
        str(given) if given.is_dir() else recipe.model,
        recipe.revision,
        long_text=recipe.long_text,
        length=recipe.length,
        trust_pickles=recipe.trust_pickles,
    )


def _to_shape(settings: FreshSettings) -> Shape:
    return Shape(
        side=settings.side,
        patch=settings.patch,
        image=FreshTower(width=settings.width, layers=settings.layers),
        text=FreshTower(width=settings.text_width, layers=settings.text_layers),
        features=settings.features,
        words=settings.words,
        length=settings.length,
    )


def _choose_trained(recipe: ClipRecipe, dual: Dual) -> PeftModel | None:
    """Let those weights want gradients that the recipe trains; give the network with LoRA weights where it has some."""
    network = dual.network
    towers = _TOWERS[recipe.locked]
    if recipe.lora is not None:
        lora = recipe.lora
        return adapt(
            network,
            rank=lora.rank,
            alpha=lora.alpha,
            targets=lora.targets,
            towers=towers,
            dropout=lora.dropout,
            base=None if dual.origin is None else dual.origin.name,
        )
    parts = {
        "image": (network.vision_model, network.visual_projection),
        "text": (network.text_model, network.text_projection),
    }
    for tower, modules in parts.items():
        for module in modules:
            module.requires_grad_(requires_grad=tower in towers)
    return None


def _list_texts(recipe: ClipRecipe, samples: Sequence[Sample]) -> list[str]:
    styles = recipe.styles
    return [
        words.text for sample in samples for words in sample.captions if not styles or words.style in styles
    ]


def _tell_cut(recipe: ClipRecipe, dual: Dual, samples: Sequence[Sample], setting: Setting) -> bool:
    """Say how many of the captions are longer than the text tower takes; whether there are any."""
    texts = _list_texts(recipe, samples)
    n_cut = tokenise(dual.tokenizer, texts, dual.length).n_cut if texts else 0
    if n_cut:
        remedy = "" if recipe.model is None or recipe.long_text == "stretch" else "; see `long_text`"
        setting.say(
            f"{n_cut:,} of {len(texts):,} captions looked at have more than {dual.length} tokens and lose their "
            f"end{remedy}."
        )
    return n_cut > 0
