"""Both sets as one encoder sees them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from earthloom.evaluate.attributes.readings import Resampling
from earthloom.evaluate.gathering import Gathered
from earthloom.metrics.cmmd import cmmd
from earthloom.metrics.features import CLASSICAL, Scaler
from earthloom.metrics.kid import kid_unbiased
from earthloom.models.encoders.encoder import Encoder, Features, name_encoder

CMMD = "cmmd"
_LEAST_GROUPS = 20
"""Grounds or prompts that are drawn whole for intervals: our choice."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Space:
    """Features of one encoder, and what distances of them are called."""

    encoder: str
    """`name@version`."""
    frechet: str
    """`fid` for Inception with the published weights alone; else such as `fd:loom`."""
    kernel: str
    """`kid`, such as `kd:loom`, or `cmmd`."""
    scaler: Scaler | None
    """Of features whose scales differ, by the real set."""
    real: Features
    """N x D."""
    generated: Features
    """M x D."""
    real_groups: tuple[str, ...]
    """N, what is drawn whole: grounds, or pictures where there are few grounds."""
    generated_groups: tuple[str, ...]
    """M: prompts, or pictures where there are few prompts."""
    real_grounds: tuple[str, ...] = ()
    """N, however few: what a probe is tried on, it must not have learned from. As `real_groups` where empty."""
    generated_prompts: tuple[str, ...] = ()
    """M, likewise."""

    @property
    def width(self) -> int:
        """D."""
        return int(self.real.shape[1])

    def scale(self, gathered: Gathered) -> Features:
        """Features of another set in this space."""
        features = gathered.features[self.encoder]
        return features if self.scaler is None else self.scaler.scale(features)

    def measure_kernel(self, x: Features, y: Features) -> float:
        """Kernel distance of two sets: CMMD as published, else the unbiased estimate of KID."""
        return cmmd(x, y).value if self.kernel == CMMD else kid_unbiased(x, y)


@dataclass(frozen=True, kw_only=True, slots=True)
class Draws:
    """How often and how large subsets are drawn, and from which seed."""

    resampling: Resampling
    halves: int
    subsets: int
    subset_size: int

    @property
    def seed(self) -> int:
        """Of every draw."""
        return self.resampling.seed

    @property
    def level(self) -> float:
        """Of intervals."""
        return self.resampling.level


def make_space(encoder: Encoder, real: Gathered, generated: Gathered) -> Space:
    """See both sets by an encoder that they were described by."""
    name = name_encoder(encoder)
    x, y = real.features[name], generated.features[name]
    scaler = Scaler.fit(x) if name == CLASSICAL and len(x) > 1 else None
    return Space(
        encoder=name,
        frechet=_spell(encoder.frechet),
        kernel=_spell(encoder.kernel),
        scaler=scaler,
        real=x if scaler is None else scaler.scale(x),
        generated=y if scaler is None else scaler.scale(y),
        real_groups=_choose_groups(real),
        generated_groups=_choose_groups(generated),
        real_grounds=real.groups,
        generated_prompts=generated.groups,
    )


def draw_rows(n: int, most: int, rng: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """At most so many of n rows, in order."""
    return np.sort(rng.permutation(n)[:most]).astype(np.int64)


def _choose_groups(gathered: Gathered) -> tuple[str, ...]:
    """Few grounds or prompts are taken as given, and pictures are drawn: halves of four prompts say nothing."""
    if len(set(gathered.groups)) >= _LEAST_GROUPS:
        return gathered.groups
    return tuple(entry.key for entry in gathered.entries)


def _spell(name: str) -> str:
    """`FD-DINOv2` as the name of a figure: `fd:dinov2`."""
    return name.lower().replace("-", ":", 1)
