"""A LoRA on Stable Diffusion 1.5 at 512 px: earthloom's step beside diffusers' own training script, on one GPU.

The networks have the shapes of 1.5 and weights drawn at random, so that nothing has to be downloaded. Ours learns from
cached latents and texts, as its recipe does by default once they are made; the peer, after
`examples/text_to_image/train_text_to_image_lora.py` of diffusers, encodes pictures and texts at every step, under
accelerate in bfloat16. Same batch, rank, targets, Min-SNR, clipping and optimiser. Reading and decoding is in neither:
`bench_train.py` has that.

    python benchmarks/bench_lora.py            # wants a GPU; without one it says so
    python benchmarks/bench_lora.py --tiny     # that it runs, on a CPU, with tiny networks
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import diffusers
import torch
import transformers
from accelerate import Accelerator
from peft import LoraConfig
from torch.nn.functional import mse_loss
from torch.utils.flop_counter import FlopCounterMode

from earthloom.models.stable.drawing import Told
from earthloom.models.stable.parts import Stable
from earthloom.models.weights.origins import Origin
from earthloom.train.loop import Updates
from earthloom.train.lora.config import LoraRecipe
from earthloom.train.lora.networks import adapt
from earthloom.train.lora.step import LoraStep
from earthloom.train.lora.texts import Texts
from earthloom.train.processes import Processes
from earthloom.train.step import Share

TARGET = 2.0
RANK, GAMMA, CLIP, RATE = 16, 5.0, 1.0, 1e-4
SCHEDULE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
PEAKS = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L40S": 362e12, "4090": 165e12}
"""Dense bfloat16 operations a second by the makers' data sheets, for the names that torch gives the cards."""


@dataclass(frozen=True)
class Size:
    """What is trained, how large, and how long."""

    side: int
    batch: int
    warm: int
    steps: int
    channels: tuple[int, ...]
    vae: tuple[int, ...]
    width: int
    layers: int
    heads: int
    dtype: torch.dtype
    device: str


REAL = Size(512, 16, 8, 40, (320, 640, 1280, 1280), (128, 256, 512, 512), 768, 12, 12, torch.bfloat16, "cuda")
TINY = Size(64, 2, 1, 3, (32, 64, 64, 64), (32, 32, 32, 32), 32, 2, 4, torch.float32, "cpu")


def make_unet(size: Size) -> Any:
    """Shape of Stable Diffusion 1.5."""
    return diffusers.UNet2DConditionModel(
        sample_size=size.side // 8,
        block_out_channels=size.channels,
        cross_attention_dim=size.width,
        attention_head_dim=8,
    ).requires_grad_(requires_grad=False)


def make_vae(size: Size) -> Any:
    """Shape of its autoencoder."""
    return diffusers.AutoencoderKL(
        block_out_channels=size.vae,
        layers_per_block=2,
        latent_channels=4,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        sample_size=size.side,
        scaling_factor=0.18215,
    ).requires_grad_(requires_grad=False)


def make_text_encoder(size: Size) -> Any:
    """Shape of its text encoder."""
    config = transformers.CLIPTextConfig(
        hidden_size=size.width,
        intermediate_size=4 * size.width,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        max_position_embeddings=77,
    )
    return transformers.CLIPTextModel(config).requires_grad_(requires_grad=False)


