"""The training loop: one for all that is trained. It knows steps, batches and files, and nothing of what is learnt."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch

from earthloom.core.errors import RunError, StoppedError
from earthloom.core.seeds import stable_hash
from earthloom.store.layout import TrainingFolder
from earthloom.train.checkpoints import Mark, save_checkpoint
from earthloom.train.config import TrainingSettings
from earthloom.train.data import Batch, Batches, draw_ahead
from earthloom.train.losses import LossLog
from earthloom.train.progress import Listener
from earthloom.train.samples import write_sheet
from earthloom.train.step import Step
from earthloom.train.stopping import heed_signals


def rate_factor(number: int, steps: int, decay: float) -> float:
    """Factor of the learning rate in step `number` of `steps`, from 1: 1 at first, then linearly towards 0.

    With 200 steps and a decay of 0.25 it is the schedule of CUT (github.com/taesungp/contrastive-unpaired-translation,
    `lr_policy linear`, 150 + 50 epochs): the last step still has 1/51 of the rate.
    """
    n_falling = round(steps * decay)
    return 1.0 - max(0, number - (steps - n_falling)) / (n_falling + 1)


@dataclass(frozen=True, kw_only=True)
class Loop:
    """A training under way."""

    step: Step
    batches: Batches
    settings: TrainingSettings
    folder: TrainingFolder
    device: torch.device
    listener: Listener
    note_refused: Callable[[], None]
    """Is called before each checkpoint, so that what was set aside is on record."""

    def run(self, mark: Mark) -> Mark:
        """Do all steps after `mark`; give the mark of the last one.

        Raises:
            StoppedError: on Ctrl-C or SIGTERM, after a checkpoint.
            RunError: a loss is not finite, memory does not suffice, or no picture can be used.
            WriteError: the disk is full or not writable.

        """
        total = self.settings.steps
        shown = self.batches.show()
        self.listener.start(self.settings.name, total, mark.step)
        with (
            heed_signals() as is_asked,
            LossLog(self.folder.losses, mark.step) as log,
            _explain_memory(self.device),
        ):
            for number, batch in enumerate(draw_ahead(self.batches, mark.step + 1, total + 1), mark.step + 1):
                losses = self._learn(batch, number, log)
                is_last = number == total
                if is_last or number % self.settings.sample_every == 0:
                    self._sample(shown, number)
                is_stopping = is_asked()
                if is_last or is_stopping or number % self.settings.checkpoint_every == 0:
                    mark = self._save(mark, number, log)
                self.listener.advance(number, losses)
                if is_stopping and not is_last:
                    raise StoppedError(
                        f"Stopped after step {mark.step:,} of {total:,}, which is saved: run the same command again "
                        f"to go on."
                    )
        return mark

    def _learn(self, batch: Batch, number: int, log: LossLog) -> dict[str, float]:
        factor = rate_factor(number, self.settings.steps, self.settings.decay)
        self.step.set_rate(factor)
        torch.manual_seed(stable_hash(self.settings.seed, "step", str(number)))
        losses = self.step.learn(_to_device(batch, self.device), number)
        for name, value in losses.items():
            if not math.isfinite(value):
                raise RunError(
                    f"In step {number} the loss `{name}` is {value}: training has diverged. The last checkpoint is "
                    f"kept in {self.folder.checkpoints}. Lower `rate` or the weight of that loss, and start anew "
                    f"with --fresh."
                )
        log.add(number, factor, losses)
        return losses

    def _sample(self, shown: Batch, number: int) -> None:
        with torch.no_grad():
            images = self.step.sample(_to_device(shown, self.device))
        write_sheet(self.folder.sample(number), images, n_rows=len(next(iter(shown.values()))))

    def _save(self, mark: Mark, number: int, log: LossLog) -> Mark:
        log.flush()
        self.note_refused()
        mark = replace(mark, step=number)
        save_checkpoint(self.folder, self.step, mark, keep=self.settings.keep)
        return mark


def _to_device(batch: Mapping[str, torch.Tensor], device: torch.device) -> dict[str, torch.Tensor]:
    return {name: images.to(device) for name, images in batch.items()}


@contextmanager
def _explain_memory(device: torch.device) -> Iterator[None]:
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise RunError(
            f"There is too little memory on {device} for this training. Lower `crop`, `batch` or `width`, and start "
            f"anew with --fresh; or go on on another machine."
        ) from error


@contextmanager
def repeatable(device: torch.device) -> Iterator[None]:
    """Within the block, equal input gives equal bits on a CPU; torch's state is as before afterwards.

    On a GPU the convolutions are made to repeat; some other kernels add in no fixed order, so that two runs there agree
    to rounding only.
    """
    devices = [device] if device.type == "cuda" else []
    memory: Any = torch.utils.deterministic
    was_cudnn = torch.backends.cudnn.deterministic
    was_strict = torch.are_deterministic_algorithms_enabled()
    was_warning = torch.is_deterministic_algorithms_warn_only_enabled()
    was_filling = memory.fill_uninitialized_memory
    with torch.random.fork_rng(devices=devices):
        try:
            torch.backends.cudnn.deterministic = True
            torch.use_deterministic_algorithms(device.type == "cpu")
            memory.fill_uninitialized_memory = False  # an aid for finding faults, which costs time
            yield
        finally:
            torch.backends.cudnn.deterministic = was_cudnn
            torch.use_deterministic_algorithms(was_strict, warn_only=was_warning)
            memory.fill_uninitialized_memory = was_filling
