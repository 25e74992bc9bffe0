"""The loop: its schedule, its log, its samples, and what it says when training goes wrong."""

from __future__ import annotations

import io
import math
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from training_folders import make_folders, make_recipe, paint
from training_steps import TinyStep, making

from earthloom.core.errors import RunError, UsageError, WriteError
from earthloom.store.layout import TrainingFolder
from earthloom.train.kinds import TrainingRecipe
from earthloom.train.logs import Log, read_last, read_last_held, read_log
from earthloom.train.loop import rate_factor
from earthloom.train.processes import find_processes
from earthloom.train.progress import Bar, LogLines, Silence
from earthloom.train.repeating import repeatable
from earthloom.train.samples import lay_out, to_tensor, write_sheet
from earthloom.train.step import Batch, Update
from earthloom.train.training import train

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folders(tmp_path_factory.mktemp("loop"))


def read_rows(folder: Path) -> list[dict[str, Any]]:
    return [row for row in read_log(folder / "losses.jsonl") if "losses" in row]


@pytest.mark.parametrize(("constant", "falling"), [(150, 50), (100, 100), (7, 0), (0, 9)])
def test_the_schedule_is_that_of_the_papers(constant: int, falling: int) -> None:
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    # lambda_rule of CycleGAN's and CUT's networks.py: epochs from 0, `epoch_count` 1
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda epoch: 1.0 - max(0, epoch + 1 - constant) / float(falling + 1)
    )
    steps = constant + falling
    for number in range(1, steps + 1):
        factor = rate_factor(number, make_recipe(steps=steps, decay=falling / steps))
        assert factor == pytest.approx(optimizer.param_groups[0]["lr"], abs=1e-12)
        assert factor > 0
        optimizer.step()
        schedule.step()


def test_the_log_has_a_row_for_every_step(root: Path, tmp_path: Path) -> None:
    summary = train(make_recipe(decay=0.5), tmp_path, base=root, make=making(TinyStep))
    rows = read_rows(tmp_path)
    assert [int(row["step"]) for row in rows] == list(range(1, 25))
    assert [float(row["factor"]) for row in rows] == [
        rate_factor(n, make_recipe(decay=0.5)) for n in range(1, 25)
    ]
    for name, value in summary.losses.items():
        assert value == pytest.approx(np.mean([row["losses"][name] for row in rows]), abs=1e-12)
    assert set(summary.losses) == {"painter", "critic"}


def test_learning_lowers_the_loss(root: Path, tmp_path: Path) -> None:
    train(make_recipe(steps=150, rate=0.01, sample_every=150), tmp_path, base=root, make=making(TinyStep))
    rows = [row["losses"]["painter"] for row in read_rows(tmp_path)]
    assert np.mean(rows[-20:]) < 0.7 * np.mean(rows[:10])


class Diverging(TinyStep):
    """Gives a loss that is no number in step 12."""

    def learn(self, batch: Batch, number: int, update: Update) -> Mapping[str, torch.Tensor]:
        losses = dict(super().learn(batch, number, update))
        return losses | {"critic": torch.tensor(math.nan)} if number == 12 else losses


def test_a_loss_that_is_no_number_ends_training(root: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="In step 12 the loss `critic` is nan: training has diverged"):
        train(make_recipe(), tmp_path, base=root, make=making(Diverging))
    names = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert names == ["step-000000005.safetensors", "step-000000010.safetensors"]
    assert train(make_recipe(), tmp_path, base=root, make=making(TinyStep)).resumed_from == 10


class Greedy(TinyStep):
    """Wants more memory than there is."""

    def learn(self, batch: Batch, number: int, update: Update) -> Mapping[str, torch.Tensor]:
        raise torch.OutOfMemoryError("out of memory")


def test_too_little_memory_is_said(root: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"too little memory on cpu .* Lower `batch`"):
        train(make_recipe(), tmp_path, base=root, make=making(Greedy))


def test_torch_is_left_as_it_was(root: Path, tmp_path: Path) -> None:
    torch.manual_seed(7)
    before = torch.get_rng_state(), torch.are_deterministic_algorithms_enabled()
    memory = torch.utils.deterministic.fill_uninitialized_memory
    with pytest.raises(RunError):
        train(make_recipe(), tmp_path, base=root, make=making(Diverging))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert torch.are_deterministic_algorithms_enabled() == before[1]
    assert torch.utils.deterministic.fill_uninitialized_memory == memory
    with repeatable(CPU):
        assert torch.are_deterministic_algorithms_enabled()


def test_weights_do_not_depend_on_what_was_drawn_before(root: Path, tmp_path: Path) -> None:
    weights = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        summary = train(make_recipe(steps=3), tmp_path / str(seed), base=root, make=making(TinyStep))
        weights.append(summary.weights[0].read_bytes())
    assert weights[0] == weights[1]
    other = train(make_recipe(steps=3, seed=1), tmp_path / "other", base=root, make=making(TinyStep))
    assert other.weights[0].read_bytes() != weights[0]


def test_training_works_outside_the_main_thread(root: Path, tmp_path: Path) -> None:
    done = []
    thread = threading.Thread(
        target=lambda: done.append(train(make_recipe(steps=2), tmp_path, base=root, make=making(TinyStep)))
    )
    thread.start()
    thread.join()
    assert done[0].steps == 2


