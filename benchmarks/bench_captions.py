"""Rule captions, each verified, beside the bare writing of as many: images in a CPU-second.

The records are those of a run: miniatures of the nine datasets of MMM-RS (boxes, masks, dates, places; radar and near
infrared among them) and, where it is at hand, a part of EuroSAT (a class and nothing else). An image gets the MMM-RS
prompt, the enriched prompt and five plain captions with a role each.

`caption stage` is that stage as a process, from its start: plan, read tiles and scenes, caption, check, write.
`caption_tile alone` is the same work without files and imports, CPU-seconds by its own account. `template, no checks`
reads and writes the same rows in the same way and fills MMM-RS's `{level}, {weather}, {caption}, {satellite}` with
`str.format`, once for each caption: what any captioner of this shape has to spend.
"""

from __future__ import annotations

import importlib
import os
import statistics
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from harness import ROOT, WORKERS, Candidate, Usage, expect_rows, judge, measure, race, scratch_folder

if TYPE_CHECKING:
    from earthloom.core.records import Scene, Tile

EUROSAT = Path(os.environ.get("EARTHLOOM_REAL_DATA", ROOT.parent / "shared" / "data"))
EUROSAT /= "eurosat/eurosat_rgb.tar"
EVERY = 24
"""Of EuroSAT's 24,243 pictures one in so many is used."""
SIZE = 512
ROUNDS = 3
TARGET = 300
"""Images in a CPU-second."""
N_CAPTIONS = 7
CAPTIONS = {"with": "rules", "styles": ["mmm_rs", "enriched"], "per_image": 5}


def write_recipe(folder: Path) -> Path:
    """Make the miniatures, and a recipe for them and for a part of EuroSAT."""
    sys.path.insert(0, str(ROOT / "tests"))
    recipe: dict[str, Any] = yaml.safe_load((ROOT / "examples" / "mmm_rs.yaml").read_text())
    recipe |= {"mode": "faithful", "tile": {"size": SIZE, "min_side": 1}, "caption": CAPTIONS}
    for source in recipe["sources"]:
        (folder / source["path"]).mkdir(parents=True)
        importlib.import_module(f"fakes.{source['kind']}").write(folder / source["path"])
    if EUROSAT.is_file():
        unpack_some(EUROSAT, folder / "downloads" / "eurosat")
        recipe["sources"].append(
            {
                "kind": "images", "name": "eurosat", "path": "downloads/eurosat", "classes": True, "gsd_m": 10,
                "platform": "Sentinel-2", "tile": {"fit": "whole"},
            }
        )  # fmt: skip
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe))
    return path


def unpack_some(tar: Path, folder: Path) -> None:
    """Unpack some pictures of all classes; listing the whole tar would cost as much as captioning a part of it."""
    with tarfile.open(tar) as archive:
        members = [member for member in archive if member.isfile()]
        archive.extractall(folder, members[::EVERY], filter="data")


def read_records(work: Path) -> Iterator[tuple[Scene, Tile]]:
    """Every tile of a run with its scene, as the caption stage reads them: without pixels."""
    from earthloom.core.records import Scene
    from earthloom.run.reading import iter_tiles
    from earthloom.store.layout import WorkFolder
    from earthloom.store.tables import read_records as read_all

    folder = WorkFolder(work)
    scenes = {scene.id: scene for path in shards(folder.stage("ingest")) for scene in read_all(path, Scene)}
    for path in shards(folder.stage("tile")):
        for tile in iter_tiles(path):
            yield scenes[tile.scene_id], tile


def shards(folder: Path) -> list[Path]:
    """The shards of a stage, refusals left out."""
    return [path for path in sorted(folder.glob("*.parquet")) if not path.name.endswith(".refused.parquet")]


def fill_templates(work: Path, out: Path) -> None:
    """Write as many captions of the MMM-RS form, of what stands in the records, unchecked."""
    from earthloom.core.records import Caption, Captioned
    from earthloom.geo.levels import find_level
    from earthloom.store.layout import ShardFiles
    from earthloom.store.shards import ShardWriter

    out.mkdir()
    writer = ShardWriter(ShardFiles(out, "template"), Captioned, stage="caption", key="key")
    with writer:
        for scene, tile in read_records(work):
            level = "" if tile.gsd_m is None else find_level(tile.gsd_m).value
            names = " and ".join(label.name for label in tile.labels[:3])
            text = "{}, {}, a satellite image shows {}, {}".format(level, "clear", names, scene.platform)
            caption = Caption(text=text, style="mmm_rs", role="prompt", author="template")
            writer.write(Captioned(id=tile.id, captions=(caption,) * N_CAPTIONS))
            writer.counts.planned += 1
            writer.counts.written += 1
    writer.finish()


def caption_alone(work: Path) -> float:
    """CPU-seconds for the captions of all tiles, their records in memory, after one round to warm up."""
    from earthloom.caption import CaptionSettings, caption_tile

    settings = CaptionSettings.model_validate(CAPTIONS)
    records = list(read_records(work))
    for scene, tile in records[::20]:
        caption_tile(scene, tile, settings)
    start = time.process_time()
    for scene, tile in records:
        captions = caption_tile(scene, tile, settings).captions
        assert sum(caption.author != "source" for caption in captions) == N_CAPTIONS
    return time.process_time() - start


def run_alone(work: Path) -> Usage:
    """`caption_alone` in a process of its own."""
    argv = [sys.executable, __file__, "alone", str(work)]
    seconds = float(subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True).stdout)
    return Usage(cpu_s=seconds, wall_s=seconds)


def judge_rate(name: str, n: int, usages: list[Usage]) -> bool:
    """Print the rate of a candidate beside the target."""
    rate = n / statistics.median(usage.cpu_s for usage in usages)
    is_met = rate >= TARGET
    print(f"  {name}: {rate:.0f} images/CPU-s ({5 * rate:.0f} plain captions); target {TARGET}: ", end="")
    print("met" if is_met else "MISSED")
    return is_met


def main() -> bool:
    """Race and judge."""
    here = Path(__file__).resolve().parent
    with scratch_folder() as scratch:
        recipe, work = write_recipe(scratch), scratch / "work"
        stage = [sys.executable, here / "one_stage.py"]
        measure([*stage, "tile", recipe, work, str(WORKERS)])
        n = sum(1 for _ in read_records(work))
        ours, peer = "earthloom, caption stage", "template, no checks"
        candidates = [
            Candidate(
                name=peer,
                argv=[sys.executable, __file__, "template", work, scratch / "template"],
                clear=[scratch / "template"],
                check=expect_rows(scratch / "template", n),
            ),
            Candidate(
                name=ours,
                argv=[*stage, "caption", recipe, work, str(WORKERS)],
                clear=[work / "04-caption"],
                check=expect_rows(work / "04-caption", n),
            ),
        ]
        results = race(candidates, ROUNDS)
        results["earthloom, caption_tile alone"] = [run_alone(work) for _ in range(ROUNDS)]
    judge(f"(g) {N_CAPTIONS} captions by rules, checked, for each of {n} images", "images", n, results)
    pairs = zip(results[ours], results[peer], strict=True)
    ratio = statistics.median(theirs.cpu_s / our.cpu_s for our, theirs in pairs)
    print(f"  {ours} at {ratio:.2f} of {peer}")
    return judge_rate(ours, n, results[ours])


if __name__ == "__main__":
    if sys.argv[1:2] == ["template"]:
        fill_templates(Path(sys.argv[2]), Path(sys.argv[3]))
    elif sys.argv[1:2] == ["alone"]:
        print(caption_alone(Path(sys.argv[2])))
    else:
        sys.exit(not main())
