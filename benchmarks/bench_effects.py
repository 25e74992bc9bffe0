"""Weather and low light on 512 px RGB, uint8 in and out, on one thread: earthloom beside the nearest of its peers.

albumentations (MIT) lives in a virtual environment of its own. Its transforms are made for pictures of a street:
`RandomFog` draws circles, `RandomSnow` brightens, `RandomShadow` darkens a polygon; none of them measures what it did.
SCG is SatelliteCloudGenerator's published method in our own words (`peers_cloud`). Imports are not counted.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness import Usage, install_peer, judge, scratch_folder
from imagery import make_texture, vary

PACKAGES = ("albumentations==2.0.8",)
SIZE = 512
N = 60
N_TEXTURES = 6
ROUNDS = 5


@dataclass(frozen=True, kw_only=True)
class Heat:
    """One effect, and what it is raced against."""

    effect: str
    target: float
    """Pictures in a CPU-second."""
    albumentations: str
    """Its nearest transforms, joined by `+`."""
    scg: bool = False


HEATS = (
    Heat(effect="fog", target=60, albumentations="RandomFog"),
    Heat(effect="snow", target=40, albumentations="RandomSnow"),
    Heat(effect="low_light", target=60, albumentations="RandomBrightnessContrast+ISONoise"),
    Heat(effect="cloud", target=30, albumentations="RandomShadow", scg=True),
)


def write_pictures(path: Path) -> Path:
    """All pictures in one array, N x 512 x 512 x 3."""
    textures = [make_texture(seed, SIZE) for seed in range(N_TEXTURES)]
    np.save(path, np.stack([vary(textures[i % N_TEXTURES], i) for i in range(N)]))
    return path


def run_once(python: Path, pictures: Path, who: str, effect: str) -> Usage:
    """Change all pictures in a process of its own."""
    script = Path(__file__).with_name("one_effect.py")
    done = subprocess.run(
        [python, script, pictures, who, effect], stdout=subprocess.PIPE, text=True, check=True
    )
    cpu_s, wall_s = map(float, done.stdout.split()[-2:])
    return Usage(cpu_s=cpu_s, wall_s=wall_s)


def race_heat(heat: Heat, pictures: Path, albumentations: Path) -> dict[str, list[Usage]]:
    """Run all candidates in turns, in the opposite order every other round."""
    ours = Path(sys.executable)
    candidates = {
        f"earthloom {heat.effect}": (ours, "earthloom", heat.effect),
        heat.albumentations: (albumentations, "albumentations", heat.albumentations),
    }
    if heat.scg:
        candidates["SCG's cloud and shadow"] = (ours, "scg", heat.effect)
    results: dict[str, list[Usage]] = {name: [] for name in candidates}
    for turn in range(ROUNDS):
        for name in candidates if turn % 2 == 0 else reversed(candidates):
            python, who, effect = candidates[name]
            results[name].append(run_once(python, pictures, who, effect))
    return results


def judge_heat(heat: Heat, results: dict[str, list[Usage]]) -> bool:
    """Print the ratios to the peers, by rounds, and whether the target is met."""
    (_, ours), *peers = results.items()
    for name, theirs in peers:
        ratio = statistics.median(b.cpu_s / a.cpu_s for a, b in zip(ours, theirs, strict=True))
        print(f"  earthloom {heat.effect} at {ratio:.2f} of {name}")
    rate = N / statistics.median(usage.cpu_s for usage in ours)
    is_met = rate >= heat.target
    print(f"  {rate:.1f} pictures/CPU-s; target {heat.target:.0f}: {'met' if is_met else 'MISSED'}")
    return is_met


def main() -> bool:
    """Race and judge every effect."""
    albumentations = install_peer("albumentations", PACKAGES) / "python"
    verdicts = []
    with scratch_folder() as scratch:
        pictures = write_pictures(scratch / "pictures.npy")
        for heat in HEATS:
            results = race_heat(heat, pictures, albumentations)
            judge(f"(f) {heat.effect} on {N} pictures of {SIZE} px", "pictures", N, results)
            verdicts.append(judge_heat(heat, results))
    return all(verdicts)


if __name__ == "__main__":
    sys.exit(not main())
