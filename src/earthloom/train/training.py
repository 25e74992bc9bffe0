"""Training by a recipe: from samples to weights, going on from wherever an earlier run got to."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import torch
import yaml
from safetensors import SafetensorError

from earthloom.core.errors import StoppedError, UsageError
from earthloom.core.seeds import stable_hash
from earthloom.models.precision import choose_dtype
from earthloom.store.atomic import remove_leftovers, translate_write_errors, write_json, write_text
from earthloom.store.layout import TrainingFolder
from earthloom.store.lock import hold_lock
from earthloom.train.averages import Averages
from earthloom.train.checkpoints import Mark, list_checkpoints, load_checkpoint, prune, read_mark
from earthloom.train.config import FREE, list_selections
from earthloom.train.kinds import TrainingRecipe
from earthloom.train.logs import read_last, read_last_held
from earthloom.train.loop import Loop, Updates
from earthloom.train.making import make_training
from earthloom.train.processes import Processes, find_processes
from earthloom.train.progress import Listener, Silence
from earthloom.train.repeating import repeatable
from earthloom.train.step import Made, Setting
from earthloom.train.summary import TrainingSummary

Maker = Callable[[Any, Setting], Made]
"""From a recipe and where it is trained to what is trained; it may draw from torch, which has been seeded."""


def train(
    recipe: TrainingRecipe,
    folder: str | os.PathLike[str],
    *,
    base: str | os.PathLike[str] = ".",
    fresh: bool = False,
    listener: Listener | None = None,
    make: Maker = make_training,
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
        make: makes what is trained, for those who bring their own; by the recipe where it is not given.

    Raises:
        UsageError: no such pictures, weights or device; or `folder` holds a training by another recipe or of other
            pictures.
        LockedError: another process trains in `folder`.
        WriteError: the disk is full or not writable. Finished checkpoints are kept.
        StoppedError: on Ctrl-C or SIGTERM. The steps done so far are kept.
        RunError: training diverged, or memory did not suffice.

    """
    home = TrainingFolder(Path(folder).resolve())
    root = Path(base).resolve()
    processes = find_processes(recipe.device)
    dtype = choose_dtype(recipe.precision, processes.device)
    ears = (listener or Silence()) if processes.is_main else Silence()
    setting = Setting(
        base=root, device=processes.device, dtype=dtype, share=processes.share, folder=home.root, say=ears.say
    )
    with _hold(home, recipe, root, processes, fresh=fresh), repeatable(processes.device):
        try:
            torch.manual_seed(stable_hash(recipe.seed, "weights"))
            return _Training(recipe, home, make(recipe, setting), processes, dtype, ears).do()
        except KeyboardInterrupt as error:
            raise StoppedError("Stopped. Run the same command again to go on.") from error
        finally:
            ears.close()


@contextmanager
def _hold(
    home: TrainingFolder, recipe: TrainingRecipe, base: Path, processes: Processes, *, fresh: bool
) -> Iterator[None]:
    """Have the folder for this training alone. Of several processes the main one holds it, the others wait for that."""
    if not processes.is_main:
        processes.wait()
        yield
        return
    _check_own(home)
    _check_apart(recipe, base, home)
    with hold_lock(home.lock):
        remove_leftovers(home.root)
        if fresh:
            _clear(home)
        processes.wait()
        yield


