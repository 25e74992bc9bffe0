"""The step's loss and gradients, beside a straight implementation on diffusers' public pieces with LoRA by hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
diffusers = pytest.importorskip("diffusers")

from lora_releases import LOOKS, SIDE, make_recipe, paint  # noqa: E402
from tiny_models.stable import write_tiny_stable  # noqa: E402

from earthloom.models.stable.parts import open_stable  # noqa: E402
from earthloom.models.stable.text import tokenize  # noqa: E402
from earthloom.train.lora.networks import Adapted, adapt  # noqa: E402
from earthloom.train.lora.step import LoraStep  # noqa: E402
from earthloom.train.lora.texts import open_texts  # noqa: E402

TEXTS = ["a satellite image of water", "", "dense forest seen from above, 0.5 m per pixel"]
TARGETS = ("to_q", "to_k", "to_v", "to_out.0")
RANK, ALPHA = 3, 2
SEED = 11
EXACT = 1e-6
ROUNDING = 5e-5


@dataclass(frozen=True)
class Both:
    """One model, ours with LoRA and diffusers' without, and the factors that are laid over both."""

    adapted: Adapted
    pipeline: Any
    factors: dict[str, tuple[Any, Any]]


@pytest.fixture(scope="module", params=["epsilon", "v_prediction", "xl"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Both:
    is_xl, folder = request.param == "xl", tmp_path_factory.mktemp("parity") / request.param
    write_tiny_stable(folder, xl=is_xl, prediction="epsilon" if is_xl else request.param)
    kind = diffusers.StableDiffusionXLPipeline if is_xl else diffusers.StableDiffusionPipeline
    pipeline = kind.from_pretrained(
        folder, local_files_only=True, **({} if is_xl else {"safety_checker": None})
    )
    stable = open_stable(str(folder))
    factors = draw_factors(stable.unet, RANK)
    recipe = make_recipe(alpha=ALPHA, rank=RANK, cache="none")
    adapted = adapt(stable, str(folder), stable.origin, recipe, start=torch.zeros(1), seed=0)
    for name, (down, up) in factors.items():
        layer = stable.unet.get_submodule(name)
        layer.lora_A["default"].weight.data.copy_(down)
        layer.lora_B["default"].weight.data.copy_(up)
    return Both(adapted, pipeline, factors)


def draw_factors(unet: Any, rank: int) -> dict[str, tuple[Any, Any]]:
    """Both factors of every attention projection, none of them zero."""
    generator = torch.Generator().manual_seed(5)
    return {
        name: (
            torch.randn(rank, layer.in_features, generator=generator) * 0.1,
            torch.randn(layer.out_features, rank, generator=generator) * 0.1,
        )
        for name, layer in unet.named_modules()
        if isinstance(layer, torch.nn.Linear) and name.endswith(TARGETS)
    }


@contextmanager
def lora_by_hand(unet: Any, factors: dict[str, tuple[Any, Any]], scale: float) -> Iterator[None]:
    """Within the block, layers add `scale * up(down(x))` to what they give."""

    def add(name: str) -> Any:
        down, up = factors[name]
        return lambda layer, given, made: made + scale * (given[0] @ down.T) @ up.T

    hooks = [unet.get_submodule(name).register_forward_hook(add(name)) for name in factors]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def learn_plainly(
    pipeline: Any, pixels: Any, sizes: Any, recipe: Any, factors: Any
) -> tuple[float, dict[str, Any]]:
    """One step as diffusers' scripts for text-to-image LoRA do it: loss, and gradients of the factors."""
    vae, unet = (
        pipeline.vae.requires_grad_(requires_grad=False),
        pipeline.unet.requires_grad_(requires_grad=False),
    )
    scheduler = diffusers.DDPMScheduler.from_config(pipeline.scheduler.config)
    for factor in (each for pair in factors.values() for each in pair):
        factor.requires_grad_().grad = None
    torch.manual_seed(SEED)
    latents = vae.encode(pixels).latent_dist.sample() * vae.config.scaling_factor
    noise = torch.randn_like(latents.contiguous())  # as on a GPU: what is drawn follows the layout in memory
    if recipe.offset_noise:
        noise += recipe.offset_noise * torch.randn(latents.shape[0], latents.shape[1], 1, 1)
    steps = torch.randint(0, scheduler.config.num_train_timesteps, (len(latents),))
    noisy = scheduler.add_noise(latents, noise, steps)
    with torch.no_grad():
        told, _, *pooled = pipeline.encode_prompt(
            TEXTS, device="cpu", num_images_per_prompt=1, do_classifier_free_guidance=False
        )
    added = {}
    if pooled:
        # In XL's pipeline a text without words is encoded where it is the prompt, as it is here.
        added = {"added_cond_kwargs": {"text_embeds": pooled[0], "time_ids": sizes}}
    with lora_by_hand(unet, factors, recipe.scale / recipe.rank):
        predicted = unet(noisy, steps, told, **added).sample
    is_v = scheduler.config.prediction_type == "v_prediction"
    target = scheduler.get_velocity(latents, noise, steps) if is_v else noise
    errors = torch.nn.functional.mse_loss(predicted, target, reduction="none").mean(dim=(1, 2, 3))
    if recipe.min_snr is not None:
        share = scheduler.alphas_cumprod[steps]
        snr = share / (1 - share)
        errors = errors * torch.clamp(snr, max=recipe.min_snr) / (snr + 1 if is_v else snr)
    loss = errors.mean()
    loss.backward()
    gradients = {
        f"{name}/{side}": factor.grad
        for name, pair in factors.items()
        for side, factor in zip("AB", pair, strict=True)
    }
    return loss.item(), gradients


@pytest.mark.parametrize("min_snr", [None, 5.0])
@pytest.mark.parametrize("offset_noise", [0.0, 0.1])
def test_loss_and_gradients_are_those_of_a_plain_implementation(
    both: Both, min_snr: float | None, offset_noise: float
) -> None:
    recipe = make_recipe(
        min_snr=min_snr, offset_noise=offset_noise, caption_drop=0, alpha=ALPHA, rank=RANK, cache="none"
    )
    stable = both.adapted.stable
    step = LoraStep(recipe, both.adapted, open_texts(stable, SIDE, is_trained=False), lambda: None)
    pixels = torch.from_numpy(np.stack([paint(look, 3) for look in LOOKS]))
    ids, _ = tokenize(stable, TEXTS)
    sizes = torch.tensor([[80.0, 96.0, 0.0, 4.0, SIDE, SIDE]] * 3)
    batch = {"pixels": pixels, "ids": ids} | ({"sizes": sizes} if stable.is_xl else {})
    lost = []

    def update(name: str, loss: Any) -> None:
        lost.append((name, loss.item()))
        stable.unet.zero_grad()
        loss.backward()

    torch.manual_seed(SEED)
    told = step.learn(batch, 1, update)
    assert [(name, value.item()) for name, value in told.items()] == lost

    images = pixels.permute(0, 3, 1, 2).contiguous().float() / 127.5 - 1
    loss, gradients = learn_plainly(both.pipeline, images, sizes, recipe, both.factors)
    assert lost[0][1] == pytest.approx(loss, abs=EXACT)
    ours = dict(stable.unet.named_parameters())
    assert len(gradients) == sum(p.requires_grad for p in ours.values()) == 2 * len(both.factors)
    for name, wanted in gradients.items():
        layer, side = name.split("/")
        got = ours[f"{layer}.lora_{side}.default.weight"].grad
        torch.testing.assert_close(
            got, wanted, rtol=0, atol=EXACT, msg=lambda text, name=name: f"{name}: {text}"
        )
        # Attention of a tiny model is nearly even, and some gradients are far below 1e-6: these are held to rounding.
        assert (got - wanted).norm() < ROUNDING * wanted.norm()
