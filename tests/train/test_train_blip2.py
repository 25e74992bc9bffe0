"""Captioning on tiny models of the published classes, against transformers' and peft's own way."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from captioning_folders import SMALL, make_pictures, make_recipe
from fakes.tiny_captioners import OTHER_SCENES, SCENES, make_blip2, paint

from earthloom.core.errors import RunError, UsageError
from earthloom.models.captioners.loading import open_captioner
from earthloom.store.layout import TrainingFolder
from earthloom.train.blip2.making import make_blip2 as make_training
from earthloom.train.checkpoints import list_checkpoints
from earthloom.train.logs import read_log
from earthloom.train.training import train

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
peft = pytest.importorskip("peft")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a BLIP-2 and pictures with captions that it was not taught."""
    root = tmp_path_factory.mktemp("captioning")
    make_blip2(root / "model")
    make_pictures(root / "pictures")
    return root


@pytest.fixture(scope="module")
def trained(base: Path) -> Path:
    """A training long enough to learn them."""
    folder = base.parent / "trained"
    recipe = make_recipe(
        steps=120, sample_every=60, merge=True, ema=0.9, validate={"folder": "pictures"}, validate_every=40
    )
    train(recipe, folder, base=base, make=make_training)
    return folder


def pictures() -> list[np.ndarray]:
    return [paint(colour, side=48, seed=9) for colour in SCENES]


def say(model: Path, adapter: Path | None = None) -> list[str]:
    captioner = open_captioner(str(model), adapter=None if adapter is None else str(adapter))
    return [spoken.text for spoken in captioner.describe(pictures())]


def test_the_loss_falls_and_other_captions_are_learnt(base: Path, trained: Path) -> None:
    rows = read_log(trained / "losses.jsonl")
    losses = [row["losses"]["caption"] for row in rows if "losses" in row]
    assert np.mean(losses[-10:]) < 0.05 < 0.5 < losses[0]
    held = [row["held"]["caption"] for row in rows if "held" in row]
    assert len(held) == 3
    assert held[-1] < 0.05
    assert say(base / "model") == list(SCENES.values())
    assert say(base / "model", trained / "weights") == list(OTHER_SCENES.values())


@pytest.mark.filterwarnings(
    "ignore:`is_gradient_checkpointing`:FutureWarning"
)  # plain peft asks by that name
def test_what_was_trained_loads_without_us(base: Path, trained: Path) -> None:
    """By plain peft over plain transformers, and merged by plain transformers: logits are equal."""
    folder, seen = trained / "weights", prepare(base / "model")
    kind = transformers.Blip2ForConditionalGeneration
    plain = kind.from_pretrained(base / "model").eval()
    with torch.no_grad():
        before = plain(**seen).logits
        ours = open_captioner(str(base / "model"), adapter=str(folder)).network(**seen).logits
        theirs = peft.PeftModel.from_pretrained(plain, folder).eval()(**seen).logits
        merged = kind.from_pretrained(folder / "merged").eval()(**seen).logits
    torch.testing.assert_close(theirs, ours, atol=2e-4, rtol=0)
    torch.testing.assert_close(merged, ours, atol=2e-4, rtol=0)
    assert float((ours - before).abs().max()) > 1
    for place in (folder, folder / "merged"):
        assert transformers.AutoTokenizer.from_pretrained(place)("dry fields")["input_ids"]
        assert transformers.BlipImageProcessorPil.from_pretrained(place).size["height"] == 32


def prepare(model: Path) -> dict[str, Any]:
    images = transformers.BlipImageProcessorPil.from_pretrained(model)
    tokenizer = transformers.AutoTokenizer.from_pretrained(model)
    tokens = tokenizer("<image><image><s>open water", add_special_tokens=False)["input_ids"]
    return {
        "pixel_values": images(pictures(), return_tensors="pt")["pixel_values"],
        "input_ids": torch.tensor([[4, 4, 0, *tokens[-2:]]] * len(SCENES)),
    }


