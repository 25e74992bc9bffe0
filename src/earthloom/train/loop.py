"""The training loop: one for all that is trained. It knows steps, batches and files, and nothing of what is learnt."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace

import torch

from earthloom.core.errors import RunError, StoppedError
from earthloom.core.seeds import stable_hash
from earthloom.store.layout import TrainingFolder
from earthloom.train.ahead import draw_ahead
from earthloom.train.averages import Averages
from earthloom.train.checkpoints import Mark, save_checkpoint
from earthloom.train.config import TrainingSettings
from earthloom.train.curve import write_curve
from earthloom.train.logs import Log, read_log
from earthloom.train.processes import Processes
from earthloom.train.progress import Listener, describe_losses
from earthloom.train.samples import write_sheet
from earthloom.train.step import Batch, Batches, Step
from earthloom.train.stopping import heed_signals

_UNTOLD = 10
"""Steps on a GPU whose losses are brought from it together: each time it is waited for."""


def rate_factor(number: int, settings: TrainingSettings) -> float:
    """Factor of the learning rate in step `number`, from 1: it rises over the warm-up, stays 1, and falls towards 0.

    With 200 steps and a decay of 0.25 the fall is the schedule of CUT (github.com/taesungp/contrastive-unpaired-
    translation, `lr_policy linear`, 150 + 50 epochs): the last step still has 1/51 of the rate.
    """
    n_falling = round(settings.steps * settings.decay)
    fallen = max(0, number - (settings.steps - n_falling)) / (n_falling + 1)
    factor = 1.0 - fallen if settings.fall == "linear" else 0.5 + 0.5 * math.cos(math.pi * fallen)
    return factor * min(1.0, number / (settings.warmup + 1))


class Updates:
    """From losses to weights: precision, gradient accumulation, averaging over processes, clipping, learning rates."""

    def __init__(
        self, step: Step, settings: TrainingSettings, processes: Processes, dtype: torch.dtype
    ) -> None:
        """Take a step as it was made: its optimisers have their base rates."""
        self._optimizers = dict(step.optimizers())
        self._base = {name: [g["lr"] for g in o.param_groups] for name, o in self._optimizers.items()}
        self._settings = settings
        self._processes = processes
        self._device = processes.device.type
        self._dtype = dtype
        self.scaler = torch.amp.GradScaler(self._device, enabled=dtype == torch.float16)
        self._is_last = True

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Within the block forward passes compute in the recipe's precision."""
        with torch.autocast(self._device, self._dtype, enabled=self._dtype != torch.float32):
            yield

    def start(self, factor: float, micro: int) -> None:
        """Begin one micro-batch of a step."""
        self._is_last = micro == self._settings.accumulate - 1
        for name, optimizer in self._optimizers.items():
            for group, base in zip(optimizer.param_groups, self._base[name], strict=True):
                group["lr"] = base * factor

    def __call__(self, name: str, loss: torch.Tensor) -> None:
        """Go back through a loss; after the last micro-batch, update what the optimiser of that name holds."""
        optimizer = self._optimizers[name]
        with torch.autocast(self._device, enabled=False):
            self.scaler.scale(loss / self._settings.accumulate).backward()  # type: ignore[no-untyped-call]
        if not self._is_last:
            return
        weights = [weight for group in optimizer.param_groups for weight in group["params"]]
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        self._processes.average(gradients)
        self.scaler.unscale_(optimizer)
        if self._settings.clip is not None:
            torch.nn.utils.clip_grad_norm_(weights, self._settings.clip)
        self.scaler.step(optimizer)
        optimizer.zero_grad(set_to_none=True)

    def finish(self) -> None:
        """End a step: all optimisers have done their update."""
        self.scaler.update()