def test_a_folder_among_the_pictures_is_refused(tmp_path: Path) -> None:
    root = make_folders(tmp_path)
    with pytest.raises(UsageError, match="lies inside the pictures b"):
        train(make_recipe(), root / "b" / "out", base=root, make=making(TinyStep))
    assert not (root / "b" / "out").exists()


def test_a_folder_of_something_else_is_left_alone(root: Path, tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "mine.pt").write_text("years of work")
    for fresh in (False, True):
        with pytest.raises(UsageError, match="holds something else than a training"):
            train(make_recipe(), tmp_path, base=root, make=making(TinyStep), fresh=fresh)
    assert [path.name for path in tmp_path.rglob("*")] == ["checkpoints", "mine.pt"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_said() -> None:
    assert find_processes("auto").device == find_processes("cpu").device == CPU
    with pytest.raises(UsageError, match="device: torch finds no GPU here"):
        find_processes("cuda")


def test_sheets_show_every_picture_in_its_place(tmp_path: Path) -> None:
    pictures = [paint(i, 20, 30) for i in range(6)]
    write_sheet(tmp_path / "sheet.png", to_tensor(pictures), n_rows=3)
    sheet = cv2.imread(str(tmp_path / "sheet.png"))[:, :, ::-1]
    assert sheet.shape == (3 * 24 + 4, 2 * 34 + 4, 3)
    assert np.array_equal(sheet[4:24, 38:68], pictures[1])
    assert np.array_equal(sheet[52:72, 4:34], pictures[4])
    assert (sheet[:4] == 255).all()
    with pytest.raises(AssertionError, match="do not fill"):
        lay_out(np.zeros((5, 4, 4, 3), np.uint8), 2)


def test_samples_show_before_and_after(root: Path, tmp_path: Path) -> None:
    train(make_recipe(steps=8), tmp_path, base=root, make=making(TinyStep))
    sheet = cv2.imread(str(tmp_path / "samples" / "step-000000008.png"))[:, :, ::-1]
    assert sheet.shape == (4 * 36 + 4, 2 * 36 + 4, 3)
    middles = [paint(i, 48, 56)[8:40, 12:44] for i in range(5)]
    for row in range(4):
        cell = sheet[4 + 36 * row :][:32, 4:36]
        assert sum(np.array_equal(cell, middle) for middle in middles) == 1


def open_log(folder: Path, done: int) -> Log:
    return Log(TrainingFolder(folder), done, make_recipe(), is_kept=True)


def test_a_torn_row_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "losses.jsonl"
    with open_log(tmp_path, 0) as log:
        for number in range(1, 6):
            log.add(number, 1.0, {"x": number / 10})
        log.add_held(5, {"x": 0.5})
        log.flush()
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"step": 6, "fac')
    with open_log(tmp_path, 5) as log:
        log.add(6, 1.0, {"x": 0.6})
    assert path.read_bytes() == whole + b'{"step": 6, "factor": 1.0, "losses": {"x": 0.6}}\n'
    assert read_last_held(path) == {"x": 0.5}
    with open_log(tmp_path, 3):
        pass
    assert read_last(path) == {"x": pytest.approx(0.2)}
    assert read_last_held(path) == {}
    for rows in (b"", whole[:12]):
        path.write_bytes(rows)
        with pytest.raises(RunError, match="--fresh"):
            open_log(tmp_path, 4).__enter__()
    path.unlink()
    with pytest.raises(RunError, match="is missing, though 4 steps were done"):
        open_log(tmp_path, 4).__enter__()


def test_a_folder_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    root = make_folders(tmp_path / "pictures")
    with pytest.raises(WriteError, match="Could not write"):
        train(make_recipe(), tmp_path / "file" / "out", base=root, make=making(TinyStep))


def test_progress_as_lines(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr("earthloom.train.progress._LOG_SECONDS", 0.0)
    train(make_recipe(steps=3), tmp_path, base=root, make=making(TinyStep), listener=LogLines(out))
    lines = out.getvalue().splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("tiny: 1/3 steps, ")
    assert lines[2].startswith("tiny: 3/3 steps, ")
    assert "0.0 s left, painter " in lines[2]
    listener = LogLines(out)
    listener.start("tiny", 10, 5)
    assert out.getvalue().endswith("tiny: goes on after step 5\n")
    quiet = Silence()
    quiet.start("tiny", 3, 0)
    quiet.advance(1, {"x": 1.0})
    quiet.say("hello")
    quiet.close()


def test_progress_as_a_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    bar = Bar()
    bar.start("tiny", 4, 2)
    bar.advance(3, {"painter": 0.5})
    bar.say("hello")
    bar.advance(4, {"painter": 0.25})
    bar.close()
    shown = capsys.readouterr().err
    assert "hello" in shown
    assert "painter 0.25" in shown
    assert "4/4" in shown


def test_steps_may_be_anybodys(root: Path, tmp_path: Path) -> None:
    made: list[TrainingRecipe] = []

    def make(recipe: TrainingRecipe, device: torch.device) -> TinyStep:
        made.append(recipe)
        return TinyStep(recipe, device)

    train(make_recipe(steps=1), tmp_path, base=root, make=making(make))
    assert TrainingFolder(tmp_path).checkpoint(1).is_file()
    assert made == [make_recipe(steps=1)]
