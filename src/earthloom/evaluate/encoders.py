"""The encoders that a recipe asks for. No torch here: recipes are checked without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from earthloom.core.settings import Settings
from earthloom.metrics.features import CLASSICAL, N_FEATURES, describe_picture
from earthloom.models.encoders import load_encoder
from earthloom.models.encoders.encoder import (
    Encoder,
    Features,
    Picture,
    Pictures,
    Prepared,
    describe_in_batches,
)


class EncoderSettings(Settings):
    """What pictures are described by."""

    name: Literal["ours", "classical", "inception", "dinov2", "clip"] = "ours"
    """`ours`: the small network that comes with the package. `classical`: colour, tone, texture; no network.
    `inception`: that of FID. `dinov2` and `clip`: a folder as transformers saves it; RemoteCLIP and GeoRSCLIP are
    `clip`."""
    weights: str | None = Field(None, min_length=1)
    """File or folder. None for `classical`; of `ours` another file than the one that comes with the package."""
    resize: Literal["clean", "legacy"] = "clean"
    """Of `inception`: how pictures are brought to 299 px, `clean` as clean-fid (and as one should), `legacy` as
    pytorch-fid, to compare with numbers that were made with it."""
    trust: bool = False
    """Of `inception`: also take weights whose hash is not that of the published file. They are not called FID then."""

    @model_validator(mode="after")
    def _check_weights(self) -> Self:
        if self.name == "classical" and self.weights is not None:
            raise ValueError("`classical` has no weights: leave `weights` out.")
        if self.name not in {"ours", "classical"} and self.weights is None:
            raise ValueError(
                f"`{self.name}` wants `weights`: the path of a file or folder that you have downloaded."
            )
        if self.name != "inception" and {"resize", "trust"} & self.model_fields_set:
            raise ValueError("`resize` and `trust` are of `inception` alone: leave them out.")
        return self


@dataclass(frozen=True, kw_only=True, slots=True)
class Classical:
    """The features of `earthloom.metrics.features`, which need no weights, as an encoder."""

    name: str = CLASSICAL.partition("@")[0]
    version: str = CLASSICAL.partition("@")[2]
    resize: str = "none@1: pictures as they are"
    width: int = N_FEATURES
    batch: int = 64
    frechet: str = "FD-classical"
    kernel: str = "KD-classical"

    def prepare(self, picture: Picture) -> Prepared:
        """The features themselves: there is no network to wait for. Raises `UsageError` for a side under 32 pixels."""
        return describe_picture(picture)

    def encode(self, prepared: Sequence[Prepared]) -> Features:
        """Features, N x 76; their scales differ: see `earthloom.metrics.features.Scaler`."""
        return np.stack(prepared).astype(np.float64) if prepared else np.empty((0, N_FEATURES))

    def describe(self, pictures: Pictures) -> Features:
        """Features of pictures, N x 76."""
        return describe_in_batches(self, pictures)


def open_encoder(settings: EncoderSettings, base: Path = Path()) -> Encoder:
    """Open what a recipe asks for, onto the CPU.

    Args:
        settings: of the recipe.
        base: folder that the path of the weights is relative to.

    Raises:
        UsageError: torch or transformers are missing, or the weights are not there or not of this kind.

    """
    if settings.name == "classical":
        return Classical()
    weights = None if settings.weights is None else base / settings.weights
    return load_encoder(settings.name, weights, resize=settings.resize, trust=settings.trust)


def open_encoders(settings: Sequence[EncoderSettings], base: Path = Path()) -> tuple[Encoder, ...]:
    """Open several, in their order. Raises `UsageError` as `open_encoder`."""
    return tuple(open_encoder(each, base) for each in settings)
