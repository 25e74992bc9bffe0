"""Training a ControlNet over a tiny Stable Diffusion: pairs, loss, parity, files, kills."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

torch = pytest.importorskip("torch")
diffusers = pytest.importorskip("diffusers")

from pair_release import paint_ground, write_pair_release  # noqa: E402
from pydantic import ValidationError  # noqa: E402
from tiny_models.stable import write_tiny_stable  # noqa: E402

from earthloom.core.errors import UsageError  # noqa: E402
from earthloom.models.generators.briefs import Brief  # noqa: E402
from earthloom.models.generators.opening import open_generator  # noqa: E402
from earthloom.models.stable.exports import read_export  # noqa: E402
from earthloom.store.layout import TrainingFolder  # noqa: E402
from earthloom.train.checkpoints import list_checkpoints  # noqa: E402
from earthloom.train.controlnet.config import ControlNetRecipe  # noqa: E402
from earthloom.train.controlnet.making import make_controlnet  # noqa: E402
from earthloom.train.step import Made, Setting, Share  # noqa: E402
from earthloom.train.training import train  # noqa: E402

SIDE = 64


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a release and three models."""
    root = tmp_path_factory.mktemp("control")
    write_pair_release(root / "release", side=SIDE)
    write_tiny_stable(root / "sd")
    write_tiny_stable(root / "sd-v", prediction="v_prediction")
    write_tiny_stable(root / "sd-xl", xl=True)
    return root


def say_recipe(**changes: Any) -> dict[str, Any]:
    plain = {
        "train": "controlnet",
        "name": "rgb to nir",
        "model": "sd",
        "from": {"release": "release", "split": ["train"]},
        "to": {"release": "release", "split": ["train"], "modality": "nir"},
        "size": SIDE,
        "batch": 2,
        "steps": 8,
        "rate": 1e-3,
        "checkpoint_every": 2,
        "sample_every": 8,
        "validate_every": 4,
        "sample_steps": 2,
        "device": "cpu",
        "threads": 1,
    }
    return plain | changes


def make_recipe(**changes: Any) -> ControlNetRecipe:
    return ControlNetRecipe.model_validate(say_recipe(**changes))


def make(base: Path, **changes: Any) -> Made:
    setting = Setting(
        base=base,
        device=torch.device("cpu"),
        dtype=torch.float32,
        share=Share(),
        folder=base / "out",
        say=lambda text: None,
    )
    torch.manual_seed(0)
    return make_controlnet(make_recipe(**changes), setting)


def stir(network: torch.nn.Module) -> None:
    """Let the zeros be none, as after some steps."""
    with torch.no_grad():
        for parameter in network.parameters():
            if not parameter.any():
                parameter.normal_(std=0.05)


@pytest.mark.parametrize("crop", ["random", "centre"])
def test_both_pictures_of_a_pair_are_cut_and_turned_alike(base: Path, crop: str) -> None:
    made = make(base, size=SIDE, scale=False, crop=crop, batch=4)
    seen = set()
    for number in range(1, 5):
        batch = made.batches.draw(number)
        condition, pixels = batch["condition"].numpy(), batch["pixels"].numpy()
        assert condition.shape == pixels.shape == (4, SIDE, SIDE, 3)
        assert condition.dtype == pixels.dtype == np.uint8
        np.testing.assert_array_equal(pixels, np.repeat(255 - condition[..., 1:2], 3, axis=3))
        seen |= {each.tobytes() for each in condition}
    assert len(seen) > 6, "six grounds, turned in eight ways"
    grounds = {paint_ground(number, SIDE).tobytes() for number in range(6)}
    shown = made.batches.show()["condition"].numpy()
    assert {each.tobytes() for each in shown} < grounds, "what is shown is cut in the middle and not turned"


