"""What is known of a picture besides its words, as words and as tokens that a UNet is shown behind those of the text.

After DiffusionSat (Khanna et al., ICLR 2024, section 3.1; github.com/samar-khanna/DiffusionSat): seven numbers, each as
waves and through layers of its own. There they are added to the time embedding and 0 stands for unknown; here each
becomes one token of the text, so that a plain UNet takes them, and unknown is a token of its own.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from earthloom.core.errors import UsageError
from earthloom.models.weights.headers import read_header, read_metadata
from earthloom.models.weights.saving import save_tensors

FACTS = ("lon", "lat", "gsd_m", "cloud_share", "year", "month", "day")
"""What there is a token for, in this order."""
METADATA_NAME = "metadata_tokens.safetensors"
_KEY = "earthloom"
_WAVES = 128
_LONGEST = 10_000.0
"""Ratio of the longest wave to the shortest, as in the embedding of diffusion's steps."""
_SPAN = 1000.0
"""Every fact goes from 0 to so much, as diffusion's steps do."""
_GSD_OCTAVES = (-7.0, 14.0)
"""Ground sample distances from 2**-7 m (8 mm) to 2**14 m (16 km). DiffusionSat has metres from 0 to 1."""
_YEARS = (1980.0, 2100.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureFacts:
    """What is known of a picture; None is unknown, never 0."""

    gsd_m: float | None = None
    """Ground sample distance, metres, more than 0."""
    lon: float | None = None
    lat: float | None = None
    """Centre, degrees, WGS 84."""
    date: str | None = None
    """ISO 8601, as precise as known."""
    cloud_share: float | None = None
    """0 to 1."""


def write_clause(facts: PictureFacts) -> str:
    """Say in a few words what is known, such as `10 m per pixel, longitude 12.34, latitude 45.44, 2019-09, 5 % cloud`.

    Empty where nothing is. Numbers are as exact as they mean something to a text encoder.
    """
    year, month, day = _split_date(facts.date)
    date = "-".join(f"{part:02d}" for part in (year, month, day) if part is not None)
    said = (
        f"{facts.gsd_m:.3g} m per pixel" if facts.gsd_m is not None else "",
        f"longitude {facts.lon:.2f}" if facts.lon is not None else "",
        f"latitude {facts.lat:.2f}" if facts.lat is not None else "",
        date,
        f"{100 * facts.cloud_share:.0f} % cloud" if facts.cloud_share is not None else "",
    )
    return ", ".join(text for text in said if text)


def scale_facts(facts: PictureFacts) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Facts as `MetadataTokens` takes them: 7 numbers in the order of `FACTS`, and which of them are known."""
    year, month, day = _split_date(facts.date)
    scaled = (
        _scale(facts.lon, -180.0, 180.0),
        _scale(facts.lat, -90.0, 90.0),
        _scale(None if facts.gsd_m is None else math.log2(facts.gsd_m), *_GSD_OCTAVES),
        _scale(facts.cloud_share, 0.0, 1.0),
        _scale(year, *_YEARS),
        _scale(month, 0.0, 12.0),
        _scale(day, 0.0, 31.0),
    )
    known = np.array([value is not None for value in scaled], np.bool_)
    return np.array([value or 0.0 for value in scaled], np.float32), known


class MetadataTokens(nn.Module):
    """One token for every fact, to stand behind those of the text.

    At the start all are close to `start`, a state that the UNet is used to, so that it draws nearly as before.
    """

    def __init__(self, start: Tensor) -> None:
        """Draw first weights from torch's generator.

        Args:
            start: D numbers, such as the last state of an empty text.

        """
        super().__init__()
        width = len(start)
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Linear(2 * _WAVES, width), nn.SiLU(), nn.Linear(width, width)) for _ in FACTS
        )
        for layer in self.layers:
            assert isinstance(layer, nn.Sequential)
            nn.init.normal_(layer[-1].weight, std=0.02)  # type: ignore[arg-type]
            nn.init.zeros_(layer[-1].bias)  # type: ignore[arg-type]
        self.known = nn.Parameter(start.detach().float().repeat(len(FACTS), 1))
        """What is added to the token of a known fact."""
        self.unknown = nn.Parameter(self.known.detach() + 0.02 * torch.randn_like(self.known))

    def forward(self, values: Tensor, known: Tensor) -> Tensor:
        """Turn facts as `scale_facts` gives them, N x 7 each, into N x 7 x D tokens."""
        waves = _make_waves(values)
        told = torch.stack([layer(waves[:, i]) for i, layer in enumerate(self.layers)], dim=1) + self.known
        return torch.where(known[..., None], told, self.unknown)


def save_metadata_tokens(path: Path, tokens: MetadataTokens, training: Mapping[str, Any]) -> None:
    """Write them; `training` is JSON that tells how they were trained. Raises `WriteError`."""
    told = {"format": 1, "kind": "metadata-tokens", "facts": list(FACTS), "training": dict(training)}
    save_tensors(path, tokens.state_dict(), {_KEY: json.dumps(told, sort_keys=True)})


def load_metadata_tokens(path: Path) -> MetadataTokens:
    """Read what `save_metadata_tokens` wrote. Raises `UsageError` where it is something else."""
    if not path.is_file():
        raise UsageError(f"There are no metadata tokens {path}.")
    read_header(path)
    try:
        told = json.loads(read_metadata(path)[_KEY])
        is_known = (told["format"], told["kind"], told["facts"]) == (1, "metadata-tokens", list(FACTS))
    except (KeyError, TypeError, ValueError):
        is_known = False
    if not is_known:
        raise UsageError(f"{path} holds no metadata tokens that this version of earthloom reads.")
    tensors = load_file(path)
    tokens = MetadataTokens(tensors["known"][0])
    tokens.load_state_dict(tensors)
    return tokens.requires_grad_(requires_grad=False).eval()


def _make_waves(values: Tensor) -> Tensor:
    """Cosines and sines of N x 7 numbers at frequencies from 1 down: N x 7 x 256."""
    powers = torch.arange(_WAVES, dtype=torch.float32, device=values.device) / _WAVES
    angles = values.float()[..., None] * torch.exp(-math.log(_LONGEST) * powers)
    return torch.cat([angles.cos(), angles.sin()], dim=-1)


def _scale(value: float | None, low: float, high: float) -> float | None:
    return None if value is None else _SPAN * (value - low) / (high - low)


def _split_date(date: str | None) -> tuple[int | None, int | None, int | None]:
    """Year, month and day of an ISO date, as far as it goes."""
    found = re.match(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", date or "")
    if found is None:
        return None, None, None
    year, month, day = (None if part is None else int(part) for part in found.groups())
    return year, month, day