def test_the_export_says_what_it_stands_on(base: Path, trained: Path) -> None:
    folder = trained / "weights"
    assert sorted(path.name for path in folder.iterdir()) == [
        "adapter_config.json", "adapter_model.safetensors", "earthloom.json", "merged",
        *sorted(path.name for path in (base / "model").iterdir() if "config.json" in path.name or "tok" in path.name
                if path.name not in {"config.json", "generation_config.json"}),
    ]  # fmt: skip
    about = json.loads((folder / "earthloom.json").read_text())
    assert about["base"]["name"] == "model"
    assert len(about["base"]["fingerprint"]) == 16
    assert about["base"] == json.loads((trained / "run.json").read_text())["origins"][0]
    config = json.loads((folder / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "model"
    assert (config["r"], config["lora_alpha"], config["inference_mode"]) == (8, 16, True)


def test_samples_show_pictures_with_their_words(trained: Path) -> None:
    sheet = cv2.imread(str(TrainingFolder(trained).sample(120)))
    assert sheet.shape == (4 * (224 + 4) + 4, 784 + 8, 3)
    colours = {tuple(int(v) for v in sheet[4 + 228 * row + 112, 100][::-1]) for row in range(4)}
    for colour in colours:
        assert min(np.abs(np.subtract(colour, scene)).max() for scene in SCENES) < 12
    words = sheet[:, 240:] < 160
    assert all(words[228 * row : 228 * (row + 1)].sum() > 500 for row in range(4))
    earlier = cv2.imread(str(TrainingFolder(trained).sample(60)))
    assert earlier.shape == sheet.shape


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
def test_a_whole_qformer_is_read_back(base: Path, tmp_path: Path) -> None:
    """Its weights lie beside LoRA in peft's file: they say the same here, in plain peft, and merged."""
    recipe = make_recipe(steps=3, qformer="full", merge=True, rate=5e-3, gradient_checkpointing=True)
    train(recipe, tmp_path / "out", base=base)
    folder, seen = tmp_path / "out" / "weights", prepare(base / "model")
    kind = transformers.Blip2ForConditionalGeneration
    with torch.no_grad():
        ours = open_captioner(str(base / "model"), adapter=str(folder)).network(**seen).logits
        plain = kind.from_pretrained(base / "model").eval()
        before = plain.qformer(
            query_embeds=torch.ones(1, 2, 32), encoder_hidden_states=torch.ones(1, 5, 32)
        ).last_hidden_state
        adapted = peft.PeftModel.from_pretrained(plain, folder).eval()
        after = adapted.base_model.model.qformer(
            query_embeds=torch.ones(1, 2, 32), encoder_hidden_states=torch.ones(1, 5, 32)
        ).last_hidden_state
        torch.testing.assert_close(adapted(**seen).logits, ours, atol=2e-4, rtol=0)
        merged = kind.from_pretrained(folder / "merged").eval()
        torch.testing.assert_close(merged(**seen).logits, ours, atol=2e-4, rtol=0)
    assert float((after - before).abs().max()) > 1e-3


def test_weights_that_are_missing_are_told_with_what_to_get(base: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"hf download nobody/blip2-nothing .*--local-dir FOLDER"):
        train(make_recipe(model="nobody/blip2-nothing"), tmp_path, base=base)


def test_pictures_without_captions_are_told(base: Path, tmp_path: Path) -> None:
    make_pictures(tmp_path / "bare", n=1)
    for path in (tmp_path / "bare").glob("*.txt"):
        path.unlink()
    recipe = make_recipe(model=str(base / "model"), data={"folder": "bare"})
    with pytest.raises(RunError, match="no_caption"):
        train(recipe, tmp_path / "out", base=tmp_path)


def read_all(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in {"run.json", ".training.lock", "recipe.yaml"}
    }


@pytest.mark.slow
def test_killed_and_gone_on_with_it_ends_with_the_same_bytes(base: Path, tmp_path: Path) -> None:
    """Dropout, the Q-Former as a whole, a moving average, two micro-batches: all come back bit by bit."""
    changes = {
        "dropout": 0.1,
        "qformer": "full",
        "ema": 0.9,
        "accumulate": 2,
        "batch": 3,
        "checkpoint_every": 1,
    }
    settings = SMALL | changes
    recipe = base / "killed.yaml"
    recipe.write_text(yaml.safe_dump(settings))
    killed = tmp_path / "killed"
    script = Path(__file__).with_name("captioning_folders.py")
    drawn = random.Random(5)
    with subprocess.Popen(
        [sys.executable, script, recipe, killed], env=os.environ | {"SLOW_STEPS": "0.05"}
    ) as child:
        deadline = time.monotonic() + 120
        while len(list_checkpoints(TrainingFolder(killed))) < 2:
            assert child.poll() is None, "training ended by itself"
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(drawn.uniform(0, 0.2))
        child.kill()
    assert child.returncode == -signal.SIGKILL
    resumed = train(make_recipe(**changes), killed, base=base, make=make_training)
    assert 2 <= resumed.resumed_from < 12
    train(make_recipe(**changes), tmp_path / "whole", base=base)
    found, wanted = read_all(killed), read_all(tmp_path / "whole")
    assert set(found) == set(wanted)
    assert [name for name in wanted if found[name] != wanted[name]] == []
    assert "weights/adapter_model.safetensors" in wanted
