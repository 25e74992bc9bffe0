"""The loop's arithmetic: gathered gradients, clipping, schedules, half precision, and its log over restarts."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from loop_steps import LineRecipe, LineStep, NumberBatches, make_line, make_numbers, make_recipe
from safetensors.torch import load_file, save_file

from earthloom.core.errors import StoppedError, UsageError, WriteError
from earthloom.store.layout import TrainingFolder
from earthloom.train.averages import Averages
from earthloom.train.checkpoints import Mark, list_checkpoints, load_checkpoint, save_checkpoint
from earthloom.train.logs import Log, read_log
from earthloom.train.loop import Updates, rate_factor
from earthloom.train.processes import Processes
from earthloom.train.step import Batch, Made, Setting, Share, Update
from earthloom.train.training import train

CPU = torch.device("cpu")


def read_weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "weights" / "line.safetensors")


@pytest.mark.parametrize("clip", [None, 0.05])
def test_four_small_batches_are_one_large_one(clip: float | None, tmp_path: Path) -> None:
    """Losses are means: those of 4 x 2 numbers average to that of 8; clipping comes after gathering."""
    train(make_recipe(batch=8, clip=clip), tmp_path / "large", make=make_line)
    train(make_recipe(batch=2, accumulate=4, clip=clip), tmp_path / "small", make=make_line)
    for name, weight in read_weights(tmp_path / "large").items():
        torch.testing.assert_close(read_weights(tmp_path / "small")[name], weight, atol=1e-6, rtol=0)
    large, small = (read_log(tmp_path / name / "losses.jsonl") for name in ("large", "small"))
    assert len(large) == len(small) == 12
    for row, other in zip(large, small, strict=True):
        assert row["losses"] == pytest.approx(other["losses"], abs=1e-6)


def test_clipping_bounds_the_step_of_each_optimiser(tmp_path: Path) -> None:
    """Plain descent moves by rate times gradient: after the first step, by the rate times the clip's norm."""
    clip, rate = 0.01, 0.05
    train(make_recipe(steps=1, clip=clip, rate=rate), tmp_path, make=make_line)
    bias = read_weights(tmp_path)["bias"]
    assert float(bias.norm()) == pytest.approx(clip * rate, rel=1e-3)
    train(make_recipe(steps=1, rate=rate), tmp_path, make=make_line, fresh=True)
    assert float(read_weights(tmp_path)["bias"].norm()) > 10 * clip * rate


def test_the_first_adam_step_is_the_rate_whatever_the_gradient(tmp_path: Path) -> None:
    """Its first update is rate x sign(g): the schedule reaches it through warm-up (1 / 4 of the rate)."""
    torch.manual_seed(0)
    made: list[LineStep] = []

    def make(recipe: LineRecipe, setting: Setting) -> Made:
        step = LineStep(recipe, setting.device)
        made.append(step)
        before.append(step.line.weight.detach().clone())
        return Made(step=step, batches=NumberBatches(recipe.batch, setting.share))

    before: list[torch.Tensor] = []
    train(make_recipe(steps=1, warmup=3, decay=0, weight_decay=0.0), tmp_path, make=make)
    moved = (made[0].line.weight.detach() - before[0]).abs()
    torch.testing.assert_close(moved, torch.full_like(moved, 0.05 / 4), atol=1e-6, rtol=0)


def test_warm_up_and_fall_by_hand() -> None:
    settings = make_recipe(steps=10, warmup=3, decay=0.4)
    found = [rate_factor(n, settings) for n in range(1, 11)]
    assert found == pytest.approx([1 / 4, 2 / 4, 3 / 4, 1, 1, 1, 4 / 5, 3 / 5, 2 / 5, 1 / 5])
    cosine = [rate_factor(n, settings.model_copy(update={"fall": "cosine"})) for n in range(1, 11)]
    wanted = [0.5 + 0.5 * math.cos(math.pi * k / 5) for k in range(1, 5)]
    assert cosine == pytest.approx([1 / 4, 2 / 4, 3 / 4, 1, 1, 1, *wanted])
    falling = make_recipe(steps=9, warmup=1, decay=1.0)
    assert [rate_factor(n, falling) for n in (1, 2, 9)] == pytest.approx([0.9 / 2, 0.8, 0.1])


