"""What is trained for captioning, made by a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, cast

import torch

from earthloom.models.captioners.captioner import Captioner
from earthloom.models.captioners.loading import open_captioner
from earthloom.models.captioners.memory import Precision
from earthloom.models.weights.transformers_files import find_transformers
from earthloom.store.stream.samples import Sample, Stream
from earthloom.train.batches import StreamBatches
from earthloom.train.blip2.adapting import add_lora, forget_activations
from earthloom.train.blip2.config import Blip2Recipe
from earthloom.train.blip2.exporting import CaptionerExport
from earthloom.train.blip2.preparing import PrepareCaption
from earthloom.train.blip2.step import Blip2Step
from earthloom.train.blip2.teaching import Teaching, learn_teaching
from earthloom.train.step import Made, Setting

_EXAMPLE = "Salesforce/blip2-opt-2.7b"


def make_blip2(recipe: Blip2Recipe, setting: Setting) -> Made:
    """A captioner with new LoRA weights, drawn from torch's generator, and batches of pictures with captions.

    Raises:
        UsageError: there are no such pictures or weights; or the model is of a kind that is not taught here.

    """
    step, origin = make_blip2_step(recipe, setting)
    return Made(step=step, batches=_make_batches(recipe, step.teaching, setting), origins=(origin,))


def make_blip2_step(recipe: Blip2Recipe, setting: Setting) -> tuple[Blip2Step, Mapping[str, Any]]:
    """The step, and where the model below comes from. Raises UsageError as `make_blip2`."""
    model = locate_model(recipe, setting.base)
    files = find_transformers(model, recipe.revision, trust_pickles=recipe.trust_pickles, example=_EXAMPLE)
    origin = files.origin.to_json()
    teaching = open_teaching(recipe, model, setting)
    export = CaptionerExport(recipe, files.folder, origin, _name_precision(setting.dtype))
    return Blip2Step(recipe, teaching, export), origin


def locate_model(recipe: Blip2Recipe, base: Path) -> str:
    """The folder of the model, if there is one below `base`; else its name on the Hub."""
    folder = base / recipe.model
    return str(folder) if folder.is_dir() else recipe.model


def open_teaching(recipe: Blip2Recipe, model: str, setting: Setting) -> Teaching:
    """Load a captioner, frozen and in the precision of forward passes, and put LoRA over it. Raises UsageError."""
    captioner = open_captioner(
        model,
        revision=recipe.revision,
        prompt=recipe.prompt,
        device=cast(Literal["cpu", "cuda"], setting.device.type),
        precision=_name_precision(setting.dtype),
        max_new_tokens=recipe.max_tokens,
        beams=1,
        trust_pickles=recipe.trust_pickles,
    )
    teaching = learn_teaching(captioner, recipe.prompt)
    return replace(teaching, captioner=_adapt(captioner, recipe))


def _adapt(captioner: Captioner, recipe: Blip2Recipe) -> Captioner:
    network = captioner.network
    adapted = add_lora(network, recipe)
    if recipe.gradient_checkpointing:
        forget_activations(network)
    return replace(captioner, network=adapted)


def _make_batches(recipe: Blip2Recipe, teaching: Teaching, setting: Setting) -> StreamBatches[Sample]:
    held = recipe.validate_with
    return StreamBatches(
        Stream(recipe.data, setting.base, seed=recipe.seed),
        PrepareCaption(teaching, recipe, setting.say),
        batch=recipe.batch,
        seed=recipe.seed,
        n_shown=recipe.n_shown,
        share=setting.share,
        threads=recipe.threads,
        held=None if held is None else Stream(held, setting.base, seed=recipe.seed),
        n_held=recipe.n_held,
    )


def _name_precision(dtype: torch.dtype) -> Precision:
    return cast(Precision, str(dtype).removeprefix("torch."))
