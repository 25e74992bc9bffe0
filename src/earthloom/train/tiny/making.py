"""What is trained for a tiny painter: its network and its batches, made by a recipe."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from earthloom.core.errors import RecordError, UsageError
from earthloom.store.stream.pairs import PairStream
from earthloom.store.stream.samples import Sample, Stream
from earthloom.train.batches import StreamBatches
from earthloom.train.pictures import Square
from earthloom.train.step import Batches, Made, Setting
from earthloom.train.tiny.config import TinyRecipe
from earthloom.train.tiny.preparing import Preparation, list_names
from earthloom.train.tiny.step import TinyStep

_LOOKED_AT = 1000
"""Samples of which names are listed, so that the painter can tell those that it knows, and levels are measured."""


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
    first = _read_first(stream)
    shape = recipe.shape()
    middle = Preparation(
        shape=shape, square=Square(side=recipe.side, scale=recipe.scale), styles=recipe.styles
    )
    about = _describe(recipe, stream, first)
    controls = _look_at_controls(recipe, setting, middle)
    step = TinyStep(recipe, setting.device, _look_at(first, middle), about, controls)
    square = replace(middle.square, is_random=True, turn=recipe.turn)
    anywhere = replace(middle, square=square, jitter=recipe.control_jitter)
    return Made(step=step, batches=_make_batches(recipe, setting, stream, anywhere, middle))


def _read_first(stream: Stream) -> list[Sample]:
    """The samples that training begins with, which come from many shards, each once; broken ones are left out."""
    found: dict[str, Sample] = {}
    for position in range(_LOOKED_AT):
        with contextlib.suppress(RecordError):
            sample = stream.read(position)
            if sample.key in found:
                break
            found[sample.key] = sample
    return list(found.values())


def _look_at(samples: Sequence[Sample], preparation: Preparation) -> Tensor:
    """The pictures of samples, N x C x side x side. Broken ones are left out, to be told of when their turn comes."""
    found = []
    for sample in samples:
        with contextlib.suppress(RecordError):
            found.append(preparation.prepare(sample, np.random.default_rng(0))["image"])
    if not found:
        raise UsageError(
            f"data: none of the first {len(samples)} pictures can be used. Check what is selected."
        )
    return torch.from_numpy(np.stack(found))


def _look_at_controls(recipe: TinyRecipe, setting: Setting, middle: Preparation) -> Tensor | None:
    """The same of the pictures to draw from."""
    if recipe.control is None:
        return None
    alone = middle.shape.model_copy(update={"channels": middle.shape.control_channels, "control_channels": 0})
    first = _read_first(Stream(recipe.control, setting.base, seed=recipe.seed))
    return _look_at(first, replace(middle, shape=alone))


def _make_batches(
    recipe: TinyRecipe, setting: Setting, stream: Stream, anywhere: Preparation, middle: Preparation
) -> Batches:
    """Batches of samples, or of pairs where there are pictures to draw from."""
    shared: dict[str, Any] = {
        "batch": recipe.batch,
        "seed": recipe.seed,
        "share": setting.share,
        "threads": recipe.threads,
        "n_shown": recipe.shown,
        "n_held": recipe.held,
    }
    validate, base = recipe.validate_with, setting.base
    if recipe.control is None:
        held = None if validate is None else Stream(validate, base, seed=recipe.seed)
        return StreamBatches(stream, anywhere.prepare, prepare_fixed=middle.prepare, held=held, **shared)
    held_pairs = None
    if validate is not None and recipe.validate_control is not None:
        held_pairs = PairStream(validate, recipe.validate_control, base, seed=recipe.seed)
    return StreamBatches(
        PairStream(recipe.data, recipe.control, base, seed=recipe.seed),
        anywhere.prepare_pair,
        prepare_fixed=middle.prepare_pair,
        held=held_pairs,
        **shared,
    )


def _describe(recipe: TinyRecipe, stream: Stream, first: Sequence[Sample]) -> dict[str, Any]:
    """What the file of the weights says of its training."""
    return {
        "recipe": recipe.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude=_PLACES),
        "steps": recipe.steps,
        "data": stream.identity,
        "modality": recipe.data.modality.value,
        "control": None if recipe.control is None else recipe.control.modality.value,
        "names": list_names(first),
        "licence": recipe.licence,
        "credit": recipe.credit,
    }
