"""Training a LoRA over a tiny Stable Diffusion: loss, files for others, kills, precisions, messages."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
diffusers = pytest.importorskip("diffusers")

from lora_releases import SIDE, make_recipe, write_release  # noqa: E402
from tiny_models.stable import write_tiny_stable  # noqa: E402

from earthloom.core.errors import UsageError  # noqa: E402
from earthloom.models.stable.drawing import draw_latent_noise, draw_pictures, tell_texts  # noqa: E402
from earthloom.models.stable.exports import read_export  # noqa: E402
from earthloom.models.stable.lora import lay_lora  # noqa: E402
from earthloom.models.stable.lora_files import read_lora  # noqa: E402
from earthloom.models.stable.metadata import PictureFacts, load_metadata_tokens, scale_facts  # noqa: E402
from earthloom.models.stable.parts import open_stable  # noqa: E402
from earthloom.store.layout import TrainingFolder  # noqa: E402
from earthloom.train.checkpoints import list_checkpoints  # noqa: E402
from earthloom.train.logs import read_log  # noqa: E402
from earthloom.train.lora.making import make_lora  # noqa: E402
from earthloom.train.step import Made, Setting, Share  # noqa: E402
from earthloom.train.training import train  # noqa: E402

PROMPT = "a satellite image of water"
STRONG = {"targets": "all-linear", "rank": 8, "rate": 0.02, "steps": 6}
"""What changes pictures in a few steps."""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a release and three models."""
    root = tmp_path_factory.mktemp("lora")
    write_release(root)
    write_tiny_stable(root / "model")
    write_tiny_stable(root / "xl", xl=True)
    return root


def make(base: Path, folder: Path, dtype: Any = torch.float32, **changes: Any) -> Made:
    setting = Setting(
        base=base,
        device=torch.device("cpu"),
        dtype=dtype,
        share=Share(),
        folder=folder,
        say=lambda line: None,
    )
    torch.manual_seed(0)
    return make_lora(make_recipe(**changes), setting)


def learn(made: Made, dtype: Any = torch.float32) -> tuple[float, dict[str, Any]]:
    """Loss and gradients of the first batch, in a precision as the loop has it."""
    kept: dict[str, Any] = {}
    parameters = {
        f"{name}/{key}": p
        for name, network in made.step.modules().items()
        for key, p in network.named_parameters()
        if p.requires_grad
    }

    def update(name: str, loss: Any) -> None:
        with torch.autocast("cpu", enabled=False):
            loss.backward()
        kept.update({name: p.grad.clone() for name, p in parameters.items() if p.grad is not None})

    batch = made.batches.draw(1)
    torch.manual_seed(3)
    with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
        losses = made.step.learn(batch, 1, update)
    return float(losses["lora"]), kept


def flatten(gradients: dict[str, Any]) -> Any:
    return torch.cat([gradients[name].float().flatten() for name in sorted(gradients)])


