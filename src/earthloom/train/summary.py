"""What a training did."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from earthloom.core.durations import format_seconds

LIBRARIES = ("numpy", "opencv-python-headless", "safetensors", "torch")
"""Libraries whose version can change the weights."""


@dataclass(frozen=True, kw_only=True)
class TrainingSummary:
    """What a training did, this run and those before it."""

    name: str
    folder: Path
    steps: int
    """Done in all."""
    resumed_from: int
    """Steps that earlier runs had done."""
    seconds: float
    """Wall time of this run."""
    device: str
    n_processes: int
    losses: dict[str, float]
    """Mean of each over the last 100 steps."""
    held: dict[str, float]
    """Losses on held-out data, as measured last; empty where the recipe names none."""
    weights: tuple[Path, ...]
    """What is used from now on."""
    n_samples: dict[str, int]
    """Samples of each set, by its place in the recipe, where that is known without reading all of them."""
    n_refused: dict[str, int]
    """Samples of each set that were drawn and could not be used; `refused.json` says why."""
    origins: tuple[Mapping[str, Any], ...]
    """Weights of others that it stands on."""
    recipe_digest: str

    def to_json(self) -> dict[str, Any]:
        """As `run.json` holds it."""
        return {
            "name": self.name,
            "folder": str(self.folder),
            "steps": self.steps,
            "resumed_from": self.resumed_from,
            "seconds": round(self.seconds, 3),
            "device": self.device,
            "processes": self.n_processes,
            "losses": self.losses,
            "held": self.held,
            "weights": [str(path) for path in self.weights],
            "samples": self.n_samples,
            "refused": self.n_refused,
            "origins": [dict(origin) for origin in self.origins],
            "recipe": self.recipe_digest,
            "versions": {
                "earthloom": version("earthloom"),
                "python": platform.python_version(),
                **{name: version(name) for name in LIBRARIES},
            },
        }

    def to_text(self) -> str:
        """As a few lines."""
        before = f", {self.resumed_from:,} of them before" if self.resumed_from else ""
        lines = [
            f"{self.name}: {self.steps:,} steps{before}, {format_seconds(self.seconds)} on {self.device}",
            "losses   " + ", ".join(f"{name} {value:.4g}" for name, value in self.losses.items()),
        ]
        if self.held:
            lines.append("held out " + ", ".join(f"{name} {value:.4g}" for name, value in self.held.items()))
        for place in dict.fromkeys([*self.n_samples, *self.n_refused]):
            said = [f"{self.n_samples[place]:,} samples"] if place in self.n_samples else []
            refused = self.n_refused.get(place, 0)
            said += [f"{refused:,} could not be used"] if refused else []
            lines.append(f"{place:8} " + ", ".join(said))
        for origin in self.origins:
            lines.append(f"from     {origin['name']}, licence {origin['licence'] or 'unknown'}")
        if any(self.n_refused.values()):
            lines.append(f"reasons  {self.folder / 'refused.json'}")
        lines += [f"weights  {path}" for path in self.weights]
        return "\n".join(lines)
