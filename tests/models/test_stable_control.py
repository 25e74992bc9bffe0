"""ControlNet over a tiny Stable Diffusion, against diffusers' own pipeline and against what zeros must do."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
diffusers = pytest.importorskip("diffusers")

from tiny_models.stable import write_tiny_stable  # noqa: E402

from earthloom.core.errors import UsageError  # noqa: E402
from earthloom.models.stable.control import (  # noqa: E402
    check_fit,
    draw_controlled,
    load_controlnet,
    make_controlnet,
    save_controlnet,
    steer_by,
    to_one_channel,
)
from earthloom.models.stable.drawing import (  # noqa: E402
    Told,
    draw_latent_noise,
    draw_pictures,
    tell_texts,
)
from earthloom.models.stable.parts import Stable, open_stable  # noqa: E402

SIDE = 64


@pytest.fixture(scope="module", params=["1.5", "xl"])
def stable(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Stable:
    """A tiny Stable Diffusion of either shape."""
    folder = write_tiny_stable(tmp_path_factory.mktemp("stable"), xl=request.param == "xl")
    return open_stable(str(folder))


def make_told(stable: Stable, n: int) -> Told:
    return tell_texts(stable, ["a river", "a dense forest"][:n], SIDE, SIDE)


def make_random(unet: object, channels: int) -> torch.nn.Module:
    """A ControlNet whose zeros are none, so that it matters."""
    torch.manual_seed(3)
    network = make_controlnet(unet, channels)
    with torch.no_grad():
        for parameter in network.parameters():
            if not parameter.any():
                parameter.normal_(std=0.3)
    return network.eval()


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 7])
def test_at_first_it_adds_nothing_at_all(stable: Stable, channels: int) -> None:
    torch.manual_seed(0)
    network = make_controlnet(stable.unet, channels)
    noisy, t, told = torch.randn(2, 4, 8, 8), torch.tensor([10, 900]), make_told(stable, 2)
    with torch.no_grad():
        added = steer_by(network, torch.rand(2, channels, SIDE, SIDE))(noisy, t, told)
        residuals = [*added["down_block_additional_residuals"], added["mid_block_additional_residual"]]
        arguments = {"encoder_hidden_states": told.states, "added_cond_kwargs": dict(told.added)}
        plain = stable.unet(noisy, t, **arguments).sample
        steered = stable.unet(noisy, t, **arguments, **added).sample
    assert all(part.shape[0] == 2 and not part.any() for part in residuals)
    assert torch.equal(plain, steered)


def test_the_first_gradient_reaches_the_zeros_and_nothing_else(stable: Stable) -> None:
    """Behind a 1 x 1 convolution w h + b of w = b = 0, dL/dw = sum g h^T, dL/db = sum g and dL/dh = w^T g = 0."""
    torch.manual_seed(0)
    network = make_controlnet(stable.unet, 2)
    zeros = [*network.controlnet_down_blocks, network.controlnet_mid_block]
    inputs: dict[int, torch.Tensor] = {}
    outputs: dict[int, torch.Tensor] = {}
    for number, layer in enumerate(zeros):

        def keep(_: object, given: tuple[torch.Tensor, ...], got: torch.Tensor, number: int = number) -> None:
            got.retain_grad()
            inputs[number], outputs[number] = given[0].detach(), got

        layer.register_forward_hook(keep)
    noisy, t, told = torch.randn(2, 4, 8, 8), torch.tensor([100, 700]), make_told(stable, 2)
    added = steer_by(network, torch.rand(2, 2, SIDE, SIDE))(noisy, t, told)
    arguments = {"encoder_hidden_states": told.states, "added_cond_kwargs": dict(told.added)}
    stable.unet(noisy, t, **arguments, **added).sample.square().mean().backward()
    for number, layer in enumerate(zeros):
        gradient = outputs[number].grad
        weights = torch.einsum("nohw,nihw->oi", gradient, inputs[number])
        assert weights.abs().max() > 1e-6
        torch.testing.assert_close(layer.weight.grad[:, :, 0, 0], weights, rtol=1e-4, atol=1e-7)
        torch.testing.assert_close(layer.bias.grad, gradient.sum((0, 2, 3)), rtol=1e-4, atol=1e-7)
    own = {id(parameter) for layer in zeros for parameter in layer.parameters()}
    others = [parameter for parameter in network.parameters() if id(parameter) not in own]
    assert len(others) > 50
    assert all(parameter.grad is None or not parameter.grad.any() for parameter in others)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # in diffusers' scheduler
def test_diffusers_pipeline_draws_the_same_from_the_saved_folder(stable: Stable, tmp_path: Path) -> None:
    """Conditions of one channel, with guidance: plain diffusers, its own scheduler, our files."""
    save_controlnet(make_random(stable.unet, 1), tmp_path)
    peer = diffusers.ControlNetModel.from_pretrained(tmp_path)
    assert peer.config.conditioning_channels == 1
    scheduler = diffusers.DPMSolverMultistepScheduler.from_config(
        stable.scheduler_config, timestep_spacing="trailing", final_sigmas_type="zero"
    )
    parts = {
        "vae": stable.vae, "unet": stable.unet, "controlnet": peer, "scheduler": scheduler,
        "text_encoder": stable.text_encoders[0], "tokenizer": stable.tokenizers[0], "feature_extractor": None,
    }  # fmt: skip
    if stable.is_xl:
        second = {"text_encoder_2": stable.text_encoders[1], "tokenizer_2": stable.tokenizers[1]}
        pipeline = diffusers.StableDiffusionXLControlNetPipeline(**parts, **second)
    else:
        pipeline = diffusers.StableDiffusionControlNetPipeline(
            **parts, safety_checker=None, requires_safety_checker=False
        )
    pipeline.set_progress_bar_config(disable=True)
    condition, noise = torch.rand(2, 1, SIDE, SIDE), draw_latent_noise(stable, [5, 6], SIDE, SIDE)
    wanted = pipeline(
        ["a river", "a dense forest"], image=condition, latents=noise, num_inference_steps=6, guidance_scale=3.0,
        controlnet_conditioning_scale=0.7, output_type="pt",
    ).images  # fmt: skip
    told, without = make_told(stable, 2), tell_texts(stable, ["", ""], SIDE, SIDE)
    network = load_controlnet(str(tmp_path))
    got = draw_controlled(
        stable, network, condition, told, without, noise=noise, steps=6, guidance=3.0, strength=0.7
    )
    torch.testing.assert_close(got / 2 + 0.5, wanted, rtol=0, atol=1e-4)


def test_the_condition_matters_and_none_of_it_does_not(stable: Stable) -> None:
    network = make_random(stable.unet, 3)
    noise, told = draw_latent_noise(stable, [1], SIDE, SIDE), make_told(stable, 1)
    first, second = torch.zeros(1, 3, SIDE, SIDE), torch.ones(1, 3, SIDE, SIDE)
    plain = draw_pictures(stable, noise, told, None, steps=2, guidance=1.0)
    drawn = [
        draw_controlled(stable, network, condition, told, noise=noise, steps=2)
        for condition in (first, second)
    ]
    silent = draw_controlled(stable, network, first, told, noise=noise, steps=2, strength=0.0)
    assert plain.shape == (1, 3, SIDE, SIDE)
    assert (drawn[0] - drawn[1]).abs().max() > 1e-4
    torch.testing.assert_close(silent, plain, rtol=0, atol=1e-6)
    assert to_one_channel(plain).shape == (1, 1, SIDE, SIDE)
    torch.testing.assert_close(to_one_channel(plain)[0, 0], plain[0].mean(0))


def test_a_picture_does_not_depend_on_those_beside_it(stable: Stable) -> None:
    network = make_random(stable.unet, 1)
    noise, told = draw_latent_noise(stable, [1, 2], SIDE, SIDE), make_told(stable, 2)
    without = tell_texts(stable, ["", ""], SIDE, SIDE)
    condition = torch.rand(2, 1, SIDE, SIDE)
    both = draw_controlled(stable, network, condition, told, without, noise=noise, steps=2, guidance=2.0)
    second = draw_controlled(
        stable,
        network,
        condition[1:],
        tell_texts(stable, ["a dense forest"], SIDE, SIDE),
        tell_texts(stable, [""], SIDE, SIDE),
        noise=noise[1:],
        steps=2,
        guidance=2.0,
    )
    torch.testing.assert_close(second, both[1:], rtol=0, atol=1e-4)


def test_what_is_saved_is_what_is_loaded(stable: Stable, tmp_path: Path) -> None:
    network = make_random(stable.unet, 2)
    save_controlnet(network, tmp_path)
    first = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    save_controlnet(load_controlnet(str(tmp_path)), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "config.json",
        "diffusion_pytorch_model.safetensors",
    }
    assert (tmp_path / "diffusion_pytorch_model.safetensors").read_bytes() == first[
        "diffusion_pytorch_model.safetensors"
    ]
    loaded = load_controlnet(str(tmp_path))
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    for name, value in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)


def test_what_does_not_fit_is_told(stable: Stable, tmp_path: Path) -> None:
    network = make_controlnet(stable.unet, 2)
    with pytest.raises(UsageError, match="takes conditions of 2 channels, got 3"):
        check_fit(stable, network, torch.zeros(1, 3, SIDE, SIDE))
    with pytest.raises(UsageError, match="is no ControlNet"):
        load_controlnet(str(tmp_path))
    with pytest.raises(UsageError, match="Nothing is downloaded"):
        load_controlnet("nobody/no-such-controlnet")
    other = open_stable(str(write_tiny_stable(tmp_path / "other", xl=not stable.is_xl)))
    with pytest.raises(UsageError, match="another Stable Diffusion"):
        check_fit(other, network, torch.zeros(1, 2, SIDE, SIDE))
    save_controlnet(network, tmp_path)
    weights = tmp_path / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(UsageError):
        load_controlnet(str(tmp_path))
