"""What is trained for a tiny painter: its network and its batches, made by a recipe."""

from __future__ import annotations

from typing import Any

from earthloom.core.errors import UsageError
from earthloom.store.stream.pairs import PairStream
from earthloom.store.stream.samples import Stream
from earthloom.train.batches import StreamBatches
from earthloom.train.pictures import Square
from earthloom.train.step import Batches, Made, Setting
from earthloom.train.tiny.config import TinyRecipe
from earthloom.train.tiny.preparing import Preparation, list_names
from earthloom.train.tiny.step import TinyStep

_LOOKED_AT = 1000
"""Samples in which names are looked for, so that the painter can tell those that it knows."""


_PLACES = {"data", "control", "validate_with", "validate_control"}
"""Fields that name folders of the machine."""


def make_tiny(recipe: TinyRecipe, setting: Setting) -> Made:
    """A network with first weights, drawn from torch's generator, and batches of samples or of pairs of them.

    Raises:
        UsageError: there are no such pictures, or held-out pairs lack one of their halves.

    """
    if recipe.control is not None and recipe.validate_with is not None and recipe.validate_control is None:
        raise UsageError(
            "validate: held-out pictures are drawn from others too. Name these under `validate_control`, or leave "
            "`validate` out."
        )
    stream = Stream(recipe.data, setting.base, seed=recipe.seed)
    about = _describe(recipe, stream)
    step = TinyStep(recipe, setting.device, about)
    return Made(step=step, batches=_make_batches(recipe, setting, stream))


def _make_batches(recipe: TinyRecipe, setting: Setting, stream: Stream) -> Batches:
    preparation = Preparation(
        shape=recipe.shape(),
        square=Square(side=recipe.side, scale=recipe.scale, is_random=True, turn=recipe.turn),
        styles=recipe.styles,
    )
    fixed = Preparation(
        shape=recipe.shape(), square=Square(side=recipe.side, scale=recipe.scale), styles=recipe.styles
    )
    shared: dict[str, Any] = {
        "batch": recipe.batch,
        "seed": recipe.seed,
        "share": setting.share,
        "threads": recipe.threads,
        "n_shown": recipe.shown,
        "n_held": recipe.held,
    }
    validate = recipe.validate_with
    if recipe.control is None:
        held = None if validate is None else Stream(validate, setting.base, seed=recipe.seed)
        return StreamBatches(stream, preparation.prepare, prepare_fixed=fixed.prepare, held=held, **shared)
    pairs = PairStream(recipe.data, recipe.control, setting.base, seed=recipe.seed)
    held_pairs = None
    if validate is not None and recipe.validate_control is not None:
        held_pairs = PairStream(validate, recipe.validate_control, setting.base, seed=recipe.seed)
    return StreamBatches(
        pairs, preparation.prepare_pair, prepare_fixed=fixed.prepare_pair, held=held_pairs, **shared
    )


def _describe(recipe: TinyRecipe, stream: Stream) -> dict[str, Any]:
    """What the file of the weights says of its training."""
    return {
        "recipe": recipe.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude=_PLACES),
        "steps": recipe.steps,
        "data": stream.identity,
        "modality": recipe.data.modality.value,
        "control": None if recipe.control is None else recipe.control.modality.value,
        "names": list_names(stream.first(_LOOKED_AT)),
        "licence": recipe.licence,
        "credit": recipe.credit,
    }