@dataclass(frozen=True)
class _Training:
    """One run of a training."""

    recipe: TrainingRecipe
    folder: TrainingFolder
    made: Made
    processes: Processes
    dtype: torch.dtype
    listener: Listener

    def do(self) -> TrainingSummary:
        start = time.monotonic()
        recipe, folder, step, batches = self.recipe, self.folder, self.made.step, self.made.batches
        updates = Updates(step, recipe, self.processes, self.dtype)
        averages = Averages(step.modules(), recipe.ema)
        first = self._resume(averages, updates)
        if self.processes.is_main:
            write_text(folder.recipe, _dump(recipe))
        loop = Loop(
            step=step,
            batches=batches,
            settings=recipe,
            folder=folder,
            processes=self.processes,
            updates=updates,
            averages=averages,
            listener=self.listener,
            note_refused=self._note_refused,
        )
        if first.step < recipe.steps:
            loop.run(first)
        return self._finish(averages, first.step, time.monotonic() - start)

    def _resume(self, averages: Averages, updates: Updates) -> Mark:
        """Restore the newest checkpoint, if there is one that this recipe and these pictures lead to."""
        now = Mark(
            step=0,
            settings=_to_json(self.recipe),
            pictures=self.made.batches.identity,
            origins=[dict(origin) for origin in self.made.origins],
            world=self.processes.share.world,
        )
        found = list_checkpoints(self.folder)
        if not found:
            if self.processes.is_main:
                self.folder.refused.unlink(missing_ok=True)
            return now
        before = read_mark(found[-1])
        changes = _find_changes(before, now)
        if changes:
            raise UsageError(
                f"{self.folder.root} holds a training that has done {before.step:,} steps, and since then "
                f"{'; '.join(changes)}. Undo that, choose another folder with -o, or begin anew with --fresh."
            )
        load_checkpoint(found[-1], self.made.step, averages, updates.scaler)
        if self.processes.is_main:
            prune(self.folder, self.recipe.keep)
        return replace(now, step=before.step)

    def _note_refused(self) -> None:
        """Add what all processes set aside in this run to what the runs before it did."""
        told = self.processes.gather(self.made.batches.refused)
        if self.processes.is_main:
            before = _read_refused(self.folder)
            after = {place: before.get(place, {}) for place in {*before, *chain.from_iterable(told)}}
            for refused in told:
                after |= {place: after[place] | dict(reasons) for place, reasons in refused.items()}
            if after:
                write_json(self.folder.refused, after)

    def _finish(self, averages: Averages, resumed_from: int, seconds: float) -> TrainingSummary:
        folder = self.folder
        if self.processes.is_main:
            with _translate_export_errors(folder.weights), averages.in_place():
                folder.weights.mkdir(parents=True, exist_ok=True)
                self.made.step.export(folder.weights)
        self.processes.wait()
        summary = TrainingSummary(
            name=self.recipe.name,
            folder=folder.root,
            steps=self.recipe.steps,
            resumed_from=resumed_from,
            seconds=seconds,
            device=str(self.processes.device),
            n_processes=self.processes.share.world,
            losses=read_last(folder.losses),
            held=read_last_held(folder.losses),
            weights=tuple(sorted(path for path in folder.weights.rglob("*") if path.is_file())),
            n_samples=dict(self.made.batches.counts),
            n_refused={place: len(reasons) for place, reasons in _read_refused(folder).items()},
            origins=self.made.origins,
            recipe_digest=self.recipe.digest(),
        )
        if self.processes.is_main:
            write_json(folder.run, summary.to_json())
        return summary


def _check_own(home: TrainingFolder) -> None:
    """Refuse a folder with something else in it: what is old there is cut off, pruned and overwritten."""
    if home.root.is_dir() and not home.lock.exists() and any(home.root.iterdir()):
        raise UsageError(f"{home.root} holds something else than a training. Choose another folder with -o.")


def _check_apart(recipe: TrainingRecipe, base: Path, home: TrainingFolder) -> None:
    """Refuse a folder inside one of the pictures: the next run would learn from the samples of this one."""
    for selection in list_selections(recipe).values():
        if selection.folder is not None and home.root.is_relative_to((base / selection.folder).resolve()):
            raise UsageError(
                f"The folder {home.root} lies inside the pictures {selection.folder}. Choose another with -o."
            )


def _clear(home: TrainingFolder) -> None:
    with translate_write_errors(home.root):
        for path in (home.checkpoints, home.samples, home.weights, home.tensorboard):
            if path.is_dir():
                shutil.rmtree(path)
        for path in (home.losses, home.curve, home.refused, home.run):
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
    if before.origins != now.origins and not changes:
        changes.append("the weights that it stands on have changed")
    if before.world != now.world:
        changes.append(f"it was {before.world} processes and is {now.world}")
    return changes


def _show(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


@contextmanager
def _translate_export_errors(folder: Path) -> Iterator[None]:
    """Steps write through libraries of others, whose safetensors has an error of its own for a full disk."""
    with translate_write_errors(folder):
        try:
            yield
        except SafetensorError as error:
            raise OSError(str(error)) from error


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
