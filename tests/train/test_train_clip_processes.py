"""Dual encoders trained in a process that is killed, and in two at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("peft")

from clip_folders import draw_batch, make_captioned, make_clip_recipe, take_gradients  # noqa: E402
from safetensors.torch import load_file  # noqa: E402
from test_train_resume import read_all, wait_for_checkpoint  # noqa: E402
from tiny_models.clip import write_tiny_clip  # noqa: E402

from earthloom.train.training import train  # noqa: E402

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning"),
]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = make_captioned(tmp_path_factory.mktemp("clip"))
    write_tiny_clip(root / "tiny")
    return root


@pytest.mark.parametrize("kind", ["full", "lora", "scratch"])
def test_killed_and_resumed_it_ends_with_the_same_bytes(root: Path, tmp_path: Path, kind: str) -> None:
    fresh = {
        "side": 32,
        "patch": 8,
        "width": 64,
        "layers": 1,
        "text_width": 64,
        "text_layers": 1,
        "words": 600,
    }
    changes = {
        "full": {"patch": 0.5, "drop_patches": 0.5, "ema": 0.9},
        "lora": {"lora": {"rank": 2, "dropout": 0.3}, "chunk": 3},
        "scratch": {"model": None, "from_scratch": fresh},
    }[kind]
    recipe = make_clip_recipe(**changes, threads=2, steps=60, checkpoint_every=3, sample_every=60)
    train(recipe, tmp_path / "whole", base=root)
    path = root / f"{kind}.yaml"
    path.write_text(yaml.safe_dump(recipe.model_dump(mode="json", by_alias=True, exclude_unset=True)))
    command = [sys.executable, "-m", "earthloom", "train", str(path), "-o", str(tmp_path / "killed")]
    with subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"}) as child:
        wait_for_checkpoint(tmp_path / "killed", 3, child)
        child.kill()
    assert child.returncode == -signal.SIGKILL
    summary = train(recipe, tmp_path / "killed", base=root)
    assert 3 <= summary.resumed_from < 60
    assert read_all(tmp_path / "killed") == read_all(tmp_path / "whole")


def test_two_processes_learn_from_each_others_pictures(root: Path) -> None:
    script = Path(__file__).with_name("clip_folders.py")
    paths = os.pathsep.join([str(script.parent), str(script.parent.parent)])
    place = os.environ | {"PYTHONPATH": os.pathsep.join([paths, os.environ.get("PYTHONPATH", "")])}
    children = [
        subprocess.Popen([sys.executable, script, root, str(rank)], env=place | {"OMP_NUM_THREADS": "1"})
        for rank in range(2)
    ]
    try:
        assert [child.wait(120) for child in children] == [0, 0]
    finally:
        for child in children:
            child.kill()
            child.wait()
    recipe = make_clip_recipe(texts=2)
    wanted, loss = take_gradients(root, recipe, draw_batch(root, recipe))
    for rank in range(2):
        found = load_file(root / f"gradients-{rank}.safetensors")
        assert float(found.pop("loss")) == pytest.approx(loss, abs=1e-6)
        assert found.keys() == wanted.keys()
        for name, gradient in wanted.items():
            torch.testing.assert_close(found[name], gradient, rtol=1e-4, atol=1e-6, msg=name)
