"""Features of a folder of JPEGs beside the bare network on tensors that are ready.

What lies between is reading, hashing, decoding, resizing and putting rows together, which threads do ahead of the
network. Inception has random weights: they cost what published ones cost. Against our own small network, which takes
3 ms of a core for a picture, decoding and resizing are no small matter; its ratio is printed without a target.

Costs are CPU-seconds of the process with all of its threads: on a machine whose cores the network keeps busy, they
decide the wall time too. Both ways take turns.

    python benchmarks/bench_features.py
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from earthloom.evaluate.features import describe
from earthloom.models.encoders import Encoder, load_encoder
from earthloom.models.encoders.inception import Inception
from earthloom.models.encoders.inception_graph import InceptionV3
from earthloom.store.selection import Selection, select
from earthloom.store.shown import Shown
from imagery import picture_folder

TARGET = 0.9
ROUNDS = 3


@dataclass(frozen=True, kw_only=True)
class Race:
    """One encoder over pictures of one size."""

    encoder: Encoder
    side: int
    n: int
    """A multiple of the encoder's batch."""
    target: float | None


def main() -> bool:
    """Run and judge."""
    torch.manual_seed(0)
    network = InceptionV3().requires_grad_(requires_grad=False).eval().to(memory_format=torch.channels_last)
    inception = Inception(version="random", network=network, is_published=False)
    ours = load_encoder("ours")
    races = (
        Race(encoder=inception, side=256, n=32, target=TARGET),
        Race(encoder=inception, side=640, n=32, target=TARGET),
        Race(encoder=ours, side=64, n=512, target=None),
        Race(encoder=ours, side=256, n=256, target=None),
    )
    print("\nFeatures of JPEGs beside the bare network on ready tensors, pictures a CPU-second")
    verdicts = [run(race) for race in races]  # all of them, whatever the first says
    return all(verdicts)


def run(race: Race) -> bool:
    """Race, print, and tell whether the target is met."""
    pictures = select(Selection(folder=str(picture_folder(race.n, race.side)), limit=race.n), Path())
    prepared = [race.encoder.prepare(shown.show()) for shown in pictures]
    batch = race.encoder.batch

    def encode() -> None:
        for start in range(0, race.n, batch):
            race.encoder.encode(prepared[start : start + batch])

    def extract() -> None:
        found = describe(pictures, [race.encoder], keep=False)
        assert not found.set_aside

    encode()  # the first call of a network prepares it
    costs = [(measure(encode), measure(extract)) for _ in range(ROUNDS)]
    bare, whole = (statistics.median(each) for each in zip(*costs, strict=True))
    ratio = statistics.median(one / other for one, other in costs)
    kept = race.n / measure_kept(pictures, race.encoder)
    is_met = race.target is None or ratio >= race.target
    verdict = "" if race.target is None else f"; target {race.target:.2f}: {'met' if is_met else 'MISSED'}"
    print(
        f"  {race.encoder.name:20} {race.side:>4} px   bare {race.n / bare:8.1f}   folder {race.n / whole:8.1f}   "
        f"ratio {ratio:.2f}{verdict}   from the cache {kept:8.0f}",
        flush=True,
    )
    return is_met


def measure(work: Callable[[], None]) -> float:
    """CPU-seconds of all threads."""
    start = time.process_time()
    work()
    return time.process_time() - start


def measure_kept(pictures: Sequence[Shown], encoder: Encoder) -> float:
    """CPU-seconds of looking up what was kept."""
    with tempfile.TemporaryDirectory() as folder:
        describe(pictures, [encoder], cache=Path(folder))
        start = time.process_time()
        found = describe(pictures, [encoder], cache=Path(folder))
        assert found.n_cached == len(pictures)
        return time.process_time() - start


if __name__ == "__main__":
    sys.exit(not main())