@pytest.fixture(scope="module")
def strong(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short training at a high rate."""
    folder = tmp_path_factory.mktemp("strong") / "out"
    train(make_recipe(**STRONG, text_encoder=True, ema=None, alpha=4), folder, base=base)
    return folder


def test_loss_falls(base: Path, tmp_path: Path) -> None:
    changes = {"targets": "all-linear", "rate": 0.01, "validate_every": 1, "ema": None, "sample_steps": 0}
    summary = train(make_recipe(steps=20, **changes), tmp_path, base=base)
    held = [row["held"]["lora"] for row in read_log(TrainingFolder(tmp_path).losses) if "held" in row]
    assert len(held) == 20
    assert held[-1] < 0.9 * held[0]
    assert summary.n_samples == {"data": 12}
    assert not list(TrainingFolder(tmp_path).samples.glob("*"))


def draw(folder: Path, weights: Path | None) -> Any:
    """A picture by our own code, with a LoRA or without."""
    stable = open_stable(str(folder))
    if weights is not None:
        networks = {"unet": stable.unet, "text_encoder": stable.text_encoders[0]}
        for name, factors in read_lora(weights, networks).items():
            lay_lora(networks[name], factors)
    told, without = (tell_texts(stable, [text], SIDE, SIDE) for text in (PROMPT, ""))
    noise = draw_latent_noise(stable, [1], SIDE, SIDE)
    return draw_pictures(stable, noise, told, without, steps=3, guidance=3.0)[0]


def draw_plainly(folder: Path, weights: Path | None) -> Any:
    """The same by diffusers alone."""
    pipeline = diffusers.StableDiffusionPipeline.from_pretrained(
        folder, local_files_only=True, safety_checker=None
    )
    pipeline.set_progress_bar_config(disable=True)
    pipeline.scheduler = diffusers.DPMSolverMultistepScheduler.from_config(
        pipeline.scheduler.config, timestep_spacing="trailing", final_sigmas_type="zero"
    )
    if weights is not None:
        pipeline.load_lora_weights(str(weights.parent), weight_name=weights.name, local_files_only=True)
    shown = pipeline(
        PROMPT,
        height=SIDE,
        width=SIDE,
        num_inference_steps=3,
        guidance_scale=3.0,
        generator=torch.Generator().manual_seed(1),
        output_type="pt",
    ).images[0]
    return shown * 2 - 1


@pytest.mark.parametrize("name", ["pytorch_lora_weights.safetensors", "lora_kohya.safetensors"])
@pytest.mark.filterwarnings("ignore")  # of diffusers' own
def test_plain_diffusers_draws_with_it_what_we_draw(base: Path, strong: Path, name: str) -> None:
    weights = TrainingFolder(strong).weights / name
    ours, without = draw(base / "model", weights), draw(base / "model", None)
    assert (ours - without).abs().mean() > 0.05, "the LoRA changes the picture"
    torch.testing.assert_close(draw_plainly(base / "model", weights), ours, rtol=0, atol=2e-3)


def test_export_says_what_it_is_for(base: Path, strong: Path) -> None:
    export = read_export(TrainingFolder(strong).weights)
    assert export is not None
    assert (export.kind, export.model, export.size) == ("lora", str(base / "model"), SIDE)
    assert (export.metadata, export.modality) == ("none", "rgb")
    assert export.training["steps"] == STRONG["steps"]
    assert (export.training["rank"], export.training["alpha"]) == (8, 4.0)
    told = json.loads(TrainingFolder(strong).run.read_text())
    assert told["origins"] == [
        {"name": "model", "revision": None, "licence": None, "fingerprint": export.base.fingerprint}
    ]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_metadata_tokens_work_in_plain_diffusers(base: Path, tmp_path: Path) -> None:
    train(make_recipe(metadata="both", **STRONG), tmp_path, base=base)
    weights = TrainingFolder(tmp_path).weights
    tokens = load_metadata_tokens(weights / "metadata_tokens.safetensors")
    pipeline = diffusers.StableDiffusionPipeline.from_pretrained(
        base / "model", local_files_only=True, safety_checker=None
    )
    pipeline.set_progress_bar_config(disable=True)
    pipeline.load_lora_weights(str(weights), local_files_only=True)
    drawn = []
    for facts in (PictureFacts(), PictureFacts(gsd_m=10.0, lon=12.0, lat=45.0)):
        values, known = (torch.from_numpy(part)[None] for part in scale_facts(facts))
        told, nothing = pipeline.encode_prompt(PROMPT, "cpu", 1, True)  # noqa: FBT003  (diffusers' own order)
        more = tokens(values, known)
        drawn.append(
            pipeline(
                prompt_embeds=torch.cat([told, more], 1),
                negative_prompt_embeds=torch.cat([nothing, more], 1),
                num_inference_steps=2,
                height=SIDE,
                width=SIDE,
                generator=torch.Generator().manual_seed(1),
                output_type="np",
            ).images[0]
        )
    assert np.isfinite(drawn).all()
    assert np.abs(drawn[0] - drawn[1]).mean() > 1e-4


def test_metadata_and_text_encoder_are_trained(base: Path, tmp_path: Path) -> None:
    made = make(base, tmp_path, metadata="embeddings", text_encoder=True, model="xl", cache="none")
    assert set(made.step.modules()) == {"unet", "text_encoder", "text_encoder_2", "metadata_tokens"}
    for p in made.step.modules()["unet"].parameters():
        p.data.add_(0.01 if p.requires_grad else 0.0)  # else `down` gets no gradient
    _, gradients = learn(made)
    reached = {name.partition("/")[0] for name, gradient in gradients.items() if gradient.abs().max() > 0}
    assert reached == set(made.step.modules())


def test_xl_trains_and_shows_pictures(base: Path, tmp_path: Path) -> None:
    changes = {"model": "xl", "prompts": ["green forest", "a road"], "cache": "latents+texts", "steps": 3}
    summary = train(make_recipe(**changes, metadata="embeddings"), tmp_path, base=base)
    assert {path.name for path in summary.weights} == {
        "earthloom.json",
        "lora_kohya.safetensors",
        "metadata_tokens.safetensors",
        "pytorch_lora_weights.safetensors",
    }
    assert np.isfinite(summary.held["lora"])


@pytest.mark.parametrize("prompts", [pytest.param((), marks=pytest.mark.slow), ("green forest",)])
def test_samples_are_rows_of_a_picture_and_what_is_drawn_of_its_words(
    base: Path, tmp_path: Path, prompts: tuple[str, ...]
) -> None:
    made = make(base, tmp_path, prompts=prompts, cache="none")
    batch = made.batches.show()
    shown = made.step.sample(batch)
    n_columns = 2 + bool(prompts)
    assert shown.shape == (4 * n_columns, 3, SIDE, SIDE)
    assert shown.abs().max() <= 1
    again = made.step.sample(batch)
    assert torch.equal(shown, again), "from the same noise every time"


def test_16_bits_learn_nearly_the_same(base: Path, tmp_path: Path) -> None:
    exact_loss, exact = learn(make(base, tmp_path, cache="none"))
    made = make(base, tmp_path, torch.bfloat16, cache="none")
    unet = made.step.modules()["unet"]
    kinds = {p.dtype for p in unet.parameters() if p.requires_grad}
    assert kinds == {torch.float32}
    assert unet.conv_in.weight.dtype == torch.bfloat16
    loss, rounded = learn(made, torch.bfloat16)
    assert loss == pytest.approx(exact_loss, rel=0.02)
    assert {gradient.dtype for gradient in rounded.values()} == {torch.float32}
    similarity = torch.cosine_similarity(flatten(exact), flatten(rounded), dim=0)
    assert similarity > 0.98


@pytest.mark.slow
@pytest.mark.parametrize("cache", ["none", "latents+texts"])
def test_16_bits_draw_samples(base: Path, tmp_path: Path, cache: str) -> None:
    """Under autocast, as the loop has it; one autoencoder that is kept in float32 stays there."""
    for model, changes in (("model", {"metadata": "embeddings"}), ("xl", {"prompts": ["green forest"]})):
        made = make(base, tmp_path, torch.float16, cache=cache, model=model, **changes)
        with torch.no_grad(), torch.autocast("cpu", torch.float16):
            shown = made.step.sample(made.batches.show())
        assert torch.isfinite(shown).all()
        assert shown.std() > 0.05


@pytest.mark.parametrize("dtype", [torch.float32, pytest.param(torch.bfloat16, marks=pytest.mark.slow)])
def test_gradient_checkpointing_changes_memory_alone(base: Path, tmp_path: Path, dtype: Any) -> None:
    plain_loss, plain = learn(make(base, tmp_path, dtype, cache="none"), dtype)
    loss, gradients = learn(make(base, tmp_path, dtype, cache="none", gradient_checkpointing=True), dtype)
    exact = dtype == torch.float32
    assert loss == pytest.approx(plain_loss, rel=1e-6 if exact else 0.02)
    similarity = torch.cosine_similarity(flatten(plain), flatten(gradients), dim=0)
    assert similarity > (1 - 1e-6 if exact else 0.98)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of torch's and diffusers' own while it is traced
def test_compiled_it_learns_the_same(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain_loss, plain = learn(make(base, tmp_path, torch.bfloat16, cache="none"), torch.bfloat16)
    compile_ = torch.compile
    monkeypatch.setattr(torch, "compile", lambda function: compile_(function, backend="aot_eager"))
    made = make(base, tmp_path, torch.bfloat16, cache="none", compile=True)
    loss, gradients = learn(made, torch.bfloat16)
    assert loss == pytest.approx(plain_loss, rel=0.02)
    assert torch.cosine_similarity(flatten(plain), flatten(gradients), dim=0) > 0.98


def read_all(folder: Path) -> dict[str, bytes]:
    """Everything that a training leaves, but for what tells the time it took."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in {"run.json", ".training.lock"}
    }


