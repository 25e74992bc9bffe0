"""Pictures from Stable Diffusion, against diffusers' own pipelines."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch
from tiny_models.stable import write_tiny_stable

from earthloom.core.errors import UsageError
from earthloom.models.stable.drawing import draw_latent_noise, draw_pictures, join_told, tell_texts
from earthloom.models.stable.parts import Stable, open_stable

PROMPTS = ["a river near a city", "snow on the mountain above the lake"]
SEEDS = [3, 2**40]
SIDE = 32


@pytest.fixture(scope="module", params=["epsilon", "v_prediction", "xl"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pipelines of all kinds."""
    place = tmp_path_factory.mktemp("stable") / request.param
    if request.param == "xl":
        return write_tiny_stable(place, xl=True)
    return write_tiny_stable(place, prediction=request.param)


@pytest.fixture(scope="module")
def stable(folder: Path) -> Stable:
    return open_stable(str(folder))


def open_pipeline(folder: Path, steps: int) -> Any:
    """diffusers' own, with the scheduler of the same method on the same steps."""
    import diffusers

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline = diffusers.DiffusionPipeline.from_pretrained(str(folder), local_files_only=True)
        pipeline.scheduler = diffusers.DPMSolverMultistepScheduler.from_config(
            pipeline.scheduler.config,
            algorithm_type="dpmsolver++",
            solver_order=2,
            timestep_spacing="trailing",
            final_sigmas_type="zero",
            steps_offset=0,
        )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.mark.parametrize(("guidance", "negative"), [(1.0, ""), (7.5, ""), (4.0, "fog")])
def test_pictures_are_those_of_diffusers(
    folder: Path, stable: Stable, guidance: float, negative: str
) -> None:
    steps = 4
    told = tell_texts(stable, PROMPTS, SIDE, SIDE)
    without = tell_texts(stable, [negative] * 2, SIDE, SIDE)
    noise = draw_latent_noise(stable, SEEDS, SIDE, SIDE)
    drawn = draw_pictures(stable, noise, told, without, steps=steps, guidance=guidance)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = open_pipeline(folder, steps)(
            PROMPTS,
            negative_prompt=[negative] * 2 if negative else None,
            guidance_scale=guidance,
            num_inference_steps=steps,
            height=SIDE,
            width=SIDE,
            generator=[torch.Generator().manual_seed(seed) for seed in SEEDS],
            output_type="pt",
        ).images
    torch.testing.assert_close((drawn + 1) / 2, wanted, rtol=0, atol=2e-4)


def test_noise_is_that_of_a_generator_of_the_seed(stable: Stable) -> None:
    noise = draw_latent_noise(stable, SEEDS, 64, 96)
    assert noise.shape == (2, 4, 8, 12)
    for row, seed in zip(noise, SEEDS, strict=True):
        alone = torch.randn((1, 4, 8, 12), generator=torch.Generator().manual_seed(seed))
        assert torch.equal(row, alone[0])


def test_what_is_joined_stands_one_after_the_other(stable: Stable) -> None:
    first, second = (tell_texts(stable, [text], SIDE, SIDE) for text in PROMPTS)
    both, together = join_told(first, second), tell_texts(stable, PROMPTS, SIDE, SIDE)
    torch.testing.assert_close(both.states, together.states, rtol=0, atol=1e-5)
    assert both.added.keys() == together.added.keys()
    for name, value in both.added.items():
        torch.testing.assert_close(value, together.added[name], rtol=0, atol=1e-5)


def test_a_unet_for_inpainting_is_refused(tmp_path: Path) -> None:
    import json

    import diffusers

    folder = write_tiny_stable(tmp_path)
    config = json.loads((folder / "unet" / "config.json").read_text())
    torch.manual_seed(0)
    diffusers.UNet2DConditionModel.from_config(config | {"in_channels": 9}).save_pretrained(folder / "unet")
    stable = open_stable(str(folder))
    told = tell_texts(stable, PROMPTS[:1], SIDE, SIDE)
    with pytest.raises(UsageError, match="draws 4 channels from 9"):
        draw_pictures(stable, torch.zeros(1, 4, 4, 4), told, None, steps=1, guidance=1.0)
