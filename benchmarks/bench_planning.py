"""Planning of a full-size download: ten million listed files, simulated, within a minute a million and two gigabytes.

`python benchmarks/bench_planning.py --millions 10` is the whole of it; the default is one million. What is measured:
listing, the items and the keys of all jobs of ingest, then the jobs of tile from the shards that ingest would have
written, each scene of another shape so that nothing is remembered from the one before. Opens no image, makes no file
but one shard of scenes and hard links to it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

from harness import scratch_folder
from simulated_tree import ROOT, Tree, mount

if TYPE_CHECKING:
    from earthloom.store.shards import Manifest

SECONDS_A_MILLION = 60
PEAK_GB = 2
SCENES_A_SHARD = 1000


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What planning took."""

    n_files: int
    n_items: int
    n_jobs: int
    ingest_s: float
    tile_s: float
    """CPU-seconds."""
    peak_gb: float


def plan(n_files: int, kind: str, work: Path) -> Figures:
    """Plan ingest and tile of a simulated download."""
    from earthloom.run import plan as planning
    from earthloom.run.recipe import Recipe

    recipe = Recipe.model_validate(
        {
            "name": "simulated",
            "sources": [{"kind": kind, "path": ROOT, "name": "fmow"}],
            "tile": {"fit": "whole"},
        }
    )
    tree = Tree(n_files)
    start = time.process_time()
    with mount(tree):
        n_items = sum(len(job.items) for job in planning.plan_ingest(recipe, Path("/"), work))
    middle = time.process_time()
    manifests = write_scenes(work, n_items)
    begin = time.process_time()
    with mock.patch.object(planning, "_MAX_KNOWN", 0):
        tiles = planning.plan_tile(recipe, Path("/"), work, manifests)
    return Figures(
        n_files=tree.n_files,
        n_items=n_items,
        n_jobs=len(tiles.jobs),
        ingest_s=middle - start,
        tile_s=time.process_time() - begin,
        peak_gb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9,
    )


def write_scenes(work: Path, n_scenes: int) -> list[Manifest]:
    """The shards of scenes that ingest would write: one, under as many names as are needed."""
    from earthloom.core.records import Band, Modality, Quantity, Scene
    from earthloom.store.layout import ShardFiles, WorkFolder
    from earthloom.store.shards import Counts, Manifest, ShardWriter

    folder = WorkFolder(work).stage("ingest")
    folder.mkdir(parents=True)
    files = ShardFiles(folder, "fmow-000000")
    writer = ShardWriter(files, Scene, stage="ingest", key="key")
    with writer:
        for i in range(SCENES_A_SHARD):
            uri = f"{ROOT}/train/airport/airport_{i}/airport_{i}_0_rgb.jpg"
            writer.write(
                Scene(
                    id=f"{i:024x}",
                    item_id=f"{i:024x}",
                    source="fmow",
                    source_key=uri,
                    dataset="fMoW",
                    modality=Modality.RGB,
                    quantity=Quantity.DISPLAY,
                    bands=tuple(Band(uri=uri, index=band) for band in (1, 2, 3)),
                    width=600 + i,
                    height=800,
                    dtype="uint8",
                    gsd_x_m=0.5,
                    gsd_y_m=0.5,
                    group="group",
                    pair_key="pair",
                )
            )
    writer.finish()
    manifests = []
    for number in range(-(-n_scenes // SCENES_A_SHARD)):
        name = f"fmow-{number:06d}"
        if number:
            os.link(files.rows, ShardFiles(folder, name).rows)
        counts = Counts(planned=SCENES_A_SHARD, written=SCENES_A_SHARD, records=SCENES_A_SHARD)
        manifests.append(
            Manifest(stage="ingest", name=name, key=f"{number:032x}", counts=counts, tally={}, files={})
        )
    return manifests


def judge(name: str, got: float, limit: float, unit: str) -> bool:
    """Print a figure beside its limit."""
    is_met = got <= limit
    verdict = "met" if is_met else "MISSED"
    print(f"  {name:34} {got:>10.2f} {unit:14} {got / limit:5.2f} of the limit of {limit} {unit}: {verdict}")
    return is_met


def main(millions: float = 0.2, kind: str = "fmow") -> bool:
    """Measure in a process of its own, whose peak is its own, and judge."""
    with scratch_folder() as scratch:
        argv = [
            sys.executable,
            __file__,
            "--child",
            str(scratch / "work"),
            "--millions",
            str(millions),
            "--kind",
            kind,
        ]
        child = subprocess.run(argv, capture_output=True, text=True, check=False)
    if child.returncode != 0:
        raise SystemExit(f"planning ended with {child.returncode}:\n{child.stderr}")
    figures = Figures(**json.loads(child.stdout))
    each = 1e6 / figures.n_files
    print(f"\n(e) planning of {figures.n_files:,} listed files ({kind}): {figures.n_items:,} items")
    print(f"  {'listing, items, keys':34} {figures.ingest_s * each:>10.2f} CPU-s/million")
    print(f"  {f'{figures.n_jobs:,} jobs of tile':34} {figures.tile_s * each:>10.2f} CPU-s/million")
    together = (figures.ingest_s + figures.tile_s) * each
    is_fast = judge("together", together, SECONDS_A_MILLION, "CPU-s/million")
    return judge("peak resident memory", figures.peak_gb, PEAK_GB, "GB") and is_fast


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--millions", type=float, default=1.0, help="millions of files")
    parser.add_argument("--kind", default="fmow", help="kind of source that lists them")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child is None:
        sys.exit(not main(chosen.millions, chosen.kind))
    print(json.dumps(asdict(plan(int(chosen.millions * 1e6), chosen.kind, Path(chosen.child)))))
