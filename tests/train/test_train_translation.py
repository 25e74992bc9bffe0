"""The real step in the real loop: translation that is killed ends with the weights of one that was not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import pytest
import torch
from training_folders import make_folders, make_recipe
from training_steps import making

from earthloom.train.kinds import TrainingRecipe
from earthloom.train.step import Batch, Step, Update
from earthloom.train.training import train
from earthloom.train.translation.making import make_translation_step

SMALL = {"width": 4, "steps": 7, "checkpoint_every": 2, "sample_every": 7, "patches": 16, "crop": 64}
METHODS = [{"method": "fastcut"}, {"method": "fastcut", "tps": 1.0, "batch": 2}, {"method": "cyclegan"}]


class Killed(BaseException):
    """Ends a run where nothing of ours may catch it."""


def dying_after(number: int) -> Callable[[TrainingRecipe, torch.device], Step]:
    """Steps whose run is killed when the update of this number has been made but not recorded."""

    def make(recipe: TrainingRecipe, device: torch.device) -> Step:
        step: Any = make_translation_step(recipe, device)
        learn = step.learn

        def learn_and_die(batch: Batch, at: int, update: Update) -> Mapping[str, torch.Tensor]:
            losses: Mapping[str, torch.Tensor] = learn(batch, at, update)
            if at == number:
                raise Killed
            return losses

        step.learn = learn_and_die
        return step  # type: ignore[no-any-return]

    return make


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folders(tmp_path_factory.mktemp("translation"), size=(72, 80))


@pytest.mark.parametrize("changes", METHODS)
def test_a_killed_translation_ends_with_the_same_bytes(
    changes: dict[str, Any], root: Path, tmp_path: Path
) -> None:
    recipe = make_recipe(**(SMALL | changes))
    undisturbed = train(recipe, tmp_path / "whole", base=root)
    for number in (1, 3, 6):
        with pytest.raises(Killed):
            train(recipe, tmp_path / "killed", base=root, make=making(dying_after(number)))
    resumed = train(recipe, tmp_path / "killed", base=root)
    assert resumed.resumed_from == 4
    assert [path.name for path in resumed.weights] == ["translation.safetensors"]
    assert [p.read_bytes() for p in resumed.weights] == [p.read_bytes() for p in undisturbed.weights]
    for name in ("losses.jsonl", "samples/step-000000007.png", "checkpoints/step-000000007.safetensors"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


def test_samples_are_rows_of_a_picture_and_what_becomes_of_it(root: Path, tmp_path: Path) -> None:
    train(make_recipe(**SMALL), tmp_path, base=root)
    sheet = cv2.imread(str(tmp_path / "samples" / "step-000000007.png"))
    height, width = sheet.shape[:2]
    assert height == 4 * (64 + 4) + 4
    assert (width - 4) % (64 + 4) == 0
    assert width >= 2 * (64 + 4) + 4
