"""A generator without weights: noise from the seed, coloured by the prompt. Run as a script it draws slowly."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from earthloom.generate.config import GenerateSettings
from earthloom.generate.generating import generate
from earthloom.models.generators.briefs import FACTS, About, Brief, Drawn
from earthloom.models.weights.origins import Origin

ABOUT = About(
    kind="made",
    origins=(Origin(name="noise", revision=None, licence="CC0-1.0", fingerprint="0123456789abcdef"),),
    sampler="none",
    precision="float32",
    device="cpu",
    steps=3,
    guidance=1.5,
    size=(16, 16),
    batch=4,
    facts=frozenset(FACTS),
    modality=None,
    names={},
    gsd_of="record",
    control_channels=0,
)


@dataclass
class NoiseGenerator:
    """Follows the protocol to the letter, and remembers what it was asked for."""

    about: About = ABOUT
    channels: int = 3
    seconds: float = 0.0
    batches: list[list[str]] = field(default_factory=list)

    def find_faults(self, brief: Brief, *, has_control: bool) -> list[str]:
        faults = ["scene: no sand here."] if brief.scene == "sand" else []
        if has_control and not self.about.control_channels:
            faults.append("control: takes none.")
        if brief.control is not None and brief.control.shape[2] != self.about.control_channels:
            faults.append(f"control: {brief.control.shape[2]} channels.")
        return faults

    def draw(self, briefs: Sequence[Brief], *, steps: int, guidance: float) -> list[Drawn]:
        self.batches.append([brief.key for brief in briefs])
        time.sleep(self.seconds * len(briefs))
        return [self._draw(brief, steps, guidance) for brief in briefs]

    def _draw(self, brief: Brief, steps: int, guidance: float) -> Drawn:
        rng = np.random.default_rng(brief.seed)
        noise = rng.integers(0, 200, (brief.height, brief.width, self.channels))
        words = "|".join(
            [brief.prompt, str(steps), str(guidance), *(str(getattr(brief, name)) for name in FACTS)]
        )
        colour = np.frombuffer(hashlib.sha256(words.encode()).digest()[: self.channels], np.uint8) // 5
        picture = (noise + colour).astype(np.uint8)
        if brief.control is not None:
            picture[: brief.control.shape[0] // 8, :, :] = brief.control[0, 0, 0]
        return Drawn(picture=picture, told=f"told {brief.prompt}", is_cut=len(brief.prompt) > 100)


def with_about(**changes: Any) -> NoiseGenerator:
    """A generator that says something else of itself."""
    return NoiseGenerator(about=replace(ABOUT, **changes))


def make_settings(**fields: Any) -> GenerateSettings:
    """Settings for the generator that is made here."""
    return GenerateSettings.model_validate({"model": "noise", **fields})


def main() -> None:
    """Draw slowly what a file of prompts says: for tests that kill it."""
    settings = make_settings(prompts=sys.argv[1], batch=2)
    generate(settings, sys.argv[2], open_model=lambda _: NoiseGenerator(seconds=float(sys.argv[3])))


if __name__ == "__main__":
    main()
