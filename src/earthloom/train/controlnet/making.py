"""What is trained for a ControlNet, made by a recipe."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from earthloom.models.stable import control
from earthloom.models.stable.drawing import check_unet
from earthloom.models.stable.parts import Stable, open_stable
from earthloom.models.stable.text import tokenize
from earthloom.store.selection import Selection
from earthloom.train.batches import StreamBatches
from earthloom.train.controlnet.config import ControlNetRecipe
from earthloom.train.controlnet.preparing import PrepareGroup
from earthloom.train.controlnet.rows import Group, Rows, open_rows
from earthloom.train.controlnet.step import ControlNetStep, Parts
from earthloom.train.step import Made, Setting


def make_controlnet(recipe: ControlNetRecipe, setting: Setting) -> Made:
    """A new ControlNet over the recipe's Stable Diffusion, and pairs to learn from.

    The Stable Diffusion is kept in `setting.dtype` and is not trained; the ControlNet is float32, and the layers that
    take conditions in are drawn from torch's generator.

    Raises:
        UsageError: the model or the release is not there, not whole, or not of the kind that is wanted.

    """
    rows = _open_rows(recipe, setting.base)  # first, for it takes no time
    held = None if recipe.validate_with is None else _open_rows(recipe, setting.base, recipe.validate_with)
    place = find_folder(recipe.model, setting.base)
    stable = open_stable(
        place,
        recipe.revision,
        dtype=setting.dtype,
        device=setting.device,
        trust_pickles=recipe.trust_pickles,
    )
    check_unet(stable)
    control.check_side(stable)
    split_text = _Tokenizer(stable)
    batches: StreamBatches[Group] = StreamBatches(
        rows,
        PrepareGroup(recipe, split_text),
        prepare_fixed=PrepareGroup(recipe.model_copy(update={"crop": "centre", "turn": False}), split_text),
        batch=recipe.batch,
        seed=recipe.seed,
        share=setting.share,
        threads=recipe.threads,
        place="from",
        n_shown=4,
        held=held,
        n_held=recipe.held if held is not None else 0,
    )
    network = control.make_controlnet(stable.unet, recipe.n_channels)
    if recipe.gradient_checkpointing:
        for trained_through in (network, stable.unet):
            trained_through.enable_gradient_checkpointing()
            trained_through.train()  # else it is not done; nothing else depends on it
    parts = Parts(stable=stable, network=network, empty=tokenize(stable, [""])[0], place=place)
    return Made(step=ControlNetStep(recipe, parts), batches=batches, origins=(stable.origin.to_json(),))


def find_folder(model: str, base: Path) -> str:
    """The folder of a model, absolute, where there is one beside the recipe; else its name on the Hub as it is."""
    folder = base / model
    return str(folder.resolve()) if folder.is_dir() else model


class _Tokenizer:
    """Texts to tokens, for threads."""

    def __init__(self, stable: Stable) -> None:
        self._stable = stable

    def __call__(self, text: str) -> npt.NDArray[np.int64]:
        ids, _ = tokenize(self._stable, [text])
        return np.asarray(ids[0].numpy(), np.int64)


def _open_rows(recipe: ControlNetRecipe, base: Path, split: str | None = None) -> Rows:
    """Pairs of the recipe, or the same of another split."""

    def choose(selection: Selection) -> Selection:
        return selection if split is None else selection.model_copy(update={"split": (split,)})

    conditions = tuple(choose(selection) for selection in recipe.conditions)
    return open_rows(conditions, choose(recipe.to), base, seed=recipe.seed)