@dataclass(kw_only=True)
class Loop:
    """A training under way."""

    step: Step
    batches: Batches
    settings: TrainingSettings
    folder: TrainingFolder
    processes: Processes
    updates: Updates
    averages: Averages
    listener: Listener
    note_refused: Callable[[], None]
    """Is called by all processes before each checkpoint, so that what was set aside is on record."""
    _untold: list[tuple[int, float, Mapping[str, torch.Tensor]]] = field(default_factory=list)
    """Number, rate factor and losses of the last steps, which still lie on the device."""

    def run(self, mark: Mark) -> Mark:
        """Do all steps after `mark`; give the mark of the last one.

        Raises:
            StoppedError: on Ctrl-C or SIGTERM, after a checkpoint.
            RunError: a loss is not finite, memory does not suffice, or no sample can be used.
            WriteError: the disk is full or not writable.

        """
        settings, total = self.settings, self.settings.steps
        shown, held = self.batches.show(), self.batches.held()
        start, stop = (step * settings.accumulate + 1 for step in (mark.step, total))
        self.listener.start(settings.name, total, mark.step)
        with (
            heed_signals() as is_asked,
            Log(self.folder, mark.step, settings, is_kept=self.processes.is_main) as log,
            _explain_memory(self.processes.device),
            closing(draw_ahead(self.batches, start, stop, pin=self._is_on_gpu)) as micro,
        ):
            for number in range(mark.step + 1, total + 1):
                self._learn(number, micro)
                is_last = number == total
                if is_last or not self._is_on_gpu or len(self._untold) == _UNTOLD:
                    self._tell(log)
                if held and (is_last or number % settings.validate_every == 0):
                    self._measure(held, number, log)
                if is_last or number % settings.sample_every == 0:
                    self._sample(shown, number, log)
                is_stopping = self.processes.agree(is_asked())
                if is_last or is_stopping or number % settings.checkpoint_every == 0:
                    mark = self._save(mark, number, log)
                if is_stopping and not is_last:
                    raise StoppedError(
                        f"Stopped after step {mark.step:,} of {total:,}, which is saved: run the same command again "
                        f"to go on."
                    )
        return mark

    @property
    def _is_on_gpu(self) -> bool:
        return self.processes.device.type == "cuda"

    def _learn(self, number: int, micro: Iterator[Batch]) -> None:
        """One step: a batch for each micro-batch, then the update."""
        factor = rate_factor(number, self.settings)
        gathered: list[Mapping[str, torch.Tensor]] = []
        for k in range(self.settings.accumulate):
            batch = self._bring(next(micro))
            self._seed("step", str(number), str(k), str(self.processes.share.rank))
            self.updates.start(factor, k)
            with self.updates.computing():
                gathered.append(self.step.learn(batch, number, self.updates))
        self.updates.finish()
        self.averages.update(number)
        losses = {name: torch.stack([each[name] for each in gathered]).mean() for name in gathered[0]}
        self._untold.append((number, factor, losses))

    def _tell(self, log: Log) -> None:
        """Log the losses of the last steps, which are brought from the device at once."""
        if not self._untold:
            return
        names = list(self._untold[0][2])
        table = torch.stack(
            [torch.stack([losses[name].double() for name in names]) for *_, losses in self._untold]
        )
        self.processes.average([table])
        for (number, factor, _), row in zip(self._untold, table.tolist(), strict=True):
            losses = dict(zip(names, row, strict=True))
            self._check(number, losses)
            log.add(number, factor, losses)
            self.listener.advance(number, losses)
        self._untold.clear()

    def _check(self, number: int, losses: Mapping[str, float]) -> None:
        for name, value in losses.items():
            if not math.isfinite(value):
                raise RunError(
                    f"In step {number} the loss `{name}` is {value}: training has diverged. The last checkpoint is "
                    f"kept in {self.folder.checkpoints}. Lower `rate` or the weight of that loss, or set `clip`, and "
                    f"start anew with --fresh."
                )

    def _measure(self, held: Sequence[Batch], number: int, log: Log) -> None:
        """Losses on held-out data: the mean over its batches."""
        if not self.processes.is_main:
            return
        found: list[Mapping[str, torch.Tensor]] = []
        with torch.no_grad(), self.averages.in_place(), self.updates.computing():
            for k, batch in enumerate(held):
                self._seed("held", str(k))
                found.append(self.step.measure(self._bring(batch)))
        if found:
            means = {name: float(torch.stack([each[name] for each in found]).mean()) for name in found[0]}
            log.add_held(number, {name: mean for name, mean in means.items() if math.isfinite(mean)})
            self.listener.say(f"held out after step {number:,}: {describe_losses(means)}")

    def _sample(self, shown: Batch, number: int, log: Log) -> None:
        """Write the sheet of samples, and the learning curve so far."""
        if not self.processes.is_main:
            return
        log.flush()
        write_curve(self.folder.curve, read_log(self.folder.losses))
        self._seed("sample")
        with torch.no_grad(), self.averages.in_place(), self.updates.computing():
            images = self.step.sample(self._bring(shown))
        if images is not None:
            write_sheet(self.folder.sample(number), images, n_rows=len(next(iter(shown.values()))))

    def _save(self, mark: Mark, number: int, log: Log) -> Mark:
        self._tell(log)
        mark = replace(mark, step=number)
        self.note_refused()
        if self.processes.is_main:
            log.flush()
            save_checkpoint(
                self.folder, self.step, self.averages, self.updates.scaler, mark, keep=self.settings.keep
            )
        self.processes.wait()
        return mark

    def _seed(self, *parts: str) -> None:
        torch.manual_seed(stable_hash(self.settings.seed, *parts))

    def _bring(self, batch: Batch) -> dict[str, torch.Tensor]:
        device = self.processes.device
        return {name: values.to(device, non_blocking=True) for name, values in batch.items()}


@contextmanager
def _explain_memory(device: torch.device) -> Iterator[None]:
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise RunError(
            f"There is too little memory on {device} for this training. Lower `batch` (and raise `accumulate` as much) "
            f"or the size of pictures, and start anew with --fresh; or go on on another machine."
        ) from error