@pytest.mark.slow
@pytest.mark.parametrize("cache", ["latents+texts", "none"])
def test_killed_for_good_it_ends_with_the_same_bytes(base: Path, tmp_path: Path, cache: str) -> None:
    changes = {"cache": cache, "metadata": "both", "steps": 12, "checkpoint_every": 1, "sample_every": 6}
    train(make_recipe(**changes), tmp_path / "undisturbed", base=base)
    folder = TrainingFolder(tmp_path / "killed")
    script = Path(__file__).with_name("lora_releases.py")
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, script, base, folder.root, json.dumps(changes)], env=environment
    ) as child:
        deadline = time.monotonic() + 120
        while not list_checkpoints(folder):
            assert child.poll() is None, "training ended by itself"
            assert time.monotonic() < deadline
            time.sleep(0.005)
        child.kill()
    assert child.returncode == -signal.SIGKILL
    summary = train(make_recipe(**changes), folder.root, base=base)
    assert 0 < summary.resumed_from < 12
    killed, undisturbed = read_all(folder.root), read_all(tmp_path / "undisturbed")
    assert killed == undisturbed


def test_missing_weights_are_told_of(base: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"hf download stable-diffusion-v1-5/stable-diffusion-v1-5 .*unet"):
        make(base, tmp_path, model="stable-diffusion-v1-5/stable-diffusion-v1-5")


def test_layers_that_are_not_there_are_told_of(base: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"targets: no layer is called to_nothing"):
        make(base, tmp_path, targets=["to_q", "to_nothing"])


def test_other_weights_are_noticed(base: Path, tmp_path: Path) -> None:
    train(make_recipe(steps=2, cache="none"), tmp_path, base=base)
    with pytest.raises(UsageError, match='`model` was "model" and is "xl"'):
        train(make_recipe(steps=2, cache="none", model="xl"), tmp_path, base=base)
