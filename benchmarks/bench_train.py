"""What feeds training: earthloom's stream beside the `webdataset` library, from the same tars on two cores.

Both read every sample whole, parse its facts, decode a JPEG of 512 px and stack squares of 256 px as uint8. That half
the size is decoded where no more is needed is part of our loader; the line of whole JPEGs shows what is left without
it, and the line of webdataset with simplejpeg what is left without its own decoder. Then the memory that a million
samples take: 1,000 tars of 1,000 samples each, all of them names of one file, read but not decoded.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import cv2
import numpy as np
import rasterio
from rasterio.windows import Window

from bench_memory import read_peak
from harness import Goal, Usage, judge, scratch_folder
from imagery import N_TEXTURES, Pixels, make_texture, vary
from one_loader import LOADERS

N = 4000
SIDE = 512
QUALITY = 95
PER_SHARD = 500
ROUNDS = 3
N_TEXTS = 7
MILLION = 1_000_000
FEW = 200_000
PER_SMALL_SHARD = 1000
GROWTH = 0.05
START_S = 1.0
NAIP = Path(__file__).resolve().parents[2] / "shared" / "data" / "naip"


def find_pictures() -> tuple[str, list[Pixels]]:
    """Scenes to cut from: aerial pictures of NAIP where they are at hand, else textures made in code."""
    scenes = []
    for path in sorted(NAIP.glob("*.tif"))[:4] if NAIP.is_dir() else []:
        with rasterio.open(path) as file:
            pixels = file.read((1, 2, 3), window=Window(0, 0, min(4096, file.width), min(4096, file.height)))
        scenes.append(np.ascontiguousarray(np.moveaxis(pixels, 0, 2)))
    if scenes:
        return "NAIP", scenes
    return "made", [vary(make_texture(seed, 2 * SIDE), seed) for seed in range(N_TEXTURES)]


def make_facts(key: str, index: int) -> bytes:
    """Facts of a pair, with the fields and the size of a real one: some 5 KB."""
    text = (
        "An aerial picture of 2018 with a ground sample distance of 1 m shows cropland, woodland and a road, "
    )
    origins = ("raster header", "sidecar file", "computed", "recipe")
    label = {
        "kind": "cover",
        "origin": "computed",
        "box": None,
        "corners": None,
        "truncated": None,
        "difficult": None,
    }
    return json.dumps(
        {
            "id": key, "base_id": key, "pair_id": key, "group": f"scene-{index // 40}", "modality": "rgb",
            "platform": "NAIP", "sensor": None, "gsd_m": 1.0, "native_gsd_m": 1.0, "pixel_m": 1.0, "lon": -97.1,
            "lat": 47.2, "acquired": "2018-07-04", "quantity": "display", "split": "train", "source": "naip",
            "labels": [{"name": f"cover {i}", "share": 0.1, **label} for i in range(8)],
            "captions": [
                {"text": f"{text}seen for the {i}th time.", "style": "plain", "role": "overview", "author": "rules@2",
                 "checks": ["number", "class", "place"]} for i in range(N_TEXTS)
            ],
            "footprint": {"type": "MultiPolygon", "coordinates": [[[[-97.1, 47.2]] * 5]]},
            "provenance": [{"fact": f"fact_{i}", "origin": origins[i % 4]} for i in range(24)],
            "sha256": "0" * 64,
        }
    ).encode()  # fmt: skip


def write_tars(folder: Path, n: int) -> str:
    """Write `n` pairs in the form of a release; gives what the pictures are and how large."""
    from earthloom.core.images import encode_jpeg

    kind, scenes = find_pictures()
    rng = np.random.default_rng(0)
    size = 0
    folder.mkdir(parents=True)
    for shard in range(n // PER_SHARD):
        with tarfile.open(folder / f"train-rgb-{shard:05d}.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
            for index in range(shard * PER_SHARD, (shard + 1) * PER_SHARD):
                scene = scenes[index % len(scenes)]
                y, x = (int(rng.integers(extent - SIDE + 1)) for extent in scene.shape[:2])
                data = encode_jpeg(
                    vary(np.ascontiguousarray(scene[y : y + SIDE, x : x + SIDE]), index), QUALITY
                )
                size += len(data)
                add_pair(tar, f"{index:024x}", data, make_facts(f"{index:024x}", index))
    return f"{kind}, {size / n / 1000:.0f} KB each"


def add_pair(tar: tarfile.TarFile, key: str, image: bytes, facts: bytes) -> None:
    """Append one pair."""
    for suffix, data in (("jpg", image), ("json", facts), ("txt", b"A picture from above.")):
        info = tarfile.TarInfo(f"{key}.{suffix}")
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))


def feed(name: str, tars: Path) -> Usage:
    """Run one loader in a process of its own."""
    script = Path(__file__).with_name("one_loader.py")
    done = subprocess.run(
        [sys.executable, script, name, tars, str(N)], check=True, capture_output=True, text=True
    )
    cost = json.loads(done.stdout.splitlines()[-1])
    if cost["n"] != N:
        raise SystemExit(f"{name} fed {cost['n']} of {N} samples: no fair race")
    return Usage(cpu_s=cost["cpu_s"], wall_s=cost["wall_s"])


def race_loaders(scratch: Path) -> bool:
    """Feed the same tars with every loader, in turns."""
    pictures = write_tars(scratch / "release" / "data", N)
    results: dict[str, list[Usage]] = {name: [] for name in LOADERS}
    for turn in range(ROUNDS):
        for name in LOADERS if turn % 2 == 0 else reversed(LOADERS):
            results[name].append(feed(name, scratch / "release" / "data"))
    goal = Goal(ours="earthloom", peer="webdataset", target=1.3)
    honest = Goal(ours="earthloom, whole JPEGs decoded", peer="webdataset with simplejpeg", target=1.0)
    title = (
        f"(train a) {N} samples of {SIDE} px ({pictures}) to batches of 32 x 256 px, two threads or processes"
    )
    is_met = judge(title, "samples", N, results, [goal, honest])
    for name, usages in results.items():
        best = min(1000 * usage.cpu_s / N for usage in usages)
        print(f"  {name:34} {best:5.2f} CPU-s for 1,000 samples at best")
    return is_met


def link_million(folder: Path) -> None:
    """A million samples: one tar of a thousand under a thousand names."""
    folder.mkdir(parents=True)
    first = folder / "train-rgb-00000.tar"
    _, image = cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))
    with tarfile.open(first, "w", format=tarfile.USTAR_FORMAT) as tar:
        for index in range(PER_SMALL_SHARD):
            key = f"{index:024x}"
            add_pair(
                tar, key, image.tobytes(), json.dumps({"id": key, "base_id": key, "captions": []}).encode()
            )
    for index in range(1, MILLION // PER_SMALL_SHARD):
        (folder / f"train-rgb-{index:05d}.tar").symlink_to(first)


def go_through(folder: Path) -> None:
    """Read a million samples; prints seconds to the first, and the peak of memory after few and after all, as JSON."""
    import os

    from earthloom.store.selection import Selection
    from earthloom.store.stream.samples import Sample, Stream
    from earthloom.train.batches import StreamBatches
    from earthloom.train.step import Share

    def prepare(sample: Sample, rng: np.random.Generator) -> dict[str, np.ndarray]:
        return {"n_bytes": np.array(len(sample.image))}

    start = time.perf_counter()
    stream = Stream(Selection(release=str(folder)), Path(), seed=0)
    stream.read(0)
    first_s = time.perf_counter() - start
    batches = StreamBatches(stream, prepare, batch=100, seed=0, share=Share(), threads=2)
    peaks = {}
    for number in range(1, MILLION // 100 + 1):
        batches.draw(number)
        if number * 100 in {FEW, MILLION}:
            peaks[number * 100] = read_peak(os.getpid())
    wall_s = time.perf_counter() - start
    print(
        json.dumps({"first_s": first_s, "few": peaks[FEW], "all": peaks[MILLION], "wall_s": wall_s}),
        flush=True,
    )
    os._exit(0)  # threads that read ahead are not waited for


def measure_million(scratch: Path) -> bool:
    """Go through a million samples in a process of its own, and judge."""
    link_million(scratch / "million" / "data")
    done = subprocess.run(
        [sys.executable, __file__, "million", scratch / "million" / "data"],
        check=True,
        capture_output=True,
        text=True,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    growth = found["all"] / found["few"] - 1
    is_flat, is_instant = growth < GROWTH, found["first_s"] < START_S
    print(f"\n(train b) {MILLION:,} samples in {MILLION // PER_SMALL_SHARD:,} tars, read and not decoded")
    print(
        f"  first sample after {found['first_s']:.2f} s; target {START_S:.0f} s: {'met' if is_instant else 'MISSED'}"
    )
    print(f"  all of them in {found['wall_s']:.0f} s, {MILLION / found['wall_s']:,.0f} samples/s")
    print(
        f"  peak {found['few'] / 1e6:.0f} MB after {FEW:,}, {found['all'] / 1e6:.0f} MB after all, {growth:+.1%}; "
        f"target {GROWTH:.0%}: {'met' if is_flat else 'MISSED'}"
    )
    return is_flat and is_instant


def main() -> bool:
    """Race and judge."""
    with scratch_folder() as scratch:
        verdicts = [race_loaders(scratch), measure_million(scratch)]
    return all(verdicts)


if __name__ == "__main__":
    if sys.argv[1:2] == ["million"]:
        go_through(Path(sys.argv[2]))
    else:
        sys.exit(not main())
