"""Noise schedules: how much of a picture is left at each step of its dissolution, and what follows from that.

With `a` the cumulated product of (1 - beta), a noisy picture is `sqrt(a) x0 + sqrt(1 - a) noise` (Ho et al., NeurIPS
2020, equation 4). Steps count from 0, the least noisy one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor

from earthloom.core.errors import UsageError

Kind = Literal["epsilon", "v", "x0"]
"""What a network predicts: the noise, the velocity `sqrt(a) noise - sqrt(1 - a) x0` (Salimans and Ho, ICLR 2022,
section 4), or the clean picture."""
_KINDS: dict[str, Kind] = {"epsilon": "epsilon", "v_prediction": "v", "sample": "x0"}
"""As scheduler files of diffusers call them."""
_MAX_BETA = 0.999
"""Cap of the cosine schedule (Nichol and Dhariwal, ICML 2021, section 3.2)."""


@dataclass(frozen=True, eq=False)
class NoiseSchedule:
    """The share of a picture's variance that is left at each step."""

    alphas_cumprod: Tensor
    """T values, float64, falling, 0 to 1."""
    kind: Kind = "epsilon"
    """What networks of this schedule predict, where its file says so."""

    @classmethod
    def from_betas(cls, betas: Tensor, kind: Kind = "epsilon") -> NoiseSchedule:
        """Make the schedule that adds noise of variance `betas` (T values, 0 to 1) step by step."""
        return cls(torch.cumprod(1.0 - betas.to(torch.float64), 0), kind)

    @classmethod
    def linear(cls, n_steps: int = 1000, start: float = 1e-4, end: float = 0.02) -> NoiseSchedule:
        """Betas rise linearly: Ho et al. 2020, section 4."""
        return cls.from_betas(torch.linspace(start, end, n_steps, dtype=torch.float64))

    @classmethod
    def scaled_linear(cls, n_steps: int = 1000, start: float = 0.00085, end: float = 0.012) -> NoiseSchedule:
        """Square roots of the betas rise linearly: the schedule of Stable Diffusion (Rombach et al., CVPR 2022)."""
        return cls.from_betas(
            torch.linspace(math.sqrt(start), math.sqrt(end), n_steps, dtype=torch.float64) ** 2
        )

    @classmethod
    def cosine(cls, n_steps: int = 1000, shift: float = 0.008) -> NoiseSchedule:
        """The share falls as the square of a cosine: Nichol and Dhariwal 2021, equation 17."""
        edges = torch.arange(n_steps + 1, dtype=torch.float64) / n_steps
        share = torch.cos((edges + shift) / (1.0 + shift) * math.pi / 2) ** 2
        return cls.from_betas((1.0 - share[1:] / share[:-1]).clamp(max=_MAX_BETA))

    @classmethod
    def from_scheduler_config(cls, config: Mapping[str, Any]) -> NoiseSchedule:
        """Read a `scheduler_config.json` of diffusers: its betas, what is predicted, and a last step without signal.

        Raises:
            UsageError: betas or a prediction of a kind that is not known here, or one that cannot go together.

        """
        _refuse_others(config)
        kind = _read_kind(config)
        schedule = replace(_read_betas(config), kind=kind)
        if not config.get("rescale_betas_zero_snr", False):
            return schedule
        if kind == "epsilon":
            raise UsageError(
                "The scheduler's last step has no signal (`rescale_betas_zero_snr`), and its network predicts the "
                "noise, which says nothing of the picture there. Use weights with `prediction_type: v_prediction`."
            )
        return schedule.without_last_signal()

    def without_last_signal(self) -> NoiseSchedule:
        """Shift and stretch the amplitudes so that nothing is left at the last step (Lin et al., WACV 2024, alg. 1)."""
        amplitudes = self.alphas_cumprod.sqrt()
        first, last = amplitudes[0].clone(), amplitudes[-1].clone()
        return replace(self, alphas_cumprod=((amplitudes - last) * first / (first - last)) ** 2)

    @property
    def n_steps(self) -> int:
        """Number of steps, T."""
        return len(self.alphas_cumprod)

    def to(self, device: torch.device) -> NoiseSchedule:
        """Give the same schedule with its table on a device, so that looking steps up waits for nothing."""
        return replace(self, alphas_cumprod=self.alphas_cumprod.to(device))

    def snr(self, t: Tensor) -> Tensor:
        """Ratio of signal to noise, `a / (1 - a)`, at steps `t` (N whole numbers): N, float64."""
        share = self._share(t)
        return share / (1.0 - share)

    def noisy(self, x0: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """Pictures with noise as at steps `t`; N x ... as `x0` and `noise`."""
        signal, spread = self.amplitudes(t, x0)
        return signal * x0 + spread * noise

    def target(self, x0: Tensor, noise: Tensor, t: Tensor, kind: Kind) -> Tensor:
        """What a network of that kind is to predict of `noisy(x0, noise, t)`; N x ... as `x0`."""
        if kind == "epsilon":
            return noise
        if kind == "x0":
            return x0
        signal, spread = self.amplitudes(t, x0)
        return signal * noise - spread * x0

    def to_x0(self, x: Tensor, predicted: Tensor, t: Tensor, kind: Kind) -> Tensor:
        """The clean pictures that a prediction amounts to, given the noisy ones; infinite where no signal is left."""
        signal, spread = self.amplitudes(t, x)
        if kind == "x0":
            return predicted
        if kind == "v":
            return signal * x - spread * predicted
        return (x - spread * predicted) / signal

    def to_noise(self, x: Tensor, predicted: Tensor, t: Tensor, kind: Kind) -> Tensor:
        """The noise that a prediction amounts to, given the noisy pictures."""
        signal, spread = self.amplitudes(t, x)
        if kind == "epsilon":
            return predicted
        if kind == "v":
            return spread * x + signal * predicted
        return (x - signal * predicted) / spread

    def amplitudes(self, t: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
        """Factors of signal and noise at steps `t`, shaped N x 1 x ... and of the type of `like` (N x ...)."""
        share = self._share(t).to(like.device)
        shape = (-1, *[1] * (like.ndim - 1))
        return (
            share.sqrt().to(like.dtype).reshape(shape),
            (1.0 - share).sqrt().to(like.dtype).reshape(shape),
        )

    def _share(self, t: Tensor) -> Tensor:
        return self.alphas_cumprod[t.to(self.alphas_cumprod.device)]


def _refuse_others(config: Mapping[str, Any]) -> None:
    """Models of another kind of noise have schedulers of such names, whose files say nothing of betas."""
    name = str(config.get("_class_name", ""))
    if name.startswith(("EDM", "FlowMatch")):
        raise UsageError(
            f"The scheduler is a {name}: the model was not trained with noise of Stable Diffusion 1.x, 2.x or XL, and "
            "would draw nothing but noise. Take one that was."
        )


def _read_kind(config: Mapping[str, Any]) -> Kind:
    name = config.get("prediction_type", "epsilon")
    if name not in _KINDS:
        raise UsageError(f"prediction_type: wants one of {', '.join(_KINDS)}, got {name!r}.")
    return _KINDS[name]


def _read_betas(config: Mapping[str, Any]) -> NoiseSchedule:
    n_steps = int(config.get("num_train_timesteps", 1000))
    if (betas := config.get("trained_betas")) is not None:
        return NoiseSchedule.from_betas(torch.tensor(betas, dtype=torch.float64))
    name = config.get("beta_schedule", "linear")
    if name == "squaredcos_cap_v2":
        return NoiseSchedule.cosine(n_steps)
    start, end = float(config.get("beta_start", 1e-4)), float(config.get("beta_end", 0.02))
    if name == "linear":
        return NoiseSchedule.linear(n_steps, start, end)
    if name == "scaled_linear":
        return NoiseSchedule.scaled_linear(n_steps, start, end)
    raise UsageError(f"beta_schedule: wants linear, scaled_linear or squaredcos_cap_v2, got {name!r}.")