@pytest.mark.parametrize("fall", ["linear", "cosine"])
def test_every_micro_batch_sees_the_rate_of_its_step(fall: str, tmp_path: Path) -> None:
    made: list[LineStep] = []

    def make(recipe: LineRecipe, setting: Setting) -> Made:
        made.append(LineStep(recipe, setting.device))
        return Made(step=made[0], batches=NumberBatches(recipe.batch, setting.share))

    recipe = make_recipe(steps=6, accumulate=2, warmup=2, decay=0.5, fall=fall, rate=0.02)
    train(recipe, tmp_path, make=make)
    assert [number for number, _ in made[0].seen] == [n for n in range(1, 7) for _ in range(2)]
    wanted = [0.02 * rate_factor(n, recipe) for n in range(1, 7) for _ in range(2)]
    assert [rate for _, rate in made[0].seen] == pytest.approx(wanted)


def make_updates(step: LineStep, recipe: LineRecipe, dtype: torch.dtype) -> Updates:
    return Updates(step, recipe, Processes(CPU, Share()), dtype)


def learn(step: LineStep, updates: Updates, number: int, scale: float = 1.0) -> None:
    batch = {name: values * scale for name, values in make_numbers(range(number, number + 4)).items()}
    updates.start(1.0, 0)
    step.learn(batch, number, updates)
    updates.finish()


def test_scaled_losses_give_the_gradients_of_plain_ones(tmp_path: Path) -> None:
    """With half precision losses are scaled up, and gradients down again before they are clipped and used."""
    weights = []
    for dtype in (torch.float32, torch.float16):
        torch.manual_seed(0)
        recipe = make_recipe(clip=0.5)
        step = LineStep(recipe, CPU)
        updates = make_updates(step, recipe, dtype)
        assert updates.scaler.is_enabled() == (dtype == torch.float16)
        for number in range(1, 6):
            learn(step, updates, number)
        weights.append(step.line.weight.detach().clone())
    torch.testing.assert_close(weights[0], weights[1], atol=1e-6, rtol=0)


def test_the_scale_of_losses_survives_a_checkpoint(tmp_path: Path) -> None:
    """An overflow halves it and skips the update; what it is then, and how long since, is kept."""
    recipe = make_recipe()
    torch.manual_seed(0)
    step = LineStep(recipe, CPU)
    updates = make_updates(step, recipe, torch.float16)
    learn(step, updates, 1)
    before = step.line.weight.detach().clone()
    first = updates.scaler.get_scale()
    learn(step, updates, 2, scale=1e18)
    assert torch.equal(step.line.weight.detach(), before)
    assert updates.scaler.get_scale() == first / 2
    learn(step, updates, 3)
    home = TrainingFolder(tmp_path)
    averages = Averages(step.modules(), None)
    mark = Mark(step=3, settings={}, pictures="", origins=[], world=1)
    path = save_checkpoint(home, step, averages, updates.scaler, mark, keep=1)
    other = LineStep(recipe, CPU)
    again = make_updates(other, recipe, torch.float16)
    assert load_checkpoint(path, other, averages, again.scaler) == mark
    assert again.scaler.state_dict() == updates.scaler.state_dict()
    assert again.scaler.state_dict()["_growth_tracker"] == 1
    for one, two in ((step, updates), (other, again)):
        learn(one, two, 4)
    assert torch.equal(step.line.weight, other.line.weight)


def stop_at(number: int) -> Any:
    """Makes steps of which one is interrupted by the user."""

    class Stopping(LineStep):
        def learn(self, batch: Batch, n: int, update: Update) -> Mapping[str, torch.Tensor]:
            if n == number:
                raise KeyboardInterrupt
            return super().learn(batch, n, update)

    def make(recipe: LineRecipe, setting: Setting) -> Made:
        batches = NumberBatches(recipe.batch, setting.share, recipe.held)
        return Made(step=Stopping(recipe, setting.device), batches=batches)

    return make