def make_ours(size: Size, *, compiled: bool) -> Callable[[], None]:
    """One step of earthloom's LoRA from cached latents and texts, as its loop does it."""
    recipe = LoraRecipe.model_validate(
        {
            "train": "lora", "name": "bench", "model": "made", "data": {"release": "none"}, "rank": RANK,
            "min_snr": GAMMA, "clip": CLIP, "rate": RATE, "cache": "latents+texts", "compile": compiled,
            "sample_steps": 0,
        }
    )  # fmt: skip
    device = torch.device(size.device)
    unet = make_unet(size).to(device, size.dtype)
    files: Any = SimpleNamespace(listed=("unet",))
    stable = Stable(
        unet=unet, vae=None, text_encoders=(), tokenizers=(), scheduler_config=SCHEDULE, files=files
    )
    origin = Origin(name="made", revision=None, licence=None, fingerprint="")
    start = torch.zeros(size.width, device=device, dtype=size.dtype)
    adapted = adapt(stable, "made", origin, recipe, start=start, seed=0)
    empty = Told(states=torch.zeros(1, 77, size.width, device=device, dtype=size.dtype))
    step = LoraStep(recipe, adapted, Texts(tell=lambda texts: empty, start=start), lambda: None)
    updates = Updates(step, recipe, Processes(device, Share()), size.dtype)
    moments = torch.rand(size.batch, 8, size.side // 8, size.side // 8).half()
    batch = {
        "moments": _pin(moments, device),
        "states": _pin(torch.randn(size.batch, 77, size.width).half(), device),
    }

    def learn() -> None:
        updates.start(1.0, 0)
        with updates.computing():
            step.learn(
                {name: value.to(device, non_blocking=True) for name, value in batch.items()}, 1, updates
            )
        updates.finish()

    return learn


def make_theirs(size: Size) -> Callable[[], None]:
    """One step as diffusers' script for text-to-image LoRA has it."""
    accelerator = Accelerator(
        mixed_precision="bf16" if size.dtype == torch.bfloat16 else "no", cpu=size.device == "cpu"
    )
    scheduler = diffusers.DDPMScheduler(**SCHEDULE)
    vae, encoder = (
        make_vae(size).to(size.device, size.dtype),
        make_text_encoder(size).to(size.device, size.dtype),
    )
    unet = make_unet(size).to(size.device, size.dtype)
    targets = ["to_k", "to_q", "to_v", "to_out.0"]
    unet.add_adapter(
        LoraConfig(r=RANK, lora_alpha=RANK, init_lora_weights="gaussian", target_modules=targets)
    )
    unet.train()
    trained = [p for p in unet.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=RATE)
    rates = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0)
    unet, optimizer, rates = accelerator.prepare(unet, optimizer, rates)
    pixels = _pin(torch.rand(size.batch, 3, size.side, size.side) * 2 - 1, accelerator.device)
    ids = _pin(torch.randint(0, 40_000, (size.batch, 77)), accelerator.device)

    def learn() -> None:
        images, tokens = (value.to(accelerator.device, non_blocking=True) for value in (pixels, ids))
        with accelerator.accumulate(unet):
            latents = vae.encode(images.to(size.dtype)).latent_dist.sample() * vae.config.scaling_factor
            noise = torch.randn_like(latents)
            steps = torch.randint(
                0, scheduler.config.num_train_timesteps, (len(latents),), device=latents.device
            )
            noisy = scheduler.add_noise(latents, noise, steps)
            states = encoder(tokens, return_dict=False)[0]
            predicted = unet(noisy, steps, states, return_dict=False)[0]
            share = scheduler.alphas_cumprod.to(latents.device)[steps]
            snr = share / (1 - share)
            errors = mse_loss(predicted.float(), noise.float(), reduction="none").mean((1, 2, 3))
            loss = (errors * snr.clamp(max=GAMMA) / snr).mean()
            accelerator.gather(loss.repeat(size.batch)).mean().item()
            accelerator.backward(loss)
            accelerator.clip_grad_norm_(trained, CLIP)
            optimizer.step()
            rates.step()
            optimizer.zero_grad()

    return learn


def measure(name: str, learn: Callable[[], None], size: Size) -> float:
    """Pictures a second, after some steps that are not counted."""
    for _ in range(size.warm):
        learn()
    _wait(size)
    start = time.perf_counter()
    for _ in range(size.steps):
        learn()
    _wait(size)
    rate = size.batch * size.steps / (time.perf_counter() - start)
    memory = torch.cuda.max_memory_allocated() / 2**30 if size.device == "cuda" else 0.0
    print(f"  {name:<34} {rate:8.2f} images/s" + (f"  {memory:6.1f} GiB" if memory else ""))
    return rate


def count_operations(size: Size) -> float:
    """Floating-point operations of one of our steps for each picture: products of matrices and convolutions."""
    learn = make_ours(size, compiled=False)
    with FlopCounterMode(display=False) as counter:
        learn()
    return counter.get_total_flops() / size.batch


def main(arguments: tuple[str, ...] = ()) -> bool:
    """Race them; True where the target is met, or where there is no GPU to meet it on."""
    is_tiny = "--tiny" in arguments
    if not is_tiny and not torch.cuda.is_available():
        print(
            "LoRA on Stable Diffusion 1.5: not measured, for torch finds no GPU here. `--tiny` shows that it runs."
        )
        return True
    size = TINY if is_tiny else REAL
    diffusers.utils.logging.set_verbosity_error()
    torch.manual_seed(0)
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.benchmark = size.device == "cuda"
    card = torch.cuda.get_device_name() if size.device == "cuda" else "CPU, tiny networks"
    print(
        f"LoRA on Stable Diffusion 1.5, {size.side} px, batch {size.batch}, rank {RANK}, {size.dtype}, {card}"
    )
    operations = count_operations(size)
    _forget(size)
    theirs = measure("diffusers' script", make_theirs(size), size)
    _forget(size)
    ours = {"earthloom, cached": measure("earthloom, cached", make_ours(size, compiled=False), size)}
    _forget(size)
    if not is_tiny:
        name = "earthloom, cached, compile: true"
        ours[name] = measure(name, make_ours(size, compiled=True), size)
    peak = next((value for key, value in PEAKS.items() if key in card), None)
    for name, rate in ours.items():
        share = f", {rate * operations / peak:.1%} of the card's peak" if peak else ""
        print(f"  {name}: {rate / theirs:.2f} times as fast{share}")
    is_met = max(ours.values()) / theirs >= TARGET
    print(
        f"  target {TARGET} times: {'met' if is_met else 'missed'}{' (says nothing here)' if is_tiny else ''}"
    )
    return is_met or is_tiny


def _pin(value: torch.Tensor, device: torch.device) -> torch.Tensor:
    return value.pin_memory() if device.type == "cuda" else value


def _wait(size: Size) -> None:
    if size.device == "cuda":
        torch.cuda.synchronize()


def _forget(size: Size) -> None:
    if size.device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


if __name__ == "__main__":
    sys.exit(not main(tuple(sys.argv[1:])))