@pytest.mark.parametrize(
    ("before", "after"), [("rgb", "sar"), ("sar", "rgb"), ("rgb", "nir"), ("nir", "rgb")]
)
def test_any_direction_learns_and_draws(base: Path, before: str, after: str) -> None:
    made = make(
        base,
        **{
            "from": {"release": "release", "split": ["train"], "modality": before},
            "to": {"release": "release", "split": ["train"], "modality": after},
        },
    )
    batch = made.batches.draw(1)
    n_channels = 3 if before == "rgb" else 1
    assert batch["condition"].shape == (2, SIDE, SIDE, n_channels)
    assert made.step.modules()["controlnet"].config.conditioning_channels == n_channels
    losses = made.step.learn(batch, 1, lambda name, loss: loss.backward())
    assert losses["controlnet"].isfinite()
    with torch.no_grad():
        shown = made.step.sample(made.batches.show())
    assert shown.shape == (4 * 3, 3, SIDE, SIDE)
    true = shown[2::3]
    assert (true[:, 0] == true[:, 1]).all() == (after != "rgb")
    drawn = shown[1::3]
    assert (drawn[:, 0] == drawn[:, 1]).all() == (after != "rgb")


def test_two_modalities_make_one_condition(base: Path) -> None:
    made = make(
        base,
        also={"release": "release", "split": ["train"], "modality": "nir"},
        to={"release": "release", "split": ["train"], "modality": "sar"},
        batch=5,
    )
    batch = made.batches.draw(1)
    condition = batch["condition"].numpy()
    assert condition.shape == (5, SIDE, SIDE, 4)
    np.testing.assert_array_equal(condition[..., 3], 255 - condition[..., 1])
    np.testing.assert_array_equal(batch["pixels"].numpy()[..., 0], condition[..., 0] // 2)
    assert made.batches.counts == {"from": 5}, "one ground has no radar picture"
    assert made.step.modules()["controlnet"].config.conditioning_channels == 4


def test_a_pair_without_its_third_picture_is_set_aside(base: Path) -> None:
    made = make(base, also={"release": "release", "split": ["train"], "modality": "sar"}, batch=6)
    batch = made.batches.draw(1)
    assert len(batch["condition"]) == 6
    assert list(made.batches.refused) == ["from"]
    ((_, why),) = made.batches.refused["from"].items()
    assert "has no partner in sar" in why


@pytest.mark.parametrize("model", ["sd", "sd-v"])
@pytest.mark.parametrize("min_snr", [None, 5.0])
def test_loss_and_gradients_are_those_of_a_straight_loop_on_diffusers(
    base: Path, model: str, min_snr: float | None
) -> None:
    """By DDPMScheduler, UNet and ControlNetModel alone, as diffusers' train_controlnet does it."""
    made = make(base, model=model, min_snr=min_snr, caption_drop=0.0, turn=False)
    step, batch = made.step, made.batches.draw(1)
    network = step.modules()["controlnet"]
    stir(network)
    torch.manual_seed(7)
    got = step.learn(batch, 1, lambda name, loss: loss.backward())["controlnet"]
    gradients = {name: parameter.grad.clone() for name, parameter in network.named_parameters()}
    network.zero_grad()

    pipeline = diffusers.StableDiffusionPipeline.from_pretrained(base / model, safety_checker=None)
    scheduler = diffusers.DDPMScheduler.from_config(pipeline.scheduler.config)
    torch.manual_seed(7)
    pixels = batch["pixels"].permute(0, 3, 1, 2).float() / 127.5 - 1
    with torch.no_grad():
        latents = pipeline.vae.encode(pixels).latent_dist.sample() * pipeline.vae.config.scaling_factor
        states = pipeline.text_encoder(batch["ids"][:, 0])[0]
    noise = torch.randn(latents.shape)  # randn_like would fill another memory format in another order
    t = torch.randint(0, scheduler.config.num_train_timesteps, (2,))
    noisy = scheduler.add_noise(latents, noise, t)
    condition = batch["condition"].permute(0, 3, 1, 2).float() / 255
    down, middle = network(noisy, t, states, controlnet_cond=condition, return_dict=False)
    predicted = pipeline.unet(
        noisy, t, states, down_block_additional_residuals=down, mid_block_additional_residual=middle
    ).sample
    is_v = model == "sd-v"
    wanted = scheduler.get_velocity(latents, noise, t) if is_v else noise
    errors = torch.nn.functional.mse_loss(predicted, wanted, reduction="none").mean((1, 2, 3))
    if min_snr is not None:
        share = scheduler.alphas_cumprod[t]
        snr = share / (1 - share)
        errors = errors * snr.clamp(max=min_snr) / (snr + 1 if is_v else snr)
    loss = errors.mean()
    loss.backward()
    torch.testing.assert_close(got, loss.detach(), rtol=0, atol=1e-6)
    for name, parameter in network.named_parameters():
        torch.testing.assert_close(gradients[name], parameter.grad, rtol=1e-4, atol=1e-6)


def test_the_first_step_moves_the_zeros_alone(base: Path) -> None:
    made = make(base, weight_decay=0.0)
    network = made.step.modules()["controlnet"]
    before = {name: parameter.detach().clone() for name, parameter in network.named_parameters()}
    optimizer = made.step.optimizers()["controlnet"]

    def update(name: str, loss: torch.Tensor) -> None:
        loss.backward()
        optimizer.step()

    made.step.learn(made.batches.draw(1), 1, update)
    moved = {
        name for name, parameter in network.named_parameters() if not torch.equal(parameter, before[name])
    }
    assert moved == {
        name for name in before if name.startswith(("controlnet_down_blocks.", "controlnet_mid_block."))
    }


def test_words_and_conditions_are_dropped_as_often_as_asked(base: Path) -> None:
    """With all of them dropped, neither words nor pictures reach the loss."""
    made = make(base, caption_drop=1.0, condition_drop=1.0)
    stir(made.step.modules()["controlnet"])
    batch = dict(made.batches.draw(1))

    def learn() -> float:
        torch.manual_seed(1)
        return float(made.step.learn(batch, 1, lambda name, loss: None)["controlnet"])

    first = learn()
    batch["condition"] = 255 - batch["condition"]
    batch["ids"] = batch["ids"].flip(2)
    assert learn() == first
    batch["pixels"] = 255 - batch["pixels"]
    assert learn() != first


def test_the_loss_falls(base: Path, tmp_path: Path) -> None:
    """On pairs that it learns from; a UNet of random weights leaves much to improve."""
    made = make(base, rate=3e-3, batch=6, turn=False, caption_drop=0.0)
    network, optimizer = made.step.modules()["controlnet"], made.step.optimizers()["controlnet"]
    batch = made.batches.draw(1)

    def update(name: str, loss: torch.Tensor) -> None:
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    def measure() -> float:
        torch.manual_seed(5)
        with torch.no_grad():
            return float(torch.stack([made.step.measure(batch)["controlnet"] for _ in range(4)]).mean())

    before = measure()
    for number in range(1, 21):
        torch.manual_seed(number)
        made.step.learn(batch, number, update)
    after = measure()
    assert after < 0.9 * before
    assert all(bool(parameter.isfinite().all()) for parameter in network.parameters())


def test_a_whole_training_is_used_by_plain_diffusers_and_by_generate(base: Path, tmp_path: Path) -> None:
    summary = train(make_recipe(validate="val", held=2), tmp_path, base=base)
    assert summary.n_samples == {"from": 6}
    assert set(summary.losses) == {"controlnet"}
    assert set(summary.held) == {"controlnet"}
    assert summary.origins[0]["name"] == "sd"
    weights = TrainingFolder(tmp_path).weights
    assert {path.name for path in weights.iterdir()} == {
        "config.json",
        "diffusion_pytorch_model.safetensors",
        "earthloom.json",
    }
    export = read_export(weights)
    assert export is not None
    assert (export.kind, export.modality, export.model) == ("controlnet", "nir", str((base / "sd").resolve()))
    network = diffusers.ControlNetModel.from_pretrained(weights)
    assert any(bool(parameter.any()) for parameter in network.controlnet_down_blocks.parameters())
    pipeline = diffusers.StableDiffusionControlNetPipeline.from_pretrained(
        base / "sd", controlnet=network, safety_checker=None, requires_safety_checker=False
    )
    pipeline.set_progress_bar_config(disable=True)
    drawn = pipeline("a river", image=torch.rand(1, 3, SIDE, SIDE), num_inference_steps=2, output_type="np")
    assert drawn.images.shape == (1, SIDE, SIDE, 3)
    brief = Brief(key="a", prompt="a river", seed=1, width=SIDE, height=SIDE, control=paint_ground(0, SIDE))
    (found,) = open_generator(str(tmp_path), device="cpu").draw([brief], steps=2, guidance=1.0)
    assert found.picture.shape == (SIDE, SIDE, 1), "near infrared has one channel"


SCRIPT = """
import sys
from pathlib import Path
import yaml
from earthloom.train.controlnet.config import ControlNetRecipe
from earthloom.train.training import train
base = Path(sys.argv[1])
recipe = ControlNetRecipe.model_validate(yaml.safe_load((base / "recipe.yaml").read_text()))
train(recipe, sys.argv[2], base=base)
"""


@pytest.mark.slow
def test_killed_and_taken_up_again_it_ends_with_the_same_bits(base: Path, tmp_path: Path) -> None:
    settings = say_recipe(
        steps=8, checkpoint_every=1, sample_every=100, ema=0.9, condition_drop=0.2, accumulate=2
    )
    whole = train(ControlNetRecipe.model_validate(settings), tmp_path / "whole", base=base)
    (base / "recipe.yaml").write_text(yaml.safe_dump(settings))
    folder = tmp_path / "killed"
    with subprocess.Popen([sys.executable, "-c", SCRIPT, base, folder], env=dict(os.environ)) as child:
        wait_for(lambda: len(list_checkpoints(TrainingFolder(folder))) >= 2, child)
        child.kill()
    assert child.returncode == -signal.SIGKILL
    again = train(ControlNetRecipe.model_validate(settings), folder, base=base)
    assert 0 < again.resumed_from < 6
    for path in whole.weights:
        assert (TrainingFolder(folder).weights / path.name).read_bytes() == path.read_bytes()
    losses = [(tmp_path / name / "losses.jsonl").read_bytes() for name in ("whole", "killed")]
    assert losses[0] == losses[1]


def wait_for(is_there: Callable[[], bool], child: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert child.poll() is None, "training ended by itself"
        if is_there():
            return
        time.sleep(0.01)
    raise AssertionError("no checkpoint")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"to": {"release": "release", "split": ["train"]}}, "want different modalities, got rgb, rgb"),
        ({"from": {"folder": "pictures"}}, "want `release`"),
        ({"validate": "val", "from": {"release": "release"}}, r"say `split: \[train\]`"),
        ({"size": 100}, "multiple of 64"),
    ],
)
def test_a_recipe_that_makes_no_sense_says_so(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        make_recipe(**changes)


def test_missing_models_and_pairs_are_told_before_anything_is_done(base: Path) -> None:
    with pytest.raises(UsageError, match="hf download"):
        make(base, model="nobody/no-such-model")
    made = make(base, to={"release": "release", "split": ["val"], "modality": "nir"})
    with pytest.raises(UsageError, match="show one ground"):
        made.batches.draw(1)


def test_xl_is_told_sizes_and_the_whole_text(base: Path) -> None:
    made = make(base, model="sd-xl")
    losses = made.step.learn(made.batches.draw(1), 1, lambda name, loss: loss.backward())
    assert losses["controlnet"].isfinite()
    network = made.step.modules()["controlnet"]
    assert network.controlnet_mid_block.weight.grad.any()