@pytest.mark.parametrize("number", [5, 6, 8, 11])
def test_rows_of_the_log_come_once_however_often_it_stops(number: int, tmp_path: Path) -> None:
    recipe = make_recipe(held=2, validate_every=2)
    train(recipe, tmp_path / "whole", make=make_line)
    folder = tmp_path / "stopped"
    with pytest.raises(StoppedError):
        train(recipe, folder, make=stop_at(number))
    reached = read_log(folder / "losses.jsonl")
    assert reached[-1]["step"] == number - 1
    train(recipe, folder, make=make_line)
    rows = read_log(folder / "losses.jsonl")
    assert [(row["step"], "held" in row) for row in rows] == [
        (n, is_held) for n in range(1, 13) for is_held in (False, True) if not is_held or n % 2 == 0
    ]
    assert (folder / "losses.jsonl").read_bytes() == (tmp_path / "whole" / "losses.jsonl").read_bytes()
    assert (folder / "curve.png").read_bytes() == (tmp_path / "whole" / "curve.png").read_bytes()


def test_a_row_that_a_kill_tore_is_written_anew(tmp_path: Path) -> None:
    home, settings = TrainingFolder(tmp_path), make_recipe()
    with Log(home, 0, settings, is_kept=True) as log:
        for number in range(1, 6):
            log.add(number, 1.0, {"x": number / 10})
            log.add_held(number, {"x": 0.5})
    whole = home.losses.read_bytes()
    home.losses.write_bytes(whole + b'{"step": 6, "los')
    with Log(home, 5, settings, is_kept=True) as log:
        log.add(6, 0.5, {"x": 0.25})
    assert home.losses.read_bytes() == whole + b'{"step": 6, "factor": 0.5, "losses": {"x": 0.25}}\n'


def test_tensorboard_reads_what_was_logged(tmp_path: Path) -> None:
    """By its own reader, over a run that was stopped and went on: every step once."""
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    recipe = make_recipe(tensorboard=True, held=1, validate_every=3)
    with pytest.raises(StoppedError):
        train(recipe, tmp_path, make=stop_at(8))
    assert len(list_checkpoints(TrainingFolder(tmp_path))) == 1
    train(recipe, tmp_path, make=make_line)
    board = events.EventAccumulator(str(tmp_path / "tensorboard"))
    board.Reload()
    rows = [row for row in read_log(tmp_path / "losses.jsonl") if "losses" in row]
    told = board.Scalars("train/line")
    assert [event.step for event in told] == list(range(1, 13))
    assert [event.value for event in told] == pytest.approx([row["losses"]["line"] for row in rows], rel=1e-6)
    assert [event.step for event in board.Scalars("held/line")] == [3, 6, 9, 12]


def test_without_tensorboard_the_remedy_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torch.utils.tensorboard", None)
    with pytest.raises(UsageError, match="pip install tensorboard"):
        train(make_recipe(tensorboard=True), tmp_path, make=make_line)


class Overflowing(LineStep):
    """Its held-out losses are no numbers; its export does not fit on the disk."""

    is_disk_full = False

    def measure(self, batch: Batch) -> Mapping[str, torch.Tensor]:
        return {"line": torch.tensor(math.inf), **super().measure(batch), "other": torch.tensor(math.nan)}

    def export(self, folder: Path) -> None:
        if self.is_disk_full:
            save_file({"weight": self.line.weight.detach()}, "/dev/full/line.safetensors")
        super().export(folder)


def make_overflowing(recipe: LineRecipe, setting: Setting) -> Made:
    return Made(
        step=Overflowing(recipe, setting.device), batches=NumberBatches(recipe.batch, setting.share, n_held=1)
    )


def test_held_out_losses_that_are_no_numbers_are_left_out(tmp_path: Path) -> None:
    summary = train(make_recipe(held=1, validate_every=4), tmp_path, make=make_overflowing)
    assert set(summary.held) == {"line"}
    assert json.loads((tmp_path / "run.json").read_text())["held"] == summary.held


def test_a_disk_that_is_full_at_the_end_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Overflowing, "is_disk_full", True)
    with pytest.raises(WriteError, match=r"Could not write .*weights"):
        train(make_recipe(), tmp_path, make=make_overflowing)
    monkeypatch.setattr(Overflowing, "is_disk_full", False)
    assert train(make_recipe(), tmp_path, make=make_overflowing).resumed_from == 12


def test_a_finished_training_whose_log_was_removed_is_written_again(tmp_path: Path) -> None:
    train(make_recipe(), tmp_path, make=make_line)
    (tmp_path / "losses.jsonl").unlink()
    assert train(make_recipe(), tmp_path, make=make_line).losses == {}
