"""Training by a recipe: from pictures to weights, going on from wherever an earlier run got to."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml

from earthloom.core.errors import StoppedError, UsageError
from earthloom.core.seeds import stable_hash
from earthloom.store.atomic import remove_leftovers, translate_write_errors, write_json, write_text
from earthloom.store.layout import TrainingFolder
from earthloom.store.lock import hold_lock
from earthloom.store.selection import Selection, Shown, select
from earthloom.train.checkpoints import Mark, list_checkpoints, load_checkpoint, prune, read_mark
from earthloom.train.config import FREE, TrainingRecipe
from earthloom.train.data import Batches, PictureBatches
from earthloom.train.loop import Loop, repeatable
from earthloom.train.losses import read_last
from earthloom.train.progress import Listener, Silence
from earthloom.train.step import Step
from earthloom.train.summary import TrainingSummary

StepMaker = Callable[[TrainingRecipe, torch.device], Step]
"""From a recipe and a device to what is trained; it may draw from torch, which has been seeded."""


def train(
    recipe: TrainingRecipe,
    folder: str | os.PathLike[str],
    *,
    base: str | os.PathLike[str] = ".",
    fresh: bool = False,
    listener: Listener | None = None,
    make_step: StepMaker | None = None,
) -> TrainingSummary:
    """Train what a recipe describes, going on from the newest checkpoint of an earlier run.

    On one machine the same recipe and pictures give the same bytes of weights on a CPU, however often training was
    killed in between.

    Args:
        recipe: what to train.
        folder: folder of the training; made when missing. Weights are in `folder/weights`.
        base: folder against which the recipe's paths are resolved.
        fresh: begin anew, whatever is in the folder.
        listener: is told how training goes on.
        make_step: makes what is trained, for those who bring their own; by the recipe where it is not given.

    Raises:
        UsageError: no such pictures or device; or `folder` holds a training by another recipe or of other pictures.
        LockedError: another process trains in `folder`.
        WriteError: the disk is full or not writable. Finished checkpoints are kept.
        StoppedError: on Ctrl-C or SIGTERM. The steps done so far are kept.
        RunError: training diverged, or memory did not suffice.

    """
    home = TrainingFolder(Path(folder).resolve())
    root = Path(base).resolve()
    device = choose_device(recipe.device)
    _check_own(home)
    _check_apart(recipe, root, home)
    sets = {place: select(selection, root) for place, selection in _sets(recipe).items()}
    ears = listener or Silence()
    with hold_lock(home.lock), repeatable(device):
        remove_leftovers(home.root)
        if fresh:
            _clear(home)
        try:
            return _Training(recipe, home, sets, device, ears, make_step or _make_step).do()
        except KeyboardInterrupt as error:
            raise StoppedError("Stopped. Run the same command again to go on.") from error
        finally:
            ears.close()


def choose_device(name: str) -> torch.device:
    """The device that a recipe asks for; `auto` is a GPU where there is one. Raises `UsageError` if it is not there."""
    has_gpu = torch.cuda.is_available()
    if name == "cuda" and not has_gpu:
        raise UsageError("device: torch finds no GPU here; say `device: cpu` or `auto`.")
    return (
        torch.device("cuda", torch.cuda.current_device())
        if has_gpu and name != "cpu"
        else torch.device("cpu")
    )


@dataclass(frozen=True)
class _Training:
    """One run of a training."""

    recipe: TrainingRecipe
    folder: TrainingFolder
    sets: Mapping[str, list[Shown]]
    device: torch.device
    listener: Listener
    make_step: StepMaker

    def do(self) -> TrainingSummary:
        start = time.monotonic()
        recipe, folder = self.recipe, self.folder
        batches = PictureBatches(self.sets, recipe, seed=recipe.seed, names=_NAMES)
        torch.manual_seed(stable_hash(recipe.seed, "weights"))
        step = self.make_step(recipe, self.device)
        first = self._resume(step, batches)
        write_text(folder.recipe, _dump(recipe))
        loop = Loop(
            step=step,
            batches=batches,
            settings=recipe,
            folder=folder,
            device=self.device,
            listener=self.listener,
            note_refused=lambda: _note_refused(folder, batches),
        )
        if first.step < recipe.steps:
            loop.run(first)
        return self._finish(step, first.step, time.monotonic() - start)

    def _resume(self, step: Step, batches: Batches) -> Mark:
        """Restore the newest checkpoint, if there is one that this recipe and these pictures lead to."""
        now = Mark(step=0, settings=_to_json(self.recipe), pictures=batches.identity)
        found = list_checkpoints(self.folder)
        if not found:
            self.folder.refused.unlink(missing_ok=True)
            return now
        before = read_mark(found[-1])
        changes = _find_changes(before, now)
        if changes:
            raise UsageError(
                f"{self.folder.root} holds a training that has done {before.step:,} steps, and since then "
                f"{'; '.join(changes)}. Undo that, choose another folder with -o, or begin anew with --fresh."
            )
        load_checkpoint(found[-1], step)
        prune(self.folder, self.recipe.keep)
        return Mark(step=before.step, settings=now.settings, pictures=now.pictures)

    def _finish(self, step: Step, resumed_from: int, seconds: float) -> TrainingSummary:
        folder = self.folder
        with translate_write_errors(folder.weights):
            folder.weights.mkdir(parents=True, exist_ok=True)
            step.export(folder.weights)
        summary = TrainingSummary(
            name=self.recipe.name,
            folder=folder.root,
            steps=self.recipe.steps,
            resumed_from=resumed_from,
            seconds=seconds,
            device=str(self.device),
            losses=read_last(folder.losses),
            weights=tuple(sorted(path for path in folder.weights.iterdir() if path.is_file())),
            n_pictures={place: len(pictures) for place, pictures in self.sets.items()},
            n_refused={place: len(reasons) for place, reasons in _read_refused(folder).items()},
            recipe_digest=self.recipe.digest(),
        )
        write_json(folder.run, summary.to_json())
        return summary


def _sets(recipe: TrainingRecipe) -> dict[str, Selection]:
    """The selections of a recipe by their places in it."""
    return {"from": recipe.from_, "to": recipe.to}


_NAMES = {"from": "a", "to": "b"}
"""What a batch calls each of them."""


def _make_step(recipe: TrainingRecipe, device: torch.device) -> Step:
    from earthloom.train.translation import make_translation_step

    return make_translation_step(recipe, device)


def _check_own(home: TrainingFolder) -> None:
    """Refuse a folder with something else in it: what is old there is cut off, pruned and overwritten."""
    if home.root.is_dir() and not home.lock.exists() and any(home.root.iterdir()):
        raise UsageError(f"{home.root} holds something else than a training. Choose another folder with -o.")


def _check_apart(recipe: TrainingRecipe, base: Path, home: TrainingFolder) -> None:
    """Refuse a folder inside one of the pictures: the next run would learn from the samples of this one."""
    for selection in _sets(recipe).values():
        if selection.folder is not None and home.root.is_relative_to((base / selection.folder).resolve()):
            raise UsageError(
                f"The folder {home.root} lies inside the pictures {selection.folder}. Choose another with -o."
            )


def _clear(home: TrainingFolder) -> None:
    with translate_write_errors(home.root):
        for path in (home.checkpoints, home.samples, home.weights):
            if path.is_dir():
                shutil.rmtree(path)
        for path in (home.losses, home.refused, home.run):
            path.unlink(missing_ok=True)


def _find_changes(before: Mark, now: Mark) -> list[str]:
    """What differs, in words, of that which weights depend on."""
    names = sorted((set(before.settings) | set(now.settings)) - FREE)
    changes = [
        f"`{name}` was {_show(before.settings.get(name))} and is {_show(now.settings.get(name))}"
        for name in names
        if before.settings.get(name) != now.settings.get(name)
    ]
    if before.pictures != now.pictures and not changes:
        changes.append("the pictures that it learns from have changed")
    return changes


def _show(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _note_refused(folder: TrainingFolder, batches: Batches) -> None:
    """Add what this run set aside to what the runs before it did."""
    before = _read_refused(folder)
    found = {name: before.get(name, {}) | dict(reasons) for name, reasons in batches.refused.items()}
    if found:
        write_json(folder.refused, before | found)


def _read_refused(folder: TrainingFolder) -> dict[str, dict[str, str]]:
    """Place in the recipe, key, and reason with detail."""
    found: dict[str, dict[str, str]] = {}
    if folder.refused.exists():
        found = json.loads(folder.refused.read_bytes())
    return found


def _to_json(recipe: TrainingRecipe) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(recipe.model_dump_json(by_alias=True))
    return plain


def _dump(recipe: TrainingRecipe) -> str:
    """The recipe as YAML: only what was set."""
    value = recipe.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True)
