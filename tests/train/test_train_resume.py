"""A training that is killed, wherever it is, ends with the bytes of one that was not."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from training_folders import make_folders, make_recipe, write_recipe
from training_steps import TinyStep, making

from earthloom.core.errors import LockedError, RunError, StoppedError, UsageError
from earthloom.store import atomic
from earthloom.store.layout import TrainingFolder
from earthloom.store.lock import hold_lock
from earthloom.train import checkpoints, loop, training
from earthloom.train.kinds import TrainingRecipe
from earthloom.train.training import train


class Killed(BaseException):
    """Ends a run where nothing of ours may catch it."""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two folders of pictures, one of which cannot be decoded."""
    root = make_folders(tmp_path_factory.mktemp("pictures"))
    (root / "a" / "torn.png").write_bytes((root / "a" / "0.png").read_bytes()[:200])
    return root


def read_all(folder: Path) -> dict[str, bytes]:
    """Everything that a training leaves, but for what tells the time it took."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in {"run.json", ".training.lock"}
    }


@pytest.fixture(scope="module")
def undisturbed(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the small recipe makes when it is left alone."""
    folder = tmp_path_factory.mktemp("undisturbed")
    summary = train(make_recipe(), folder, base=pictures, make=making(TinyStep))
    assert (summary.steps, summary.resumed_from) == (24, 0)
    assert summary.n_refused == {"from": 1}
    found = read_all(folder)
    assert set(found) == {
        "recipe.yaml",
        "losses.jsonl",
        "curve.png",
        "refused.json",
        "checkpoints/step-000000020.safetensors",
        "checkpoints/step-000000024.safetensors",
        "samples/step-000000008.png",
        "samples/step-000000016.png",
        "samples/step-000000024.png",
        "weights/painter.safetensors",
    }
    return found


def dying_at(step_number: int) -> Callable[[TrainingRecipe, torch.device], TinyStep]:
    """Steps of which one is killed between the updates of its two networks."""

    def make(recipe: TrainingRecipe, device: torch.device) -> TinyStep:
        step = TinyStep(recipe, device)

        def die(number: int) -> None:
            if number == step_number:
                raise Killed

        step.before_update = die
        return step

    return make


@pytest.mark.parametrize("number", [1, 2, 5, 6, 13, 20, 21, 24])
def test_killed_in_a_step(number: int, pictures: Path, undisturbed: dict[str, bytes], tmp_path: Path) -> None:
    with pytest.raises(Killed):
        train(make_recipe(), tmp_path, base=pictures, make=making(dying_at(number)))
    summary = train(make_recipe(), tmp_path, base=pictures, make=making(TinyStep))
    assert summary.resumed_from == (number - 1) // 5 * 5
    assert read_all(tmp_path) == undisturbed


