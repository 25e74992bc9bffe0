"""640 px JPEGs to 512 px tiles: earthloom beside a bare loop of the same decoder, resampler and encoder.

The bare loop decodes, averages areas, encodes at quality 95 without chroma subsampling, and throws the result away.
`pixel stage` is the tile stage: the same, with hashing, checks, and shards on disk. `whole build` is `earthloom
build` from the folder of JPEGs to a release in both formats with captions, splits and card.
"""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

from harness import WORKERS, Candidate, Goal, build_command, expect_rows, judge, measure, race, scratch_folder
from imagery import picture_folder

N = 2500
ROUNDS = 3
SIZE = 512
QUALITY = 95


def write_recipe(path: Path, pictures: Path, **rooms: object) -> Path:
    """A recipe for a folder of pictures, each shrunk to one tile; `rooms` says what to do with these."""
    recipe = {
        "name": "pictures",
        "sources": [{"kind": "images", "path": str(pictures), "gsd_m": 0.5}],
        "tile": {"size": SIZE, "fit": "whole", "resample": "area", "encoding": {"quality": QUALITY}},
        **rooms,
    }
    path.write_text(yaml.safe_dump(recipe))
    return path


def bare_loop(paths: list[Path]) -> int:
    """Decode, resample, encode; returns the number of bytes made."""
    import cv2
    import simplejpeg

    cv2.setNumThreads(1)
    total = 0
    for path in paths:
        pixels = simplejpeg.decode_jpeg(path.read_bytes())
        small = cv2.resize(pixels, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
        total += len(simplejpeg.encode_jpeg(small, quality=QUALITY, colorsubsampling="444"))
    return total


def main() -> bool:
    """Race and judge."""
    pictures = picture_folder(N)
    here = Path(__file__).resolve().parent
    with scratch_folder() as scratch:
        recipe = write_recipe(scratch / "recipe.yaml", pictures)
        stage = [sys.executable, here / "one_stage.py"]
        measure([*stage, "ingest", recipe, scratch / "tiles", "1"])
        candidates = [
            Candidate(name="bare loop", argv=[sys.executable, __file__, "bare", pictures]),
            Candidate(
                name="earthloom, pixel stage",
                argv=[*stage, "tile", recipe, scratch / "tiles", str(WORKERS)],
                clear=[scratch / "tiles" / "02-tile"],
                check=expect_rows(scratch / "tiles" / "02-tile", N),
            ),
            Candidate(
                name="earthloom, whole build",
                argv=build_command(recipe, scratch / "whole"),
                clear=[scratch / "whole"],
                check=expect_rows(scratch / "whole" / "release" / "data", N),
            ),
        ]
        goals = [
            Goal(ours="earthloom, pixel stage", peer="bare loop", target=0.80),
            Goal(ours="earthloom, whole build", peer="bare loop", target=0.60),
        ]
        results = race(candidates, ROUNDS)
    return judge(f"(a) {N} JPEGs of 640 px to {SIZE} px", "images", N, results, goals)


if __name__ == "__main__":
    if sys.argv[1:2] == ["bare"]:
        assert bare_loop(sorted(Path(sys.argv[2]).glob("*.jpg"))) > 0
    else:
        sys.exit(not main())
