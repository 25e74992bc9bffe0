"""A tiled 8,192 x 8,192 RGB GeoTIFF to 512 px tiles: earthloom beside a bare loop of rasterio reads and JPEG encodes.

The file is not compressed, so that the decoder cannot hide what is done around it. It stands in the folder under
several names, so that the start of a process does not decide.
"""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

from harness import WORKERS, Candidate, Goal, expect_rows, judge, measure, race, scratch_folder
from imagery import scene_folder

N_SCENES = 8
SIDE = 8192
SIZE = 512
QUALITY = 95
ROUNDS = 3


def write_recipe(path: Path, scenes: Path) -> Path:
    """A recipe for a folder of scenes."""
    recipe = {
        "name": "scenes",
        "sources": [{"kind": "geotiff", "path": str(scenes), "bands": {"rgb": [1, 2, 3]}}],
        "tile": {"size": SIZE, "edges": "drop", "encoding": {"quality": QUALITY}},
    }
    path.write_text(yaml.safe_dump(recipe))
    return path


def bare_loop(paths: list[Path]) -> int:
    """Read each window, encode it; returns the number of bytes made."""
    import numpy as np
    import rasterio
    import simplejpeg
    from rasterio.windows import Window

    total = 0
    for path in paths:
        with rasterio.open(path) as scene:
            for row in range(0, SIDE, SIZE):
                for col in range(0, SIDE, SIZE):
                    pixels = scene.read([1, 2, 3], window=Window(col, row, SIZE, SIZE))
                    picture = np.ascontiguousarray(np.moveaxis(pixels, 0, 2))
                    total += len(simplejpeg.encode_jpeg(picture, quality=QUALITY, colorsubsampling="444"))
    return total


def main() -> bool:
    """Race and judge."""
    scenes = scene_folder(N_SCENES, SIDE)
    stage = [sys.executable, Path(__file__).resolve().parent / "one_stage.py"]
    n_tiles = N_SCENES * (SIDE // SIZE) ** 2
    with scratch_folder() as scratch:
        recipe = write_recipe(scratch / "recipe.yaml", scenes)
        measure([*stage, "ingest", recipe, scratch / "work", "1"])
        candidates = [
            Candidate(name="bare loop", argv=[sys.executable, __file__, "bare", scenes]),
            Candidate(
                name="earthloom, tile stage",
                argv=[*stage, "tile", recipe, scratch / "work", str(WORKERS)],
                clear=[scratch / "work" / "02-tile"],
                check=expect_rows(scratch / "work" / "02-tile", n_tiles),
            ),
        ]
        goal = Goal(ours="earthloom, tile stage", peer="bare loop", target=0.70)
        results = race(candidates, ROUNDS)
    title = f"(c) {N_SCENES} x GeoTIFF of {SIDE} x {SIDE} to {n_tiles} tiles of {SIZE} px"
    return judge(title, "tiles", n_tiles, results, [goal])


if __name__ == "__main__":
    if sys.argv[1:2] == ["bare"]:
        assert bare_loop(sorted(Path(sys.argv[2]).glob("*.tif"))) > 0
    else:
        sys.exit(not main())