@pytest.mark.parametrize(
    ("where", "name", "after"),
    [
        (loop, "write_sheet", 0),
        (loop, "write_sheet", 2),
        (loop, "save_checkpoint", 0),
        (loop, "save_checkpoint", 3),
        (checkpoints, "prune", 0),
        (checkpoints, "prune", 2),
        (training, "read_last", 0),
        (training, "write_json", 0),
        (training, "write_json", 2),
    ],
)
def test_killed_between_two_files(
    where: object,
    name: str,
    after: int,
    pictures: Path,
    undisturbed: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = getattr(where, name)
    calls = []

    def die(*arguments: object, **named: object) -> object:
        calls.append(name)
        if len(calls) > after:
            raise Killed
        return real(*arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(where, name, die)
        for _ in range(3):  # the same place is met again after a restart
            with pytest.raises(Killed):
                train(make_recipe(), tmp_path, base=pictures, make=making(TinyStep))
            calls.clear()
            after = 0
    train(make_recipe(), tmp_path, base=pictures, make=making(TinyStep))
    assert read_all(tmp_path) == undisturbed


def test_killed_while_a_checkpoint_is_half_written(
    pictures: Path, undisturbed: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(atomic.os, "fsync", die)
        with pytest.raises(Killed):
            train(make_recipe(), tmp_path, base=pictures, make=making(TinyStep))
    home = TrainingFolder(tmp_path)
    home.checkpoints.mkdir(exist_ok=True)
    (home.checkpoints / f"{home.checkpoint(5).name}.77{atomic.TEMPORARY}").write_bytes(b"half")
    train(make_recipe(), tmp_path, base=pictures, make=making(TinyStep))
    assert read_all(tmp_path) == undisturbed


def test_killed_for_good_at_random_moments(pictures: Path, undisturbed: dict[str, bytes]) -> None:
    folder = pictures.parent / "killed"
    recipe = write_recipe(pictures / "recipe.yaml", checkpoint_every=1)
    script = Path(__file__).with_name("training_steps.py")
    drawn = random.Random(4)
    reached = []
    for rows in (1, 14):  # so many steps are saved when a moment later the process is killed
        with subprocess.Popen(
            [sys.executable, script, recipe, folder], env=os.environ | {"SLOW_STEPS": "0.03"}
        ) as child:
            wait_for_checkpoint(folder, rows, child)
            time.sleep(drawn.uniform(0, 0.06))
            child.kill()
        assert child.returncode == -signal.SIGKILL
        found = checkpoints.list_checkpoints(TrainingFolder(folder))
        reached.append(checkpoints.read_mark(found[-1]).step)
    assert reached == sorted(set(reached))
    assert reached[-1] < 24
    summary = train(make_recipe(), folder, base=pictures, make=making(TinyStep))
    assert summary.resumed_from == reached[-1]
    assert {name: data for name, data in read_all(folder).items() if "checkpoints" not in name} == {
        name: data for name, data in undisturbed.items() if "checkpoints" not in name
    }
    last = "checkpoints/step-000000024.safetensors"  # its header tells another recipe
    assert read_all(folder)[last][-1000:] == undisturbed[last][-1000:]


def wait_for_checkpoint(folder: Path, number: int, child: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert child.poll() is None, "training ended by itself"
        found = checkpoints.list_checkpoints(TrainingFolder(folder))
        if found and int(found[-1].stem.removeprefix("step-")) >= number:
            return
        time.sleep(0.005)
    raise AssertionError(f"no checkpoint of step {number}")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_stop_it_saves_and_goes_on_later(
    number: signal.Signals, pictures: Path, undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
    def make(recipe: TrainingRecipe, device: torch.device) -> TinyStep:
        step = TinyStep(recipe, device)
        step.before_update = lambda n: os.kill(os.getpid(), number) if n == 7 else None
        return step

    handler = signal.getsignal(number)
    with pytest.raises(StoppedError, match="after step 7 of 24, which is saved"):
        train(make_recipe(), tmp_path, base=pictures, make=making(make))
    assert signal.getsignal(number) is handler
    summary = train(make_recipe(), tmp_path, base=pictures, make=making(TinyStep))
    assert summary.resumed_from == 7
    assert read_all(tmp_path) == undisturbed


def test_a_second_signal_stops_at_once(pictures: Path, tmp_path: Path) -> None:
    def make(recipe: TrainingRecipe, device: torch.device) -> TinyStep:
        step = TinyStep(recipe, device)

        def signal_twice(number: int) -> None:
            for _ in range(2):
                os.kill(os.getpid(), signal.SIGTERM)

        step.before_update = signal_twice
        return step

    with pytest.raises(StoppedError):
        train(make_recipe(), tmp_path, base=pictures, make=making(make))
    assert not checkpoints.list_checkpoints(TrainingFolder(tmp_path))


def test_a_finished_training_is_not_done_again(
    pictures: Path, undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
    train(make_recipe(), tmp_path, base=pictures, make=making(TinyStep))
    again = train(make_recipe(), tmp_path, base=pictures, make=making(dying_at(24)))
    assert (again.steps, again.resumed_from) == (24, 24)
    assert read_all(tmp_path) == undisturbed


def test_what_weights_do_not_depend_on_may_change(
    pictures: Path, undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
    with pytest.raises(Killed):
        train(make_recipe(), tmp_path, base=pictures, make=making(dying_at(12)))
    changed = make_recipe(
        name="other", checkpoint_every=100, sample_every=100, keep=1, memory_mb=0, device="auto"
    )
    if not torch.cuda.is_available():
        train(changed, tmp_path, base=pictures, make=making(TinyStep))
        name = "weights/painter.safetensors"
        assert read_all(tmp_path)[name] == undisturbed[name]


def test_another_recipe_is_refused_and_fresh_begins_anew(
    pictures: Path, undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
    train(make_recipe(steps=10, rate=0.01, seed=3), tmp_path, base=pictures, make=making(TinyStep))
    with pytest.raises(UsageError) as caught:
        train(make_recipe(), tmp_path, base=pictures, make=making(TinyStep))
    said = str(caught.value)
    for words in (
        "`steps` was 10 and is 24",
        "`rate` was 0.01 and is 0.0002",
        "`seed` was 3 and is 0",
        "--fresh",
    ):
        assert words in said
    train(make_recipe(), tmp_path, base=pictures, make=making(TinyStep), fresh=True)
    assert read_all(tmp_path) == undisturbed


def test_other_pictures_are_noticed(tmp_path: Path) -> None:
    root = make_folders(tmp_path / "pictures")
    train(make_recipe(steps=3), tmp_path / "out", base=root, make=making(TinyStep))
    (root / "b" / "4.png").unlink()
    with pytest.raises(UsageError, match="pictures that it learns from have changed"):
        train(make_recipe(steps=3), tmp_path / "out", base=root, make=making(TinyStep))


def test_a_damaged_checkpoint_is_named(pictures: Path, tmp_path: Path) -> None:
    train(make_recipe(), tmp_path, base=pictures, make=making(TinyStep))
    newest = TrainingFolder(tmp_path).checkpoint(24)
    newest.write_bytes(newest.read_bytes()[:5000])
    with pytest.raises(
        RunError, match=r"step-000000024\.safetensors is no checkpoint .* go on from the one before"
    ):
        train(make_recipe(), tmp_path, base=pictures, make=making(TinyStep))
    newest.unlink()
    assert train(make_recipe(), tmp_path, base=pictures, make=making(TinyStep)).resumed_from == 20


def test_two_runs_in_one_folder_are_refused(pictures: Path, tmp_path: Path) -> None:
    with hold_lock(TrainingFolder(tmp_path).lock), pytest.raises(LockedError):
        train(make_recipe(), tmp_path, base=pictures, make=making(TinyStep))
